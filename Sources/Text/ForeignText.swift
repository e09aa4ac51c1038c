extension String {
    /// Text that somebody else wrote: as it is where it is UTF-8, and else with `?` for every byte
    /// that is not ASCII.
    ///
    /// `String(decoding:as:)` mends broken UTF-8 in a time that grows with the square of its length
    /// (Swift 6.2: seconds for 64 KiB), so that it is not for bytes from outside. Tests/fuzz found it.
    package init(foreign bytes: some Collection<UInt8>) {
        if bytes.allSatisfy({ $0 < 0x80 }) {
            // Nearly everything that is sent, at a tenth of the time.
            self.init(decoding: bytes, as: UTF8.self)
        } else if let valid = String(validating: bytes, as: UTF8.self) {
            self = valid
        } else {
            self.init(decoding: bytes.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        }
    }
}
