# The issuing service: what a person reads while a card goes into the wallet.
issuer-code-title = Enter your one-time code
issuer-code-lead = { $issuer } has prepared this card for you: { $card }. The code shows that it is yours.
issuer-code-label = One-time code
issuer-code-hint = Eight letters and digits. { $issuer } gave you the code, for example in a letter or at the desk.
issuer-code-hint-long = Sixteen letters and digits. { $issuer } gave you the code, for example in a letter or at the desk.
issuer-code-confirm = Put the card into my wallet
issuer-code-cancel = Not now
issuer-code-where = The card goes to { $wallet } on this device.
issuer-code-wrong = { $tries ->
    [one] That is not the code. You have one more try.
   *[other] That is not the code. You have { $tries } more tries.
}
issuer-consent-title = Put this card into your wallet?
issuer-consent-lead = { $issuer } issues this card to you: { $card }. It goes to { $wallet }.
issuer-person-title = Tell { $issuer } who you are
issuer-person-lead = { $issuer } then issues this card to you: { $card }. It goes to { $wallet }.
issuer-person-wrong = { $tries ->
    [one] { $issuer } does not know these details. You have one more try.
   *[other] { $issuer } does not know these details. You have { $tries } more tries.
}
issuer-present-title = Show a card first
issuer-present-lead = Before { $issuer } issues { $card }, it asks for a card that you have.
issuer-present-open = Open my wallet
issuer-present-back = Your wallet brings you back to this browser.
issuer-failed-request-title = This link does not work
issuer-failed-request-text = Your wallet opened a page that we cannot read, so nothing was issued.
issuer-failed-offer-title = This card is no longer waiting
issuer-failed-offer-text = The card was picked up already, or the time to pick it up is over.
issuer-failed-locked-title = Too many wrong codes
issuer-failed-locked-text = To protect you, this card can no longer be picked up with that code.
issuer-failed-pause-title = Too many tries
issuer-failed-pause-text = What you typed was wrong too often, so nothing is accepted for an hour. Then begin again in your wallet.
issuer-failed-browser-title = Please start again from your wallet
issuer-failed-browser-text = This page was opened too long ago, or in another browser.
issuer-failed-server-title = Something went wrong on our side
issuer-failed-server-text = Nothing was issued, and nothing is lost.
issuer-failed-next = Go back to your wallet and try again, or ask { $issuer } for a new card link.
docs-title = Interface for organisations
docs-lead = Everything that your own system can ask of this service, with an example for each.
docs-openapi = The same as OpenAPI 3.1, for tools
docs-contents = Contents
docs-access = Who may call
docs-scopes = Scopes, and what they allow
docs-name = Name
docs-type = Type
docs-meaning = Meaning
docs-required = required
docs-parameters = Parameters
docs-body = Body
docs-answers = Answers
docs-example = Example
docs-schemas = Objects
