import FastCGI
import FlatFiles
import Glibc
import Paywall

/// Removes what has expired, a little at a time, on a thread that no request waits for.
enum Sweeper {
    /// Files removed at once; then the disk belongs to the requests again.
    private static let filesPerStep = 200
    private static let pauseMicroseconds: UInt32 = 50_000
    private static let requestsPerStep = 64
    private static let everySeconds: UInt32 = 60

    /// Starts the thread; without it nothing expires from disk, and nothing else is wrong.
    static func start(_ registry: SiteRegistry) {
        WorkerThread.detach {
            while true {
                for site in registry.all { sweep(site) }
                sleep(everySeconds)
            }
        }
    }

    /// After one CGI request in so many, one step: nobody else would remove anything there.
    static func sweepAtTimes(_ registry: SiteRegistry) {
        guard Int.random(in: 0..<requestsPerStep) == 0 else { return }
        // The client has its answer, and should not wait for this.
        close(STDOUT_FILENO)
        for site in registry.all {
            site.sweepWindows(now: Clock.now())
            _ = try? site.payments.sweep(now: Clock.now(), maximum: filesPerStep)
        }
    }

    private static func sweep(_ site: Site) {
        site.sweepWindows(now: Clock.now())
        do throws(StateError) {
            while try site.payments.sweep(now: Clock.now(), maximum: filesPerStep) == filesPerStep {
                usleep(pauseMicroseconds)
            }
        } catch {
            site.log.warn("expired payments are not removed: \(error.reason)")
        }
    }
}
