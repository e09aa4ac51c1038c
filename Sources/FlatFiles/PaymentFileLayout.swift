extension PaymentFile {
    /// Where the fields that change stand.
    struct Layout {
        let used: Int
        let change: Int
        let state: Int
        /// `nil` in files of an older release.
        let failed: Int?
        let firstAddress: Int
        let firstPlace: Int
        let addresses: Int
        let places: Int

        static let magic = "l402-payment 2 used "
        static let olderMagic = "l402-payment 1 used "
        static let noName = [UInt8](repeating: 0x2d, count: 16)
        static let emptyPlace = noName + Array(" 0000000000\n".utf8)
        static let emptyAddress = noName + Array(" 0000000000 0000000000 00\n".utf8)
        static let sinceOffset = "00 since ".utf8.count
        static let timeOffset = 28
        static let repeatsOffset = 39
        static let maximumNumber: UInt64 = 9_999_999_999
        /// Requests on one token that can be on their way to failing goods at once.
        private static let maximumPlaces: UInt64 = 64
        private static let maximumAddresses = 8

        static func placeCount(_ uses: UInt64?) -> Int {
            uses.map { Int(min($0, maximumPlaces)) } ?? 0
        }

        static func addressCount(_ uses: UInt64?) -> Int { uses == nil ? 0 : maximumAddresses }

        var placeBytes: Int { failed == nil ? Self.noName.count + 1 : Self.emptyPlace.count }

        func place(_ index: Int) -> Int { firstPlace + index * placeBytes }

        func address(_ index: Int) -> Int { firstAddress + index * Self.emptyAddress.count }
    }
}
