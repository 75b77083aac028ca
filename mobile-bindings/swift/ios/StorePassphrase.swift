// The passphrase of the store: 32 random bytes in the keychain of this device. Nobody types it.

import Foundation
import Security

private let item: [CFString: Any] = [
    kSecClass: kSecClassGenericPassword,
    kSecAttrService: "org.vouchsafe.wallet",
    kSecAttrAccount: "store",
]

/// The keychain did not give or keep it.
public struct PassphraseFailed: Error {
    public let status: OSStatus
}

/// The same on every start of the app.
public func storePassphrase() throws -> String {
    var query = item
    query[kSecReturnData] = true
    var found: CFTypeRef?
    let status = SecItemCopyMatching(query as CFDictionary, &found)
    if status == errSecSuccess, let data = found as? Data { return data.base64EncodedString() }
    guard status == errSecItemNotFound else { throw PassphraseFailed(status: status) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let drawn = SecRandomCopyBytes(kSecRandomDefault, bytes.count, &bytes)
    guard drawn == errSecSuccess else { throw PassphraseFailed(status: drawn) }
    var fresh = item
    fresh[kSecValueData] = Data(bytes)
    fresh[kSecAttrAccessible] = kSecAttrAccessibleWhenUnlockedThisDeviceOnly
    let kept = SecItemAdd(fresh as CFDictionary, nil)
    guard kept == errSecSuccess else { throw PassphraseFailed(status: kept) }
    return Data(bytes).base64EncodedString()
}
