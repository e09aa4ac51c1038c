extension PageWord {
    var portuguese: String {
        switch self {
        case .buys: "O que se compra:"
        case .oneView: "uma visualização"
        case .requests: "{count} pedidos"
        case .allUntil: "tudo de {service} até {date}"
        case .pageUntil: "esta página até {date}"
        case .about: "cerca de {amount}"
        case .getInvoice: "Mostrar uma fatura"
        case .boughtAlready: "Já comprou, ou noutro dispositivo?"
        case .lightning:
            """
            Lightning é a forma rápida de pagar pequenas quantias em bitcoin: uma aplicação \
            de carteira lê o código e a página abre em segundos.
            """
        case .qr: "Código QR da fatura de {price}"
        case .openWallet: "Abrir a carteira"
        case .payInBrowser: "Pagar com a carteira do navegador"
        case .copyInvoice: "Copiar a fatura"
        case .copied: "Copiada"
        case .invoice: "Fatura como texto"
        case .timeLeft: "Tempo para pagar:"
        case .waiting: "À espera do pagamento. Esta página abre sozinha."
        case .paid: "Pago. A abrir a página…"
        case .expired: "Esta fatura expirou. Já não deve ser paga."
        case .oneMinute: "Falta um minuto para pagar esta fatura."
        case .cannotAsk:
            """
            De momento não é possível saber se está pago. A página continua a perguntar.
            """
        case .noCookies:
            """
            Este navegador não guarda cookies e não poderia mostrar que pagou. Permita os \
            cookies deste site antes de pagar.
            """
        case .noCookiesButHash:
            """
            Este navegador não guarda cookies. Mantenha esta página aberta enquanto paga e \
            carregue depois em «Já paguei».
            """
        case .iHavePaid: "Já paguei"
        case .waitTitle: "À espera do pagamento"
        case .seePrice: "Ver o preço"
        case .tryAgain: "Tentar de novo"
        case .left: "Restam {left} de {count}"
        case .leftWhy: "Veio de outro site, por isso ainda nada foi gasto."
        case .openIt: "Abrir"
        case .takeOne: "Abrir agora (gasta um)"
        case .boughtTitle: "Comprado aqui"
        case .nothingBought: "Neste navegador nada foi comprado para esta página."
        case .nothingBoughtAdvice:
            """
            Abra o mesmo endereço no dispositivo com que pagou: lá há uma ligação que abre \
            esta página aqui.
            """
        case .otherDevice: "Abrir noutro dispositivo"
        case .otherDeviceHow:
            """
            Leia o código ou abra lá esta ligação. Quem tem a ligação tem o que comprou: \
            guarde-a para si.
            """
        case .link: "Ligação"
        case .qrOfLink: "Código QR da ligação"
        case .forget: "Esquecer neste dispositivo"
        case .forgotten: "Esquecido neste dispositivo."
        case .claimTitle: "Abrir uma compra neste dispositivo"
        case .claimAsk: "Abrir aqui «{memo}»? Este navegador guardará o que foi comprado."
        case .claimButton: "Abrir aqui"
        case .claimDone: "Pronto. A abrir a página…"
        case .claimBroken:
            """
            A ligação não está completa. Abra-a de novo, do primeiro ao último carácter.
            """
        case .claimRefused:
            """
            Esta ligação não abre nada aqui: não está paga, expirou ou é de outra página.
            """
        case .claimLater: "De momento não funciona. Tente de novo daqui a pouco."
        case .claimNoScript: "Para receber uma compra é preciso JavaScript."
        case .spent: "O que este pagamento comprou já foi gasto."
        case .spentAdvice: "Para ver outra vez, pague de novo."
        case .over: "O tempo que pagou terminou."
        case .overAdvice: "Para continuar a ler, pague de novo."
        case .revoked: "O responsável por este site anulou esta compra."
        case .revokedAdvice: "Escreva ao responsável se for um engano."
        case .badProof: "O que este navegador mostrou não abre esta página."
        case .badProofAdvice: "Se pagou, abra a página pela qual pagou."
        case .unpaid: "O pagamento ainda não chegou."
        case .unpaidAdvice: "Se acabou de pagar, espere alguns segundos e veja de novo."
        case .walletDown: "O serviço de pagamento não responde agora. Nada foi cobrado."
        case .walletDownAdvice: "Volte daqui a um minuto."
        case .undecided: "De momento não é possível saber se pagou."
        case .undecidedAdvice:
            """
            Não pague outra vez; veja de novo daqui a um minuto. Se não pagou, faça este \
            navegador esquecer a fatura.
            """
        case .stateDown: "Este site não consegue fazer contas agora. Nada foi cobrado."
        case .failing: "A página que pagou continua a falhar. Nada foi gasto por isso."
        case .failingAdvice: "Volte daqui a uma hora ou escreva ao responsável por este site."
        case .tooManyInvoices: "Há demasiadas faturas por pagar abertas no seu endereço."
        case .tooManyInvoicesAdvice: "Pague uma delas ou volte quando tiverem expirado."
        case .tooManyQuestions: "Houve demasiadas consultas sobre faturas por pagar."
        case .notFound: "Não há nada neste endereço."
        case .notFoundAdvice: "Verifique o endereço ou comece pela primeira página."
        case .firstPage: "Para a primeira página"
        case .denied: "Esta página não está aberta a visitantes."
        case .wrong: "Não funcionou. Nada foi cobrado."
        }
    }
}
