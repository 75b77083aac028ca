# Le service d’émission : ce que lit une personne pendant qu’une carte entre dans le portefeuille.
issuer-code-title = Saisissez votre code à usage unique
issuer-code-lead = { $issuer } a préparé cette carte pour vous : { $card }. Le code montre qu’elle est à vous.
issuer-code-label = Code à usage unique
issuer-code-hint = Huit lettres et chiffres. { $issuer } vous a donné le code, par exemple par courrier ou au guichet.
issuer-code-hint-long = Seize lettres et chiffres. { $issuer } vous a donné le code, par exemple par courrier ou au guichet.
issuer-code-confirm = Mettre la carte dans mon portefeuille
issuer-code-cancel = Pas maintenant
issuer-code-where = La carte va dans { $wallet }, sur cet appareil.
issuer-code-wrong = { $tries ->
    [one] Ce n’est pas le bon code. Il vous reste { $tries } essai.
   *[other] Ce n’est pas le bon code. Il vous reste { $tries } essais.
}
issuer-consent-title = Mettre cette carte dans votre portefeuille ?
issuer-consent-lead = { $issuer } vous délivre cette carte : { $card }. Elle va dans { $wallet }.
issuer-person-title = Dites à { $issuer } qui vous êtes
issuer-person-lead = { $issuer } vous délivre ensuite cette carte : { $card }. Elle va dans { $wallet }.
issuer-person-wrong = { $tries ->
    [one] { $issuer } ne connaît pas ces informations. Il vous reste { $tries } essai.
   *[other] { $issuer } ne connaît pas ces informations. Il vous reste { $tries } essais.
}
issuer-present-title = Montrez d’abord une carte
issuer-present-lead = Avant de délivrer { $card }, { $issuer } demande une carte que vous avez déjà.
issuer-present-open = Ouvrir mon portefeuille
issuer-present-back = Votre portefeuille vous ramène à ce navigateur.
issuer-failed-request-title = Ce lien ne fonctionne pas
issuer-failed-request-text = Votre portefeuille a ouvert une page que nous ne pouvons pas lire ; rien n’a donc été délivré.
issuer-failed-offer-title = Cette carte n’attend plus
issuer-failed-offer-text = La carte a déjà été retirée, ou le délai pour la retirer est écoulé.
issuer-failed-locked-title = Trop de codes faux
issuer-failed-locked-text = Pour vous protéger, cette carte ne peut plus être retirée avec ce code.
issuer-failed-pause-title = Trop d’essais
issuer-failed-pause-text = Ce que vous avez saisi était faux trop souvent ; rien n’est donc accepté pendant une heure. Recommencez ensuite dans votre portefeuille.
issuer-failed-browser-title = Recommencez depuis votre portefeuille
issuer-failed-browser-text = Cette page a été ouverte il y a trop longtemps, ou dans un autre navigateur.
issuer-failed-server-title = Un problème est survenu de notre côté
issuer-failed-server-text = Rien n’a été délivré, et rien n’est perdu.
issuer-failed-next = Retournez à votre portefeuille et réessayez, ou demandez à { $issuer } un nouveau lien pour la carte.
docs-title = Interface pour les organismes
docs-lead = Tout ce que votre propre système peut demander à ce service, avec un exemple pour chaque cas.
docs-openapi = La même chose en OpenAPI 3.1, pour les outils
docs-contents = Sommaire
docs-access = Qui peut appeler
docs-scopes = Les portées et ce qu’elles permettent
docs-name = Nom
docs-type = Type
docs-meaning = Signification
docs-required = obligatoire
docs-parameters = Paramètres
docs-body = Corps
docs-answers = Réponses
docs-example = Exemple
docs-schemas = Objets
