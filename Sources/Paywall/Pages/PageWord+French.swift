extension PageWord {
    var french: String {
        switch self {
        case .buys: "Ce que vous achetez :"
        case .oneView: "une consultation"
        case .requests: "{count} requêtes"
        case .allUntil: "tout {service} jusqu’au {date}"
        case .pageUntil: "cette page jusqu’au {date}"
        case .about: "environ {amount}"
        case .getInvoice: "Afficher une facture"
        case .boughtAlready: "Déjà acheté, ou sur un autre appareil ?"
        case .lightning:
            """
            Lightning est le moyen rapide de payer de petites sommes en bitcoin : une \
            application de portefeuille lit le code et la page s’ouvre en quelques secondes.
            """
        case .qr: "Code QR de la facture de {price}"
        case .openWallet: "Ouvrir le portefeuille"
        case .payInBrowser: "Payer avec le portefeuille du navigateur"
        case .copyInvoice: "Copier la facture"
        case .copied: "Copiée"
        case .invoice: "Facture en texte"
        case .timeLeft: "Temps restant pour payer :"
        case .waiting: "En attente du paiement. Cette page s’ouvrira d’elle-même."
        case .paid: "Payé. Ouverture de la page…"
        case .expired: "Cette facture a expiré. Ne la payez plus."
        case .oneMinute: "Il reste une minute pour payer cette facture."
        case .cannotAsk:
            """
            Impossible de savoir pour l’instant si c’est payé. La page continue de demander.
            """
        case .noCookies:
            """
            Ce navigateur ne garde pas de cookies et ne pourrait pas montrer que vous avez \
            payé. Autorisez les cookies de ce site avant de payer.
            """
        case .noCookiesButHash:
            """
            Ce navigateur ne garde pas de cookies. Laissez cette page ouverte pendant le \
            paiement, puis appuyez sur « J’ai payé ».
            """
        case .iHavePaid: "J’ai payé"
        case .waitTitle: "En attente du paiement"
        case .seePrice: "Voir le prix"
        case .tryAgain: "Réessayer"
        case .left: "{left} sur {count} restants"
        case .leftWhy: "Vous venez d’un autre site : rien n’a encore été décompté."
        case .openIt: "Ouvrir"
        case .takeOne: "Ouvrir maintenant (en utilise un)"
        case .boughtTitle: "Acheté ici"
        case .nothingBought: "Rien n’a été acheté pour cette page dans ce navigateur."
        case .nothingBoughtAdvice:
            """
            Ouvrez la même adresse sur l’appareil avec lequel vous avez payé : il y a là un \
            lien qui ouvre cette page ici.
            """
        case .otherDevice: "Ouvrir sur un autre appareil"
        case .otherDeviceHow:
            """
            Lisez le code ou ouvrez-y ce lien. Qui a le lien a ce que vous avez acheté : \
            gardez-le pour vous.
            """
        case .link: "Lien"
        case .qrOfLink: "Code QR du lien"
        case .forget: "Oublier sur cet appareil"
        case .forgotten: "Oublié sur cet appareil."
        case .claimTitle: "Ouvrir un achat sur cet appareil"
        case .claimAsk: "Ouvrir « {memo} » ici ? Ce navigateur gardera ce qui a été acheté."
        case .claimButton: "Ouvrir ici"
        case .claimDone: "C’est fait. Ouverture de la page…"
        case .claimBroken:
            """
            Le lien n’est pas complet. Ouvrez-le de nouveau, du premier au dernier caractère.
            """
        case .claimRefused:
            """
            Ce lien n’ouvre rien ici : il n’est pas payé, a expiré ou concerne une autre page.
            """
        case .claimLater: "Cela ne marche pas pour l’instant. Réessayez dans un moment."
        case .claimNoScript: "Reprendre un achat nécessite JavaScript."
        case .spent: "Ce que ce paiement a acheté a été consommé."
        case .spentAdvice: "Pour revoir la page, payez de nouveau."
        case .over: "La durée que vous avez payée est écoulée."
        case .overAdvice: "Pour continuer à lire, payez de nouveau."
        case .revoked: "L’exploitant de ce site a annulé cet achat."
        case .revokedAdvice: "Écrivez à l’exploitant si c’est une erreur."
        case .badProof: "Ce que ce navigateur a présenté n’ouvre pas cette page."
        case .badProofAdvice: "Si vous avez payé, ouvrez la page que vous avez payée."
        case .unpaid: "Le paiement n’est pas encore arrivé."
        case .unpaidAdvice:
            """
            Si vous venez de payer, attendez quelques secondes et regardez de nouveau.
            """
        case .walletDown:
            """
            Le service de paiement ne répond pas pour l’instant. Rien n’a été prélevé.
            """
        case .walletDownAdvice: "Revenez dans une minute."
        case .undecided: "Impossible de savoir pour l’instant si vous avez payé."
        case .undecidedAdvice:
            """
            Ne payez pas une seconde fois ; regardez de nouveau dans une minute. Si vous \
            n’avez pas payé, faites oublier la facture à ce navigateur.
            """
        case .stateDown:
            """
            Ce site ne peut pas tenir ses comptes pour l’instant. Rien n’a été prélevé.
            """
        case .failing: "La page que vous avez payée échoue toujours. Rien n’a été décompté."
        case .failingAdvice: "Revenez dans une heure ou écrivez à l’exploitant de ce site."
        case .tooManyInvoices: "Trop de factures impayées sont ouvertes à votre adresse."
        case .tooManyInvoicesAdvice: "Payez l’une d’elles ou revenez quand elles auront expiré."
        case .tooManyQuestions: "Il y a eu trop de questions sur des factures impayées."
        case .notFound: "Il n’y a rien à cette adresse."
        case .notFoundAdvice: "Vérifiez l’adresse ou commencez par la première page."
        case .firstPage: "Vers la première page"
        case .denied: "Cette page n’est pas ouverte aux visiteurs."
        case .wrong: "Cela n’a pas marché. Rien n’a été prélevé."
        }
    }
}
