/// A QR code as an inline picture (ISO/IEC 18004; SVG 1.1): dark on white whatever the page's
/// colours, with the quiet zone that scanners need.
enum QRPicture {
    private static let quietModules = 4

    /// - Parameters:
    ///   - rows: Whether each module is dark, row by row, without the quiet zone.
    ///   - label: What the picture is, for who does not see it.
    static func svg(_ rows: [[Bool]], label: String) -> String {
        let width = rows.count + 2 * quietModules
        var path = ""
        for (y, row) in rows.enumerated() {
            var x = 0
            while x < row.count {
                guard row[x] else {
                    x += 1
                    continue
                }
                let length = row[x...].prefix { $0 }.count
                path += "M\(x + quietModules) \(y + quietModules)h\(length)v1h-\(length)z"
                x += length
            }
        }
        return "<svg role=\"img\" aria-label=\"\(PageText.escaped(label))\" "
            + "viewBox=\"0 0 \(width) \(width)\" shape-rendering=\"crispEdges\">"
            + "<rect width=\"\(width)\" height=\"\(width)\" fill=\"#fff\"/>"
            + "<path fill=\"#000\" d=\"\(path)\"/></svg>"
    }
}
