// Ports that fail: no card is lost, no session stays half open. A part of what the Rust side tests
// at every call of every port.

package org.vouchsafe.wallet.test

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import org.vouchsafe.wallet.*

/** Does what `hit` says at its call number `at`; the rest goes on to the port behind it. */
private class Hit(val at: Int, val hit: suspend () -> Nothing) {
    private var calls = 0

    suspend fun next() {
        if (calls++ == at) hit()
    }
}

private class FaultyArea(private val area: SecureArea, private val hit: Hit) : SecureArea {
    override fun capabilities() = area.capabilities()

    override suspend fun createKey(spec: KeySpec) = area.createKey(spec)

    override suspend fun sign(
        key: String,
        algorithm: KeyAlgorithm,
        data: ByteArray,
        hint: AuthorizationHint,
    ): Signature {
        hit.next()
        return area.sign(key, algorithm, data, hint)
    }

    override suspend fun deleteKey(key: String) = area.deleteKey(key)

    override suspend fun keys() = area.keys()
}

private class FaultyHttp(private val http: HttpTransport, private val hit: Hit) : HttpTransport {
    override suspend fun send(request: HttpRequest): HttpReply {
        hit.next()
        return http.send(request)
    }
}

private class FaultyStore(private val store: StorageDriver) : StorageDriver by store {
    var full = false

    override fun transaction(changes: List<StorageChange>) {
        if (full) throw StorageFault.Full()
        store.transaction(changes)
    }
}

private class Ground(val vector: Vector) {
    val store = Store()
    val faulty = FaultyStore(store)
    val area = FixedArea(vector)

    fun ports(area: SecureArea = this.area, http: HttpTransport = Lenient(vector.exchanges)) =
        Ports(faulty, http, area, FixedClock(vector.now), SeededRng(vector.seed))

    suspend fun make(ports: Ports) = Wallet.create(vector.config, ports, PASSPHRASE)

    /** The app starts again: a card with its keys, or neither. */
    suspend fun checkAfterwards(cards: Int) {
        faulty.full = false
        val wallet = Wallet.open(vector.config, ports(), PASSPHRASE)
        val found = wallet.credentials.list()
        check(found.size == cards) { "${found.size} cards instead of $cards" }
        check(area.keys().size == found.sumOf { it.copies }.toInt()) { "keys without a card" }
    }
}

private suspend fun code(call: suspend () -> Unit): String = try {
    call()
    error("no error")
} catch (error: WalletException) {
    error.code
}

suspend fun faults(vector: Vector) {
    val denied = listOf(
        KeyFault.UserAuthDenied() to "user_auth_denied",
        KeyFault.UserAuthCanceled() to "user_auth_canceled",
        KeyFault.KeyInvalidated() to "key_invalidated",
        KeyFault.HardwareUnavailable() to "hardware_unavailable",
    )
    for ((fault, code) in denied) {
        step("$code while a card is taken") { whileTaking(vector, Hit(0) { throw fault }, code) }
        step("$code while a card is shown") { whileShowing(vector, fault, code) }
    }
    step("an exception of the app") { anExceptionOfTheApp(vector) }
    step("a panic in Rust") { cat448APanicIsAnExceptionAndTheNextCallWorks(vector) }
    step("no room") { noRoom(vector) }
    step("a slow network and a cancelled coroutine") { slowThenCancelled(vector) }
    step("a slow network and a cancelled session") { slowThenTheSessionIsCancelled(vector) }
}

/** A step that takes longer than a person would wait hangs. */
private suspend fun step(name: String, run: suspend () -> Unit) {
    println(name)
    withTimeout(300_000) { run() }
}

/** A key that does not sign its proof: no card, no key, and the code says why. */
private suspend fun whileTaking(vector: Vector, hit: Hit, code: String) {
    val ground = Ground(vector)
    val wallet = ground.make(ground.ports(area = FaultyArea(ground.area, hit)))
    val session = wallet.issuance.start(vector.offer)
    session.prepare()
    check(code { session.accept() } == code)
    check((session.state() as IssuanceState.Failed).error.code == code)
    ground.checkAfterwards(cards = 0)
}

/** A key that does not sign the answer: the question stays, and the next try works. */
private suspend fun whileShowing(vector: Vector, fault: KeyFault, code: String) {
    val ground = Ground(vector)
    // Two proofs are signed while the card is taken.
    val hit = Hit(2) { throw fault }
    val wallet = ground.make(ground.ports(area = FaultyArea(ground.area, hit)))
    val adding = wallet.issuance.start(vector.offer)
    adding.prepare()
    adding.accept()
    val session = wallet.presentation.start(vector.request)
    session.resolve()
    val request = (session.state() as PresentationState.RequestResolved).request
    check(code { session.respond(request.suggested) } == code)
    check(session.state() is PresentationState.RequestResolved)
    session.respond(request.suggested)
    check(session.state() is PresentationState.Completed)
    ground.checkAfterwards(cards = 1)
}

/** What an adapter throws by mistake is a failed port, no crash. */
private suspend fun anExceptionOfTheApp(vector: Vector) {
    val ground = Ground(vector)
    val http = FaultyHttp(Lenient(vector.exchanges), Hit(1) { throw IllegalStateException("bug") })
    val wallet = ground.make(ground.ports(http = http))
    val session = wallet.issuance.start(vector.offer)
    check(code { session.prepare() } == "issuer_unreachable")
    check(session.state().isEnd)
    ground.checkAfterwards(cards = 0)
}

/** A clock cannot say that it failed: what it throws is a panic on the other side. */
private suspend fun cat448APanicIsAnExceptionAndTheNextCallWorks(vector: Vector) {
    val ground = Ground(vector)
    var broken = false
    val clock = object : Clock {
        override fun now() = if (broken) throw IllegalStateException("bug") else vector.now
    }
    val wallet = ground.make(ground.ports().copy(clock = clock))
    val session = wallet.issuance.start(vector.offer)
    session.prepare()
    broken = true
    val thrown = try {
        session.accept()
        null
    } catch (error: InternalException) {
        error
    }
    check(thrown != null) { "no exception" }
    check(session.state() is IssuanceState.Canceled) { "${session.state()}" }
    broken = false
    val next = wallet.issuance.start(vector.offer)
    next.prepare()
    check(next.state() is IssuanceState.OfferResolved)
    next.decline()
    ground.checkAfterwards(cards = 0)
}

private suspend fun noRoom(vector: Vector) {
    val ground = Ground(vector)
    val wallet = ground.make(ground.ports())
    val adding = wallet.issuance.start(vector.offer)
    adding.prepare()
    ground.faulty.full = true
    check(code { adding.accept() } == "storage_full")
    check(adding.state() is IssuanceState.Failed)
    ground.checkAfterwards(cards = 0)
}

/** A coroutine that is cancelled while the network is slow: the session ends with it. */
private suspend fun slowThenCancelled(vector: Vector) = coroutineScope {
    val ground = Ground(vector)
    val reached = CompletableDeferred<Unit>()
    val hang = Hit(4) {
        reached.complete(Unit)
        awaitCancellation()
    }
    val http = FaultyHttp(Lenient(vector.exchanges), hang)
    val wallet = ground.make(ground.ports(http = http))
    val session = wallet.issuance.start(vector.offer)
    val ended = session.states
    session.prepare()
    val accepting = launch { session.accept() }
    reached.await()
    check(session.state() is IssuanceState.Processing)
    accepting.cancelAndJoin()
    check(session.state() is IssuanceState.Canceled) { "${session.state()}" }
    check(ended.value is IssuanceState.Canceled)
    ground.checkAfterwards(cards = 0)
}

/** The same, cancelled by the app at the session. */
private suspend fun slowThenTheSessionIsCancelled(vector: Vector) = coroutineScope {
    val ground = Ground(vector)
    val reached = CompletableDeferred<Unit>()
    val hang = Hit(6) {
        reached.complete(Unit)
        awaitCancellation()
    }
    val http = FaultyHttp(Lenient(vector.exchanges), hang)
    val wallet = ground.make(ground.ports(http = http))
    val adding = wallet.issuance.start(vector.offer)
    adding.prepare()
    adding.accept()
    val session = wallet.presentation.start(vector.request)
    val resolving = CompletableDeferred<String>()
    val job = launch { resolving.complete(code { session.resolve() }) }
    reached.await()
    session.cancel()
    check(resolving.await() == "canceled")
    job.join()
    check(session.state() is PresentationState.Canceled)
    ground.checkAfterwards(cards = 1)
}
