/// The 402 for a person with a browser: what it costs, the invoice, and a reload that becomes the
/// goods once it is paid. No script, nothing from elsewhere.
enum PaymentPage {
    /// Seconds between reloads; each asks the wallet once.
    private static let reloadSeconds = 8

    static func answer(_ challenge: ChallengeBody) -> Answer {
        let invoice = escaped(challenge.invoice)
        let error = challenge.error.map { "<p class=\"e\">\(escaped($0))</p>" } ?? ""
        let sats = challenge.priceSats == 1 ? "1 sat" : "\(challenge.priceSats) sats"
        let page = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="refresh" content="\(reloadSeconds)">
            <title>\(sats) – \(escaped(challenge.memo))</title>
            <style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;\
            padding:0 1rem;color:#222;background:#fff}a.pay{display:inline-block;padding:.6rem 1.2rem;\
            background:#f7931a;color:#000;text-decoration:none;border-radius:.4rem}\
            code{display:block;overflow-wrap:anywhere;background:#f3f3f3;padding:.8rem;\
            border-radius:.4rem;font-size:.85rem}.e{color:#a00}</style></head>
            <body><h1>\(sats)</h1><p>\(escaped(challenge.memo))</p>\(error)
            <p><a class="pay" href="lightning:\(invoice)">Open in your Lightning wallet</a></p>
            <p>or pay this invoice:</p><code>\(invoice)</code>
            <p>This page reloads by itself and shows what you paid for once the payment has \
            arrived.</p></body></html>

            """
        return Answer(
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

    private static func escaped(_ text: String) -> String {
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
