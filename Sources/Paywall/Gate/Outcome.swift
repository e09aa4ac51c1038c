/// What became of a request, in one word for the log and the metrics.
package enum Outcome: String, Sendable, CaseIterable {
    /// It passed without payment: the rule is free, or the client's allowance covers it.
    case free
    /// It passed on a payment.
    case paid
    /// It passed because `L402_DRY_RUN` is on; its code says why it would not have.
    case dryRun = "dry-run"
    /// It was offered an invoice, or told the price.
    case challenge
    /// It was refused for another reason.
    case refused
    /// The web server reported goods that failed (`L402_MODE=refund`).
    case refund
    /// The web server reported how an answer went out (`L402_MODE=settle`).
    case settle
    /// A preflight was answered.
    case preflight
    /// The list of what is for sale.
    case services
    /// What a `GET` finds where only another method is sold.
    case description
    /// A page of the gate's own that sells nothing: a receipt, a step on the way.
    case page
    /// `/.l402/health`.
    case health
    /// `/.l402/status`.
    case status
    /// `/.l402/metrics`.
    case metrics

    /// Whether the request may pass.
    package var isPass: Bool { self == .free || self == .paid || self == .dryRun }
}

/// The stable words for what the decision refuses, for programs. Those of credentials are in
/// `CredentialError`, those of the wallet in ``WalletError/Kind``.
package enum Code: String, Sendable, CaseIterable {
    /// 402: nothing was presented.
    case paymentRequired = "payment_required"
    /// 503: who asks may have paid, and the wallet has no word of its own about it. Retry.
    case paymentUndecided = "payment_undecided"
    /// 503: too many uses came back within an hour because the goods failed. Wait.
    case goodsKeepFailing = "goods_keep_failing"
    /// 402: the token of a purchase that is to be taken to another device is of no payment on record.
    case paymentUnknown = "payment_unknown"
    /// 503: the browser loads ahead; nothing is taken for that. Ask when somebody wants it.
    case prefetch
    /// 402: a cookie whose uses are counted opens pages that a person goes to, and nothing else.
    case navigationOnly = "navigation_only"
    /// 402: another site led here, and a use is taken only when the person says so.
    case crossSite = "cross_site"
    /// 403: the gate's own word came from a page of another site.
    case otherOrigin = "other_origin"
    /// 503: the payment arrived between two calls of the web server. Retry at once.
    case tryAgain = "try_again"
    /// 429: the client holds `L402_MAX_PENDING` unpaid invoices. Pay one, or wait.
    case tooManyPending = "too_many_pending"
    /// 429: the client has asked about unpaid payments too often. Wait.
    case tooManyAttempts = "too_many_attempts"
    /// 413: a body of which a part is needed is larger than 1 MiB.
    case bodyTooLarge = "body_too_large"
    /// 400: a field of the JSON body is missing.
    case fieldRequired = "field_required"
    /// 400: servers would read this path in different ways.
    case pathAmbiguous = "path_ambiguous"
    /// 400: the query names twice, or in an odd spelling, what a rule with `per=url:` sells by.
    case addressAmbiguous = "address_ambiguous"
    /// 400: a header field names another path or method, or what only the gate may say, and this
    /// web server cannot take it away.
    case headerRefused = "header_refused"
    /// 400: the path is none that the web server would serve.
    case badPath = "bad_path"
    /// 403: the rule says `deny`.
    case denied
    /// 403: what lies behind the gate refuses.
    case goodsRefused = "goods_refused"
    /// 404: no rule is for this request.
    case noRule = "no_rule"
    /// 404: the gate has no such endpoint.
    case notFound = "not_found"
    /// 404: there is no such file, so that nothing is sold.
    case fileNotFound = "file_not_found"
    /// 405: the gate's own endpoints are read with GET.
    case methodNotAllowed = "method_not_allowed"
    /// 400: `/.l402/status` is asked with the token of a challenge.
    case tokenRequired = "token_required"
    /// 500: the rule has no `serve=`, and the web server asks for an answer.
    case noGoods = "no_goods"
    /// 500: the settings that came with the request, or its rules, are wrong; the log says how.
    case misconfigured
    /// 503: the rules file is being written right now. Retry.
    case rulesChanging = "rules_changing"
    /// 503: the state directory cannot be read or written.
    case stateUnavailable = "state_unavailable"
    /// 503: the rule's `wallet=` has no key.
    case walletNotConfigured = "wallet_not_configured"
    /// 5xx: the backend failed; what the request took is back.
    case goodsFailed = "goods_failed"
}
