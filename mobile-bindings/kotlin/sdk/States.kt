// The thin layer over the generated code: states as flows, sessions that end with their coroutine.

package org.vouchsafe.wallet

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** The generator gives errors the name that Kotlin expects; this is the name in Swift. */
typealias WalletError = WalletException

/** The cards of this wallet. */
val Wallet.credentials: Credentials get() = credentials()

/** Adding cards. */
val Wallet.issuance: Issuance get() = issuance()

/** Showing cards. */
val Wallet.presentation: Presentation get() = presentation()

/** What happened. */
val Wallet.history: History get() = history()

/** The states of this session. Takes the place of any other listener. */
val IssuanceSession.states: StateFlow<IssuanceState>
    get() = Following(::state).also(::setListener).flow

/** The states of this session. Takes the place of any other listener. */
val PresentationSession.states: StateFlow<PresentationState>
    get() = Following(::state).also(::setListener).flow

/**
 * Reads the state while it holds its own lock, so that of two changes on two threads the later one
 * stays.
 */
private class Following<S>(private val read: () -> S) : SessionListener {
    private val states = MutableStateFlow(read())
    val flow: StateFlow<S> = states.asStateFlow()

    override fun onChange() = synchronized(this) { states.value = read() }
}

/** Whether the session waits for nothing any more. */
val IssuanceState.isEnd: Boolean
    get() = when (this) {
        is IssuanceState.Completed, is IssuanceState.Declined,
        is IssuanceState.Canceled, is IssuanceState.Failed -> true
        else -> false
    }

/** Whether the session waits for nothing any more. */
val PresentationState.isEnd: Boolean
    get() = when (this) {
        is PresentationState.Completed, is PresentationState.Declined,
        is PresentationState.Canceled, is PresentationState.Failed -> true
        else -> false
    }

/** The stable code, also a key for texts. */
val WalletException.code: String
    get() = when (this) {
        is WalletException.Issuance -> code
        is WalletException.Presentation -> code
        is WalletException.Credential -> code
        is WalletException.Key -> code
        is WalletException.Trust -> code
        is WalletException.Storage -> code
        is WalletException.Session -> code
        is WalletException.Configuration -> code
    }

/** Who has to change something. */
val WalletException.party: Party
    get() = when (this) {
        is WalletException.Issuance -> party
        is WalletException.Presentation -> party
        is WalletException.Credential -> party
        is WalletException.Key -> party
        is WalletException.Trust -> party
        is WalletException.Storage -> party
        is WalletException.Session -> party
        is WalletException.Configuration -> party
    }
