extension PageWord {
    var german: String {
        switch self {
        case .buys: "Dafür gibt es:"
        case .oneView: "einmal ansehen"
        case .requests: "{count} Abrufe"
        case .allUntil: "alles von {service} bis {date}"
        case .pageUntil: "diese Seite bis {date}"
        case .about: "etwa {amount}"
        case .getInvoice: "Rechnung anzeigen"
        case .boughtAlready: "Schon gekauft, oder auf einem anderen Gerät?"
        case .lightning:
            """
            Lightning ist der schnelle Weg, kleine Beträge in Bitcoin zu zahlen: Eine \
            Wallet-App scannt den Code, und die Seite öffnet sich in Sekunden.
            """
        case .qr: "QR-Code der Rechnung über {price}"
        case .openWallet: "Wallet öffnen"
        case .payInBrowser: "Mit der Wallet des Browsers zahlen"
        case .copyInvoice: "Rechnung kopieren"
        case .copied: "Kopiert"
        case .invoice: "Rechnung als Text"
        case .timeLeft: "Zeit zum Bezahlen:"
        case .waiting: "Wartet auf die Zahlung. Diese Seite öffnet sich von selbst."
        case .paid: "Bezahlt. Die Seite wird geöffnet…"
        case .expired: "Diese Rechnung ist abgelaufen. Bitte nicht mehr bezahlen."
        case .oneMinute: "Noch eine Minute, um diese Rechnung zu bezahlen."
        case .cannotAsk:
            """
            Ob bezahlt ist, lässt sich gerade nicht feststellen. Die Seite fragt weiter nach.
            """
        case .noCookies:
            """
            Dieser Browser behält keine Cookies und könnte nicht zeigen, dass Sie bezahlt \
            haben. Erlauben Sie Cookies für diese Seite, bevor Sie zahlen.
            """
        case .noCookiesButHash:
            """
            Dieser Browser behält keine Cookies. Lassen Sie diese Seite beim Bezahlen offen \
            und drücken Sie danach „Ich habe bezahlt“.
            """
        case .iHavePaid: "Ich habe bezahlt"
        case .waitTitle: "Warten auf die Zahlung"
        case .seePrice: "Preis ansehen"
        case .tryAgain: "Noch einmal versuchen"
        case .left: "{left} von {count} übrig"
        case .leftWhy: "Sie kommen von einer anderen Seite, darum wurde noch nichts verbraucht."
        case .openIt: "Öffnen"
        case .takeOne: "Jetzt öffnen (verbraucht eins)"
        case .boughtTitle: "Hier gekauft"
        case .nothingBought: "In diesem Browser wurde für diese Seite nichts gekauft."
        case .nothingBoughtAdvice:
            """
            Öffnen Sie dieselbe Adresse auf dem Gerät, mit dem Sie bezahlt haben: Dort steht \
            ein Link, der diese Seite hier öffnet.
            """
        case .otherDevice: "Auf einem anderen Gerät öffnen"
        case .otherDeviceHow:
            """
            Scannen Sie den Code oder öffnen Sie dort diesen Link. Wer den Link hat, hat \
            auch, was Sie gekauft haben: Behalten Sie ihn für sich.
            """
        case .link: "Link"
        case .qrOfLink: "QR-Code des Links"
        case .forget: "Auf diesem Gerät vergessen"
        case .forgotten: "Auf diesem Gerät vergessen."
        case .claimTitle: "Einen Kauf auf diesem Gerät öffnen"
        case .claimAsk: "„{memo}“ hier öffnen? Dieser Browser behält dann, was gekauft wurde."
        case .claimButton: "Hier öffnen"
        case .claimDone: "Fertig. Die Seite wird geöffnet…"
        case .claimBroken:
            """
            Der Link ist nicht vollständig. Öffnen Sie ihn noch einmal, vom ersten bis zum \
            letzten Zeichen.
            """
        case .claimRefused:
            """
            Dieser Link öffnet hier nichts: Er ist nicht bezahlt, abgelaufen oder gehört zu \
            einer anderen Seite.
            """
        case .claimLater: "Das geht gerade nicht. Bitte versuchen Sie es gleich noch einmal."
        case .claimNoScript: "Einen Kauf zu übernehmen braucht JavaScript."
        case .spent: "Was diese Zahlung gekauft hat, ist verbraucht."
        case .spentAdvice: "Um es noch einmal zu sehen, zahlen Sie noch einmal."
        case .over: "Die Zeit, für die Sie bezahlt haben, ist vorbei."
        case .overAdvice: "Um weiterzulesen, zahlen Sie noch einmal."
        case .revoked: "Der Betreiber dieser Seite hat diesen Kauf zurückgenommen."
        case .revokedAdvice: "Bitte schreiben Sie dem Betreiber, wenn das ein Irrtum ist."
        case .badProof: "Was dieser Browser vorgezeigt hat, öffnet diese Seite nicht."
        case .badProofAdvice:
            """
            Wenn Sie bezahlt haben, öffnen Sie die Seite, für die Sie bezahlt haben.
            """
        case .unpaid: "Die Zahlung ist noch nicht angekommen."
        case .unpaidAdvice:
            """
            Wenn Sie gerade bezahlt haben, warten Sie einige Sekunden und sehen Sie noch \
            einmal nach.
            """
        case .walletDown: "Der Zahlungsdienst antwortet gerade nicht. Es wurde nichts abgebucht."
        case .walletDownAdvice: "Bitte kommen Sie in einer Minute wieder."
        case .undecided: "Ob Sie bezahlt haben, lässt sich gerade nicht feststellen."
        case .undecidedAdvice:
            """
            Zahlen Sie nicht noch einmal; sehen Sie in einer Minute wieder nach. Wenn Sie \
            nicht bezahlt haben, lassen Sie diesen Browser die Rechnung vergessen.
            """
        case .stateDown: "Diese Seite kann gerade nicht Buch führen. Es wurde nichts abgebucht."
        case .failing:
            """
            Die Seite, die Sie bezahlt haben, schlägt immer wieder fehl. Dafür wurde nichts \
            verbraucht.
            """
        case .failingAdvice:
            """
            Bitte kommen Sie in einer Stunde wieder, oder schreiben Sie dem Betreiber dieser \
            Seite.
            """
        case .tooManyInvoices: "An Ihrer Adresse sind zu viele unbezahlte Rechnungen offen."
        case .tooManyInvoicesAdvice:
            """
            Bezahlen Sie eine davon, oder kommen Sie wieder, wenn sie abgelaufen sind.
            """
        case .tooManyQuestions: "Es gab zu viele Nachfragen nach unbezahlten Rechnungen."
        case .notFound: "Unter dieser Adresse ist nichts."
        case .notFoundAdvice:
            """
            Prüfen Sie die Adresse auf Tippfehler, oder beginnen Sie auf der ersten Seite.
            """
        case .firstPage: "Zur ersten Seite"
        case .denied: "Diese Seite ist für Besucher nicht offen."
        case .wrong: "Das hat nicht geklappt. Es wurde nichts abgebucht."
        }
    }
}
