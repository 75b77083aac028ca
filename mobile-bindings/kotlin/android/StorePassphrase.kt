// The passphrase of the store: 32 random bytes, sealed by a key of Android Keystore. Nobody types it.

package org.vouchsafe.wallet.android

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.Base64
import java.security.KeyStore
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

private const val ALIAS = "vouchsafe-store"
private const val FILE = "store-passphrase"
private const val SUITE = "AES/GCM/NoPadding"

/** The same on every start of the app; new after the app was installed anew. */
fun storePassphrase(context: Context): String {
    val file = context.filesDir.resolve(FILE)
    val cipher = Cipher.getInstance(SUITE)
    val bytes = if (file.exists()) {
        val sealed = file.readBytes()
        cipher.init(Cipher.DECRYPT_MODE, key(), GCMParameterSpec(128, sealed.copyOf(12)))
        cipher.doFinal(sealed, 12, sealed.size - 12)
    } else {
        val fresh = ByteArray(32).also(SecureRandom()::nextBytes)
        cipher.init(Cipher.ENCRYPT_MODE, key())
        val unfinished = context.filesDir.resolve("$FILE.new")
        unfinished.writeBytes(cipher.iv + cipher.doFinal(fresh))
        check(unfinished.renameTo(file)) { "the passphrase of the store is not kept" }
        fresh
    }
    return Base64.encodeToString(bytes, Base64.NO_WRAP)
}

private fun key(): SecretKey {
    val store = KeyStore.getInstance("AndroidKeyStore").apply { load(null) }
    (store.getKey(ALIAS, null) as? SecretKey)?.let { return it }
    val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
    val spec = KeyGenParameterSpec.Builder(ALIAS, purposes)
        .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
        .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
        .setKeySize(256)
        .build()
    val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, "AndroidKeyStore")
    generator.init(spec)
    return generator.generateKey()
}
