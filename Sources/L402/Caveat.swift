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
