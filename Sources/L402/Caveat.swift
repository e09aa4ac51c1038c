/// One condition of a token: `condition=value`, split at the first `=`.
///
/// Bytes, not text: Alby's own test macaroon has a byte that is no UTF-8. Source: L402
/// macaroons.md, "Caveats"; aperture `l402/caveat.go`.
struct Caveat {
    let condition: [UInt8]
    let value: [UInt8]

    /// `nil` for bytes without `=`, which the specification says to skip.
    init?(_ bytes: [UInt8]) {
        guard let separator = bytes.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        condition = Array(bytes[..<separator])
        value = Array(bytes[(separator + 1)...])
    }
}

/// A whole decimal number without sign, blanks or overflow; `nil` for anything else.
func decimal(_ bytes: some Collection<UInt8>) -> UInt64? {
    guard (1...20).contains(bytes.count) else { return nil }
    var value: UInt64 = 0
    for byte in bytes {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        let (tenfold, tooLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tenfold.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
        if tooLarge || carried { return nil }
        value = sum
    }
    return value
}
