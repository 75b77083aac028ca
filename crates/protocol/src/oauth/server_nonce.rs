//! Nonces of a server: for DPoP proofs (RFC 9449, sections 8 and 9) and as challenges of client
//! attestations. Stateless: time, random bytes and a MAC, so handing one out costs no row.
//!
//! They are one kind, because a DPoP proof that is also the proof of a client attestation carries
//! one value for both. A nonce is good for any number of requests while it lives: replay is kept
//! out by the identifiers of the proofs.

use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::UnixTime;

use crate::vci::nonce::{InvalidNonce, NonceKeys};

/// How long a DPoP proof may use a nonce, in seconds.
pub const DPOP_LIFETIME: i64 = 300;
/// How long a proof of a client attestation may use a challenge, in seconds. A person types a
/// code between the pushed request and the token request.
pub const CHALLENGE_LIFETIME: i64 = 900;

/// Makes and checks the nonces of a server.
#[derive(Debug, Clone)]
pub struct ServerNonces(NonceKeys);

impl ServerNonces {
    /// Nonces of the server with this identifier.
    #[must_use]
    pub fn new(issuer: &str, key: [u8; 32]) -> Self {
        Self(NonceKeys::labelled(b"server nonce\0", issuer, 1, key))
    }

    /// A fresh nonce: 55 characters of base64url.
    #[must_use]
    pub fn issue(&self, now: UnixTime, rng: &dyn Rng) -> String {
        self.0.issue(now, rng)
    }

    /// When a nonce of ours ends that was handed out less than `lifetime` seconds ago.
    ///
    /// # Errors
    /// [`InvalidNonce`] for a forged, altered, expired or foreign one.
    pub fn check(
        &self,
        nonce: &str,
        now: UnixTime,
        lifetime: i64,
    ) -> Result<UnixTime, InvalidNonce> {
        let checked = self.0.verify_within(nonce, now, lifetime)?;
        Ok(checked.expires)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_credentials::testing::SeededRng;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    #[test]
    fn cat_281_a_nonce_is_of_one_server_and_one_kind() {
        let nonces = ServerNonces::new("https://as.example.com", [1; 32]);
        let nonce = nonces.issue(NOW, &SeededRng::new(1));
        assert_eq!(nonces.check(&nonce, NOW, 300), Ok(NOW.plus(300)));
        assert_eq!(nonces.check(&nonce, NOW.plus(300), 300), Err(InvalidNonce));
        assert!(nonces.check(&nonce, NOW.plus(300), 900).is_ok());
        let other = ServerNonces::new("https://other.example.com", [1; 32]);
        assert_eq!(other.check(&nonce, NOW, 300), Err(InvalidNonce));
        // Same key, another kind.
        let credential = NonceKeys::new("https://as.example.com", 1, [1; 32]);
        assert_eq!(credential.verify(&nonce, NOW), Err(InvalidNonce));
        let c_nonce = credential.issue(NOW, &SeededRng::new(1));
        assert_eq!(nonces.check(&c_nonce, NOW, 300), Err(InvalidNonce));
        assert_eq!(nonces.check("", NOW, 300), Err(InvalidNonce));
    }
}
