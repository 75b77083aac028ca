// The screen of the sample wallet on iOS: a list of cards, and alerts for the questions.

import SwiftUI
import UIKit
import VouchsafeWallet

/// Where the browser comes back to; an associated domain of the app.
private let returnAddress = "https://wallet.example.com/callback"

@main
struct SampleWallet: App {
    @StateObject private var screen = Screen()

    var body: some Scene {
        WindowGroup {
            List(screen.cards, id: \.id.value) { card in
                Text("\(card.title)\n\(card.issuer.name)")
            }
            .alert(screen.question?.title ?? "", isPresented: $screen.isAsking, presenting: screen.question) { question in
                if question.wantsText { TextField("", text: $screen.text) }
                Button("OK") { screen.answer(true) }
                Button("Cancel", role: .cancel) { screen.answer(false) }
            } message: { Text($0.lines.joined(separator: "\n")) }
            .task { await screen.start() }
            .onOpenURL { screen.follow($0.absoluteString) }
        }
    }
}

struct Question {
    let title: String
    var lines: [String] = []
    var wantsText = false
}

@MainActor
final class Screen: ObservableObject, Person {
    @Published var cards: [Credential] = []
    @Published var question: Question?
    @Published var isAsking = false
    @Published var text = ""
    private var wallet: Wallet?
    private var answering: CheckedContinuation<Bool, Never>?
    private var back: CheckedContinuation<String?, Never>?

    func start() async {
        do {
            wallet = try await openWallet()
            cards = try wallet!.cards.list()
        } catch {
            _ = await ask(Question(title: said((error as? WalletError)?.code ?? "wallet_failed")))
        }
    }

    private func openWallet() async throws -> Wallet {
        let folder = URL.applicationSupportDirectory.appending(path: "wallet")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let verifiers = Bundle.main.url(forResource: "verifiers", withExtension: "pem")!
        let config = WalletConfig(
            locales: Locale.preferredLanguages, issuers: [], askAboutUnknownIssuers: true,
            verifierAnchors: try String(contentsOf: verifiers, encoding: .utf8),
            redirectUri: returnAddress, clientId: "vouchsafe-sample", addresses: .publicHttps,
            credentials: CredentialPolicy(batchSize: 10),
            keys: KeyPolicy(userAuthentication: .required(timeout: 0), hardware: .preferred),
            keyDerivation: .low)
        let ports = Ports(
            storage: try fileStorage(folder: folder.path), http: UrlSessionTransport(),
            secureArea: EnclaveSecureArea(), clock: nil, rng: nil)
        do {
            return try await Wallet.open(config: config, ports: ports, passphrase: storePassphrase())
        } catch let error as WalletError where error.code == "no_wallet" {
            return try await Wallet.create(config: config, ports: ports, passphrase: storePassphrase())
        }
    }

    func follow(_ link: String) {
        if link.hasPrefix(returnAddress) {
            back?.resume(returning: link)
            back = nil
        } else if let wallet {
            Task {
                let ended = await Links(wallet: wallet, person: self).open(link)
                cards = (try? wallet.cards.list()) ?? []
                if ended != "completed" { _ = await ask(Question(title: said(ended))) }
            }
        }
    }

    /// Codes are keys of texts; one without a text of its own is shown as it is.
    private func said(_ code: String) -> String { NSLocalizedString(code, comment: "") }

    private func ask(_ question: Question) async -> Bool {
        (self.question, text, isAsking) = (question, "", true)
        return await withCheckedContinuation { answering = $0 }
    }

    func answer(_ yes: Bool) {
        answering?.resume(returning: yes)
        answering = nil
    }

    func agreesToIssuer(_ host: String) async -> Bool {
        await ask(Question(title: host, lines: [said("issuer_unknown")]))
    }
    func agreesToOffer(_ offer: CredentialOffer) async -> Bool {
        await ask(Question(title: offer.issuer.name, lines: offer.credentials.map(\.title)))
    }
    func code(_ prompt: TxCodePrompt) async -> String? {
        await ask(Question(title: prompt.description ?? said("tx_code"), wantsText: true)) ? text : nil
    }
    func signsIn(_ address: String) async -> String? {
        await opens(address)
        return await withCheckedContinuation { back = $0 }
    }

    func chooses(_ request: PresentationRequest) async -> Selection? {
        let options = request.suggested.picks.compactMap { pick in
            request.queries.first { $0.id == pick.query }?.candidates.first { $0.credential == pick.credential }
        }
        let facts = options.flatMap { $0.learns.map { "✓ \($0.label)" } + $0.keeps.map { "✗ \($0)" } }
        let who = request.verifier.certified ? request.verifier.name : request.verifier.host
        let agrees = await ask(Question(title: who, lines: [request.purpose ?? ""] + facts))
        return agrees ? request.suggested : nil
    }
    func opens(_ address: String) async {
        if let url = URL(string: address) { await UIApplication.shared.open(url) }
    }
}
