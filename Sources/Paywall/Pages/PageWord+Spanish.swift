extension PageWord {
    var spanish: String {
        switch self {
        case .buys: "Con esto se compra:"
        case .oneView: "una visita"
        case .requests: "{count} peticiones"
        case .allUntil: "todo {service} hasta el {date}"
        case .pageUntil: "esta página hasta el {date}"
        case .about: "unos {amount}"
        case .getInvoice: "Mostrar una factura"
        case .boughtAlready: "¿Ya comprado, o en otro dispositivo?"
        case .lightning:
            """
            Lightning es la forma rápida de pagar pequeñas sumas en bitcoin: una aplicación \
            de cartera escanea el código y la página se abre en segundos.
            """
        case .qr: "Código QR de la factura por {price}"
        case .openWallet: "Abrir la cartera"
        case .payInBrowser: "Pagar con la cartera del navegador"
        case .copyInvoice: "Copiar la factura"
        case .copied: "Copiada"
        case .invoice: "Factura como texto"
        case .timeLeft: "Tiempo para pagar:"
        case .waiting: "Esperando el pago. Esta página se abre sola."
        case .paid: "Pagado. Abriendo la página…"
        case .expired: "Esta factura ha caducado. Ya no debe pagarse."
        case .oneMinute: "Queda un minuto para pagar esta factura."
        case .cannotAsk: "Ahora no se puede saber si está pagado. La página sigue preguntando."
        case .noCookies:
            """
            Este navegador no guarda cookies y no podría mostrar que ha pagado. Permita las \
            cookies de este sitio antes de pagar.
            """
        case .noCookiesButHash:
            """
            Este navegador no guarda cookies. Mantenga abierta esta página mientras paga y \
            pulse después «He pagado».
            """
        case .iHavePaid: "He pagado"
        case .waitTitle: "Esperando el pago"
        case .seePrice: "Ver el precio"
        case .tryAgain: "Intentar de nuevo"
        case .left: "Quedan {left} de {count}"
        case .leftWhy: "Ha llegado desde otro sitio, así que aún no se ha gastado nada."
        case .openIt: "Abrir"
        case .takeOne: "Abrir ahora (gasta una)"
        case .boughtTitle: "Comprado aquí"
        case .nothingBought: "En este navegador no se ha comprado nada para esta página."
        case .nothingBoughtAdvice:
            """
            Abra la misma dirección en el dispositivo con el que pagó: allí hay un enlace que \
            abre esta página aquí.
            """
        case .otherDevice: "Abrir en otro dispositivo"
        case .otherDeviceHow:
            """
            Escanee el código o abra allí este enlace. Quien tiene el enlace tiene lo que \
            usted compró: guárdelo para usted.
            """
        case .link: "Enlace"
        case .qrOfLink: "Código QR del enlace"
        case .forget: "Olvidar en este dispositivo"
        case .forgotten: "Olvidado en este dispositivo."
        case .claimTitle: "Abrir una compra en este dispositivo"
        case .claimAsk: "¿Abrir aquí «{memo}»? Este navegador guardará lo comprado."
        case .claimButton: "Abrir aquí"
        case .claimDone: "Listo. Abriendo la página…"
        case .claimBroken:
            """
            El enlace no está completo. Ábralo de nuevo, desde el primer hasta el último \
            carácter.
            """
        case .claimRefused:
            """
            Este enlace no abre nada aquí: no está pagado, ha caducado o es de otra página.
            """
        case .claimLater: "Ahora no funciona. Inténtelo de nuevo en un momento."
        case .claimNoScript: "Para recibir una compra se necesita JavaScript."
        case .spent: "Lo que compró este pago ya se ha gastado."
        case .spentAdvice: "Para verlo otra vez, pague de nuevo."
        case .over: "El tiempo que pagó ha terminado."
        case .overAdvice: "Para seguir leyendo, pague de nuevo."
        case .revoked: "El responsable de este sitio ha anulado esta compra."
        case .revokedAdvice: "Escriba al responsable si es un error."
        case .badProof: "Lo que este navegador mostró no abre esta página."
        case .badProofAdvice: "Si ha pagado, abra la página por la que pagó."
        case .unpaid: "El pago aún no ha llegado."
        case .unpaidAdvice: "Si acaba de pagar, espere unos segundos y mire de nuevo."
        case .walletDown: "El servicio de pago no responde ahora. No se ha cobrado nada."
        case .walletDownAdvice: "Vuelva dentro de un minuto."
        case .undecided: "Ahora no se puede saber si ha pagado."
        case .undecidedAdvice:
            """
            No pague otra vez; mire de nuevo en un minuto. Si no ha pagado, haga que este \
            navegador olvide la factura.
            """
        case .stateDown: "Este sitio no puede llevar sus cuentas ahora. No se ha cobrado nada."
        case .failing: "La página que pagó sigue fallando. No se ha gastado nada por ello."
        case .failingAdvice: "Vuelva dentro de una hora o escriba al responsable de este sitio."
        case .tooManyInvoices: "Hay demasiadas facturas sin pagar abiertas en su dirección."
        case .tooManyInvoicesAdvice: "Pague una de ellas o vuelva cuando hayan caducado."
        case .tooManyQuestions: "Ha habido demasiadas consultas sobre facturas sin pagar."
        case .notFound: "No hay nada en esta dirección."
        case .notFoundAdvice: "Revise la dirección o empiece por la primera página."
        case .firstPage: "A la primera página"
        case .denied: "Esta página no está abierta a visitantes."
        case .wrong: "No ha funcionado. No se ha cobrado nada."
        }
    }
}
