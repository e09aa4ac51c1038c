import Metrics
import Testing

@testable import Metrics

@Suite struct MetricsTests {
    @Test func `counters, gauges and histograms are told as Prometheus reads them`() {
        let metrics = Registry()
        metrics.add(.requests, "a", "free")
        metrics.add(.requests, "a", "free", by: 2)
        metrics.add(.soldSats, "b\"\\\n", by: 21)
        for seconds in [0.0001, 0.003, 0.003, 99] {
            metrics.observe(.requestSeconds, "free", seconds: seconds)
        }
        metrics.observe(.walletSeconds, "check", "200", seconds: 0.2)
        let lines = metrics.text(gauges: [(.breaker, "default", 1)])
            .split(separator: "\n").map(String.init)
        for line in [
            "# TYPE l402_requests_total counter",
            "l402_requests_total{service=\"a\",outcome=\"free\"} 3",
            "l402_sold_sats_total{service=\"b\\\"\\\\\\n\"} 21",
            "l402_wallet_breaker_open{wallet=\"default\"} 1.0",
            "# TYPE l402_request_duration_seconds histogram",
            "l402_request_duration_seconds_bucket{outcome=\"free\",le=\"0.0001\"} 1",
            "l402_request_duration_seconds_bucket{outcome=\"free\",le=\"0.0025\"} 1",
            "l402_request_duration_seconds_bucket{outcome=\"free\",le=\"0.005\"} 3",
            "l402_request_duration_seconds_bucket{outcome=\"free\",le=\"10.0\"} 3",
            "l402_request_duration_seconds_bucket{outcome=\"free\",le=\"+Inf\"} 4",
            "l402_request_duration_seconds_count{outcome=\"free\"} 4",
            "l402_wallet_call_duration_seconds_bucket{call=\"check\",result=\"200\",le=\"0.25\"} 1",
            "l402_wallet_call_duration_seconds_sum{call=\"check\",result=\"200\"} 0.2",
        ] { #expect(lines.contains(line), "\(line)") }
        for family in MetricFamily.allCases {
            #expect(lines.contains { $0.hasPrefix("# HELP \(family.rawValue) ") })
        }
    }
}
