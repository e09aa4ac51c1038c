import HTTP
import Lightning
import Text

/// The 402 for a person with a browser: what it costs, the invoice, and a reload that becomes the
/// goods once it is paid. No script, nothing from elsewhere.
enum PaymentPage {
    /// Seconds between reloads; each asks the wallet once.
    fileprivate static let reloadSeconds = 8

    /// - Parameter address: Where it comes back to see whether it has been paid.
    static func answer(_ challenge: ChallengeBody, waitAt address: String) -> Response {
        let invoice = Page.escaped(challenge.invoice)
        let error = challenge.error.map { "<p class=\"e\">\(Page.escaped($0))</p>" } ?? ""
        let sats = Sats.words(challenge.priceSats)
        return Page.answer(
            title: "\(sats) – \(challenge.memo)",
            reload: (reloadSeconds, address),
            body: """
                <h1>\(sats)</h1><p>\(Page.escaped(challenge.memo))</p>\(error)
                <p><a class="pay" href="lightning:\(invoice)">Open in your Lightning wallet</a></p>
                <p>or pay this invoice:</p><code>\(invoice)</code>
                <p>This page reloads by itself and shows what you paid for once the payment has \
                arrived. <a href="\(Page.escaped(address))">I have paid</a></p>
                """
        )
    }
}

/// What a browser sees that came back from an offer, and whose payment has not arrived: no invoice,
/// since the hash in its address may be a stranger's.
enum WaitingPage {
    /// - Parameters:
    ///   - message: What is wrong, in plain words.
    ///   - isOver: Whether coming back again can find out nothing more: the browser keeps no cookie.
    static func answer(_ request: Request, _ message: String, isOver: Bool) -> Response {
        let words =
            isOver
            ? "This browser keeps no cookies, so that it cannot show that you have paid. Allow them "
                + "for this site before you pay."
            : "This page looks again by itself and shows what you paid for once the payment has "
                + "arrived."
        let fresh = Page.escaped(request.cleanAddress())
        let again = request.path.query.map { "?" + String(foreign: $0) } ?? ""
        let address = String(decoding: request.path.encodedForHeader, as: UTF8.self) + again
        return Page.answer(
            title: "Waiting for the payment",
            reload: isOver || !request.isWaiting ? nil : (PaymentPage.reloadSeconds, address),
            body: """
                <h1>Waiting for the payment</h1><p>\(Page.escaped(message))</p>
                <p>\(words)</p><p><a href="\(fresh)">See the price</a></p>
                """
        )
    }
}

/// A page of the gate's own.
private enum Page {
    static func answer(title: String, reload: (seconds: Int, address: String)?, body: String)
        -> Response
    {
        let refresh = reload.map {
            "<meta http-equiv=\"refresh\" content=\"\($0.seconds); url=\(escaped($0.address))\">\n"
        }
        let page = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            \(refresh ?? "")<title>\(escaped(title))</title>
            <style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;\
            padding:0 1rem;color:#222;background:#fff}a.pay{display:inline-block;padding:.6rem 1.2rem;\
            background:#f7931a;color:#000;text-decoration:none;border-radius:.4rem}\
            code{display:block;overflow-wrap:anywhere;background:#f3f3f3;padding:.8rem;\
            border-radius:.4rem;font-size:.85rem}.e{color:#a00}</style></head>
            <body>\(body)</body></html>

            """
        return Response(
            status: 402,
            headers: [
                ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"),
                (
                    "Content-Security-Policy",
                    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                        + "frame-ancestors 'none'"
                ),
                ("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "nosniff"),
            ],
            body: Array(page.utf8)
        )
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case let plain: result.append(plain)
            }
        }
        return result
    }
}
