// Reference adapter: a transport on HttpURLConnection, which every Android has.

package org.vouchsafe.wallet.android

import java.io.IOException
import java.net.HttpURLConnection
import java.net.URL
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import org.vouchsafe.wallet.HttpField
import org.vouchsafe.wallet.HttpReply
import org.vouchsafe.wallet.HttpRequest
import org.vouchsafe.wallet.HttpTransport
import org.vouchsafe.wallet.TransportFault

private const val MOST_BYTES = 4 * 1024 * 1024

class HttpUrlTransport(private val patienceMs: Int = 30_000) : HttpTransport {
    override suspend fun send(request: HttpRequest): HttpReply = try {
        runInterruptible(Dispatchers.IO) { exchange(request) }
    } catch (_: IOException) {
        throw TransportFault.Unreachable()
    }

    private fun exchange(request: HttpRequest): HttpReply {
        val connection = URL(request.url).openConnection() as HttpURLConnection
        try {
            connection.instanceFollowRedirects = false
            connection.useCaches = false
            connection.connectTimeout = patienceMs
            connection.readTimeout = patienceMs
            connection.requestMethod = request.method
            request.headers.forEach { connection.addRequestProperty(it.name, it.value) }
            if (request.body.isNotEmpty()) {
                connection.doOutput = true
                connection.outputStream.use { it.write(request.body) }
            }
            val status = connection.responseCode
            val stream = if (status >= 400) connection.errorStream else connection.inputStream
            val body = stream?.use { it.readAtMost(MOST_BYTES) } ?: ByteArray(0)
            val fields = connection.headerFields.orEmpty()
                .filterKeys { it != null }
                .flatMap { (name, values) -> values.map { HttpField(name, it) } }
            return HttpReply(status.toUShort(), fields, body)
        } finally {
            connection.disconnect()
        }
    }
}

private fun java.io.InputStream.readAtMost(most: Int): ByteArray {
    val bytes = java.io.ByteArrayOutputStream()
    val part = ByteArray(16 * 1024)
    while (true) {
        val count = read(part)
        if (count < 0) return bytes.toByteArray()
        bytes.write(part, 0, count)
        if (bytes.size() > most) throw IOException("too much")
    }
}
