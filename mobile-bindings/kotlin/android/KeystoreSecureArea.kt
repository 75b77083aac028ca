// Reference adapter: keys in Android Keystore (StrongBox where there is one), unlocked by the person
// with BiometricPrompt. Needs API level 30. Qualifies on a device if `checkSecureArea` passes there.

package org.vouchsafe.wallet.android

import android.app.KeyguardManager
import android.content.Context
import android.content.pm.PackageManager
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import androidx.biometric.BiometricManager.Authenticators.BIOMETRIC_STRONG
import androidx.biometric.BiometricManager.Authenticators.DEVICE_CREDENTIAL
import androidx.biometric.BiometricPrompt
import androidx.core.content.ContextCompat
import androidx.fragment.app.FragmentActivity
import java.math.BigInteger
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.KeyStoreException
import java.security.PrivateKey
import java.security.ProviderException
import java.security.SecureRandom
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext
import org.vouchsafe.wallet.*

private const val PROVIDER = "AndroidKeyStore"

/** Names of our keys begin so: other keys of the app are none of the wallet's business. */
private const val PREFIX = "vouchsafe-wallet-"
private const val WAYS = BIOMETRIC_STRONG or DEVICE_CREDENTIAL

class KeystoreSecureArea(private val activity: FragmentActivity) : SecureArea {
    private val store = KeyStore.getInstance(PROVIDER).apply { load(null) }
    private val random = SecureRandom()

    override fun capabilities(): SecureAreaCapabilities {
        val features = activity.packageManager
        val guard = activity.getSystemService(Context.KEYGUARD_SERVICE) as KeyguardManager
        return SecureAreaCapabilities(
            algorithms = listOf(KeyAlgorithm.ES256),
            hardware = features.hasSystemFeature(PackageManager.FEATURE_HARDWARE_KEYSTORE) || strongBox,
            userAuthentication = guard.isDeviceSecure,
        )
    }

    private val strongBox: Boolean
        get() = activity.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE)

    override suspend fun createKey(spec: KeySpec): KeyInfo = withContext(Dispatchers.IO) {
        if (spec.hardware == HardwarePolicy.REQUIRED && !capabilities().hardware) {
            throw KeyFault.HardwareUnavailable()
        }
        val id = ByteArray(16).also(random::nextBytes).joinToString("") { "%02x".format(it) }
        val public = try {
            generate(id, spec, strongBox && spec.hardware != HardwarePolicy.SOFTWARE)
        } catch (_: StrongBoxUnavailableException) {
            // The chip is there and full, or busy: the trusted environment is hardware too.
            generate(id, spec, false)
        }
        KeyInfo(id, byteArrayOf(4) + fixed(public.w.affineX) + fixed(public.w.affineY))
    }

    private fun generate(id: String, spec: KeySpec, inStrongBox: Boolean): ECPublicKey {
        val builder = KeyGenParameterSpec.Builder(PREFIX + id, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
            .setDigests(KeyProperties.DIGEST_SHA256)
            .setIsStrongBoxBacked(inStrongBox)
        val unlocking = spec.userAuthentication
        if (unlocking is UserAuthentication.Required) {
            builder.setUserAuthenticationRequired(true)
            builder.setUserAuthenticationParameters(
                unlocking.timeout.toInt(),
                KeyProperties.AUTH_BIOMETRIC_STRONG or KeyProperties.AUTH_DEVICE_CREDENTIAL,
            )
        }
        return try {
            val generator = KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, PROVIDER)
            generator.initialize(builder.build())
            generator.generateKeyPair().public as ECPublicKey
        } catch (error: StrongBoxUnavailableException) {
            throw error
        } catch (_: ProviderException) {
            throw KeyFault.HardwareUnavailable()
        }
    }

    override suspend fun sign(
        key: String,
        algorithm: KeyAlgorithm,
        data: ByteArray,
        hint: AuthorizationHint,
    ): Signature {
        val private = store.getKey(PREFIX + key, null) as? PrivateKey ?: throw KeyFault.Unknown()
        val signer = java.security.Signature.getInstance("SHA256withECDSA")
        return try {
            signer.initSign(private)
            signer.update(data)
            Signature.Der(signer.sign())
        } catch (_: UserNotAuthenticatedException) {
            Signature.Der(unlockedBy(hint, signer, private, data))
        } catch (_: KeyPermanentlyInvalidatedException) {
            throw KeyFault.KeyInvalidated()
        } catch (_: java.security.SignatureException) {
            // A key for one signature says so only now.
            Signature.Der(unlockedBy(hint, signer, private, data))
        }
    }

    /** The prompt is the adapter's matter: the wallet says who asks, and waits. */
    private suspend fun unlockedBy(
        hint: AuthorizationHint,
        signer: java.security.Signature,
        private: PrivateKey,
        data: ByteArray,
    ): ByteArray = withContext(Dispatchers.Main) {
        val perUse = runCatching { signer.initSign(private) }.isSuccess
        suspendCancellableCoroutine { answer ->
            val callback = object : BiometricPrompt.AuthenticationCallback() {
                override fun onAuthenticationSucceeded(result: BiometricPrompt.AuthenticationResult) {
                    val unlocked = result.cryptoObject?.signature ?: signer
                    val signed = runCatching {
                        if (!perUse) unlocked.initSign(private)
                        unlocked.update(data)
                        unlocked.sign()
                    }
                    signed.fold(answer::resume) { answer.resumeWithException(KeyFault.Failed()) }
                }

                override fun onAuthenticationError(code: Int, text: CharSequence) {
                    val fault = when (code) {
                        BiometricPrompt.ERROR_USER_CANCELED,
                        BiometricPrompt.ERROR_NEGATIVE_BUTTON,
                        BiometricPrompt.ERROR_CANCELED -> KeyFault.UserAuthCanceled()
                        BiometricPrompt.ERROR_HW_NOT_PRESENT,
                        BiometricPrompt.ERROR_HW_UNAVAILABLE -> KeyFault.HardwareUnavailable()
                        else -> KeyFault.UserAuthDenied()
                    }
                    if (answer.isActive) answer.resumeWithException(fault)
                }
            }
            val prompt = BiometricPrompt(activity, ContextCompat.getMainExecutor(activity), callback)
            val info = BiometricPrompt.PromptInfo.Builder()
                .setTitle(hint.title)
                .setAllowedAuthenticators(WAYS)
                .build()
            when {
                perUse -> prompt.authenticate(info, BiometricPrompt.CryptoObject(signer))
                else -> prompt.authenticate(info)
            }
            answer.invokeOnCancellation { prompt.cancelAuthentication() }
        }
    }

    override suspend fun deleteKey(key: String) {
        try {
            store.deleteEntry(PREFIX + key)
        } catch (_: KeyStoreException) {
            if (store.containsAlias(PREFIX + key)) throw KeyFault.Failed()
        }
    }

    override suspend fun keys(): List<String> =
        store.aliases().toList().filter { it.startsWith(PREFIX) }.map { it.removePrefix(PREFIX) }
}

private fun fixed(number: BigInteger): ByteArray {
    val bytes = number.toByteArray()
    val start = if (bytes.size > 32) bytes.size - 32 else 0
    return ByteArray(32 - (bytes.size - start)) + bytes.copyOfRange(start, bytes.size)
}
