// Keys of the JDK, in memory: the software adapter for CI. Signs as Android Keystore does: the same
// classes, the same encodings.

package org.vouchsafe.wallet.jvm

import java.math.BigInteger
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.SecureRandom
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.util.concurrent.ConcurrentHashMap
import org.vouchsafe.wallet.AuthorizationHint
import org.vouchsafe.wallet.HardwarePolicy
import org.vouchsafe.wallet.KeyAlgorithm
import org.vouchsafe.wallet.KeyFault
import org.vouchsafe.wallet.KeyInfo
import org.vouchsafe.wallet.KeySpec
import org.vouchsafe.wallet.SecureArea
import org.vouchsafe.wallet.SecureAreaCapabilities
import org.vouchsafe.wallet.Signature

class JcaSecureArea : SecureArea {
    private val pairs = ConcurrentHashMap<String, KeyPair>()
    private val random = SecureRandom()

    override fun capabilities() = SecureAreaCapabilities(
        algorithms = listOf(KeyAlgorithm.ES256),
        hardware = false,
        userAuthentication = false,
    )

    override suspend fun createKey(spec: KeySpec): KeyInfo {
        if (spec.hardware == HardwarePolicy.REQUIRED) throw KeyFault.HardwareUnavailable()
        val generator = KeyPairGenerator.getInstance("EC")
        generator.initialize(ECGenParameterSpec("secp256r1"), random)
        val pair = generator.generateKeyPair()
        val id = ByteArray(16).also(random::nextBytes).joinToString("") { "%02x".format(it) }
        pairs[id] = pair
        return KeyInfo(id, point(pair.public as ECPublicKey))
    }

    override suspend fun sign(
        key: String,
        algorithm: KeyAlgorithm,
        data: ByteArray,
        hint: AuthorizationHint,
    ): Signature {
        val pair = pairs[key] ?: throw KeyFault.Unknown()
        val signer = java.security.Signature.getInstance("SHA256withECDSA")
        signer.initSign(pair.private, random)
        signer.update(data)
        return Signature.Der(signer.sign())
    }

    override suspend fun deleteKey(key: String) {
        pairs.remove(key)
    }

    override suspend fun keys(): List<String> = pairs.keys.toList()
}

/** `04 || x || y` */
fun point(key: ECPublicKey): ByteArray =
    byteArrayOf(4) + fixed(key.w.affineX) + fixed(key.w.affineY)

private fun fixed(number: BigInteger): ByteArray {
    val bytes = number.toByteArray()
    val start = if (bytes.size > 32) bytes.size - 32 else 0
    return ByteArray(32 - (bytes.size - start)) + bytes.copyOfRange(start, bytes.size)
}
