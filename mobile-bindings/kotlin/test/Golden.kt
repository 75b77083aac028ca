// The same inputs give the same bytes as in Rust.

package org.vouchsafe.wallet.test

import java.nio.ByteBuffer
import java.security.KeyFactory
import java.security.MessageDigest
import java.security.PrivateKey
import java.security.spec.PKCS8EncodedKeySpec
import java.util.Base64
import java.util.TreeMap
import org.vouchsafe.wallet.*

class FixedClock(private val seconds: Long) : Clock {
    override fun now() = seconds
}

/** SHA-256 over a seed and a counter, 32 bytes at a time. */
class SeededRng(private val seed: Long) : Rng {
    private var counter = 0L

    @Synchronized
    override fun bytes(count: UInt): ByteArray {
        var bytes = ByteArray(0)
        while (bytes.size < count.toInt()) {
            val block = ByteBuffer.allocate(16).putLong(seed).putLong(counter++).array()
            bytes += MessageDigest.getInstance("SHA-256").digest(block)
        }
        return bytes.copyOf(count.toInt())
    }
}

/** A store in memory that outlives its wallet. */
class Store : StorageDriver {
    private val records = TreeMap<String, ByteArray>()

    private fun name(key: StorageKey) = "${key.collection}/${key.id}"

    @Synchronized
    override fun get(key: StorageKey): ByteArray? = records[name(key)]

    @Synchronized
    override fun keys(collection: String): List<String> =
        records.keys.filter { it.startsWith("$collection/") }.map { it.substringAfter('/') }

    @Synchronized
    override fun transaction(changes: List<StorageChange>) = changes.forEach {
        when (it) {
            is StorageChange.Put -> records[name(it.key)] = it.value
            is StorageChange.Delete -> records.remove(name(it.key))
        }
    }

    @Synchronized
    fun digest(): String {
        val all = MessageDigest.getInstance("SHA-256")
        for ((name, bytes) in records) {
            all.update("$name ${bytes.size}\n".toByteArray())
            all.update(bytes)
        }
        return all.digest().joinToString("") { "%02x".format(it) }
    }
}

/** Answers as recorded, and only what was asked in the recorded order and bytes. */
class Strict(private val exchanges: List<Exchange>) : HttpTransport {
    var next = 0

    override suspend fun send(request: HttpRequest): HttpReply {
        val recorded = exchanges[next++]
        check(request.method == recorded.method && request.url == recorded.url) {
            "request $next: ${request.method} ${request.url}"
        }
        check(request.headers == recorded.headers) { "headers of request $next" }
        check(request.body.contentEquals(recorded.body.toByteArray())) { "body of request $next" }
        return recorded.reply
    }
}

/** Answers as recorded, whatever the wallet says of its keys and nonces. */
class Lenient(private val exchanges: List<Exchange>) : HttpTransport {
    override suspend fun send(request: HttpRequest) =
        exchanges.first { it.method == request.method && it.url == request.url }.reply
}

/** A secure area whose keys are known beforehand; signs with a random number of its own. */
class FixedArea(vector: Vector) : SecureArea {
    private val keys: List<Pair<PrivateKey, ByteArray>> = vector.keys.map { (pkcs8, point) ->
        val spec = PKCS8EncodedKeySpec(Base64.getDecoder().decode(pkcs8))
        KeyFactory.getInstance("EC").generatePrivate(spec) to Base64.getDecoder().decode(point)
    }
    private val made = mutableListOf<String>()
    private var count = 0

    override fun capabilities() = SecureAreaCapabilities(listOf(KeyAlgorithm.ES256), true, true)

    override suspend fun createKey(spec: KeySpec): KeyInfo {
        val id = "k$count"
        made += id
        return KeyInfo(id, keys[count++].second)
    }

    override suspend fun sign(
        key: String,
        algorithm: KeyAlgorithm,
        data: ByteArray,
        hint: AuthorizationHint,
    ): Signature {
        if (key !in made) throw KeyFault.Unknown()
        val signer = java.security.Signature.getInstance("SHA256withECDSA")
        signer.initSign(keys[key.drop(1).toInt()].first)
        signer.update(data)
        return Signature.Der(signer.sign())
    }

    override suspend fun deleteKey(key: String) {
        made -= key
    }

    override suspend fun keys(): List<String> = made.toList()
}

/** Takes the card and shows it; gives the address for the browser. */
suspend fun takeAndShow(wallet: Wallet, vector: Vector): String? {
    val adding = wallet.issuance.start(vector.offer)
    adding.prepare()
    adding.accept()
    check(adding.state() is IssuanceState.Completed)
    val showing = wallet.presentation.start(vector.request)
    showing.resolve()
    val request = (showing.state() as PresentationState.RequestResolved).request
    showing.respond(request.suggested)
    return (showing.state() as PresentationState.Completed).redirectUri
}

suspend fun golden(vector: Vector) {
    val store = Store()
    // The JDK signs with a random number of its own: with its keys only the course is the same.
    val strict = vector.keys.isEmpty()
    val http = if (strict) Strict(vector.exchanges) else Lenient(vector.exchanges)
    val area = if (strict) null else FixedArea(vector)
    val ports = Ports(store, http, area, FixedClock(vector.now), SeededRng(vector.seed))
    val wallet = Wallet.create(vector.config, ports, PASSPHRASE)
    check(takeAndShow(wallet, vector) == vector.redirectUri)
    if (http is Strict) check(http.next == vector.exchanges.size)
    check(store.digest() == vector.storage) { "the stored bytes differ" }
}
