import Testing

@testable import Metrics

@Suite struct MetricsTests {
    @Test func `counters, gauges and histograms are told as Prometheus reads them`() {
        let metrics = Metrics()
        metrics.add(.requests, [("service", "a"), ("outcome", "free")])
        metrics.add(.requests, [("service", "a"), ("outcome", "free")], 2)
        metrics.add(.soldSats, [("service", "b\"\\\n")], 21)
        for seconds in [0.0001, 0.003, 0.003, 99] {
            metrics.observe(.requestSeconds, seconds: seconds)
        }
        metrics.observe(.walletSeconds, [("call", "check"), ("result", "200")], seconds: 0.2)
        let lines = metrics.text(gauges: [(.breaker, [("wallet", "default")], 1)])
            .split(separator: "\n").map(String.init)
        for line in [
            "# TYPE l402_requests_total counter",
            "l402_requests_total{service=\"a\",outcome=\"free\"} 3",
            "l402_sold_sats_total{service=\"b\\\"\\\\\\n\"} 21",
            "l402_wallet_breaker_open{wallet=\"default\"} 1.0",
            "# TYPE l402_request_duration_seconds histogram",
            "l402_request_duration_seconds_bucket{le=\"0.0001\"} 1",
            "l402_request_duration_seconds_bucket{le=\"0.0025\"} 1",
            "l402_request_duration_seconds_bucket{le=\"0.005\"} 3",
            "l402_request_duration_seconds_bucket{le=\"10.0\"} 3",
            "l402_request_duration_seconds_bucket{le=\"+Inf\"} 4",
            "l402_request_duration_seconds_count 4",
            "l402_wallet_call_duration_seconds_bucket{call=\"check\",result=\"200\",le=\"0.25\"} 1",
            "l402_wallet_call_duration_seconds_sum{call=\"check\",result=\"200\"} 0.2",
        ] { #expect(lines.contains(line), "\(line)") }
        for family in MetricFamily.allCases {
            #expect(lines.contains { $0.hasPrefix("# HELP \(family.rawValue) ") })
        }
    }
}
