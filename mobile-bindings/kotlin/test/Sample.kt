// The sample wallet (examples/wallets/kotlin) without its screen.

package org.vouchsafe.wallet.test

import org.vouchsafe.sample.Links
import org.vouchsafe.sample.Person
import org.vouchsafe.wallet.*

/** Agrees to everything, or to nothing. */
private class Somebody(private val agrees: Boolean) : Person {
    val opened = mutableListOf<String>()

    override suspend fun agreesToIssuer(host: String) = agrees
    override suspend fun agreesToOffer(offer: CredentialOffer) = agrees
    override suspend fun code(prompt: TxCodePrompt): String? = null
    override suspend fun signsIn(address: String): String? = null
    override suspend fun chooses(request: PresentationRequest) = request.suggested.takeIf { agrees }
    override suspend fun opens(address: String) {
        opened += address
    }
}

suspend fun sample(vector: Vector) {
    val random = SeededRng(vector.seed)
    val http = Lenient(vector.exchanges)
    val ports = Ports(memoryStorage(), http, null, FixedClock(vector.now), random)
    val wallet = Wallet.create(vector.config, ports, PASSPHRASE)
    val person = Somebody(agrees = true)
    val links = Links(wallet, person)
    check(links.open("mailto:somebody@example.com") == "link_unknown")
    check(links.open("openid4vp://?nothing") != "completed")
    check(links.open(vector.offer) == "completed")
    check(links.open(vector.request) == "completed")
    check(person.opened == listOf(vector.redirectUri))
    val nobody = Somebody(agrees = false)
    check(Links(wallet, nobody).open(vector.offer) == "declined")
    check(nobody.opened.isEmpty() && wallet.credentials.list().size == 1)
}
