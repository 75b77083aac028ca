// The contract suites on the adapters that need no device, and on some that break them: a suite that
// lets everything pass proves nothing.

import Foundation
import VouchsafeWallet

private final class SystemClock: Clock, @unchecked Sendable {
    private let factor: Double

    init(_ factor: Double = 1) {
        self.factor = factor
    }

    func now() -> Int64 { Int64(Date().timeIntervalSince1970 * factor) }
}

private final class SystemRng: Rng, @unchecked Sendable {
    func bytes(count: UInt32) -> Data {
        var generator = SystemRandomNumberGenerator()
        return Data((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }
}

private final class Zeros: Rng, @unchecked Sendable {
    func bytes(count: UInt32) -> Data { Data(count: Int(count)) }
}

private func broken(_ what: String, _ check: () async throws -> Void) async throws {
    do {
        try await check()
    } catch is ContractBroken {
        return
    }
    throw Unexpected(what: "a suite lets pass: \(what)")
}

func contracts() async throws {
    let store = Store()
    try checkStorage(store) { store }
    let memory = memoryStorage()
    try checkStorage(memory) { memory }
    try await broken("a store that forgets") { try checkStorage(Store()) { Store() } }
    try checkClock(SystemClock())
    try await broken("milliseconds") { try checkClock(SystemClock(1000)) }
    try checkRng(SystemRng())
    try await broken("zeros") { try checkRng(Zeros()) }
    // What stands behind these addresses is described at the suite.
    if let base = ProcessInfo.processInfo.environment["CONTRACT_BASE"],
        let nowhere = ProcessInfo.processInfo.environment["CONTRACT_NOWHERE"]
    {
        try await checkHttp(UrlSessionTransport(), base: base, nowhere: nowhere)
        try await broken("a transport that drops bodies") {
            try await checkHttp(DropsBodies(), base: base, nowhere: nowhere)
        }
    }
}

private final class DropsBodies: HttpTransport, @unchecked Sendable {
    private let transport = UrlSessionTransport()

    func send(request: HttpRequest) async throws -> HttpReply {
        var request = request
        request.body = Data()
        return try await transport.send(request: request)
    }
}
