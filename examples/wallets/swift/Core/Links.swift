// What a wallet does with a link, without a screen: compiled and tested on Linux.

import VouchsafeWallet

/// A person at a screen. Every question is asked once and answered by them.
protocol Person: Sendable {
    func agreesToIssuer(_ host: String) async -> Bool
    func agreesToOffer(_ offer: CredentialOffer) async -> Bool
    func code(_ prompt: TxCodePrompt) async -> String?
    /// Opens a browser; gives the address with which it came back.
    func signsIn(_ address: String) async -> String?
    func chooses(_ request: PresentationRequest) async -> Selection?
    func opens(_ address: String) async
}

/// Follows links; how one ended is a key for texts.
struct Links: Sendable {
    let wallet: Wallet
    let person: Person

    func open(_ link: String) async -> String {
        do {
            switch link.prefix(while: { $0 != ":" }).lowercased() {
            case "openid-credential-offer": return try await take(link)
            case "openid4vp", "haip-vp": return try await show(link)
            default: return "link_unknown"
            }
        } catch {
            return (error as? WalletError)?.code ?? "canceled"
        }
    }

    private func take(_ link: String) async throws -> String {
        let session = try wallet.issuance().start(link: link)
        try await session.prepare()
        while true {
            switch session.state() {
            case .issuerUnknown(let host):
                let agrees = await person.agreesToIssuer(host)
                try await agrees ? session.accept() : session.decline()
            case .offerResolved(let offer):
                let agrees = await person.agreesToOffer(offer)
                try await agrees ? session.accept() : session.decline()
            case .txCodeRequired(let prompt):
                guard let code = await person.code(prompt) else { try await session.decline(); break }
                try await session.submitTxCode(code: code)
            case .authorizationRequired(let address):
                guard let back = await person.signsIn(address) else { try await session.decline(); break }
                try await session.completeAuthorization(uri: back)
            case .completed: return "completed"
            case .declined: return "declined"
            case .failed(let error): return error.code
            default: return "canceled"
            }
        }
    }

    private func show(_ link: String) async throws -> String {
        let session = try wallet.presentation().start(link: link)
        try await session.resolve()
        guard case .requestResolved(let request) = session.state() else { return "canceled" }
        if let selection = await person.chooses(request) {
            try await session.respond(selection: selection)
        } else {
            try await session.decline()
        }
        let ended: (code: String, address: String?)
        switch session.state() {
        case .completed(let address, _): ended = ("completed", address)
        case .declined(let address, _): ended = ("declined", address)
        case .failed(let error, _): return error.code
        default: return "canceled"
        }
        if let address = ended.address { await person.opens(address) }
        return ended.code
    }
}
