// What `cargo xtask bindings` and the tests of the whole system run:
//   loop               takes a card and shows it, against running services (variable WANTED)
//   golden FOLDER      the vectors
//   faults FOLDER      ports that fail
//   sample FOLDER      the part of the sample wallet that needs no screen
//   contracts          the contract suites on the software adapters

import Foundation
import VouchsafeWallet

@main
struct Driver {
    static func main() async throws {
        setvbuf(stdout, nil, _IOLBF, 0)
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "loop":
            try await loop(Vector(Data(ProcessInfo.processInfo.environment["WANTED"]!.utf8)))
        case "golden":
            for vector in try vectors(arguments[2]) { try await golden(vector) }
            print("golden: held")
        case "faults":
            try await faults(vectors(arguments[2])[1])
            print("faults: held")
        case "sample":
            try await sample(vectors(arguments[2])[0])
            print("sample: held")
        case "contracts":
            try await contracts()
            print("contracts: held")
        default:
            fatalError("loop, golden FOLDER, faults FOLDER, sample FOLDER or contracts")
        }
    }
}

/// Something is not as it should be.
struct Unexpected: Error {
    let what: String
}

func check(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw Unexpected(what: what()) }
}

func vectors(_ folder: String) throws -> [Vector] {
    try ["software-keys", "secure-area"].map {
        try Vector(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0).json")))
    }
}

/// What was recorded; see mobile-bindings/vectors/README.md.
struct Vector: Decodable {
    struct Key: Decodable {
        let pkcs8: String
        let point: String
    }
    let seed: UInt64
    let now: Int64
    let credentialIssuer: String
    let issuerAnchors: String
    let verifierAnchors: String
    let offer: String
    let request: String
    let keys: [Key]
    let exchanges: [Exchange]
    let redirectUri: String
    let storage: String

    init(_ json: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Vector.self, from: json)
    }

    var config: WalletConfig {
        WalletConfig(
            locales: ["en"],
            issuers: [
                TrustedIssuer(
                    credentialIssuer: credentialIssuer, anchors: issuerAnchors, types: [])
            ],
            askAboutUnknownIssuers: false,
            verifierAnchors: verifierAnchors,
            redirectUri: "https://wallet.example.com/callback",
            clientId: "vouchsafe-wallet",
            addresses: .loopbackForDevelopment,
            credentials: CredentialPolicy(batchSize: 2),
            keys: KeyPolicy(userAuthentication: .notRequired, hardware: .software),
            keyDerivation: .low)
    }
}

/// A request and the answer to it.
struct Exchange: Decodable {
    let method: String
    let url: String
    let headers: [[String]]
    let body: String
    let status: UInt16
    let replyHeaders: [[String]]
    let replyBody: String

    var reply: HttpReply {
        HttpReply(
            status: status,
            headers: replyHeaders.map { HttpField(name: $0[0], value: $0[1]) },
            body: Data(replyBody.utf8))
    }
}

let passphrase = "a passphrase of vectors"

func loop(_ wanted: Vector) async throws {
    let ports = Ports(
        storage: memoryStorage(), http: UrlSessionTransport(), secureArea: nil, clock: nil,
        rng: nil)
    let wallet = try await Wallet.create(
        config: wanted.config, ports: ports, passphrase: passphrase)
    let adding = try wallet.issuance().start(link: wanted.offer)
    try await adding.prepare()
    try await adding.accept()
    guard case .completed(let credentials, _) = adding.state() else {
        throw Unexpected(what: "\(adding.state())")
    }
    let cards = wallet.credentials()
    let (first, second) = (try await cards.refreshStatus(), try await cards.refreshStatus())
    let card = try cards.get(id: credentials[0])
    // The list is signed by somebody whom this wallet does not know.
    guard first, !second, case .notChecked = card.status, try cards.damaged().isEmpty else {
        throw Unexpected(what: "\(card.status)")
    }
    try say(["title": card.title, "copies": card.copies])

    let showing = try wallet.presentation().start(link: readLine()!)
    let states = showing.states
    let following = Task { () -> [String] in
        var seen: [String] = []
        for await state in states where seen.last != name(state) { seen.append(name(state)) }
        return seen
    }
    try await showing.resolve()
    guard case .requestResolved(let request) = showing.state() else {
        throw Unexpected(what: "\(showing.state())")
    }
    let candidate = request.queries[0].candidates[0]
    try check(!candidate.learns.contains { $0.label == "Member since" }, "learns too much")
    try await showing.respond(selection: request.suggested)
    guard case .completed(let redirectUri, _) = showing.state() else {
        throw Unexpected(what: "\(showing.state())")
    }
    try say(["redirect_uri": redirectUri!, "keeps": candidate.keeps, "states": await following.value])
    let results = try wallet.history().list().map(\.result)
    try check(results == [.completed, .completed], "\(results)")
}

private func name(_ state: PresentationState) -> String {
    switch state {
    case .resolvingRequest: "ResolvingRequest"
    case .requestResolved: "RequestResolved"
    case .submitting: "Submitting"
    case .completed: "Completed"
    case .declined: "Declined"
    case .canceled: "Canceled"
    case .failed: "Failed"
    }
}

private func say(_ members: [String: Any]) throws {
    let json = try JSONSerialization.data(withJSONObject: members)
    print(String(decoding: json, as: UTF8.self))
}
