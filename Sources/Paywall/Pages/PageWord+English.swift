extension PageWord {
    var english: String {
        switch self {
        case .buys: "This buys:"
        case .oneView: "one view"
        case .requests: "{count} requests"
        case .allUntil: "all of {service} until {date}"
        case .pageUntil: "this page until {date}"
        case .about: "about {amount}"
        case .getInvoice: "Show an invoice"
        case .boughtAlready: "Bought already, or on another device?"
        case .lightning:
            """
            Lightning is the fast way to pay small sums in bitcoin: a wallet app scans the \
            code, and the page opens within seconds.
            """
        case .qr: "QR code of the invoice for {price}"
        case .openWallet: "Open wallet"
        case .payInBrowser: "Pay with the browser’s wallet"
        case .copyInvoice: "Copy invoice"
        case .copied: "Copied"
        case .invoice: "Invoice as text"
        case .timeLeft: "Time left to pay:"
        case .waiting: "Waiting for the payment. This page opens by itself."
        case .paid: "Paid. Opening the page…"
        case .expired: "This invoice has expired. Please do not pay it any more."
        case .oneMinute: "One minute left to pay this invoice."
        case .cannotAsk:
            """
            It cannot be found out right now whether this is paid. The page goes on asking.
            """
        case .noCookies:
            """
            This browser keeps no cookies, so it could not show that you have paid. Allow \
            cookies for this site before you pay.
            """
        case .noCookiesButHash:
            """
            This browser keeps no cookies. Keep this page open while you pay, then press “I \
            have paid”.
            """
        case .iHavePaid: "I have paid"
        case .waitTitle: "Waiting for the payment"
        case .seePrice: "See the price"
        case .tryAgain: "Try again"
        case .left: "{left} of {count} left"
        case .leftWhy: "You came here from another site, so nothing has been taken yet."
        case .openIt: "Open it"
        case .takeOne: "Open it now (takes one)"
        case .boughtTitle: "Bought here"
        case .nothingBought: "Nothing has been bought for this page in this browser."
        case .nothingBoughtAdvice:
            """
            On the device where you paid, open the same address: it shows a link that opens \
            this page here.
            """
        case .otherDevice: "Open it on another device"
        case .otherDeviceHow:
            """
            Scan the code or open this link there. Whoever has the link has what you bought: \
            keep it to yourself.
            """
        case .link: "Link"
        case .qrOfLink: "QR code of the link"
        case .forget: "Forget on this device"
        case .forgotten: "Forgotten on this device."
        case .claimTitle: "Open a purchase on this device"
        case .claimAsk: "Open “{memo}” here? This browser then keeps what was bought."
        case .claimButton: "Open here"
        case .claimDone: "Done. Opening the page…"
        case .claimBroken:
            """
            The link is not complete. Open it again, from its first to its last sign.
            """
        case .claimRefused:
            """
            This link opens nothing here: it was not paid for, is over, or belongs to another \
            page.
            """
        case .claimLater: "That does not work right now. Please try again in a moment."
        case .claimNoScript: "Taking a purchase over needs JavaScript."
        case .spent: "What this payment bought has been used up."
        case .spentAdvice: "To see it again, pay again."
        case .over: "The time that you paid for is over."
        case .overAdvice: "To go on reading, pay again."
        case .revoked: "The operator of this site has taken this purchase back."
        case .revokedAdvice: "Please write to the operator if that is a mistake."
        case .badProof: "What this browser showed does not open this page."
        case .badProofAdvice: "If you have paid, open the page where you paid for it."
        case .unpaid: "The payment has not arrived yet."
        case .unpaidAdvice: "If you have just paid, wait some seconds and look again."
        case .walletDown: "The payment service does not answer right now. Nothing has been taken."
        case .walletDownAdvice: "Please come back in a minute."
        case .undecided: "Whether you have paid cannot be found out right now."
        case .undecidedAdvice:
            """
            Do not pay again; look again in a minute. If you have not paid, let this browser \
            forget the invoice.
            """
        case .stateDown: "This site cannot keep its books right now. Nothing has been taken."
        case .failing: "The page that you paid for keeps failing. Nothing has been taken for that."
        case .failingAdvice: "Please come back in an hour, or write to the operator of this site."
        case .tooManyInvoices: "Too many unpaid invoices are open at your address."
        case .tooManyInvoicesAdvice: "Pay one of them, or come back when they have expired."
        case .tooManyQuestions: "There were too many questions about unpaid invoices."
        case .notFound: "There is nothing at this address."
        case .notFoundAdvice:
            """
            Look at the address for a typing mistake, or begin at the first page.
            """
        case .firstPage: "To the first page"
        case .denied: "This page is not open to visitors."
        case .wrong: "That did not work. Nothing has been taken."
        }
    }
}
