import Glibc
import POSIX
import Settings
import Store

/// Removes what has expired, a little at a time, on a thread that no request waits for.
enum Sweeper {
    /// Files removed at once; then the disk belongs to the requests again.
    private static let filesPerStep = 200
    private static let pauseMilliseconds: UInt64 = 50
    private static let requestsPerStep = 64
    private static let everySeconds: UInt64 = 60

    /// Starts the thread; without it nothing expires from disk, and nothing else is wrong.
    static func start(_ registry: SiteRegistry) {
        WorkerThread.detach {
            while true {
                for site in registry.all { sweep(site) }
                Pause.milliseconds(everySeconds * 1000)
            }
        }
    }

    /// After one CGI request in so many, one step: nobody else would remove anything there.
    static func sweepAtTimes(_ registry: SiteRegistry) {
        guard Int.random(in: 0..<requestsPerStep) == 0 else { return }
        // The client has its answer, and should not wait for this.
        close(STDOUT_FILENO)
        for site in registry.all {
            sweepRest(site)
            _ = try? sweepPayments(site)
        }
    }

    private static func sweep(_ site: Site) {
        sweepRest(site)
        do throws(StateError) {
            while try sweepPayments(site) == filesPerStep {
                Pause.milliseconds(pauseMilliseconds)
            }
        } catch {
            site.log.warn("expired payments are not removed: \(error.reason)")
        }
    }

    private static func sweepRest(_ site: Site) {
        let now = Clock.now()
        let housekeeping = site.backOffice.housekeeping
        housekeeping.sweepWindows(now: now, secondClock: site.secondClock)
        do throws(StateError) {
            try housekeeping.sweepJournal(
                now: now,
                secondClock: site.secondClock,
                bounds: site.settings.journalBounds
            )
        } catch {
            site.log.warn("the journal is not made smaller: \(error.reason)")
        }
    }

    private static func sweepPayments(_ site: Site) throws(StateError) -> Int {
        try site.backOffice.housekeeping.sweepPayments(
            now: Clock.now(),
            secondClock: site.secondClock,
            maximum: filesPerStep
        )
    }
}
