import CQREncode

/// QR codes by libqrencode, which is looked for when the first one is drawn.
package enum QRCode {
    /// Whether there is a libqrencode.
    package static var isAvailable: Bool { cqrencode_load() == 1 }

    /// Longer texts make codes that no phone reads from a screen.
    private static let longestBytes = 1200

    /// Which modules are dark, row by row, without the quiet zone; error correction M. `nil` without
    /// the library, and for a text that is too long, empty, or has a NUL.
    package static func rows(_ text: String) -> [[Bool]]? {
        guard isAvailable, (1...longestBytes).contains(text.utf8.count), !text.utf8.contains(0)
        else { return nil }
        let code = unsafe cqrencode_encode(text)
        defer { unsafe cqrencode_free(code) }
        guard let data = unsafe code.data, unsafe code.width > 0 else { return nil }
        let width = unsafe Int(code.width)
        let modules = unsafe Array(UnsafeBufferPointer(start: data, count: width * width))
        return (0..<width).map { row in
            modules[(row * width)..<((row + 1) * width)].map { $0 & 1 == 1 }
        }
    }
}
