import FastCGI
import Glibc
import Goods
import HTTP
import Lightning
import POSIX
import Paywall
import Store

/// One request from its parameters to its answer and its line in the log.
struct Handler: Sendable {
    let registry: SiteRegistry
    let fallbackLog: Log

    func handle(_ exchange: any Exchange) {
        let start = Clock.monotonicMicroseconds()
        let body = RequestBody(exchange)
        let site: Site
        do throws(SiteError) {
            site = try registry.site(for: exchange)
        } catch {
            for line in error.lines { fallbackLog.error("request parameters: \(line)") }
            let answer =
                error.isTemporary
                ? Response.error(
                    503,
                    code: Code.rulesChanging.rawValue,
                    "this server's rules are being changed; try again in a moment"
                ).adding("Retry-After", "5")
                : .error(500, code: Code.misconfigured.rawValue, "this server is misconfigured")
            body.drain()
            send(answer, to: exchange, log: fallbackLog)
            return
        }
        answer(body, site: site, start: start)
    }

    private func answer(_ body: RequestBody, site: Site, start: UInt64) {
        let request: Request
        do throws(RequestPathError) {
            request = try Request(
                isAuthorizer: !body.hasBody,
                parameter: body.parameter,
                readBody: body.readWhole,
                searchBody: body.search,
                fallbackID: { String(UInt64.random(in: .min ... .max), radix: 16) }
            )
        } catch {
            site.log.info("400 bad_path: \(error)")
            body.drain()
            let answer = Response.error(400, code: Code.badPath.rawValue, error.description)
            send(answer, to: body, log: site.log)
            return
        }
        let rules = site.rules.current()
        var decision = site.gate.decide(request, rules: rules, now: Clock.now())
        if decision.taken != nil, body.isPeerGone {
            // Nobody is there any more, and no backend has been asked.
            giveBack(decision, .failure, site)
            decision.detail = Self.hungUp
        } else if let goods = decision.goods {
            let report = handOver(goods, of: decision, request, body, rules, site: site)
            decision.answer.status = report?.status ?? decision.answer.status
            decision.code = report?.code ?? decision.code
            decision.detail = report?.detail ?? Self.hungUp
        } else {
            body.drain()
            if !send(decision.answer, to: body, log: site.log) {
                giveBack(decision, .failure, site)
                decision.detail = Self.hungUp
            }
        }
        tell(request, decision, start: start, log: site.log)
        site.metrics.count(decision, microseconds: Clock.monotonicMicroseconds() &- start)
    }

    private static let hungUp = "the web server hung up"

    @discardableResult
    private func giveBack(_ decision: Decision, _ cause: ReturnCause, _ site: Site) -> Bool {
        guard let taken = decision.taken else { return false }
        return site.gate.giveBack(taken, cause, now: Clock.now())
    }

    /// Hands the goods over itself; `nil` when the web server hung up.
    private func handOver(
        _ goods: GoodsSource,
        of decision: Decision,
        _ request: Request,
        _ body: RequestBody,
        _ rules: Rules,
        site: Site
    ) -> DeliveryReport? {
        FastCGIServer.willWait()
        let settlement = decision.rule.map { Settlement(request, rule: $0, rules: rules) }
        let delivery = Delivery(
            exchange: body,
            method: request.method,
            headers: decision.answer.headers,
            judge: { status, location in settlement?.cause(status: status, location: location) },
            giveBack: { giveBack(decision, $0, site) }
        )
        defer { body.drain() }
        do throws(ExchangeError) {
            switch goods {
            case .file(let path, let directory, let sendfile):
                body.drain()
                return try FileGoods.send(
                    path,
                    below: directory,
                    except: site.privatePaths,
                    sendfile: sendfile,
                    delivery
                )
            case .backend(let base, let path):
                let target = Forwarder.Target(base: base, path: path)
                return try site.forwarder.forward(target, delivery)
            }
        } catch {
            // The client has not left: this process ends, and cuts what it cannot wait for.
            if FastCGIServer.isCutting { giveBack(decision, .nothingDelivered, site) }
            return nil
        }
    }

    /// Whether the web server took it.
    @discardableResult
    private func send(_ answer: Response, to exchange: any Exchange, log: Log) -> Bool {
        do throws(ExchangeError) {
            try exchange.write(answer.serialized(withBody: answer.status != 204))
            return true
        } catch {
            log.debug("the answer could not be sent: \(error)")
            return false
        }
    }

    private func tell(_ request: Request, _ decision: Decision, start: UInt64, log: Log) {
        let line = {
            var line =
                "\(request.method) \(request.path.text) \(decision.answer.status) \(decision.outcome.rawValue)"
            if let rule = decision.rule { line += " rule=\(rule.line) service=\(rule.service)" }
            if !decision.code.isEmpty { line += " code=\(decision.code)" }
            if let hash = decision.paymentHash { line += " hash=\(hash.hex)" }
            line += " us=\(Clock.monotonicMicroseconds() &- start)"
            if !decision.detail.isEmpty { line += " reason=\"\(decision.detail)\"" }
            return line
        }
        if decision.answer.status >= 500 {
            log.error(line())
        } else {
            log.info(line())
        }
    }
}

extension RequestPath {
    /// For one line of a log: everything that is not plain ASCII percent-encoded.
    var text: String { String(decoding: encodedForHeader, as: UTF8.self) }
}
