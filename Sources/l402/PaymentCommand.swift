import ArgumentParser
import FlatFiles
import FoundationEssentials
import L402
import Lightning
import Store

/// `l402 payment …`: what is known of one payment, and ending or mending it.
struct PaymentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payment",
        abstract: "Look a payment up, revoke it, or give one of its uses back.",
        subcommands: [Show.self, Revoke.self, Refund.self]
    )

    /// The payment that the three commands are about.
    struct Which: ParsableArguments {
        @Argument(help: "Payment hash, 64 hex digits.")
        var hash: String

        @Flag(help: "As JSON.")
        var json = false

        func paymentHash() throws -> PaymentHash {
            guard let hash = PaymentHash(hex: hash) else {
                throw ValidationError("\"\(hash)\" is not a payment hash of 64 hex digits")
            }
            return hash
        }

        /// Prints what is on record, or complains that nothing is.
        func print(_ record: PaymentRecord?) throws {
            guard let record else {
                complain(
                    "no payment \(hash) on record: never redeemed here, or expired and removed"
                )
                throw ExitCode(1)
            }
            Swift.print(json ? JSONText.encode(PaymentText(record)) : PaymentText(record).lines)
        }
    }

    /// `l402 payment show HASH`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print what is on record of a payment."
        )

        @OptionGroup var which: Which

        func run() throws {
            let hash = try which.paymentHash()
            try which.print(
                try withState { (directory) throws(StateError) in
                    try Payments(directory).record(hash)
                }
            )
        }
    }

    /// `l402 payment revoke HASH`.
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "End a payment: nothing is served for it from now on.",
            discussion:
                "The money stays where it is. A payment that was never redeemed here cannot be revoked."
        )

        @OptionGroup var which: Which

        func run() throws {
            let hash = try which.paymentHash()
            try which.print(
                try withState { (directory) throws(StateError) in
                    try Payments(directory).revoke(hash)
                }
            )
        }
    }

    /// `l402 payment refund HASH`.
    struct Refund: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "refund",
            abstract: "Give one use of a payment back to whoever holds it.",
            discussion: "For goods that were not what was paid for. No money moves."
        )

        @OptionGroup var which: Which

        func run() throws {
            let hash = try which.paymentHash()
            try which.print(
                try withState { (directory) throws(StateError) in
                    try Payments(directory).refund(hash)
                }
            )
        }
    }
}

/// A payment as it is printed.
private struct PaymentText: Encodable {
    let payment_hash: String
    let service: String
    let site: String?
    let tier: UInt8
    let path: String?
    let path_sha256: String?
    let state: String
    let used: UInt64
    let uses: String
    let price_sats: UInt64
    let opened: String
    let valid_until: String

    init(_ record: PaymentRecord) {
        payment_hash = record.paymentHash.hex
        service = record.terms.service
        site = record.terms.site
        tier = record.terms.tier
        let address = record.terms.address
        path = address.flatMap { $0.name == BoughtAddress.textName ? $0.value : nil }
        path_sha256 = address.flatMap { $0.name == BoughtAddress.digestName ? $0.value : nil }
        let isOver = Double(record.ends) <= Date().timeIntervalSince1970
        state =
            record.isRevoked
            ? "revoked"
            : isOver ? "expired" : record.used >= record.terms.uses ?? .max ? "spent" : "active"
        used = record.used
        uses = record.terms.usesText
        price_sats = record.price.satsRoundedUp
        opened = record.opened
        valid_until = Date(timeIntervalSince1970: TimeInterval(record.ends)).formatted(
            .iso8601
        )
    }

    /// A line of its own where one address was bought.
    private var address: String {
        if let path { return "\npath         \(path)" }
        return path_sha256.map { "\npath         a long one, of SHA-256 \($0)" } ?? ""
    }

    var lines: String {
        """
        payment      \(payment_hash)
        state        \(state)
        service      \(service), tier \(tier)\(site.map { ", of site \($0)" } ?? "")\(address)
        used         \(uses == "unlimited" ? "without limit" : "\(used) of \(uses)")
        price        \(price_sats) sats
        opened       \(opened)
        valid until  \(valid_until)
        """
    }
}
