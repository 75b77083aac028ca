// The contract suites on the adapters that need no device, and on some that break them: a suite that
// lets everything pass proves nothing.

package org.vouchsafe.wallet.test

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.nio.file.Files
import java.security.SecureRandom
import org.vouchsafe.wallet.*
import org.vouchsafe.wallet.contract.*
import org.vouchsafe.wallet.jvm.JcaSecureArea
import org.vouchsafe.wallet.jvm.JdkTransport

suspend fun contracts() {
    storage()
    secureArea()
    http()
    checkClock(object : Clock {
        override fun now() = System.currentTimeMillis() / 1000
    })
    broken("milliseconds") {
        checkClock(object : Clock {
            override fun now() = System.currentTimeMillis()
        })
    }
    val secure = SecureRandom()
    checkRng(object : Rng {
        override fun bytes(count: UInt) = ByteArray(count.toInt()).also(secure::nextBytes)
    })
    broken("zeros") {
        checkRng(object : Rng {
            override fun bytes(count: UInt) = ByteArray(count.toInt())
        })
    }
}

private suspend fun broken(what: String, check: suspend () -> Unit) {
    try {
        check()
    } catch (_: ContractBroken) {
        return
    }
    error("a suite lets pass: $what")
}

private suspend fun storage() {
    val store = Store()
    checkStorage(store) { store }
    val memory = memoryStorage()
    checkStorage(memory) { memory }
    val folder = Files.createTempDirectory("vouchsafe-contract")
    try {
        var open: StorageDriver? = fileStorage(folder.toString())
        checkStorage(open!!) {
            // The lock of the folder goes with the driver.
            (open as AutoCloseable).close()
            open = null
            fileStorage(folder.toString())
        }
    } finally {
        folder.toFile().deleteRecursively()
    }
    broken("a store that forgets") { checkStorage(Store()) { Store() } }
    broken("a store without deletion") {
        val kept = Store()
        checkStorage(object : StorageDriver by kept {
            override fun transaction(changes: List<StorageChange>) =
                kept.transaction(changes.filterIsInstance<StorageChange.Put>())
        }) { kept }
    }
}

private suspend fun secureArea() {
    checkSecureArea(JcaSecureArea())
    class Wrapped(val area: SecureArea = JcaSecureArea()) : SecureArea by area
    checkSecureArea(Wrapped())
    broken("a key for all") {
        val area = JcaSecureArea()
        val only = area.createKey(
            KeySpec(KeyAlgorithm.ES256, UserAuthentication.NotRequired, HardwarePolicy.SOFTWARE),
        )
        checkSecureArea(object : SecureArea by area {
            override suspend fun keys() = area.keys() - only.id
            override suspend fun createKey(spec: KeySpec) = only
        })
    }
    broken("keys that stay") {
        val area = JcaSecureArea()
        checkSecureArea(object : SecureArea by area {
            override suspend fun deleteKey(key: String) = Unit
        })
    }
    broken("hardware that is a lie") {
        val area = JcaSecureArea()
        checkSecureArea(object : SecureArea by area {
            override suspend fun createKey(spec: KeySpec) =
                area.createKey(spec.copy(hardware = HardwarePolicy.SOFTWARE))
        })
    }
}

private suspend fun http() {
    val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
    fun HttpExchange.answer(status: Int, body: ByteArray) {
        sendResponseHeaders(status, if (body.isEmpty()) -1 else body.size.toLong())
        responseBody.use { it.write(body) }
    }
    server.createContext("/echo") {
        val probe = it.requestHeaders.getFirst("x-probe").orEmpty()
        val start = "${it.requestMethod}\n$probe\n".toByteArray()
        it.answer(200, start + it.requestBody.readBytes())
    }
    server.createContext("/redirect") {
        it.responseHeaders.add("location", "/echo")
        it.answer(302, ByteArray(0))
    }
    server.createContext("/cookie") {
        it.responseHeaders.add("set-cookie", "a=1; Path=/")
        val kept = it.requestHeaders.getFirst("cookie") != null
        it.answer(200, (if (kept) "a cookie" else "no cookie").toByteArray())
    }
    server.createContext("/refuse") { it.answer(400, "no".toByteArray()) }
    server.start()
    val nowhere = ServerSocket(0).use { "http://127.0.0.1:${it.localPort}/" }
    val base = "http://127.0.0.1:${server.address.port}"
    try {
        checkHttp(JdkTransport(), base, nowhere)
        broken("a transport that drops bodies") {
            val transport = JdkTransport()
            checkHttp(object : HttpTransport {
                override suspend fun send(request: HttpRequest) =
                    transport.send(request.copy(body = ByteArray(0)))
            }, base, nowhere)
        }
    } finally {
        server.stop(0)
    }
}
