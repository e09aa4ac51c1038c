/// The words of the pages that the gate makes itself, by name; a template says them as
/// `{{words.openWallet}}`.
///
/// Each language is one list of all of them (``PageLanguage``), so that none can be forgotten.
/// What stands in braces is put in by the page: `{price}` is "100 sats", `{memo}` the rule's memo.
enum PageWord: String, CaseIterable, Sendable {
    // MARK: The offer

    /// Before what the payment buys.
    case buys
    case oneView
    /// `{count}`.
    case requests
    /// `{service}`, `{date}`.
    case allUntil
    /// `{date}`.
    case pageUntil
    /// `{amount}`.
    case about
    /// A button.
    case getInvoice
    /// A link.
    case boughtAlready
    /// What this is, in a line.
    case lightning

    // MARK: The invoice and its states

    /// What the picture is, for who does not see it; `{price}`.
    case qr
    /// A link.
    case openWallet
    /// A button.
    case payInBrowser
    /// A button.
    case copyInvoice
    /// The same button, afterwards.
    case copied
    /// Above the invoice as text.
    case invoice
    /// Before the countdown.
    case timeLeft
    case waiting
    case paid
    case expired
    case oneMinute
    case cannotAsk
    case noCookies
    /// `iHavePaid` is the link that it names.
    case noCookiesButHash
    /// A link.
    case iHavePaid
    /// The page that waits without an invoice.
    case waitTitle
    /// A link.
    case seePrice
    /// A link.
    case tryAgain

    // MARK: What was bought

    /// `{left}`, `{count}`.
    case left
    case leftWhy
    /// A link.
    case openIt
    /// A link.
    case takeOne
    case boughtTitle
    case nothingBought
    case nothingBoughtAdvice
    /// A heading.
    case otherDevice
    case otherDeviceHow
    /// Above the link as text.
    case link
    /// What the picture is.
    case qrOfLink
    /// A button.
    case forget
    case forgotten

    // MARK: A purchase from another device

    case claimTitle
    /// `{memo}`.
    case claimAsk
    /// A button.
    case claimButton
    case claimDone
    case claimBroken
    case claimRefused
    case claimLater
    case claimNoScript

    // MARK: What went wrong, and what to do next

    case spent
    case spentAdvice
    case over
    case overAdvice
    case revoked
    case revokedAdvice
    case badProof
    case badProofAdvice
    case unpaid
    case unpaidAdvice
    case walletDown
    case walletDownAdvice
    case undecided
    case undecidedAdvice
    case stateDown
    case failing
    case failingAdvice
    case tooManyInvoices
    case tooManyInvoicesAdvice
    case tooManyQuestions
    case notFound
    case notFoundAdvice
    /// A link.
    case firstPage
    case denied
    /// For everything else.
    case wrong
}
