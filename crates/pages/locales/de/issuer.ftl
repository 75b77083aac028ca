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
issuer-consent-title = Diese Karte in Ihre Wallet legen?
issuer-consent-lead = { $issuer } stellt Ihnen diese Karte aus: { $card }. Sie kommt in { $wallet }.
issuer-person-title = Sagen Sie { $issuer }, wer Sie sind
issuer-person-lead = { $issuer } stellt Ihnen dann diese Karte aus: { $card }. Sie kommt in { $wallet }.
issuer-person-wrong = { $tries ->
    [one] { $issuer } kennt diese Angaben nicht. Sie haben noch einen Versuch.
   *[other] { $issuer } kennt diese Angaben nicht. Sie haben noch { $tries } Versuche.
}
issuer-present-title = Zeigen Sie zuerst eine Karte
issuer-present-lead = Bevor { $issuer } diese Karte ausstellt: { $card }, wird nach einer Karte gefragt, die Sie haben.
issuer-present-open = Meine Wallet öffnen
issuer-present-back = Ihre Wallet bringt Sie in diesen Browser zurück.
issuer-failed-request-title = Dieser Link funktioniert nicht
issuer-failed-request-text = Ihre Wallet hat eine Seite geöffnet, die wir nicht lesen können. Es wurde nichts ausgestellt.
issuer-failed-offer-title = Diese Karte wartet nicht mehr
issuer-failed-offer-text = Die Karte wurde schon abgeholt, oder die Zeit dafür ist vorbei.
issuer-failed-locked-title = Zu viele falsche Codes
issuer-failed-locked-text = Zu Ihrem Schutz kann diese Karte mit diesem Code nicht mehr abgeholt werden.
issuer-failed-pause-title = Zu viele Versuche
issuer-failed-pause-text = Ihre Eingaben waren zu oft falsch; eine Stunde lang wird nichts angenommen. Beginnen Sie dann in Ihrer Wallet neu.
issuer-failed-browser-title = Bitte beginnen Sie in Ihrer Wallet von vorn
issuer-failed-browser-text = Diese Seite wurde vor zu langer Zeit geöffnet oder in einem anderen Browser.
issuer-failed-server-title = Bei uns ist etwas schiefgegangen
issuer-failed-server-text = Es wurde nichts ausgestellt, und nichts ist verloren.
issuer-failed-next = Gehen Sie zurück zu Ihrer Wallet und versuchen Sie es noch einmal, oder bitten Sie { $issuer } um einen neuen Link zur Karte.
docs-title = Schnittstelle für Organisationen
docs-lead = Alles, was Ihr eigenes System von diesem Dienst verlangen kann, jeweils mit einem Beispiel.
docs-openapi = Dasselbe als OpenAPI 3.1, für Werkzeuge
docs-contents = Inhalt
docs-access = Wer aufrufen darf
docs-scopes = Berechtigungen und was sie erlauben
docs-name = Name
docs-type = Typ
docs-meaning = Bedeutung
docs-required = erforderlich
docs-parameters = Parameter
docs-body = Inhalt der Anfrage
docs-answers = Antworten
docs-example = Beispiel
docs-schemas = Objekte
