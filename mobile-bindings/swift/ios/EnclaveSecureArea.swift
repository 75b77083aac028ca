// Reference adapter: keys in the Secure Enclave, unlocked by the person with LocalAuthentication.
// Needs iOS 15. Qualifies on a device if `checkSecureArea` passes there (the simulator has no
// enclave).

import CryptoKit
import Foundation
import LocalAuthentication
import Security
import VouchsafeWallet

public final class EnclaveSecureArea: SecureArea, @unchecked Sendable {
    /// Names of our keys begin so: other keys of the app are none of the wallet's business.
    private let prefix = "vouchsafe-wallet-"
    private let lock = NSLock()
    /// A context that the person unlocked, and until when it may be used again.
    private var unlocked: [String: (LAContext, Date)] = [:]

    public init() {}

    public func capabilities() -> SecureAreaCapabilities {
        let canAsk = LAContext().canEvaluatePolicy(.deviceOwnerAuthentication, error: nil)
        return SecureAreaCapabilities(
            algorithms: [.es256], hardware: SecureEnclave.isAvailable, userAuthentication: canAsk)
    }

    public func createKey(spec: KeySpec) async throws -> KeyInfo {
        guard SecureEnclave.isAvailable || spec.hardware != .required else {
            throw KeyFault.HardwareUnavailable
        }
        var flags: SecAccessControlCreateFlags = .privateKeyUsage
        var timeout = 0
        if case .required(let seconds) = spec.userAuthentication {
            // Fingers that are added later do not open the key.
            flags.insert(.biometryCurrentSet)
            flags.insert(.or)
            flags.insert(.devicePasscode)
            timeout = Int(seconds)
        }
        guard
            let access = SecAccessControlCreateWithFlags(
                nil, kSecAttrAccessibleWhenPasscodeSetThisDeviceOnly, flags, nil)
        else { throw KeyFault.Failed }
        let id = UUID().uuidString.lowercased()
        var attributes: [CFString: Any] = [
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrKeySizeInBits: 256,
            kSecPrivateKeyAttrs: [
                kSecAttrIsPermanent: true,
                kSecAttrApplicationTag: tag(id),
                kSecAttrLabel: "\(timeout)",
                kSecAttrAccessControl: access,
            ] as [CFString: Any],
        ]
        if SecureEnclave.isAvailable && spec.hardware != .software {
            attributes[kSecAttrTokenID] = kSecAttrTokenIDSecureEnclave
        }
        guard let key = SecKeyCreateRandomKey(attributes as CFDictionary, nil),
            let publicKey = SecKeyCopyPublicKey(key),
            let point = SecKeyCopyExternalRepresentation(publicKey, nil)
        else { throw KeyFault.HardwareUnavailable }
        return KeyInfo(id: id, publicKey: point as Data)
    }

    public func sign(key: String, algorithm: KeyAlgorithm, data: Data, hint: AuthorizationHint)
        async throws -> Signature
    {
        let context = context(of: key, hint)
        // The prompt blocks its thread until the person answers.
        return try await withTaskCancellationHandler {
            try await Task.detached { try self.signed(key, data, context) }.value
        } onCancel: {
            context.invalidate()
        }
    }

    private func signed(_ id: String, _ data: Data, _ context: LAContext) throws -> Signature {
        var query = query(tag(id))
        query[kSecReturnRef] = true
        query[kSecReturnAttributes] = true
        query[kSecUseAuthenticationContext] = context
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        guard status == errSecSuccess, let item = found as? [CFString: Any],
            let reference = item[kSecValueRef]
        else { throw fault(status) }
        let key = reference as! SecKey
        var error: Unmanaged<CFError>?
        let algorithm = SecKeyAlgorithm.ecdsaSignatureMessageX962SHA256
        guard let signature = SecKeyCreateSignature(key, algorithm, data as CFData, &error) else {
            throw fault(error?.takeRetainedValue())
        }
        let timeout = Int(item[kSecAttrLabel] as? String ?? "") ?? 0
        lock.lock()
        unlocked[id] = (context, Date(timeIntervalSinceNow: TimeInterval(timeout)))
        lock.unlock()
        return .der(bytes: signature as Data)
    }

    private func context(of key: String, _ hint: AuthorizationHint) -> LAContext {
        lock.lock()
        defer { lock.unlock() }
        if let (context, end) = unlocked[key], end > Date() { return context }
        let context = LAContext()
        context.localizedReason = hint.title
        return context
    }

    public func deleteKey(key: String) async throws {
        let status = SecItemDelete(query(tag(key)) as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw fault(status) }
    }

    public func keys() async throws -> [String] {
        var query = query(nil)
        query[kSecMatchLimit] = kSecMatchLimitAll
        query[kSecReturnAttributes] = true
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == errSecItemNotFound { return [] }
        guard status == errSecSuccess, let items = found as? [[CFString: Any]] else {
            throw fault(status)
        }
        let names = items.compactMap { $0[kSecAttrApplicationTag] as? Data }
        return names.map { String(decoding: $0, as: UTF8.self) }
            .filter { $0.hasPrefix(prefix) }
            .map { String($0.dropFirst(prefix.count)) }
    }

    private func tag(_ id: String) -> Data { Data((prefix + id).utf8) }

    private func query(_ tag: Data?) -> [CFString: Any] {
        var query: [CFString: Any] = [
            kSecClass: kSecClassKey,
            kSecAttrKeyClass: kSecAttrKeyClassPrivate,
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
        ]
        query[kSecAttrApplicationTag] = tag
        return query
    }

    private func fault(_ status: OSStatus) -> KeyFault {
        switch status {
        case errSecItemNotFound: return .Unknown
        case errSecUserCanceled: return .UserAuthCanceled
        case errSecAuthFailed: return .UserAuthDenied
        default: return .Failed
        }
    }

    private func fault(_ error: CFError?) -> KeyFault {
        guard let error = error as Error? as NSError? else { return .Failed }
        if error.domain == LAError.errorDomain {
            switch LAError.Code(rawValue: error.code) {
            case .userCancel, .appCancel, .systemCancel: return .UserAuthCanceled
            case .authenticationFailed, .biometryLockout: return .UserAuthDenied
            case .passcodeNotSet, .biometryNotAvailable: return .HardwareUnavailable
            // Other fingers than those that the key was made for.
            case .biometryNotEnrolled: return .KeyInvalidated
            default: return .Failed
            }
        }
        return fault(OSStatus(error.code))
    }
}
