// What `cargo xtask bindings` and the tests of the whole system run:
//   loop               takes a card and shows it, against running services (variable WANTED)
//   golden FOLDER      the vectors
//   faults FOLDER      ports that fail
//   sample FOLDER      the part of the sample wallet that needs no screen
//   contracts          the contract suites on the software adapters

package org.vouchsafe.wallet.test

import java.nio.file.Path
import kotlin.io.path.readText
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.*
import org.vouchsafe.wallet.*
import org.vouchsafe.wallet.jvm.JdkTransport

fun main(arguments: Array<String>) = runBlocking {
    when (arguments.firstOrNull()) {
        "loop" -> loop(Vector(System.getenv("WANTED")))
        "golden" -> vectors(arguments[1]).forEach { golden(it) }.also { println("golden: held") }
        "faults" -> faults(vectors(arguments[1]).last()).also { println("faults: held") }
        "sample" -> sample(vectors(arguments[1]).first()).also { println("sample: held") }
        "contracts" -> contracts().also { println("contracts: held") }
        else -> error("loop, golden FOLDER, faults FOLDER, sample FOLDER or contracts")
    }
}

fun vectors(folder: String) =
    listOf("software-keys", "secure-area").map { Vector(Path.of(folder, "$it.json").readText()) }

/** What was recorded; see mobile-bindings/vectors/README.md. */
class Vector(text: String) {
    private val json = Json.parseToJsonElement(text).jsonObject
    private fun text(name: String) = json.getValue(name).jsonPrimitive.content

    val seed = json.getValue("seed").jsonPrimitive.long
    val now = json.getValue("now").jsonPrimitive.long
    val offer = text("offer")
    val request = text("request")
    val redirectUri = text("redirect_uri")
    val storage = text("storage")
    val exchanges = json.getValue("exchanges").jsonArray.map { Exchange(it.jsonObject) }
    val keys = json.getValue("keys").jsonArray.map { key ->
        listOf("pkcs8", "point").map { key.jsonObject.getValue(it).jsonPrimitive.content }
    }

    val config = WalletConfig(
        locales = listOf("en"),
        issuers = listOf(
            TrustedIssuer(text("credential_issuer"), text("issuer_anchors"), emptyList()),
        ),
        askAboutUnknownIssuers = false,
        verifierAnchors = text("verifier_anchors"),
        redirectUri = "https://wallet.example.com/callback",
        clientId = "vouchsafe-wallet",
        addresses = AddressRule.LOOPBACK_FOR_DEVELOPMENT,
        credentials = CredentialPolicy(2u),
        keys = KeyPolicy(UserAuthentication.NotRequired, HardwarePolicy.SOFTWARE),
        keyDerivation = KeyDerivation.LOW,
    )
}

/** A request and the answer to it. */
class Exchange(json: JsonObject) {
    private val fields = { name: String ->
        json.getValue(name).jsonArray.map { pair ->
            val (key, value) = pair.jsonArray.map { it.jsonPrimitive.content }
            HttpField(key, value)
        }
    }
    private val text = { name: String -> json.getValue(name).jsonPrimitive.content }
    val method = text("method")
    val url = text("url")
    val headers = fields("headers")
    val body = text("body")
    val reply = HttpReply(
        json.getValue("status").jsonPrimitive.int.toUShort(),
        fields("reply_headers"),
        text("reply_body").toByteArray(),
    )
}

const val PASSPHRASE = "a passphrase of vectors"

private suspend fun loop(wanted: Vector) {
    val ports = Ports(memoryStorage(), JdkTransport(), null, null, null)
    val wallet = Wallet.create(wanted.config, ports, PASSPHRASE)
    val adding = wallet.issuance.start(wanted.offer)
    adding.prepare()
    check(adding.state() is IssuanceState.OfferResolved)
    adding.accept()
    val added = adding.states.value as IssuanceState.Completed
    check(added.pending.isEmpty() && wallet.issuance.pending().isEmpty())
    val cards = wallet.credentials
    check(cards.refreshStatus() && !cards.refreshStatus() && cards.damaged().isEmpty())
    val card = cards.get(added.credentials.single())
    // The list is signed by somebody whom this wallet does not know.
    check(card.status is CredentialStatus.NotChecked && !card.unchecked)
    say("title" to JsonPrimitive(card.title), "copies" to JsonPrimitive(card.copies.toInt()))

    val showing = wallet.presentation.start(readln())
    val seen = mutableListOf<String>()
    val states = showing.states
    showing.setListener(
        object : SessionListener {
            override fun onChange() {
                val name = showing.state()::class.simpleName!!
                synchronized(seen) { if (seen.lastOrNull() != name) seen += name }
            }
        },
    )
    check(states.value is PresentationState.ResolvingRequest)
    showing.resolve()
    val request = (showing.state() as PresentationState.RequestResolved).request
    val card2 = request.queries.single().candidates.single()
    check(card2.learns.none { it.label == "Member since" })
    showing.respond(request.suggested)
    val shown = showing.state() as PresentationState.Completed
    say(
        "redirect_uri" to JsonPrimitive(shown.redirectUri),
        "keeps" to JsonArray(card2.keeps.map(::JsonPrimitive)),
        "states" to JsonArray(seen.map(::JsonPrimitive)),
    )
    val entries = wallet.history.list()
    check(entries.map { it.result } == List(2) { HistoryResult.Completed })
}

private fun say(vararg members: Pair<String, JsonElement>) = println(JsonObject(members.toMap()))
