// What a wallet does with a link, without a screen: compiled and tested on the JVM.

package org.vouchsafe.sample

import org.vouchsafe.wallet.*

/** A person at a screen. Every question is asked once and answered by them. */
interface Person {
    suspend fun agreesToIssuer(host: String): Boolean
    suspend fun agreesToOffer(offer: CredentialOffer): Boolean
    suspend fun code(prompt: TxCodePrompt): String?
    /** Opens a browser; gives the address with which it came back. */
    suspend fun signsIn(address: String): String?
    suspend fun chooses(request: PresentationRequest): Selection?
    suspend fun opens(address: String)
}

/** How a link ended: a key for texts. */
class Links(private val wallet: Wallet, private val person: Person) {
    suspend fun open(link: String): String = try {
        when (link.substringBefore(':').lowercase()) {
            "openid-credential-offer" -> take(link)
            "openid4vp", "haip-vp" -> show(link)
            else -> "link_unknown"
        }
    } catch (error: WalletException) {
        error.code
    }

    private suspend fun take(link: String): String {
        val session = wallet.issuance.start(link)
        session.prepare()
        while (true) {
            when (val state = session.state()) {
                is IssuanceState.IssuerUnknown ->
                    if (person.agreesToIssuer(state.host)) session.accept() else session.decline()
                is IssuanceState.OfferResolved ->
                    if (person.agreesToOffer(state.offer)) session.accept() else session.decline()
                is IssuanceState.TxCodeRequired ->
                    person.code(state.prompt)?.let { session.submitTxCode(it) } ?: session.decline()
                is IssuanceState.AuthorizationRequired ->
                    person.signsIn(state.url)?.let { session.completeAuthorization(it) }
                        ?: session.decline()
                is IssuanceState.Completed -> return "completed"
                is IssuanceState.Declined -> return "declined"
                is IssuanceState.Failed -> return state.error.code
                else -> return "canceled"
            }
        }
    }

    private suspend fun show(link: String): String {
        val session = wallet.presentation.start(link)
        session.resolve()
        val asked = session.state() as? PresentationState.RequestResolved ?: return "canceled"
        when (val selection = person.chooses(asked.request)) {
            null -> session.decline()
            else -> session.respond(selection)
        }
        return when (val end = session.state()) {
            is PresentationState.Completed -> "completed".also { end.redirectUri?.let { person.opens(it) } }
            is PresentationState.Declined -> "declined".also { end.redirectUri?.let { person.opens(it) } }
            is PresentationState.Failed -> end.error.code
            else -> "canceled"
        }
    }
}
