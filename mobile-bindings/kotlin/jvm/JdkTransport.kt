// A transport on the HTTP client of the JDK. Android has no java.net.http; there the same thing is
// written over HttpURLConnection or OkHttp and passes the same contract.

package org.vouchsafe.wallet.jvm

import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpResponse.BodyHandlers
import java.time.Duration
import kotlinx.coroutines.future.await
import org.vouchsafe.wallet.HttpField
import org.vouchsafe.wallet.HttpReply
import org.vouchsafe.wallet.HttpRequest
import org.vouchsafe.wallet.HttpTransport
import org.vouchsafe.wallet.TransportFault

private const val MOST_BYTES = 4 * 1024 * 1024

class JdkTransport(private val patience: Duration = Duration.ofSeconds(30)) : HttpTransport {
    private val client = HttpClient.newBuilder()
        .followRedirects(HttpClient.Redirect.NEVER)
        .connectTimeout(patience)
        .build()

    override suspend fun send(request: HttpRequest): HttpReply {
        val body = when {
            request.body.isEmpty() -> java.net.http.HttpRequest.BodyPublishers.noBody()
            else -> java.net.http.HttpRequest.BodyPublishers.ofByteArray(request.body)
        }
        try {
            val builder = java.net.http.HttpRequest.newBuilder(URI(request.url))
                .method(request.method, body)
                .timeout(patience)
            request.headers.forEach { builder.header(it.name, it.value) }
            // Cancelling the coroutine cancels the future, and with it the exchange.
            val reply = client.sendAsync(builder.build(), BodyHandlers.ofInputStream()).await()
            val bytes = reply.body().use { it.readNBytes(MOST_BYTES + 1) }
            if (bytes.size > MOST_BYTES) throw TransportFault.Unreachable()
            val fields = reply.headers().map()
                .flatMap { (name, values) -> values.map { HttpField(name, it) } }
            return HttpReply(reply.statusCode().toUShort(), fields, bytes)
        } catch (_: IOException) {
            throw TransportFault.Unreachable()
        }
    }
}
