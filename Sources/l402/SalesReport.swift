import Lightning
import Store

/// What happened on one day with one service.
struct SalesRow: Encodable {
    let day: String
    let service: String
    /// Invoices offered.
    var challenges: UInt64 = 0
    /// Payments redeemed for the first time.
    var purchases: UInt64 = 0
    /// What they paid.
    var revenue_sats: UInt64 = 0
    /// Paid requests served, and uses given back.
    var used: UInt64 = 0
    var refunded: UInt64 = 0
    /// Free-tier requests served.
    var free: UInt64 = 0
    /// Requests refused for another reason than that nothing was presented.
    var refused: UInt64 = 0

    /// Purchases for each hundred challenges; `nil` without challenges.
    var conversionPercent: Int? {
        challenges > 0 ? Int((Double(purchases) * 100 / Double(challenges)).rounded()) : nil
    }

    static let csvHead =
        "day,service,challenges,purchases,revenue_sats,used,refunded,free,refused"

    /// Services are named without commas and quotes.
    var csv: String {
        "\(day),\(service),\(challenges),\(purchases),\(revenue_sats),\(used),\(refunded),\(free),\(refused)"
    }
}

/// Adds the journal up.
struct SalesReport {
    private struct Key: Hashable {
        let day: String
        let service: String
    }

    private var sums: [Key: SalesRow] = [:]

    /// - Parameter count: How many such events there were.
    mutating func add(_ event: JournalEvent, count: UInt64, day: String) {
        let service = event.service.isEmpty ? "(none)" : event.service
        let key = Key(day: day, service: service)
        var row = sums[key] ?? SalesRow(day: day, service: service)
        switch event.kind {
        case .challenge: row.challenges += count
        case .paid, .settled:
            row.purchases += count
            row.revenue_sats += event.amount.satsRoundedUp
        case .used: row.used += count
        case .refunded: row.refunded += count
        case .free: row.free += count
        case .refused, .undecided: row.refused += count
        }
        sums[key] = row
    }

    /// By day, then by service.
    var rows: [SalesRow] {
        sums.values.sorted { ($0.day, $0.service) < ($1.day, $1.service) }
    }
}

/// The report as an aligned table, with a bar of the revenue for people at a terminal.
struct SalesTable {
    let text: String

    private static let head = [
        "day", "service", "challenges", "purchases", "conversion", "revenue", "used", "refunded",
        "free", "refused",
    ]
    private static let barWidth = 20

    init(_ rows: [SalesRow], showsBars: Bool) {
        guard !rows.isEmpty else {
            text = "nothing happened in these days"
            return
        }
        let total = rows.reduce(into: SalesRow(day: "total", service: "")) { total, row in
            total.challenges += row.challenges
            total.purchases += row.purchases
            total.revenue_sats += row.revenue_sats
            total.used += row.used
            total.refunded += row.refunded
            total.free += row.free
            total.refused += row.refused
        }
        let cells = [Self.head] + (rows + [total]).map(Self.cells)
        let widths = Self.head.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        let most = rows.map(\.revenue_sats).max() ?? 0
        let lines = cells.enumerated().map { index, cells in
            var line = cells.enumerated().map { column, cell in
                let blanks = String(repeating: " ", count: widths[column] - cell.count)
                return column < 2 ? cell + blanks : blanks + cell
            }.joined(separator: "  ")
            if showsBars, most > 0, (1...rows.count).contains(index) {
                line += "  " + Self.bar(rows[index - 1].revenue_sats, of: most)
            }
            return line
        }
        text = lines.joined(separator: "\n")
    }

    private static func cells(_ row: SalesRow) -> [String] {
        [
            row.day, row.service, String(row.challenges), String(row.purchases),
            row.conversionPercent.map { "\($0) %" } ?? "–", String(row.revenue_sats),
            String(row.used),
            String(row.refunded), String(row.free), String(row.refused),
        ]
    }

    private static func bar(_ part: UInt64, of most: UInt64) -> String {
        let eighths = Int((Double(part) / Double(most) * Double(barWidth * 8)).rounded())
        let rest = eighths % 8 > 0 ? [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8] : ""
        return String(repeating: "█", count: eighths / 8) + rest
    }
}
