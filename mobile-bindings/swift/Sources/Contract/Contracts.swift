// What every adapter must do. An adapter qualifies if and only if the suite of its port passes: run
// it in a test of the app, on a device for adapters of hardware.

import Foundation
import VouchsafeWallet

#if canImport(CryptoKit)
    import CryptoKit
#endif

/// An adapter does not keep its contract.
public struct ContractBroken: Error {
    public let what: String
}

private func hold(_ holds: Bool, _ what: String) throws {
    if !holds { throw ContractBroken(what: what) }
}

private func refuse(
    _ what: String, as expected: (Error) -> Bool, _ call: () async throws -> Void
) async throws {
    do {
        try await call()
    } catch {
        return try hold(expected(error), "\(what): another error")
    }
    throw ContractBroken(what: "\(what): no error")
}

/// An empty store, and how it is opened once more after the app was ended.
public func checkStorage(_ empty: StorageDriver, again: () throws -> StorageDriver) throws {
    let a = StorageKey(collection: "credentials", id: "a1")
    let b = StorageKey(collection: "credentials", id: "b2")
    let elsewhere = StorageKey(collection: "keys", id: "a1")
    func expect(_ driver: StorageDriver, _ key: StorageKey, _ wanted: String?, _ what: String) throws
    {
        try hold(driver.get(key: key) == wanted.map { Data($0.utf8) }, what)
    }
    func put(_ key: StorageKey, _ text: String) -> StorageChange {
        .put(key: key, value: Data(text.utf8))
    }
    try expect(empty, a, nil, "a record that was never written")
    try hold(empty.keys(collection: "credentials").isEmpty, "an empty store has ids")
    try empty.transaction(changes: [.delete(key: a)])
    try empty.transaction(changes: [put(a, "one")])
    try empty.transaction(changes: [put(a, "two")])
    try expect(empty, a, "two", "a record that was replaced")
    try expect(empty, elsewhere, nil, "the same id in another collection")
    try empty.transaction(changes: [put(b, ""), put(elsewhere, "key"), .delete(key: a)])
    try expect(empty, a, nil, "a record that was deleted in a transaction")
    try expect(empty, b, "", "an empty record is a record")
    try expect(empty, elsewhere, "key", "a record of a transaction")
    try empty.transaction(changes: [put(a, "1"), .delete(key: a)])
    try expect(empty, a, nil, "changes are applied in their order")
    try empty.transaction(changes: [.delete(key: a), put(a, "back")])
    try hold(empty.keys(collection: "credentials") == ["a1", "b2"], "ids are sorted")
    let large = Data((0..<300_000).map { UInt8($0 % 251) })
    try empty.transaction(changes: [.put(key: b, value: large)])
    try empty.transaction(changes: [])
    let reopened = try again()
    try hold(reopened.get(key: b) == large, "a record is not there after the app was ended")
    try expect(reopened, a, "back", "a record is not there after the app was ended")
}

/// Whether a signature over a message verifies with a public key, `04 || x || y`.
public typealias Verifies = (_ point: Data, _ message: Data, _ signature: Signature) -> Bool

#if canImport(CryptoKit)
    /// [`Verifies`] of CryptoKit.
    public func verifiesWithCryptoKit(point: Data, message: Data, signature: Signature) -> Bool {
        guard let key = try? P256.Signing.PublicKey(x963Representation: point) else { return false }
        let parsed: P256.Signing.ECDSASignature?
        switch signature {
        case .raw(let bytes):
            parsed = try? P256.Signing.ECDSASignature(rawRepresentation: bytes)
        case .der(let bytes):
            parsed = try? P256.Signing.ECDSASignature(derRepresentation: bytes)
        }
        return parsed.map { key.isValidSignature($0, for: message) } ?? false
    }
#endif

/// An area without keys, and how the same one is reached after the app was ended.
public func checkSecureArea(
    _ area: SecureArea, again: () -> SecureArea, verifies: Verifies
) async throws {
    let can = area.capabilities()
    try hold(can.algorithms.contains(.es256), "ES256 is what every issuer takes")
    func spec(_ hardware: HardwarePolicy) -> KeySpec {
        KeySpec(algorithm: .es256, userAuthentication: .notRequired, hardware: hardware)
    }
    let hint = AuthorizationHint(title: "The contract of a port")
    try hold(await area.keys().isEmpty, "an area without keys has some")
    if !can.hardware {
        try await refuse(
            "hardware that is not there",
            as: { if case KeyFault.HardwareUnavailable = $0 { true } else { false } }
        ) { _ = try await area.createKey(spec: spec(.required)) }
        try hold(await area.keys().isEmpty, "a refused key was made")
    }
    let first = try await area.createKey(spec: spec(.preferred))
    let second = try await area.createKey(spec: spec(.preferred))
    try hold(first.id != second.id && first.publicKey != second.publicKey, "two keys are one")
    for key in [first, second] {
        let letters = key.id.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || $0 == 45
        }
        try hold(letters && (1...64).contains(key.id.utf8.count), "the name of a key")
        try hold(key.publicKey.count == 65 && key.publicKey.first == 4, "the public half")
    }
    let later = again()
    try hold(
        await later.keys().sorted() == [first.id, second.id].sorted(), "the names of the keys")
    for message in [Data(), Data([0]), Data(repeating: 7, count: 10_000)] {
        let signature = try await later.sign(
            key: first.id, algorithm: .es256, data: message, hint: hint)
        try hold(verifies(first.publicKey, message, signature), "a signature does not verify")
        try hold(!verifies(second.publicKey, message, signature), "it verifies with another key")
    }
    try await later.deleteKey(key: first.id)
    try await later.deleteKey(key: first.id)
    try await later.deleteKey(key: "never-made")
    try hold(await later.keys() == [second.id], "a deleted key is still there")
    try await refuse(
        "a deleted key signs", as: { if case KeyFault.Unknown = $0 { true } else { false } }
    ) {
        _ = try await later.sign(key: first.id, algorithm: .es256, data: Data([1]), hint: hint)
    }
    _ = try await later.sign(key: second.id, algorithm: .es256, data: Data([1]), hint: hint)
    try await later.deleteKey(key: second.id)
}

/// `base` answers: `/echo` with the method, the header `x-probe` and the body of what it got, joined
/// by line feeds; `/redirect` with 302 to `/echo`; `/cookie` with a cookie; `/refuse` with 400 and
/// the body `no`. Nobody listens at `nowhere`.
public func checkHttp(_ transport: HttpTransport, base: String, nowhere: String) async throws {
    func send(_ method: String, _ path: String, _ body: String = "") async throws -> HttpReply {
        let probe = [HttpField(name: "x-probe", value: "p")]
        return try await transport.send(
            request: HttpRequest(
                method: method, url: base + path, headers: probe, body: Data(body.utf8)))
    }
    for (method, body) in [("GET", ""), ("POST", "a=1\u{e9}"), ("DELETE", "")] {
        let reply = try await send(method, "/echo", body)
        try hold(reply.status == 200, "\(method): \(reply.status)")
        try hold(
            reply.body == Data("\(method)\np\n\(body)".utf8), "\(method) does not arrive whole")
    }
    let redirect = try await send("GET", "/redirect")
    try hold(redirect.status == 302, "a redirect was followed")
    let location = redirect.headers.contains { $0.name.lowercased() == "location" }
    try hold(location, "a header of the answer is missing")
    let refused = try await send("POST", "/refuse", "x")
    try hold(
        refused.status == 400 && refused.body == Data("no".utf8), "an answer of 400 is an answer")
    _ = try await send("GET", "/cookie")
    let after = try await send("GET", "/cookie")
    try hold(after.body == Data("no cookie".utf8), "a cookie was kept")
    try await refuse(
        "where nobody listens",
        as: { if case TransportFault.Unreachable = $0 { true } else { false } }
    ) {
        _ = try await transport.send(
            request: HttpRequest(method: "GET", url: nowhere, headers: [], body: Data()))
    }
}

public func checkClock(_ clock: Clock) throws {
    let first = clock.now()
    try hold((1_750_000_000...4_102_444_800).contains(first), "not in seconds since 1970")
    try hold((0...5).contains(clock.now() - first), "the clock jumps")
}

public func checkRng(_ rng: Rng) throws {
    for count in [0, 1, 32, 1000] as [UInt32] {
        try hold(rng.bytes(count: count).count == Int(count), "not as many bytes as wanted")
    }
    let drawn = (0..<64).map { _ in rng.bytes(count: 16) }
    try hold(Set(drawn).count == drawn.count, "the same bytes twice")
    let ones = rng.bytes(count: 4096).reduce(0) { $0 + $1.nonzeroBitCount }
    // 32 768 fair bits: further than 8 standard deviations from half is no chance.
    try hold((15_660...17_108).contains(ones), "bytes that are not random")
}
