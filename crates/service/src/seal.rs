//! Sealing: authenticated encryption of columns, cookies and URL state.
//!
//! Format: version `1`, key id (4 bytes), salt (24 bytes), AES-256-GCM ciphertext with tag.
//! Key and nonce of a message come from HKDF over the salt, so no nonce is ever used twice and
//! any number of messages is safe under one key.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use vouchsafe_credentials::{
    encoding::{b64url, b64url_decode},
    random::Rng,
};
use zeroize::Zeroizing;

use crate::keys::SymmetricKey;

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const SALT: usize = 24;
const TAG: usize = 16;

/// Why sealed bytes did not open. One shape for all that an attacker can cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not sealed by this key, for this place, or changed since.
    #[error("the sealed value does not open")]
    DoesNotOpen,
    /// Sealed under a key that is not configured (any more).
    #[error("the value was sealed under another key")]
    OtherKey,
}

/// Where a sealed value belongs: table or purpose, row, column. A value that was moved to
/// another place does not open.
#[derive(Debug, Clone)]
pub struct Place(Vec<u8>);

impl Place {
    /// A place from its parts, each length-prefixed.
    pub fn new(parts: &[&str]) -> Self {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self(bytes)
    }
}

/// Seals and opens under one key.
#[derive(Debug, Clone)]
pub struct Sealer {
    key: SymmetricKey,
    id: [u8; KEY_ID],
}

impl Sealer {
    /// A sealer for a derived key.
    pub fn new(key: SymmetricKey) -> Self {
        let digest = Sha256::digest([b"vouchsafe key id".as_slice(), key.expose()].concat());
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&digest[..KEY_ID]);
        Self { key, id }
    }

    /// A sealer whose key only the holder of `token` has.
    pub fn under_token(purpose: &str, token: &str) -> Self {
        Self::new(SymmetricKey::from_token(purpose, token))
    }

    /// Seals `plain` for `place`.
    pub fn seal(&self, place: &Place, plain: &[u8], rng: &dyn Rng) -> Vec<u8> {
        let mut salt = [0u8; SALT];
        rng.fill(&mut salt);
        let (cipher, nonce) = self.message_key(&salt);
        let payload = Payload {
            msg: plain,
            aad: &place.0,
        };
        let sealed = cipher
            .encrypt((&nonce).into(), payload)
            .expect("AES-GCM encrypts every message below 64 GiB");
        let mut out = Vec::with_capacity(1 + KEY_ID + SALT + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&salt);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens what [`seal`](Self::seal) made for the same place.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if sealed.len() < 1 + KEY_ID + SALT + TAG || sealed[0] != VERSION {
            return Err(SealError::DoesNotOpen);
        }
        let (id, rest) = sealed[1..].split_at(KEY_ID);
        if id != self.id {
            return Err(SealError::OtherKey);
        }
        let (salt, ciphertext) = rest.split_at(SALT);
        let (cipher, nonce) = self.message_key(salt);
        let payload = Payload {
            msg: ciphertext,
            aad: &place.0,
        };
        cipher
            .decrypt((&nonce).into(), payload)
            .map(Zeroizing::new)
            .map_err(|_| SealError::DoesNotOpen)
    }

    /// [`seal`](Self::seal) as base64url text for a cookie or a URL.
    pub fn seal_text(&self, place: &Place, plain: &[u8], rng: &dyn Rng) -> String {
        b64url(&self.seal(place, plain, rng))
    }

    /// Opens what [`seal_text`](Self::seal_text) made.
    pub fn open_text(&self, place: &Place, sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let bytes = b64url_decode(sealed).map_err(|_| SealError::DoesNotOpen)?;
        self.open(place, &bytes)
    }

    fn message_key(&self, salt: &[u8]) -> (Aes256Gcm, [u8; 12]) {
        let hkdf = Hkdf::<Sha256>::new(Some(salt), self.key.expose());
        let mut bytes = Zeroizing::new([0u8; 44]);
        hkdf.expand(b"vouchsafe seal 1", bytes.as_mut())
            .expect("44 bytes are less than 255 blocks of SHA-256");
        let mut key = Zeroizing::new([0u8; 32]);
        key.copy_from_slice(&bytes[..32]);
        let mut nonce = [0u8; 12];
        nonce.copy_from_slice(&bytes[32..]);
        (Aes256Gcm::new((&*key).into()), nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    fn sealer(key: &str) -> Sealer {
        Sealer::under_token("test", key)
    }

    #[test]
    fn cat_430_a_value_opens_only_in_its_place() {
        let place = Place::new(&["tenant a", "login", "1", "claims"]);
        let sealed = sealer("k").seal(&place, b"secret", &OsRandom);
        assert_eq!(
            sealer("k").open(&place, &sealed).unwrap().as_slice(),
            b"secret"
        );
        for other in [
            Place::new(&["tenant b", "login", "1", "claims"]),
            Place::new(&["tenant a", "login", "2", "claims"]),
            Place::new(&["tenant a", "login", "1"]),
            Place::new(&["tenant a", "login", "1claims"]),
            Place::new(&[]),
        ] {
            assert_eq!(
                sealer("k").open(&other, &sealed),
                Err(SealError::DoesNotOpen)
            );
        }
    }

    #[test]
    fn cat_431_another_key_is_told_apart() {
        let place = Place::new(&["a"]);
        let sealed = sealer("k").seal(&place, b"secret", &OsRandom);
        assert_eq!(
            sealer("other").open(&place, &sealed),
            Err(SealError::OtherKey)
        );
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let place = Place::new(&["a"]);
        let sealed = sealer("k").seal(&place, b"secret", &OsRandom);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(sealer("k").open(&place, &changed).is_err(), "{index}");
            assert!(
                sealer("k").open(&place, &sealed[..index]).is_err(),
                "{index}"
            );
        }
        let longer = [sealed.as_slice(), &[0]].concat();
        assert!(sealer("k").open(&place, &longer).is_err());
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        let place = Place::new(&["a"]);
        let one = sealer("k").seal_text(&place, b"", &OsRandom);
        assert_ne!(one, sealer("k").seal_text(&place, b"", &OsRandom));
        assert_eq!(sealer("k").open_text(&place, &one).unwrap().as_slice(), b"");
        assert!(sealer("k").open_text(&place, &format!("{one}=")).is_err());
    }
}
