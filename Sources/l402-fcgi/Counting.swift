import Lightning
import Metrics
import Paywall
import Store

/// Counts what the journal is told, and passes it on.
struct CountingJournal: Journal {
    let journal: any Journal
    let metrics: Registry

    func record(_ event: JournalEvent) {
        switch event.kind {
        case .challenge: metrics.add(.challenges, event.service)
        case .refunded: metrics.add(.refunds, event.service)
        case .paid:
            metrics.add(.payments, event.service)
            metrics.add(.soldSats, event.service, by: event.amount.msat / 1000)
        case .used, .free, .refused, .undecided, .settled: break
        }
        journal.record(event)
    }
}

extension Registry {
    /// Counts a request when it is over.
    func count(_ decision: Decision, microseconds: UInt64) {
        let service = decision.rule?.service ?? ""
        add(.requests, service, decision.outcome.rawValue)
        if !decision.code.isEmpty {
            add(.refusals, service, decision.code)
        }
        observe(
            .requestSeconds,
            decision.outcome.rawValue,
            seconds: Double(microseconds) / 1_000_000
        )
    }
}
