//! The key that seals the records, and what is derived from it.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::storage::RecordId;

/// The data key of a wallet, unlocked. A host with a keystore of its own may keep it there instead
/// of asking for the passphrase each time.
pub struct VaultKey(Zeroizing<[u8; 32]>);

impl VaultKey {
    /// The key from what [`VaultKey::expose_secret`] gave.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key itself. Whoever has it and the records reads the wallet.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }

    /// Says whether a key belongs to a header, and nothing else.
    pub(super) fn check(&self) -> [u8; 16] {
        let mut check = [0; 16];
        self.expand(b"vouchsafe wallet key check", &mut check);
        check
    }

    /// The key that makes names of records.
    pub(super) fn names(&self) -> Names {
        let mut key = Zeroizing::new([0; 32]);
        self.expand(b"vouchsafe wallet record names", key.as_mut());
        Names(key)
    }

    fn expand(&self, what: &[u8], out: &mut [u8]) {
        // Only lengths above 255 hashes fail.
        let _ = Hkdf::<Sha256>::new(None, self.0.as_ref()).expand(what, out);
    }
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey(..)")
    }
}

/// Makes names that say nothing to whoever sees the records without the key.
pub(super) struct Names(Zeroizing<[u8; 32]>);

impl Names {
    pub(super) fn of(&self, parts: &[&str]) -> RecordId {
        let mut info = Vec::new();
        for part in parts {
            info.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            info.extend_from_slice(part.as_bytes());
        }
        let mut name = [0; 24];
        let _ = Hkdf::<Sha256>::new(None, self.0.as_ref()).expand(&info, &mut name);
        RecordId::from_bytes(&name)
    }
}
