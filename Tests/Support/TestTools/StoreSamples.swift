import L402
import Lightning
import Store
import Text

/// Saturday 2026-11-21, 12:00:00 UTC.
package let noon: UInt64 = 1_795_262_400

private struct NoSample: Error {}

/// A hash that a number stands for; the one that the driver uses for it too.
package func paymentHash(_ value: UInt64) throws -> PaymentHash {
    let bytes = (0..<32).map { UInt8(truncatingIfNeeded: value >> UInt64($0 % 8 * 8)) }
    guard let hash = PaymentHash(bytes: bytes) else { throw NoSample() }
    return hash
}

package func paymentClaim(
    _ number: UInt64 = 7,
    uses: UInt64? = 1,
    cap: UInt64? = nil,
    validUntil: UInt64 = noon + 3600,
    validSeconds: UInt64? = nil,
    service: String = "dvm",
    site: String? = nil,
    address: BoughtAddress? = nil,
    priceSats: UInt64 = 21,
    request: String = "",
    delivery: DeliveryKey? = nil
) throws -> PaymentClaim {
    PaymentClaim(
        paymentHash: try paymentHash(number),
        terms: PurchaseTerms(
            service: service,
            site: site,
            tier: 0,
            address: address,
            validUntil: validUntil,
            validSeconds: validSeconds,
            uses: uses,
            priceSats: priceSats
        ),
        cap: cap,
        requestID: request,
        delivery: delivery
    )
}

package func freeClaim(
    _ client: UInt64,
    limit: UInt32 = 1,
    _ period: FreePeriod = .day,
    rule: [UInt8] = [1],
    network: [UInt8] = [10, 0],
    request: String = ""
) -> FreeClaim {
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: client >> UInt64($0 * 8)) }
    return FreeClaim(
        rule: rule,
        client: bytes,
        network: network,
        limit: limit,
        period: period,
        requestID: request
    )
}
