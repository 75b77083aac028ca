// A wallet on the EU's reference library eudi-lib-jvm-openid4vci-kt: takes what an offer brings and
// prints what it got. Where a page must be filled in, it prints the address and reads where the
// browser came back; the test plays the browser. The same conversation as that of openid4vci.mjs.

import com.nimbusds.jose.JOSEObjectType
import com.nimbusds.jose.JWSAlgorithm
import com.nimbusds.jose.JWSHeader
import com.nimbusds.jose.crypto.ECDSASigner
import com.nimbusds.jose.jwk.Curve
import com.nimbusds.jose.jwk.ECKey
import com.nimbusds.jose.jwk.gen.ECKeyGenerator
import com.nimbusds.jwt.JWTClaimsSet
import com.nimbusds.jwt.SignedJWT
import eu.europa.ec.eudi.openid4vci.*
import io.ktor.client.HttpClient
import io.ktor.client.engine.java.Java
import io.ktor.client.plugins.contentnegotiation.ContentNegotiation
import io.ktor.serialization.kotlinx.json.json
import java.io.FileInputStream
import java.net.URI
import java.net.URLDecoder
import java.security.KeyStore
import java.security.cert.CertificateFactory
import java.time.Instant
import java.util.Date
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.*

/** offer, tx_code, copies, client_id, redirect_uri, attester (a private JWK with kid, and issuer) */
val wanted = Json.parseToJsonElement(System.getenv("WANTED")).jsonObject

fun text(name: String) = wanted[name]?.jsonPrimitive?.contentOrNull

fun say(value: JsonElement) = println(value.toString())

fun newKey(): ECKey = ECKeyGenerator(Curve.P_256).generate()

fun signer(key: ECKey) =
    PopSigner.jwtPopSigner(key, JWSAlgorithm.ES256, JwtBindingKey.Jwk(key.toPublicJWK()))

/** What a wallet provider says of this instance. */
fun attested(attester: JsonObject): Client {
    val instance = newKey()
    val key = ECKey.parse(attester["jwk"].toString())
    val header = JWSHeader.Builder(JWSAlgorithm.ES256)
        .type(JOSEObjectType("oauth-client-attestation+jwt"))
        .keyID(key.keyID)
        .build()
    val claims = JWTClaimsSet.Builder()
        .issuer(attester.getValue("issuer").jsonPrimitive.content)
        .subject(text("client_id"))
        .expirationTime(Date.from(Instant.now().plusSeconds(600)))
        .claim("cnf", mapOf("jwk" to instance.toPublicJWK().toJSONObject()))
        .build()
    val jwt = SignedJWT(header, claims)
    jwt.sign(ECDSASigner(key))
    val proofs = ClientAttestationPoPJWTSpec(JWSAlgorithm.ES256, jwsSigner = ECDSASigner(instance))
    return Client.Attested(ClientAttestationJWT(jwt), proofs)
}

/** Trusts the authority of the test, and no other. */
fun client(): HttpClient {
    val file = FileInputStream(System.getenv("AUTHORITY"))
    val authority = file.use { CertificateFactory.getInstance("X.509").generateCertificate(it) }
    val store = KeyStore.getInstance(KeyStore.getDefaultType())
    store.load(null, null)
    store.setCertificateEntry("authority", authority)
    val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
    trust.init(store)
    val context = SSLContext.getInstance("TLS")
    context.init(null, trust.trustManagers, null)
    return HttpClient(Java) {
        engine { config { sslContext(context) } }
        install(ContentNegotiation) { json(Json { ignoreUnknownKeys = true }) }
    }
}

suspend fun Issuer.authorized(): AuthorizedRequest {
    if (credentialOffer.grants?.preAuthorizedCode() != null) {
        return authorizeWithPreAuthorizationCode(text("tx_code")).getOrThrow()
    }
    val prepared = prepareAuthorizationRequest().getOrThrow()
    say(buildJsonObject { put("authorize", prepared.authorizationCodeURL.value.toString()) })
    val back = URI(readln()).rawQuery.split('&').associate {
        val (name, value) = it.split('=', limit = 2)
        name to URLDecoder.decode(value, "UTF-8")
    }
    val code = AuthorizationCode(back.getValue("code"))
    return with(prepared) { authorizeWithAuthorizationCode(code, back.getValue("state")).getOrThrow() }
}

fun main(): Unit = runBlocking {
    val client = wanted["attester"]?.let { attested(it.jsonObject) } ?: Client.Public(text("client_id")!!)
    val config = OpenId4VCIConfig(
        client = client,
        authFlowRedirectionURI = URI(text("redirect_uri")!!),
        keyGenerationConfig = KeyGenerationConfig.ecOnly(Curve.P_256),
        credentialResponseEncryptionPolicy = CredentialResponseEncryptionPolicy.SUPPORTED,
        dPoPSigner = signer(newKey()),
    )
    val issuer = Issuer.make(config, text("offer")!!, ::client).getOrThrow()
    val configuration = issuer.credentialOffer.credentialConfigurationIdentifiers.first()
    var authorized = issuer.authorized()
    val holders = List(wanted["copies"]?.jsonPrimitive?.int ?: 1) { newKey() }
    val request = IssuanceRequestPayload.ConfigurationBased(configuration)
    val (after, outcome) = with(issuer) { authorized.request(request, holders.map(::signer)).getOrThrow() }
    authorized = after
    val (credentials, notification) = when (outcome) {
        is SubmissionOutcome.Success -> outcome.credentials to outcome.notificationId
        is SubmissionOutcome.Failed -> throw outcome.error
        is SubmissionOutcome.Deferred -> {
            say(buildJsonObject { put("waiting", true) })
            readln()
            val (last, answer) =
                with(issuer) { authorized.queryForDeferredCredential(outcome.transactionId).getOrThrow() }
            authorized = last
            val issued = answer as DeferredCredentialQueryOutcome.Issued
            issued.credentials to issued.notificationId
        }
    }
    notification?.let {
        val event = CredentialIssuanceEvent.Accepted(it, null)
        with(issuer) { authorized.notify(event).getOrThrow() }
    }
    say(
        buildJsonObject {
            put("token_type", if (authorized.accessToken is AccessToken.DPoP) "DPoP" else "Bearer")
            putJsonArray("credentials") { credentials.forEach { add(it.credential.toString()) } }
            putJsonArray("holders") {
                holders.forEach { add(Json.parseToJsonElement(it.toPublicJWK().toJSONString())) }
            }
            put("notified", notification != null)
        },
    )
    exitProcess(0)
}
