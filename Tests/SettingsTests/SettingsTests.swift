import Paywall
import Testing

@testable import Settings

@Suite struct SettingsTests {
    private static let least = [
        "LNBITS_URL": "http://127.0.0.1:5000/", "LNBITS_KEY": "0123456789abcdef",
    ]

    private func settings(_ variables: [String: String], below: [String: String] = [:]) throws
        -> Settings
    {
        try Settings(layers: [variables, Self.least, below]) {
            $0 == "/key" ? "fedcba9876543210\n" : nil
        }
    }

    @Test func `two variables are enough, and the others have defaults`() throws {
        let settings = try settings([:])
        #expect(settings.wallet.url == "http://127.0.0.1:5000")
        #expect(settings.stateDirectory == "/var/lib/l402" && settings.rulesPath == nil)
        #expect(settings.workers == Settings.defaultWorkers && settings.workers >= 2)
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
            ("L402_LOG", "loud"), ("L402_LNBITS_CA", "ca.pem"), ("LNBITS_KEY_shop", "qj9w"),
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
            try Settings(layers: [variables]) { _ in nil }
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
        let settings = try Settings(
            layers: [
                [
                    "LNBITS_URL": "https://a.example", "LNBITS_KEY_FILE": "/key",
                    "LNBITS_KEY_SHOP": "aaaaaaaaaaaaaaaa", "LNBITS_URL_SHOP": "https://b.example/",
                    "LNBITS_KEY_bar": "bbbbbbbbbbbbbbbb",
                ]
            ]
        ) { $0 == "/key" ? "fedcba9876543210\n" : nil }
        #expect(settings.wallet.key.exposed == "fedcba9876543210")
        #expect(settings.wallet(named: "shop")?.url == "https://b.example")
        #expect(settings.wallet(named: "bar")?.key.exposed == "bbbbbbbbbbbbbbbb")
        #expect(settings.wallet(named: "bar")?.url == "https://a.example")
        #expect(settings.wallet(named: "other") == nil)
        #expect(settings.secretFiles == ["/key"])
        #expect(!"\(settings)".contains("fedcba9876543210"), "keys are not printed by mistake")
    }
}
