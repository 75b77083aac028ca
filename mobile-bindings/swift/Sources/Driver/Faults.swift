// Ports that fail: no card is lost, no session stays half open. A part of what the Rust side tests
// at every call of every port.

import Foundation
import VouchsafeWallet

/// Does what `hit` says at its call number `at`.
private final class Hit: @unchecked Sendable {
    private let at: Int
    private let hit: @Sendable () async throws -> Void
    private var calls = 0

    init(_ at: Int, _ hit: @escaping @Sendable () async throws -> Void) {
        self.at = at
        self.hit = hit
    }

    func next() async throws {
        calls += 1
        if calls == at + 1 { try await hit() }
    }
}

private final class FaultyArea: SecureArea, @unchecked Sendable {
    private let area: SecureArea
    private let hit: Hit

    init(_ area: SecureArea, _ hit: Hit) {
        self.area = area
        self.hit = hit
    }

    func capabilities() -> SecureAreaCapabilities { area.capabilities() }

    func createKey(spec: KeySpec) async throws -> KeyInfo { try await area.createKey(spec: spec) }

    func sign(key: String, algorithm: KeyAlgorithm, data: Data, hint: AuthorizationHint)
        async throws -> Signature
    {
        try await self.hit.next()
        return try await area.sign(key: key, algorithm: algorithm, data: data, hint: hint)
    }

    func deleteKey(key: String) async throws { try await area.deleteKey(key: key) }

    func keys() async throws -> [String] { try await area.keys() }
}

private final class FaultyHttp: HttpTransport, @unchecked Sendable {
    private let http: HttpTransport
    private let hit: Hit

    init(_ http: HttpTransport, _ hit: Hit) {
        self.http = http
        self.hit = hit
    }

    func send(request: HttpRequest) async throws -> HttpReply {
        try await hit.next()
        return try await http.send(request: request)
    }
}

private final class FaultyStore: StorageDriver, @unchecked Sendable {
    private let store: StorageDriver
    var isFull = false

    init(_ store: StorageDriver) {
        self.store = store
    }

    func get(key: StorageKey) throws -> Data? { try store.get(key: key) }

    func keys(collection: String) throws -> [String] { try store.keys(collection: collection) }

    func transaction(changes: [StorageChange]) throws {
        if isFull { throw StorageFault.Full }
        try store.transaction(changes: changes)
    }
}

private final class Ground: @unchecked Sendable {
    let vector: Vector
    let store = FaultyStore(Store())
    let area: FixedArea

    init(_ vector: Vector) {
        self.vector = vector
        area = FixedArea(vector)
    }

    func ports(area: SecureArea? = nil, http: HttpTransport? = nil) -> Ports {
        Ports(
            storage: store, http: http ?? Lenient(vector.exchanges),
            secureArea: area ?? self.area, clock: FixedClock(vector.now),
            rng: SeededRng(vector.seed))
    }

    func make(_ ports: Ports) async throws -> Wallet {
        try await Wallet.create(config: vector.config, ports: ports, passphrase: passphrase)
    }

    /// The app starts again: a card with its keys, or neither.
    func checkAfterwards(cards: Int) async throws {
        store.isFull = false
        let wallet = try await Wallet.open(
            config: vector.config, ports: ports(), passphrase: passphrase)
        let found = try wallet.credentials().list()
        try check(found.count == cards, "\(found.count) cards instead of \(cards)")
        let copies = found.reduce(0) { $0 + Int($1.copies) }
        try check(await area.keys().count == copies, "keys without a card")
    }
}

private func code(_ call: () async throws -> Void) async throws -> String {
    do {
        try await call()
    } catch let error as WalletError {
        return error.code
    }
    throw Unexpected(what: "no error")
}

func faults(_ vector: Vector) async throws {
    let denied: [(KeyFault, String)] = [
        (.UserAuthDenied, "user_auth_denied"),
        (.UserAuthCanceled, "user_auth_canceled"),
        (.KeyInvalidated, "key_invalidated"),
        (.HardwareUnavailable, "hardware_unavailable"),
    ]
    for (fault, wanted) in denied {
        try await whileTaking(vector, fault, wanted)
        try await whileShowing(vector, fault, wanted)
    }
    try await noRoom(vector)
    try await slowThenCancelled(vector)
}

/// A key that does not sign its proof: no card, no key, and the code says why.
private func whileTaking(_ vector: Vector, _ fault: KeyFault, _ wanted: String) async throws {
    let ground = Ground(vector)
    let area = FaultyArea(ground.area, Hit(0) { throw fault })
    let session = try await ground.make(ground.ports(area: area)).issuance().start(
        link: vector.offer)
    try await session.prepare()
    try check(await code { try await session.accept() } == wanted, "another code")
    guard case .failed(let error) = session.state(), error.code == wanted else {
        throw Unexpected(what: "\(session.state())")
    }
    try await ground.checkAfterwards(cards: 0)
}

/// A key that does not sign the answer: the question stays, and the next try works.
private func whileShowing(_ vector: Vector, _ fault: KeyFault, _ wanted: String) async throws {
    let ground = Ground(vector)
    // Two proofs are signed while the card is taken.
    let area = FaultyArea(ground.area, Hit(2) { throw fault })
    let wallet = try await ground.make(ground.ports(area: area))
    let adding = try wallet.issuance().start(link: vector.offer)
    try await adding.prepare()
    try await adding.accept()
    let session = try wallet.presentation().start(link: vector.request)
    try await session.resolve()
    guard case .requestResolved(let request) = session.state() else {
        throw Unexpected(what: "\(session.state())")
    }
    let answer = request.suggested
    try check(await code { try await session.respond(selection: answer) } == wanted, "another code")
    guard case .requestResolved = session.state() else {
        throw Unexpected(what: "\(session.state())")
    }
    try await session.respond(selection: answer)
    guard case .completed = session.state() else { throw Unexpected(what: "\(session.state())") }
    try await ground.checkAfterwards(cards: 1)
}

private func noRoom(_ vector: Vector) async throws {
    let ground = Ground(vector)
    let adding = try await ground.make(ground.ports()).issuance().start(link: vector.offer)
    try await adding.prepare()
    ground.store.isFull = true
    try check(await code { try await adding.accept() } == "storage_full", "another code")
    guard case .failed = adding.state() else { throw Unexpected(what: "\(adding.state())") }
    try await ground.checkAfterwards(cards: 0)
}

/// A session that is cancelled while the network is slow.
private func slowThenCancelled(_ vector: Vector) async throws {
    let ground = Ground(vector)
    let (reached, reach) = AsyncStream<Void>.makeStream()
    let hang = Hit(4) {
        reach.yield()
        try await Task.sleep(nanoseconds: 3_600_000_000_000)
    }
    let http = FaultyHttp(Lenient(vector.exchanges), hang)
    let session = try await ground.make(ground.ports(http: http)).issuance().start(
        link: vector.offer)
    try await session.prepare()
    let accepting = Task { try await code { try await session.accept() } }
    for await _ in reached { break }
    guard case .processing = session.state() else { throw Unexpected(what: "\(session.state())") }
    try session.cancel()
    try check(await accepting.value == "canceled", "another code")
    guard case .canceled = session.state() else { throw Unexpected(what: "\(session.state())") }
    try await ground.checkAfterwards(cards: 0)
}
