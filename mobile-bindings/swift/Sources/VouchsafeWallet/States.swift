// The thin layer over the generated code: states as streams, sessions that end with their task.

extension Wallet {
    /// The cards of this wallet.
    public var cards: Credentials { credentials() }
}

/// Says "look again" to whoever waits.
private final class Following: SessionListener, @unchecked Sendable {
    private let changed: @Sendable () -> Void

    init(_ changed: @escaping @Sendable () -> Void) {
        self.changed = changed
    }

    func onChange() {
        changed()
    }
}

extension IssuanceSession {
    /// The states of this session from now to its end. Takes the place of any other listener.
    public var states: AsyncStream<IssuanceState> {
        AsyncStream(bufferingPolicy: .bufferingNewest(16)) { stream in
            let look = { @Sendable [weak self] in
                guard let state = self?.state() else { return }
                stream.yield(state)
                if state.isEnd { stream.finish() }
            }
            setListener(listener: Following(look))
            look()
        }
    }
}

extension PresentationSession {
    /// The states of this session from now to its end. Takes the place of any other listener.
    public var states: AsyncStream<PresentationState> {
        AsyncStream(bufferingPolicy: .bufferingNewest(16)) { stream in
            let look = { @Sendable [weak self] in
                guard let state = self?.state() else { return }
                stream.yield(state)
                if state.isEnd { stream.finish() }
            }
            setListener(listener: Following(look))
            look()
        }
    }
}

extension IssuanceState {
    /// Whether the session waits for nothing any more.
    public var isEnd: Bool {
        switch self {
        case .completed, .declined, .canceled, .failed: return true
        default: return false
        }
    }
}

extension PresentationState {
    /// Whether the session waits for nothing any more.
    public var isEnd: Bool {
        switch self {
        case .completed, .declined, .canceled, .failed: return true
        default: return false
        }
    }
}

extension WalletError {
    /// The stable code, also a key for texts.
    public var code: String { said.0 }

    /// Who has to change something.
    public var party: Party { said.1 }

    private var said: (String, Party) {
        switch self {
        case .Issuance(let code, let party), .Credential(let code, let party),
            .Key(let code, let party), .Trust(let code, let party),
            .Storage(let code, let party), .Session(let code, let party),
            .Configuration(let code, let party):
            return (code, party)
        case .Presentation(let code, let party, _):
            return (code, party)
        }
    }
}
