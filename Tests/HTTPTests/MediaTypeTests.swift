import Testing

@testable import HTTP

@Suite struct MediaTypeTests {
    @Test(
        "media types by the end of the name",
        arguments: [
            ("/x.html", "text/html; charset=utf-8"), ("/X.PDF", "application/pdf"),
            ("/a.tar.gz", "application/gzip"),
            ("/noend", "application/octet-stream"), ("/x.unknown", "application/octet-stream"),
            ("/dir.html/x", "application/octet-stream"), ("/dir/", "text/html; charset=utf-8"),
        ]
    )
    func mediaTypes(path: String, type: String) {
        #expect(MediaType.of(Array(path.utf8)) == type)
    }
}
