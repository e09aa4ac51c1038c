import FoundationEssentials
import Lightning

/// The body of `POST /api/v1/payments`.
struct CreateRequest: Encodable {
    let out = false  // the default is true: pay
    let amount: UInt64
    let memo: String
    let expiry: UInt64
    let unit = "sat"
    let extra: [String: String]
}

/// What of its answer is looked at. The answer also holds the preimage, before any payment: it is
/// never kept, logged or passed on.
struct CreateReply: Decodable {
    let payment_hash: String
    let bolt11: String?
    let payment_request: String?
    let wallet_id: String?

    /// 0.12 has only `payment_request`, 1.0 only `bolt11`, later ones both.
    var invoice: String? { bolt11 ?? payment_request }
}

/// What of `GET /api/v1/payments/{hash}` is looked at.
struct CheckReply: Decodable {
    struct Details: Decodable {
        let amount: Int64
        let payment_hash: String?
        let wallet_id: String?
        /// `success`, `pending` or `failed`.
        let status: String?
        /// Of 0.12 only.
        let pending: Bool?
        let invoice: String?
        let extra: [String: String]

        private enum Key: String, CodingKey {
            case amount, payment_hash, wallet_id, status, pending, bolt11, payment_request, extra
        }

        init(from decoder: any Decoder) throws {
            let object = try decoder.container(keyedBy: Key.self)
            amount = try object.decode(Int64.self, forKey: .amount)
            payment_hash = try object.decodeIfPresent(String.self, forKey: .payment_hash)
            wallet_id = try object.decodeIfPresent(String.self, forKey: .wallet_id)
            status = try object.decodeIfPresent(String.self, forKey: .status)
            pending = try object.decodeIfPresent(Bool.self, forKey: .pending)
            invoice =
                (try? object.decodeIfPresent(String.self, forKey: .bolt11))
                ?? (try? object.decodeIfPresent(String.self, forKey: .payment_request))
            extra = (try? object.decodeIfPresent(Texts.self, forKey: .extra))?.values ?? [:]
        }
    }

    let paid: Bool
    /// Of what is not paid: `pending` or `failed`.
    let status: String?
    let details: Details?
}

/// What of one row of `GET /api/v1/payments` is looked at.
struct ListedPayment: Decodable {
    let wallet_id: String?
}

/// What of `GET /api/v1/payments/paginated` is looked at: a row that is none of ours does not spoil
/// the others.
struct PaidPage: Decodable {
    struct Row: Decodable {
        let payment_hash: String?
        let amount: Int64?
        /// `success`, `pending` or `failed`.
        let status: String?
        /// Of 0.12 only.
        let pending: Bool?
        let bolt11: String?
        let payment_request: String?

        /// When the invoice was made, in seconds since 1970.
        var madeAt: UInt64? {
            (bolt11 ?? payment_request).flatMap { try? Bolt11Invoice(decoding: $0) }?.timestamp
        }

        /// Whether it came in and is paid.
        var isPaid: Bool {
            amount.map { $0 > 0 } == true && pending != true
                && status.map { ["success", "complete"].contains($0) } ?? (pending == false)
        }
    }

    let data: [Row]
}

/// An error of LNbits: `detail` is a text, or a list for what it finds in a request.
struct ErrorReply: Decodable {
    /// What it says.
    let words: String

    private struct Finding: Decodable {
        let msg: String
    }

    private enum Key: String, CodingKey {
        case detail, error
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        if let detail = try? object.decode(String.self, forKey: .detail) {
            words = detail
        } else if let findings = try? object.decode([Finding].self, forKey: .detail) {
            words = findings.map(\.msg).joined(separator: "; ")
        } else {
            words = try object.decode(String.self, forKey: .error)
        }
    }
}

/// Any JSON, to tell what is none from what says something else.
struct AnyJSON: Decodable {
    init(from decoder: any Decoder) throws {}
}

/// The texts of a JSON object; values of other types are left out.
struct Texts: Decodable {
    let values: [String: String]

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: AnyKey.self)
        var values: [String: String] = [:]
        for key in object.allKeys {
            values[key.stringValue] = try? object.decode(String.self, forKey: key)
        }
        self.values = values
    }
}

/// `GET /api/v1/wallet`: `id` is told to an admin key only.
struct WalletReply: Decodable {
    let id: String?
    let name: String
}

/// The body of `POST /api/v1/conversion`. The other way round LNbits cuts to whole sats: what is
/// less than one would be 0, and everything else too cheap.
struct ConversionRequest: Encodable {
    let from_ = "sat"
    let amount: Double = 100_000_000
    let to: String
}
