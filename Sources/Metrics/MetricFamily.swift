/// What is counted and measured.
package enum MetricFamily: String, CaseIterable, Sendable {
    case requests = "l402_requests_total"
    case refusals = "l402_refusals_total"
    case challenges = "l402_challenges_total"
    case payments = "l402_payments_total"
    case soldSats = "l402_sold_sats_total"
    case refunds = "l402_refunds_total"
    case requestSeconds = "l402_request_duration_seconds"
    case walletSeconds = "l402_wallet_call_duration_seconds"
    case breaker = "l402_wallet_breaker_open"
    case freeFill = "l402_free_tier_fill_ratio"
    case pendingFill = "l402_pending_fill_ratio"
    case logLinesLost = "l402_log_lines_lost_total"
    case rules = "l402_rules"
    case build = "l402_build_info"
    case start = "process_start_time_seconds"

    /// For `# HELP`.
    var help: String {
        switch self {
        case .requests:
            "Requests by service and outcome: free, paid, challenge, refused, preflight and others."
        case .refusals: "Requests that were not served, by service and stable code."
        case .challenges: "Invoices offered."
        case .payments: "Payments redeemed for the first time."
        case .soldSats: "Price of the payments redeemed for the first time, in sats."
        case .refunds: "Uses returned because goods failed."
        case .requestSeconds: "Time from a request's parameters to its answer, goods included."
        case .walletSeconds: "Time of calls to LNbits, by call and result."
        case .breaker: "1 while LNbits does not answer and is asked only now and then."
        case .freeFill:
            "Size of the free tier's table of the present window; at 1 newcomers are counted by network."
        case .pendingFill:
            "Size of today's table of unpaid invoices; at 1 newcomers get no invoice."
        case .logLinesLost:
            "Log lines of this process that were dropped because standard error did not take them."
        case .rules: "Rules in force."
        case .build: "1, with the version."
        case .start: "When this process began, in seconds since 1970."
        }
    }

    /// For `# TYPE`.
    var type: String {
        switch self {
        case .requests, .refusals, .challenges, .payments, .soldSats, .refunds, .logLinesLost:
            "counter"
        case .requestSeconds, .walletSeconds: "histogram"
        case .breaker, .freeFill, .pendingFill, .rules, .build, .start: "gauge"
        }
    }

    /// The names of its labels, at most two, in the order in which their values are given.
    var labels: [String] {
        switch self {
        case .requests: ["service", "outcome"]
        case .refusals: ["service", "code"]
        case .challenges, .payments, .soldSats, .refunds: ["service"]
        case .requestSeconds: ["outcome"]
        case .walletSeconds: ["call", "result"]
        case .breaker: ["wallet"]
        case .freeFill: ["period"]
        case .build: ["version"]
        case .pendingFill, .rules, .start, .logLinesLost: []
        }
    }
}
