// What every adapter must do. An adapter qualifies if and only if the suite of its port passes: run
// it in a test of the app, on a device for adapters of hardware.

package org.vouchsafe.wallet.contract

import java.math.BigInteger
import java.security.AlgorithmParameters
import java.security.KeyFactory
import java.security.PublicKey
import java.security.spec.ECGenParameterSpec
import java.security.spec.ECParameterSpec
import java.security.spec.ECPoint
import java.security.spec.ECPublicKeySpec
import org.vouchsafe.wallet.*

/** An adapter does not keep its contract. */
class ContractBroken(what: String) : Exception(what)

fun hold(holds: Boolean, what: () -> String) {
    if (!holds) throw ContractBroken(what())
}

private suspend inline fun <reified E : Throwable> refuse(what: String, call: suspend () -> Unit) {
    try {
        call()
    } catch (error: Throwable) {
        hold(error is E) { "$what: another exception, ${error::class.simpleName}" }
        return
    }
    throw ContractBroken("$what: no exception")
}

/** An empty store, and how it is opened once more after the app was ended. */
fun checkStorage(empty: StorageDriver, again: () -> StorageDriver) {
    val a = StorageKey("credentials", "a1")
    val b = StorageKey("credentials", "b2")
    val elsewhere = StorageKey("keys", "a1")
    val bytes = { text: String -> text.toByteArray() }
    fun expect(driver: StorageDriver, key: StorageKey, wanted: String?, what: String) {
        val found = driver.get(key)
        hold(found?.decodeToString() == wanted) { what }
    }
    expect(empty, a, null, "a record that was never written")
    hold(empty.keys("credentials").isEmpty()) { "an empty store has ids" }
    empty.transaction(listOf(StorageChange.Delete(a)))
    empty.transaction(listOf(StorageChange.Put(a, bytes("one"))))
    empty.transaction(listOf(StorageChange.Put(a, bytes("two"))))
    expect(empty, a, "two", "a record that was replaced")
    expect(empty, elsewhere, null, "the same id in another collection")
    empty.transaction(
        listOf(
            StorageChange.Put(b, ByteArray(0)),
            StorageChange.Put(elsewhere, bytes("key")),
            StorageChange.Delete(a),
        ),
    )
    expect(empty, a, null, "a record that was deleted in a transaction")
    expect(empty, b, "", "an empty record is a record")
    expect(empty, elsewhere, "key", "a record of a transaction")
    empty.transaction(listOf(StorageChange.Put(a, bytes("1")), StorageChange.Delete(a)))
    expect(empty, a, null, "changes are applied in their order")
    empty.transaction(listOf(StorageChange.Delete(a), StorageChange.Put(a, bytes("back"))))
    hold(empty.keys("credentials") == listOf("a1", "b2")) { "ids are sorted" }
    val large = ByteArray(300_000) { (it % 251).toByte() }
    empty.transaction(listOf(StorageChange.Put(b, large)))
    empty.transaction(emptyList())
    val reopened = again()
    hold(reopened.get(b).contentEquals(large)) { "a record is not there after the app was ended" }
    expect(reopened, a, "back", "a record is not there after the app was ended")
}

/** An area without keys, and how the same one is reached after the app was ended. */
suspend fun checkSecureArea(area: SecureArea, again: () -> SecureArea = { area }) {
    val can = area.capabilities()
    hold(KeyAlgorithm.ES256 in can.algorithms) { "ES256 is what every issuer takes" }
    fun spec(hardware: HardwarePolicy) =
        KeySpec(KeyAlgorithm.ES256, UserAuthentication.NotRequired, hardware)
    val hint = AuthorizationHint("The contract of a port")
    hold(area.keys().isEmpty()) { "an area without keys has some" }
    if (!can.hardware) {
        refuse<KeyFault.HardwareUnavailable>("hardware that is not there") {
            area.createKey(spec(HardwarePolicy.REQUIRED))
        }
        hold(area.keys().isEmpty()) { "a refused key was made" }
    }
    val first = area.createKey(spec(HardwarePolicy.PREFERRED))
    val second = area.createKey(spec(HardwarePolicy.PREFERRED))
    hold(first.id != second.id && !first.publicKey.contentEquals(second.publicKey)) {
        "two keys are one"
    }
    for (key in listOf(first, second)) {
        hold(Regex("[a-z0-9-]{1,64}").matches(key.id)) { "the name of a key" }
        hold(key.publicKey.size == 65 && key.publicKey[0] == 4.toByte()) { "the public half" }
    }
    val later = again()
    hold(later.keys().sorted() == listOf(first.id, second.id).sorted()) { "the names of the keys" }
    for (message in listOf(ByteArray(0), ByteArray(1), ByteArray(10_000) { it.toByte() })) {
        val signature = later.sign(first.id, KeyAlgorithm.ES256, message, hint)
        hold(verifies(first.publicKey, message, signature)) { "a signature does not verify" }
        hold(!verifies(second.publicKey, message, signature)) { "it verifies with another key" }
    }
    later.deleteKey(first.id)
    later.deleteKey(first.id)
    later.deleteKey("never-made")
    hold(later.keys() == listOf(second.id)) { "a deleted key is still there" }
    refuse<KeyFault.Unknown>("a deleted key signs") {
        later.sign(first.id, KeyAlgorithm.ES256, byteArrayOf(1), hint)
    }
    later.sign(second.id, KeyAlgorithm.ES256, byteArrayOf(1), hint)
    later.deleteKey(second.id)
}

/**
 * `base` answers: `/echo` with the method, the header `x-probe` and the body of what it got, joined
 * by line feeds; `/redirect` with 302 to `/echo`; `/cookie` with a cookie; `/refuse` with 400 and
 * the body `no`. Nobody listens at `nowhere`.
 */
suspend fun checkHttp(transport: HttpTransport, base: String, nowhere: String) {
    fun request(method: String, path: String, body: String = "") = HttpRequest(
        method, base + path, listOf(HttpField("x-probe", "p")), body.toByteArray(),
    )
    for ((method, body) in listOf("GET" to "", "POST" to "a=1\u00e9", "DELETE" to "")) {
        val reply = transport.send(request(method, "/echo", body))
        hold(reply.status == 200.toUShort()) { "$method: ${reply.status}" }
        hold(reply.body.decodeToString() == "$method\np\n$body") { "$method does not arrive whole" }
    }
    val redirect = transport.send(request("GET", "/redirect"))
    hold(redirect.status == 302.toUShort()) { "a redirect was followed" }
    val location = redirect.headers.any { it.name.lowercase() == "location" }
    hold(location) { "a header of the answer is missing" }
    val refused = transport.send(request("POST", "/refuse", "x"))
    hold(refused.status == 400.toUShort() && refused.body.decodeToString() == "no") {
        "an answer of 400 is an answer"
    }
    transport.send(request("GET", "/cookie"))
    val after = transport.send(request("GET", "/cookie"))
    hold(after.body.decodeToString() == "no cookie") { "a cookie was kept" }
    refuse<TransportFault.Unreachable>("where nobody listens") {
        transport.send(HttpRequest("GET", nowhere, emptyList(), ByteArray(0)))
    }
}

fun checkClock(clock: Clock) {
    val first = clock.now()
    hold(first in 1_750_000_000..4_102_444_800) { "not in seconds since 1970" }
    hold(clock.now() - first in 0..5) { "the clock jumps" }
}

fun checkRng(rng: Rng) {
    for (count in listOf(0u, 1u, 32u, 1000u)) {
        hold(rng.bytes(count).size == count.toInt()) { "not as many bytes as wanted" }
    }
    val drawn = List(64) { rng.bytes(16u).toList() }
    hold(drawn.toSet().size == drawn.size) { "the same bytes twice" }
    val ones = rng.bytes(4096u).sumOf { it.countOneBits() }
    // 32 768 fair bits: further than 8 standard deviations from half is no chance.
    hold(ones in 15_660..17_108) { "bytes that are not random" }
}

private fun verifies(point: ByteArray, message: ByteArray, signature: Signature): Boolean {
    val (algorithm, bytes) = when (signature) {
        is Signature.Raw -> "SHA256withECDSAinP1363Format" to signature.bytes
        is Signature.Der -> "SHA256withECDSA" to signature.bytes
    }
    val verifier = java.security.Signature.getInstance(algorithm)
    verifier.initVerify(publicKey(point))
    verifier.update(message)
    return verifier.verify(bytes)
}

private fun publicKey(point: ByteArray): PublicKey {
    val parameters = AlgorithmParameters.getInstance("EC")
    parameters.init(ECGenParameterSpec("secp256r1"))
    val curve = parameters.getParameterSpec(ECParameterSpec::class.java)
    val number = { from: Int -> BigInteger(1, point.copyOfRange(from, from + 32)) }
    val spec = ECPublicKeySpec(ECPoint(number(1), number(33)), curve)
    return KeyFactory.getInstance("EC").generatePublic(spec)
}
