# Der ausstellende Dienst: was ein Mensch liest, während eine Karte in die Wallet kommt.
issuer-code-title = Geben Sie Ihren Einmalcode ein
issuer-code-lead = { $issuer } hat diese Karte für Sie vorbereitet: { $card }. Der Code zeigt, dass es Ihre ist.
issuer-code-label = Einmalcode
issuer-code-hint = Acht Buchstaben und Ziffern. { $issuer } hat Ihnen den Code gegeben, etwa im Brief oder am Schalter.
issuer-code-hint-long = Sechzehn Buchstaben und Ziffern. { $issuer } hat Ihnen den Code gegeben, etwa im Brief oder am Schalter.
issuer-code-confirm = Karte in meine Wallet legen
issuer-code-cancel = Jetzt nicht
issuer-code-where = Die Karte kommt in { $wallet } auf diesem Gerät.
issuer-code-wrong = { $tries ->
    [one] Das ist nicht der Code. Sie haben noch einen Versuch.
   *[other] Das ist nicht der Code. Sie haben noch { $tries } Versuche.
}
issuer-failed-request-title = Dieser Link funktioniert nicht
issuer-failed-request-text = Ihre Wallet hat eine Seite geöffnet, die wir nicht lesen können. Es wurde nichts ausgestellt.
issuer-failed-offer-title = Diese Karte wartet nicht mehr
issuer-failed-offer-text = Die Karte wurde schon abgeholt, oder die Zeit dafür ist vorbei.
issuer-failed-locked-title = Zu viele falsche Codes
issuer-failed-locked-text = Zu Ihrem Schutz kann diese Karte mit diesem Code nicht mehr abgeholt werden.
issuer-failed-browser-title = Bitte beginnen Sie in Ihrer Wallet von vorn
issuer-failed-browser-text = Diese Seite wurde vor zu langer Zeit geöffnet oder in einem anderen Browser.
issuer-failed-server-title = Bei uns ist etwas schiefgegangen
issuer-failed-server-text = Es wurde nichts ausgestellt, und nichts ist verloren.
issuer-failed-next = Gehen Sie zurück zu Ihrer Wallet und versuchen Sie es noch einmal, oder bitten Sie { $issuer } um einen neuen Link zur Karte.
