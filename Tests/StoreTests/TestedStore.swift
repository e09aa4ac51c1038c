import FlatFiles
import Glibc
import Store
import TestTools

/// The store that the whole suite is run on. The suite speaks of the contract only, so that every store
/// passes the same tests: `L402_TEST_STORE` names it, flat files without it.
enum TestedStore: String, CaseIterable {
    case flatFiles = "flat-files"

    static var chosen: TestedStore {
        get throws {
            guard let name = getenv("L402_TEST_STORE").map({ String(cString: $0) }) else {
                return .flatFiles
            }
            guard let store = TestedStore(rawValue: name) else { throw NoSuchStore(name: name) }
            return store
        }
    }

    struct NoSuchStore: Error { let name: String }

    /// Books with nothing in them.
    func make() throws -> TestedBooks {
        switch self {
        case .flatFiles: try .flatFiles(in: TemporaryDirectory())
        }
    }
}

/// The books of one test, which go away with it.
struct TestedBooks {
    let books: Books
    let backOffice: BackOffice
    /// The same books as another process opens them.
    let again: () throws -> TestedBooks

    static func flatFiles(in directory: TemporaryDirectory) throws -> TestedBooks {
        let flat = FlatBooks(try StateDirectory(opening: directory.path), isOneShot: false)
        return TestedBooks(
            books: flat.books,
            backOffice: flat.backOffice,
            again: { try flatFiles(in: directory) }
        )
    }
}
