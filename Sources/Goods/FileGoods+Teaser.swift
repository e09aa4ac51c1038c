/// What stands above a price: the text of a file.
extension FileGoods {
    /// The most bytes of a teaser.
    package static let teaserBytes = 16 * 1024

    /// A file that was looked for as a teaser.
    package enum Teaser: Equatable, Sendable {
        /// Its text.
        case text(String)
        /// There is none.
        case none
        /// There is one that is not shown, for this reason.
        case unfit(String)
    }

    /// The text at a path, decoded and beginning with `/`, below `directory`; of a directory its index
    /// page's, with or without a slash at its end.
    ///
    /// A file that is longer than a teaser may be the goods themselves, of which nothing is shown.
    ///
    /// - Parameter privatePaths: Files and directories that are shown to nobody.
    package static func teaser(
        _ path: [UInt8],
        below directory: String,
        except privatePaths: [String]
    ) -> Teaser {
        do throws(OpenedFile.Failure) {
            let file = try opened(path, below: directory, except: privatePaths)
            // One more than was said, for a file that has grown.
            let bytes = file.read(at: 0, count: teaserBytes + 1)
            guard file.size <= teaserBytes, bytes.count <= teaserBytes else {
                return .unfit("is longer than \(teaserBytes) bytes")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .unfit("is not UTF-8 text")
            }
            return .text(text)
        } catch {
            if case .system(let reason) = error { return .unfit(reason) }
            return .none
        }
    }

    private static func opened(
        _ path: [UInt8],
        below directory: String,
        except privatePaths: [String]
    ) throws(OpenedFile.Failure) -> OpenedFile {
        do throws(OpenedFile.Failure) {
            return try OpenedFile(directory: directory, path: path, except: privatePaths)
        } catch {
            guard error == .directory else { throw error }
            let slash = [UInt8(ascii: "/")]
            return try OpenedFile(directory: directory, path: path + slash, except: privatePaths)
        }
    }
}
