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
issuer-failed-request-title = This link does not work
issuer-failed-request-text = Your wallet opened a page that we cannot read, so nothing was issued.
issuer-failed-offer-title = This card is no longer waiting
issuer-failed-offer-text = The card was picked up already, or the time to pick it up is over.
issuer-failed-locked-title = Too many wrong codes
issuer-failed-locked-text = To protect you, this card can no longer be picked up with that code.
issuer-failed-browser-title = Please start again from your wallet
issuer-failed-browser-text = This page was opened too long ago, or in another browser.
issuer-failed-server-title = Something went wrong on our side
issuer-failed-server-text = Nothing was issued, and nothing is lost.
issuer-failed-next = Go back to your wallet and try again, or ask { $issuer } for a new card link.
