import Paywall
import Settings
import Testing

@testable import Settings

@Suite struct SettingsTests {
    private static let least = [
        "LNBITS_URL": "http://127.0.0.1:5000/", "LNBITS_KEY": "0123456789abcdef",
    ]

    private func settings(_ variables: [String: String], below: [String: String] = [:]) throws
        -> GateSettings
    {
        try Self.settings([(variables, .process), (Self.least, .process), (below, .process)])
    }

    private static func settings(
        _ layers: [([String: String], SettingsLayer.Origin)],
        trust: RequestTrust = .full,
        key: [UInt8] = Array("fedcba9876543210\n".utf8),
        isSafe: Bool = false
    ) throws -> GateSettings {
        let files = SettingsFiles(
            read: { path throws(SettingsFiles.FileReason) in
                guard path == "/key" else { throw SettingsFiles.FileReason("No such file") }
                return key
            },
            isSafe: { _ in isSafe }
        )
        return try GateSettings(
            layers: layers.map { SettingsLayer($0.0, from: $0.1) },
            trust: trust,
            files: files
        )
    }

    @Test func `two variables are enough, and the others have defaults`() throws {
        let settings = try settings([:])
        #expect(settings.wallet.url == "http://127.0.0.1:5000")
        #expect(settings.stateDirectory == "/var/lib/l402" && settings.rulesPath == nil)
        #expect(settings.workers == GateSettings.defaultWorkers && settings.workers >= 2)
        #expect(settings.listen == nil && settings.log == .info)
        #expect(settings.policy == Gate.Policy())
    }

    @Test(
        arguments: [
            ("LNBITS_URL", "ftp://x"), ("LNBITS_URL", "http://"), ("LNBITS_URL", "http://x?y"),
            ("LNBITS_KEY", "short"), ("LNBITS_KEY", "with a blank in it"),
            ("L402_RULES", "relative"),
            ("L402_STATE_DIR", "./state"), ("L402_LISTEN", "unix:relative"),
            ("L402_LISTEN", "9402"),
            ("L402_LISTEN", "host:0"),
            ("L402_LISTEN", "unix:/" + String(repeating: "x", count: 120)),
            ("L402_WORKERS", "0"), ("L402_WORKERS", "many"), ("L402_INVOICE_EXPIRY", "soon"),
            ("L402_MAX_PENDING", "-1"), ("L402_LNBITS_TIMEOUT", "1h"),
            ("L402_BACKEND_TIMEOUT", "0s"),
            ("L402_TRUST_PREIMAGE", "yes"), ("L402_DRY_RUN", "1"), ("L402_CORS", "example.org"),
            ("L402_SERVE", "nowhere"), ("L402_SENDFILE", "true"), ("L402_METRICS", "public"),
            ("L402_PAGE", "page.html"), ("L402_FIAT", "eur"), ("L402_FIAT", "EURO"),
            ("L402_LANG", "nl"), ("L402_LANG", "DE"), ("L402_RELOAD_GRACE", "2h"),
            ("L402_RELOAD_GRACE", "long"),
            ("L402_LOG", "loud"), ("L402_LNBITS_CA", "ca.pem"), ("LNBITS_KEY_shop", "qj9w"),
            ("LNBITS_KEY_FILE_shop", "/none"), ("LNBITS_URL_shop", "http://x"),
            ("L402_SITE", "my site"), ("L402_SITE", "é"), ("L402_JOURNAL_DAYS", "0"),
            ("L402_JOURNAL_MB", "1GB"), ("L402_STOP_TIMEOUT", "0s"),
            ("L402_LISTEN_ANYWHERE", "yes"),
        ]
    )
    func `a value that cannot be is told with its variable`(name: String, value: String) throws {
        let error = try #require(throws: SettingsError.self) { try settings([name: value]) }
        #expect(error.description.hasPrefix("\(name): "), "\(error.description)")
        #expect(!error.description.contains("\n"))
        if name.hasPrefix("LNBITS_KEY") { #expect(!error.description.contains(value)) }
    }

    @Test(arguments: ["LNBITS_URL", "LNBITS_KEY"])
    func `what is missing is told by its name`(name: String) throws {
        var variables = Self.least
        variables[name] = nil
        let error = try #require(throws: SettingsError.self) {
            try Self.settings([(variables, .process)])
        }
        #expect(error.description.hasPrefix("\(name): is not set; give "))
    }

    @Test func `a layer above wins, and what is empty counts as not set`() throws {
        let settings = try settings(
            ["L402_WORKERS": "", "L402_LOG": "debug"],
            below: ["L402_WORKERS": "7", "L402_LOG": "error"]
        )
        #expect(settings.workers == 7 && settings.log == .debug)
    }

    @Test func `the key may be in a file, and other wallets have keys by name`() throws {
        let settings = try Self.settings([
            (
                [
                    "LNBITS_URL": "https://a.example", "LNBITS_KEY_FILE": "/key",
                    "LNBITS_KEY_SHOP": "aaaaaaaaaaaaaaaa", "LNBITS_URL_SHOP": "https://b.example/",
                    "LNBITS_KEY_bar": "bbbbbbbbbbbbbbbb", "LNBITS_KEY_FILE_inn": "/key",
                ], .process
            )
        ])
        #expect(settings.wallet.key.exposed == "fedcba9876543210")
        #expect(settings.wallet(named: "shop")?.url == "https://b.example")
        #expect(settings.wallet(named: "bar")?.key.exposed == "bbbbbbbbbbbbbbbb")
        #expect(settings.wallet(named: "bar")?.url == "https://a.example")
        #expect(settings.wallet(named: "inn")?.key.exposed == "fedcba9876543210")
        #expect(settings.wallet(named: "other") == nil && settings.wallet(named: "FILE_inn") == nil)
        #expect(settings.walletNames == ["SHOP", "bar", "inn"])
        #expect(Set(settings.secretFiles) == ["/key"])
        #expect(!"\(settings)".contains("fedcba9876543210"), "keys are not printed by mistake")
    }

    private static let ours = [
        "LNBITS_URL": "http://ours", "LNBITS_KEY": "0123456789abcdef",
        "LNBITS_KEY_shop": "aaaaaaaaaaaaaaaa",
    ]

    @Test(
        arguments: [
            ["LNBITS_URL": "http://stranger"],
            ["LNBITS_URL_shop": "http://stranger"],
            ["LNBITS_URL": "http://stranger", "LNBITS_KEY_shop": "bbbbbbbbbbbbbbbb"],
            ["L402_LNBITS_CA": "/stranger.pem"],
        ],
        [SettingsLayer.Origin.request, .requestFile]
    )
    func `a key is not sent where a request says`(
        more: [String: String],
        origin: SettingsLayer.Origin
    ) throws {
        let error = try #require(throws: SettingsError.self) {
            try Self.settings([(more, origin), (Self.ours, .process)])
        }
        #expect(error.description.contains("a key is never sent where a request says"))
    }

    @Test func `an address of a request does not reach the keys of the file that it names`() throws
    {
        #expect(throws: SettingsError.self) {
            try Self.settings([
                (["LNBITS_URL": "http://stranger"], .request),
                (["LNBITS_KEY": "cccccccccccccccc", "LNBITS_URL": "http://b"], .requestFile),
            ])
        }
    }

    @Test func `a request that brings its own wallet pays into it, and ours stay where they were`()
        throws
    {
        let theirs = ["LNBITS_URL": "http://theirs", "LNBITS_KEY": "dddddddddddddddd"]
        let settings = try Self.settings([(theirs, .request), (Self.ours, .process)])
        #expect(settings.wallet.url == "http://theirs")
        #expect(settings.wallet(named: "shop")?.url == "http://ours")
        let file = ["LNBITS_URL": "http://theirs", "LNBITS_KEY_FILE": "/key"]
        let other = try Self.settings([(file, .request), (Self.ours, .process)])
        #expect(other.wallet.key.exposed == "fedcba9876543210", "the nearer layer wins")
        let key = try Self.settings([
            (["LNBITS_KEY": "eeeeeeeeeeeeeeee"], .request), (Self.ours, .process),
        ])
        #expect(key.wallet.url == "http://ours")
    }

    @Test func `through a port of this machine no file is named that a neighbour may write`() throws
    {
        for name in ["L402_RULES", "L402_STATE_DIR", "LNBITS_KEY_FILE", "LNBITS_KEY_FILE_x"] {
            let layers = [([name: "/key"], SettingsLayer.Origin.request), (Self.ours, .process)]
            #expect(throws: SettingsError.self) { try Self.settings(layers, trust: .loopback) }
            _ = try Self.settings(layers, trust: .loopback, isSafe: true)
            _ = try Self.settings(layers)
        }
        let keyed = ["LNBITS_URL": "http://stranger", "LNBITS_KEY_FILE": "/key"]
        #expect(throws: SettingsError.self) {
            try Self.settings([(keyed, .request)], trust: .loopback, isSafe: true)
        }
        #expect(throws: SettingsError.self) {
            try Self.settings(
                [(["L402_SERVE": "file:/etc"], .request), (Self.ours, .process)],
                trust: .loopback,
                isSafe: true
            )
        }
    }

    @Test(arguments: ["L402_RULES", "LNBITS_URL", "LNBITS_KEY", "L402_DRY_RUN", "L402_ANYTHING"])
    func `through a port that others reach a request sets nothing`(name: String) throws {
        let error = try #require(throws: SettingsError.self) {
            try Self.settings([([name: "on"], .request), (Self.ours, .process)], trust: .none)
        }
        #expect(error.variable == name)
    }

    @Test func `whose rules are in force is known`() throws {
        let rules = ["L402_RULES": "/a"]
        let process = (Self.ours, SettingsLayer.Origin.process)
        #expect(try Self.settings([(rules, .request), process]).areRulesOfRequest)
        #expect(try Self.settings([(rules, .requestFile), process]).areRulesOfRequest)
        #expect(
            try Self.settings([(["L402_STATE_DIR": "/s"], .request), process]).areRulesOfRequest
        )
        #expect(
            try !Self.settings([([:], .request), (rules, .process), process]).areRulesOfRequest
        )
        #expect(
            try Self.settings([(["L402_SITE": "a.b-c_9"], .request), process]).policy.site
                == "a.b-c_9"
        )
    }

    private static let key = "0123456789abcdef0123456789abcdef"

    @Test(
        arguments: [
            ("LNBITS_URL", "http://127.0.0.1:5000 LNBITS_KEY=\(key)"), ("LNBITS_URL", key),
            ("LNBITS_URL", "ftp://user:hunter22@x"), ("LNBITS_KEY", key + " "),
            ("LNBITS_KEY_FILE", key), ("LNBITS_KEY_FILE", "/none/hunter22"), ("L402_RULES", key),
            ("L402_STATE_DIR", "/var/lib/l402 LNBITS_KEY=\(key)"),
            ("L402_STATE_DIR", "/var/lib/l402LNBITS_KEY=\(key)"), ("L402_LOG", key),
            ("L402_LISTEN", "host:hunter22@x"), ("L402_CORS", "LNBITS_KEY:\(key)"),
            ("L402_WORKERS", "2 L402_REPORT_KEY=hunter22"), ("L402_SITE", "a=hunter22"),
        ]
    )
    func `a value that could hold a key is not told`(name: String, value: String) throws {
        var variables = Self.least
        if name == "LNBITS_KEY_FILE" { variables["LNBITS_KEY"] = nil }
        variables[name] = value
        let error = try #require(throws: SettingsError.self) {
            try Self.settings([(variables, .process)])
        }
        #expect(error.variable == name)
        #expect(!error.description.contains(Self.key) && !error.description.contains("hunter22"))
    }

    @Test func `a line for people has no keys or passwords in it`() {
        let told = SecretText.masked(
            "env:2:1: unknown method \"LNBITS_KEY=\(Self.key)\" http://u:hunter22@h/x \(Self.key) "
                + "L402_REPORT_KEY='hunter22' L402_LISTEN_ANYWHERE=on \(Self.key)\(Self.key)"
        )
        #expect(!told.contains("hunter22") && told.contains("h/x"))
        #expect(told.contains("L402_LISTEN_ANYWHERE=on"))
        #expect(told.hasSuffix(" \(Self.key)\(Self.key)"), "a payment hash is no key")
        #expect(told.ranges(of: Self.key).count == 2)
        #expect(SecretText.origin(of: "https://u:p@h.example:5/a?b") == "https://h.example:5")
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `a settings file may come from any editor`(end: String) throws {
        let text =
            "\u{feff}# mine\(end)export LNBITS_URL=http://x\(end)LNBITS_KEY=\"\(Self.key)\"\(end)"
        let values = try EnvironmentFile.parse(Array(text.utf8), path: "/env")
        #expect(values == ["LNBITS_URL": "http://x", "LNBITS_KEY": Self.key])
        let file = try Self.settings(
            [(["LNBITS_URL": "http://x", "LNBITS_KEY_FILE": "/key"], .process)],
            key: Array("\u{feff}\(Self.key)\(end)".utf8)
        )
        #expect(file.wallet.key.exposed == Self.key)
        let error = try #require(throws: SettingsError.self) {
            try EnvironmentFile.parse([0xff, 0xfe, 0x4c, 0], path: "/env")
        }
        #expect(error.description == "L402_ENV_FILE: /env is UTF-16; save it as UTF-8")
    }
}
