//! Fingerprints of requests under a key, so that the database does not tell what was asked.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use vouchsafe_service::keys::SymmetricKey;

/// Makes fingerprints.
pub struct Fingerprints(SymmetricKey);

impl Fingerprints {
    /// Wraps a key.
    #[must_use]
    pub fn new(key: SymmetricKey) -> Self {
        Self(key)
    }

    /// HMAC-SHA-256 of the parts of a request. Each part is preceded by its length, so that no two
    /// requests are the same text.
    #[must_use]
    pub fn of(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose())
            .expect("HMAC takes keys of every length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}
