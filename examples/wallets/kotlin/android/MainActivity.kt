// The screen of the sample wallet on Android: a list of cards, and dialogs for the questions.

package org.vouchsafe.sample

import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.widget.ArrayAdapter
import android.widget.EditText
import android.widget.ListView
import androidx.fragment.app.FragmentActivity
import androidx.lifecycle.lifecycleScope
import kotlin.coroutines.resume
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import org.vouchsafe.wallet.*
import org.vouchsafe.wallet.android.HttpUrlTransport
import org.vouchsafe.wallet.android.KeystoreSecureArea
import org.vouchsafe.wallet.android.storePassphrase

/** Where the browser comes back to; an app link in the manifest. */
private const val RETURN = "https://wallet.example.com/callback"

class MainActivity : FragmentActivity(), Person {
    private val wallet = CompletableDeferred<Wallet>()
    private var back: CompletableDeferred<String?>? = null
    private lateinit var cards: ListView

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        cards = ListView(this).also(::setContentView)
        lifecycleScope.launch {
            wallet.complete(openWallet())
            list()
            intent.dataString?.let { follow(it) }
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        val link = intent.dataString ?: return
        if (link.startsWith(RETURN)) back?.complete(link) else lifecycleScope.launch { follow(link) }
    }

    private suspend fun openWallet(): Wallet {
        val ports = Ports(
            fileStorage(filesDir.resolve("wallet").apply { mkdirs() }.path),
            HttpUrlTransport(),
            KeystoreSecureArea(this), clock = null, rng = null,
        )
        val config = WalletConfig(
            locales = listOf(resources.configuration.locales[0].toLanguageTag()),
            issuers = emptyList(),
            askAboutUnknownIssuers = true,
            verifierAnchors = assets.open("verifiers.pem").use { it.readBytes().decodeToString() },
            redirectUri = RETURN,
            clientId = "vouchsafe-sample",
            addresses = AddressRule.PUBLIC_HTTPS,
            credentials = CredentialPolicy(10u),
            keys = KeyPolicy(UserAuthentication.Required(0u), HardwarePolicy.PREFERRED),
            keyDerivation = KeyDerivation.LOW,
        )
        return try {
            Wallet.open(config, ports, storePassphrase(this))
        } catch (error: WalletException.Storage) {
            if (error.code != "no_wallet") throw error
            Wallet.create(config, ports, storePassphrase(this))
        }
    }

    private suspend fun follow(link: String) {
        val ended = Links(wallet.await(), this).open(link)
        list()
        if (ended != "completed") ask(text(ended), emptyList())
    }

    private suspend fun list() {
        val titles = wallet.await().credentials.list().map { "${it.title}\n${it.issuer.name}" }
        cards.adapter = ArrayAdapter(this, android.R.layout.simple_list_item_1, titles)
    }

    /** Codes are keys of texts; one without a text of its own is shown as it is. */
    private fun text(code: String): String =
        resources.getIdentifier(code, "string", packageName).let { if (it == 0) code else getString(it) }

    private suspend fun ask(title: String, lines: List<String>): Boolean =
        suspendCancellableCoroutine { answer ->
            AlertDialog.Builder(this)
                .setTitle(title)
                .setMessage(lines.joinToString("\n"))
                .setPositiveButton(android.R.string.ok) { _, _ -> answer.resume(true) }
                .setNegativeButton(android.R.string.cancel) { _, _ -> answer.resume(false) }
                .setOnCancelListener { answer.resume(false) }
                .show()
        }

    override suspend fun agreesToIssuer(host: String) = ask(host, listOf(text("issuer_unknown")))

    override suspend fun agreesToOffer(offer: CredentialOffer) =
        ask(offer.issuer.name, offer.credentials.map { it.title })

    override suspend fun code(prompt: TxCodePrompt): String? {
        val field = EditText(this)
        return suspendCancellableCoroutine { answer ->
            AlertDialog.Builder(this)
                .setTitle(prompt.description ?: text("tx_code"))
                .setView(field)
                .setPositiveButton(android.R.string.ok) { _, _ -> answer.resume(field.text.toString()) }
                .setOnCancelListener { answer.resume(null) }
                .show()
        }
    }

    override suspend fun signsIn(address: String): String? {
        val waiting = CompletableDeferred<String?>().also { back = it }
        opens(address)
        return waiting.await()
    }

    override suspend fun chooses(request: PresentationRequest): Selection? {
        val picks = request.suggested.picks
        val options = picks.mapNotNull { pick ->
            request.queries.first { it.id == pick.query }.candidates.find { it.credential == pick.credential }
        }
        val facts = options.flatMap { one -> one.learns.map { "✓ ${it.label}" } + one.keeps.map { "✗ $it" } }
        val who = if (request.verifier.certified) request.verifier.name else request.verifier.host
        return request.suggested.takeIf { ask(who, listOfNotNull(request.purpose) + facts) }
    }

    override suspend fun opens(address: String) = startActivity(Intent(Intent.ACTION_VIEW, Uri.parse(address)))
}
