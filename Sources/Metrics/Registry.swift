import Synchronization

/// Counters and histograms of one site, told in the Prometheus text format (version 0.0.4).
///
/// What exists is in ``MetricFamily``; labels are services of the rules file and words of our own,
/// so that the number of series is bounded.
package final class Registry: Sendable {
    /// One series: a family and the values of its labels. Made for each request, so without arrays.
    private struct Key: Hashable {
        let family: MetricFamily
        let first: String
        let second: String

        var labels: String {
            zip(family.labels, [first, second]).map { "\($0)=\"\(escaped($1))\"" }
                .joined(separator: ",")
        }
    }

    private struct Histogram {
        var counts = [UInt64](repeating: 0, count: Registry.bounds.count)
        var count: UInt64 = 0
        var sum = 0.0

        mutating func add(_ seconds: Double, _ bucket: Int?) {
            if let bucket { counts[bucket] &+= 1 }
            count &+= 1
            sum += seconds
        }
    }

    private struct State {
        var counters: [Key: UInt64] = [:]
        var histograms: [Key: Histogram] = [:]
    }

    /// Upper bounds of histogram buckets in seconds, from a known token to a slow wallet.
    static let bounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
        10,
    ]
    private static let boundTexts = bounds.map { "\($0)" }

    private let state = Mutex(State())

    package init() {}

    /// Adds to the counter of these values of the family's labels.
    package func add(
        _ family: MetricFamily,
        _ first: String = "",
        _ second: String = "",
        by amount: UInt64 = 1
    ) {
        let key = Key(family: family, first: first, second: second)
        state.withLock { $0.counters[key, default: 0] &+= amount }
    }

    /// Puts a duration into the histogram of these values of the family's labels.
    package func observe(
        _ family: MetricFamily,
        _ first: String = "",
        _ second: String = "",
        seconds: Double
    ) {
        let key = Key(family: family, first: first, second: second)
        let bucket = Self.bounds.firstIndex { seconds <= $0 }
        state.withLock { state in
            state.histograms[key, default: Histogram()].add(seconds, bucket)
        }
    }

    /// Everything, and gauges that are read now.
    package func text(gauges: [(family: MetricFamily, label: String, value: Double)]) -> String {
        let state = state.withLock { $0 }
        var lines: [MetricFamily: [String]] = [:]
        for (key, value) in state.counters {
            lines[key.family, default: []].append(
                "\(key.family.rawValue)\(Self.braces(key.labels)) \(value)"
            )
        }
        for gauge in gauges {
            let key = Key(family: gauge.family, first: gauge.label, second: "")
            let labels = Self.braces(key.labels)
            lines[gauge.family, default: []].append(
                "\(gauge.family.rawValue)\(labels) \(gauge.value)"
            )
        }
        var text = ""
        for family in MetricFamily.allCases {
            text += "# HELP \(family.rawValue) \(family.help)\n"
            text += "# TYPE \(family.rawValue) \(family.type)\n"
            for line in (lines[family] ?? []).sorted() { text += line + "\n" }
            let histograms = state.histograms.filter { $0.key.family == family }
            for (key, histogram) in histograms.sorted(by: { $0.key.labels < $1.key.labels }) {
                text += Self.text(histogram, key)
            }
        }
        return text
    }

    private static func text(_ histogram: Histogram, _ key: Key) -> String {
        let name = key.family.rawValue
        let prefix = key.labels.isEmpty ? "" : key.labels + ","
        var text = ""
        var sum: UInt64 = 0
        for (bound, count) in zip(boundTexts, histogram.counts) {
            sum &+= count
            text += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(sum)\n"
        }
        text += "\(name)_bucket{\(prefix)le=\"+Inf\"} \(histogram.count)\n"
        text += "\(name)_sum\(braces(key.labels)) \(histogram.sum)\n"
        text += "\(name)_count\(braces(key.labels)) \(histogram.count)\n"
        return text
    }

    private static func braces(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
            "\n",
            with: "\\n"
        )
    }
}
