import Lightning
import Metrics
import Paywall

/// Counts what the journal is told, and passes it on.
struct CountingJournal: Journal {
    let journal: any Journal
    let metrics: Metrics

    func record(_ event: JournalEvent) {
        let service = [("service", event.service)]
        switch event.kind {
        case .challenge: metrics.add(.challenges, service)
        case .refunded: metrics.add(.refunds, service)
        case .paid:
            metrics.add(.payments, service)
            metrics.add(.soldSats, service, event.amount.msat / 1000)
        case .used, .free, .refused: break
        }
        journal.record(event)
    }
}

extension Metrics {
    /// Counts a request when it is over.
    func count(_ decision: Decision, microseconds: UInt64) {
        let service = decision.rule?.service ?? ""
        add(.requests, [("service", service), ("outcome", decision.outcome)])
        if !decision.code.isEmpty {
            add(.refusals, [("service", service), ("code", decision.code)])
        }
        observe(
            .requestSeconds,
            [("outcome", decision.outcome)],
            seconds: Double(microseconds) / 1_000_000
        )
    }
}
