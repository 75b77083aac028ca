// The sample wallet (examples/wallets/swift) without its screen.

import Foundation
import VouchsafeWallet

/// Agrees to everything, or to nothing.
private final class Somebody: Person, @unchecked Sendable {
    private let agrees: Bool
    private(set) var opened: [String] = []

    init(agrees: Bool) {
        self.agrees = agrees
    }

    func agreesToIssuer(_ host: String) async -> Bool { agrees }
    func agreesToOffer(_ offer: CredentialOffer) async -> Bool { agrees }
    func code(_ prompt: TxCodePrompt) async -> String? { nil }
    func signsIn(_ address: String) async -> String? { nil }
    func chooses(_ request: PresentationRequest) async -> Selection? {
        agrees ? request.suggested : nil
    }
    func opens(_ address: String) async { opened.append(address) }
}

func sample(_ vector: Vector) async throws {
    let ports = Ports(
        storage: memoryStorage(), http: Lenient(vector.exchanges), secureArea: nil,
        clock: FixedClock(vector.now), rng: SeededRng(vector.seed))
    let wallet = try await Wallet.create(
        config: vector.config, ports: ports, passphrase: passphrase)
    let person = Somebody(agrees: true)
    let links = Links(wallet: wallet, person: person)
    try check(await links.open("mailto:somebody@example.com") == "link_unknown", "a foreign link")
    try check(await links.open("openid4vp://?nothing") != "completed", "an empty request")
    try check(await links.open(vector.offer) == "completed", "the offer")
    try check(await links.open(vector.request) == "completed", "the request")
    try check(person.opened == [vector.redirectUri], "\(person.opened)")
    let nobody = Somebody(agrees: false)
    let declined = await Links(wallet: wallet, person: nobody).open(vector.offer)
    try check(declined == "declined", declined)
    try check(try nobody.opened.isEmpty && wallet.cards.list().count == 1, "a card too many")
}
