import Glibc
import L402
import Lightning
import POSIX
import Store
import Text

/// What is inside the payments and the tables.
extension StateCheck {
    func checkPayments(_ owner: Owner, now: UInt64) -> [StateFinding] {
        var findings = checkTemporaries(now: now) + checkExpiredBefore(owner, now: now)
        let room = "\(root)/payments"
        for day in Directory.names(in: room).sorted()
        where day != "tmp" && day != "expired-before" {
            guard CalendarText.isDate(day) else {
                findings.append(finding("\(room)/\(day)", "is not a day; nothing looks into it"))
                continue
            }
            Directory.eachName(in: "\(room)/\(day)") { name in
                findings += checkPayment("\(room)/\(day)/\(name)", owner)
                return true
            }
        }
        return findings
    }

    private func checkPayment(_ path: String, _ owner: Owner) -> [StateFinding] {
        let modes = checkFile(path, owner)
        let refused = "nothing is served for it; ask the wallet whether it was paid"
        do throws(StateError) {
            guard let file = try Descriptor.openIfPresent(path, O_RDONLY) else { return [] }
            try file.lock()
            guard let record = PaymentFile(try file.read(at: 0, count: PaymentFile.limitBytes))
            else {
                return modes + [finding(path, "is damaged; \(refused)")]
            }
            let place = "/\(CalendarText.date(record.terms.validUntil))/\(record.paymentHash.hex)"
            guard path.hasSuffix(place) else {
                return modes + [finding(path, "belongs at \(place); \(refused)")]
            }
            if let uses = record.terms.uses, record.used > uses {
                return modes + [finding(path, "counts \(record.used) of \(uses) uses; it is spent")]
            }
            return modes
        } catch {
            return modes + [
                finding(path, "\(error.reason.replacing(path, with: "it")); \(refused)")
            ]
        }
    }

    private func checkTemporaries(now: UInt64) -> [StateFinding] {
        let room = "\(root)/payments/tmp"
        return Directory.names(in: room).sorted().compactMap { name in
            guard isOlder("\(room)/\(name)", than: Self.temporarySeconds, now: now) else {
                return nil
            }
            return finding("\(room)/\(name)", "was left by a process that was killed", .remove)
        }
    }

    private func checkExpiredBefore(_ owner: Owner, now: UInt64) -> [StateFinding] {
        let path = "\(root)/payments/expired-before"
        guard let status = FileStatus(path) else { return [] }
        do throws(StateError) {
            let file = try Descriptor(path, O_RDONLY)
            if let mark = SweepMark(try file.read(at: 0, count: 256)) {
                return checkFile(path, owner) + checkAhead(mark, path, now: now)
            }
            // What stood there was the date of its writing or an earlier one, so that this is not
            // earlier than it was: no token comes back.
            let latest = max(now, status.writtenSeconds)
            return [finding(path, "is damaged; no payment is accepted", .rewriteMark(latest, now))]
        } catch {
            return [finding(path, error.reason)]
        }
    }

    private func checkAhead(_ mark: SweepMark, _ path: String, now: UInt64) -> [StateFinding] {
        guard let ahead = mark.ahead(of: now) else { return [] }
        let consequence =
            ahead == mark.sure
            ? "payments that end before are refused where they have no file"
            : "what an older release sold is refused where it has no file"
        return [
            finding(
                path,
                "is \(CalendarText.date(ahead)), which is ahead of this machine's clock; \(consequence). Mend it when the clock is right",
                .doubtMark(now)
            )
        ]
    }

    func checkTables(_ room: String, _ owner: Owner, now: UInt64) -> [StateFinding] {
        Directory.names(in: "\(root)/\(room)").sorted().flatMap { (name) -> [StateFinding] in
            let path = "\(root)/\(room)/\(name)"
            if name.hasSuffix(Self.setAsideSuffix) { return checkSetAside(path, now: now) }
            let modes = checkFile(path, owner)
            if room == "free", name == RecentRequests.fileName { return modes + checkRecent(path) }
            if Self.isAhead(name, of: now) {
                let problem =
                    "is of a day or an hour to come: a clock that was ahead counted in it, and "
                    + "its counts would be there when that time comes"
                return modes + [finding(path, problem, .remove)]
            }
            do throws(StateError) {
                switch try HashedTable.examine(path) {
                case .sound: return modes
                case .damaged(let problem):
                    return modes
                        + [
                            finding(
                                path,
                                "\(problem); its requests are refused until it is set aside",
                                .setAside
                            )
                        ]
                case .pagesBeyond(let bytes):
                    return modes
                        + [
                            finding(
                                path,
                                "has an unfinished page, which nobody reads",
                                .truncate(bytes)
                            )
                        ]
                }
            } catch {
                return modes + [finding(path, error.reason)]
            }
        }
    }

    /// Whether a window begins further ahead than clocks differ.
    private static func isAhead(_ name: String, of now: UInt64) -> Bool {
        let soon = Clocks.latest(now)
        // Names begin with the date, and end with the kind of window.
        for period in FreePeriod.allCases where name.hasSuffix(".\(period.rawValue)") {
            return name > FreeTier.window(period, soon)
        }
        return CalendarText.isDate(name) && name > CalendarText.date(soon)
    }

    private func checkRecent(_ path: String) -> [StateFinding] {
        guard let status = FileStatus(path), status.kind == .file,
            status.size != RecentRequests.fileBytes
        else { return [] }
        return [
            finding(
                path,
                "is of \(status.size) bytes, not \(RecentRequests.fileBytes); some free requests cannot be returned",
                .truncate(RecentRequests.fileBytes)
            )
        ]
    }

    private func isOlder(_ path: String, than seconds: UInt64, now: UInt64) -> Bool {
        FileStatus(path).map {
            $0.writtenSeconds.addingReportingOverflow(seconds).partialValue < now
        }
            ?? false
    }

    private func checkSetAside(_ path: String, now: UInt64) -> [StateFinding] {
        guard isOlder(path, than: Self.setAsideSeconds, now: now) else { return [] }
        return [finding(path, "was set aside by a repair more than a week ago", .remove)]
    }
}
