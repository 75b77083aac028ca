// The same inputs give the same bytes as in Rust.

import Foundation
import VouchsafeWallet

final class FixedClock: Clock, @unchecked Sendable {
    let seconds: Int64

    init(_ seconds: Int64) {
        self.seconds = seconds
    }

    func now() -> Int64 { seconds }
}

/// SHA-256 over a seed and a counter, 32 bytes at a time.
final class SeededRng: Rng, @unchecked Sendable {
    private let seed: UInt64
    private var counter: UInt64 = 0
    private let lock = NSLock()

    init(_ seed: UInt64) {
        self.seed = seed
    }

    func bytes(count: UInt32) -> Data {
        lock.lock()
        defer { lock.unlock() }
        var bytes: [UInt8] = []
        while bytes.count < Int(count) {
            bytes += sha256(bigEndian(seed) + bigEndian(counter))
            counter += 1
        }
        return Data(bytes.prefix(Int(count)))
    }

    private func bigEndian(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian, Array.init)
    }
}

/// A store in memory that outlives its wallet.
final class Store: StorageDriver, @unchecked Sendable {
    private var records: [String: Data] = [:]
    private let lock = NSLock()

    private func name(_ key: StorageKey) -> String { "\(key.collection)/\(key.id)" }

    func get(key: StorageKey) throws -> Data? {
        lock.lock()
        defer { lock.unlock() }
        return records[name(key)]
    }

    func keys(collection: String) throws -> [String] {
        lock.lock()
        defer { lock.unlock() }
        let start = "\(collection)/"
        return records.keys.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
            .sorted()
    }

    func transaction(changes: [StorageChange]) throws {
        lock.lock()
        defer { lock.unlock() }
        for change in changes {
            switch change {
            case .put(let key, let value): records[name(key)] = value
            case .delete(let key): records[name(key)] = nil
            }
        }
    }

    func digest() -> String {
        lock.lock()
        defer { lock.unlock() }
        var all: [UInt8] = []
        for name in records.keys.sorted(by: { Array($0.utf8).lexicographicallyPrecedes($1.utf8) }) {
            all += Array("\(name) \(records[name]!.count)\n".utf8)
            all += Array(records[name]!)
        }
        return sha256(all).map { String(format: "%02x", $0) }.joined()
    }
}

/// Answers as recorded, and only what was asked in the recorded order and bytes.
final class Strict: HttpTransport, @unchecked Sendable {
    let exchanges: [Exchange]
    var next = 0

    init(_ exchanges: [Exchange]) {
        self.exchanges = exchanges
    }

    func send(request: HttpRequest) async throws -> HttpReply {
        let recorded = exchanges[next]
        next += 1
        let same =
            request.method == recorded.method && request.url == recorded.url
            && request.headers == recorded.headers.map { HttpField(name: $0[0], value: $0[1]) }
            && request.body == Data(recorded.body.utf8)
        guard same else { fatalError("request \(next) differs: \(request.method) \(request.url)") }
        return recorded.reply
    }
}

/// Answers as recorded, whatever the wallet says of its keys and nonces.
final class Lenient: HttpTransport, @unchecked Sendable {
    let exchanges: [Exchange]

    init(_ exchanges: [Exchange]) {
        self.exchanges = exchanges
    }

    func send(request: HttpRequest) async throws -> HttpReply {
        exchanges.first { $0.method == request.method && $0.url == request.url }!.reply
    }
}

/// A secure area whose keys are known beforehand. Linux has no CryptoKit: it signs with a number
/// that no key gives, which nobody looks at where answers are recorded.
final class FixedArea: SecureArea, @unchecked Sendable {
    private let points: [Data]
    private var made: [String] = []
    private var count = 0

    init(_ vector: Vector) {
        points = vector.keys.map { Data(base64Encoded: $0.point)! }
    }

    func capabilities() -> SecureAreaCapabilities {
        SecureAreaCapabilities(algorithms: [.es256], hardware: true, userAuthentication: true)
    }

    func createKey(spec: KeySpec) async throws -> KeyInfo {
        let id = "k\(count)"
        made.append(id)
        count += 1
        return KeyInfo(id: id, publicKey: points[count - 1])
    }

    func sign(key: String, algorithm: KeyAlgorithm, data: Data, hint: AuthorizationHint)
        async throws -> Signature
    {
        guard made.contains(key) else { throw KeyFault.Unknown }
        return .raw(bytes: Data(repeating: 1, count: 64))
    }

    func deleteKey(key: String) async throws {
        made.removeAll { $0 == key }
    }

    func keys() async throws -> [String] { made }
}

/// Takes the card and shows it; gives the address for the browser.
func takeAndShow(_ wallet: Wallet, _ vector: Vector) async throws -> String? {
    let adding = try wallet.issuance().start(link: vector.offer)
    try await adding.prepare()
    try await adding.accept()
    guard case .completed = adding.state() else { throw Unexpected(what: "\(adding.state())") }
    let showing = try wallet.presentation().start(link: vector.request)
    try await showing.resolve()
    guard case .requestResolved(let request) = showing.state() else {
        throw Unexpected(what: "\(showing.state())")
    }
    try await showing.respond(selection: request.suggested)
    guard case .completed(let redirectUri, _) = showing.state() else {
        throw Unexpected(what: "\(showing.state())")
    }
    return redirectUri
}

func golden(_ vector: Vector) async throws {
    let store = Store()
    // Without CryptoKit there are no signatures: with a secure area only the course is the same.
    let strict = vector.keys.isEmpty ? Strict(vector.exchanges) : nil
    let ports = Ports(
        storage: store, http: strict ?? Lenient(vector.exchanges),
        secureArea: vector.keys.isEmpty ? nil : FixedArea(vector),
        clock: FixedClock(vector.now), rng: SeededRng(vector.seed))
    let wallet = try await Wallet.create(
        config: vector.config, ports: ports, passphrase: passphrase)
    try check(await takeAndShow(wallet, vector) == vector.redirectUri, "another way back")
    if let strict { try check(strict.next == vector.exchanges.count, "requests are missing") }
    try check(store.digest() == vector.storage, "the stored bytes differ")
}

/// FIPS 180-4. Linux has no CryptoKit.
func sha256(_ message: [UInt8]) -> [UInt8] {
    var state = hashStart
    var padded = message + [0x80]
    padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
    padded += withUnsafeBytes(of: UInt64(message.count * 8).bigEndian, Array.init)
    for block in stride(from: 0, to: padded.count, by: 64) {
        var w = (0..<16).map { i in
            (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(padded[block + 4 * i + $1]) }
        }
        for i in 16..<64 {
            let s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >> 3)
            let s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >> 10)
            w.append(w[i - 16] &+ s0 &+ w[i - 7] &+ s1)
        }
        var v = state
        for i in 0..<64 {
            let s1 = turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)
            let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
            let one = v[7] &+ s1 &+ choice &+ rounds[i] &+ w[i]
            let s0 = turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
            v = [one &+ s0 &+ majority, v[0], v[1], v[2], v[3] &+ one, v[4], v[5], v[6]]
        }
        state = zip(state, v).map { $0 &+ $1 }
    }
    return state.flatMap { withUnsafeBytes(of: $0.bigEndian, Array.init) }
}

private func turn(_ word: UInt32, _ by: UInt32) -> UInt32 { word >> by | word << (32 - by) }

private let primes = (2...311).filter { n in !(2..<n).contains { n % $0 == 0 } }
private let hashStart = primes.prefix(8).map { fraction(Double($0).squareRoot()) }
private let rounds = primes.map { cubeFraction($0) }

private func fraction(_ root: Double) -> UInt32 {
    UInt32((root - root.rounded(.down)) * 4_294_967_296)
}

/// The first 32 bits of the fraction of a cube root, by whole numbers: the cube of `r` over 2^96.
private func cubeFraction(_ prime: Int) -> UInt32 {
    var root = UInt64(cbrt(Double(prime)) * 4_294_967_296)
    func isAbove(_ r: UInt64) -> Bool {
        // r^3 > prime * 2^96, in two halves of 96 bits.
        let (high, low) = r.multipliedFullWidth(by: r)
        let (topHigh, topLow) = high.multipliedFullWidth(by: r)
        let (bottomHigh, _) = low.multipliedFullWidth(by: r)
        let (middle, carry) = topLow.addingReportingOverflow(bottomHigh)
        let top = topHigh + (carry ? 1 : 0)
        let wanted = UInt64(prime) << 32
        return top > 0 || middle >= wanted
    }
    while isAbove(root) { root -= 1 }
    while !isAbove(root + 1) { root += 1 }
    return UInt32(truncatingIfNeeded: root)
}
