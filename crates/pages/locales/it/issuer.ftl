# Il servizio di rilascio: quello che una persona legge mentre una carta entra nel portafoglio.
issuer-code-title = Scrivi il tuo codice monouso
issuer-code-lead = { $issuer } ha preparato questa carta per te: { $card }. Il codice mostra che è tua.
issuer-code-label = Codice monouso
issuer-code-hint = Otto lettere e cifre. { $issuer } ti ha dato il codice, per esempio in una lettera o allo sportello.
issuer-code-hint-long = Sedici lettere e cifre. { $issuer } ti ha dato il codice, per esempio in una lettera o allo sportello.
issuer-code-confirm = Metti la carta nel mio portafoglio
issuer-code-cancel = Non ora
issuer-code-where = La carta va in { $wallet } su questo dispositivo.
issuer-code-wrong = { $tries ->
    [one] Non è il codice giusto. Hai ancora un tentativo.
   *[other] Non è il codice giusto. Hai ancora { $tries } tentativi.
}
issuer-consent-title = Mettere questa carta nel tuo portafoglio?
issuer-consent-lead = { $issuer } ti rilascia questa carta: { $card }. Va in { $wallet }.
issuer-person-title = Di’ a { $issuer } chi sei
issuer-person-lead = Poi { $issuer } ti rilascia questa carta: { $card }. Va in { $wallet }.
issuer-person-wrong = { $tries ->
    [one] { $issuer } non conosce questi dati. Hai ancora un tentativo.
   *[other] { $issuer } non conosce questi dati. Hai ancora { $tries } tentativi.
}
issuer-present-title = Mostra prima una carta
issuer-present-lead = Prima di rilasciare { $card }, { $issuer } chiede una carta che hai già.
issuer-present-open = Apri il mio portafoglio
issuer-present-back = Il tuo portafoglio ti riporta a questo browser.
issuer-failed-request-title = Questo link non funziona
issuer-failed-request-text = Il tuo portafoglio ha aperto una pagina che non riusciamo a leggere, quindi non è stato rilasciato nulla.
issuer-failed-offer-title = Questa carta non è più in attesa
issuer-failed-offer-text = La carta è già stata ritirata, oppure il tempo per ritirarla è finito.
issuer-failed-locked-title = Troppi codici sbagliati
issuer-failed-locked-text = Per proteggerti, questa carta non può più essere ritirata con quel codice.
issuer-failed-pause-title = Troppi tentativi
issuer-failed-pause-text = Quello che hai scritto era sbagliato troppe volte, quindi per un’ora non si accetta nulla. Poi ricomincia nel tuo portafoglio.
issuer-failed-browser-title = Ricomincia dal tuo portafoglio
issuer-failed-browser-text = Questa pagina è stata aperta troppo tempo fa, oppure in un altro browser.
issuer-failed-server-title = Qualcosa non ha funzionato da parte nostra
issuer-failed-server-text = Non è stato rilasciato nulla, e nulla è andato perso.
issuer-failed-next = Torna al tuo portafoglio e riprova, oppure chiedi a { $issuer } un nuovo link per la carta.
docs-title = Interfaccia per le organizzazioni
docs-lead = Tutto quello che il tuo sistema può chiedere a questo servizio, con un esempio per ogni cosa.
docs-openapi = Lo stesso come OpenAPI 3.1, per gli strumenti
docs-contents = Indice
docs-access = Chi può chiamare
docs-scopes = Gli ambiti e ciò che permettono
docs-name = Nome
docs-type = Tipo
docs-meaning = Significato
docs-required = obbligatorio
docs-parameters = Parametri
docs-body = Corpo
docs-answers = Risposte
docs-example = Esempio
docs-schemas = Oggetti
