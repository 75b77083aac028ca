//! `c_nonce` (section 7) without a row per nonce: time, random bytes and a MAC over both
//! and the issuer's name. Catalogue 280, 281.
//!
//! A nonce is good for its lifetime; that it is used once is the caller's part: on an
//! accepted request [`CheckedNonce::consume_key`] goes into a table with a unique key
//! until [`CheckedNonce::expires`].

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::{self, Rng};
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

/// Lifetime in seconds (the limit of this project).
pub const LIFETIME: i64 = 300;
/// Clock difference between processes of one issuer, in seconds.
const MAX_SKEW: i64 = 5;

const RANDOM: usize = 16;
const TAG: usize = 16;
/// Key number, time, random bytes, tag.
const LENGTH: usize = 1 + 8 + RANDOM + TAG;

/// One MAC key with its number.
#[derive(Clone)]
struct NonceKey {
    number: u8,
    key: Zeroizing<[u8; 32]>,
}

/// The keys of an issuer: the first one makes nonces, all of them are accepted.
#[derive(Clone)]
pub struct NonceKeys {
    label: &'static [u8],
    issuer: String,
    current: NonceKey,
    previous: Vec<NonceKey>,
}

impl std::fmt::Debug for NonceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NonceKeys")
            .field("current", &self.current.number)
            .finish_non_exhaustive()
    }
}

/// The nonce is not one of ours that still lives. Deliberately without detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid nonce")]
pub struct InvalidNonce;

/// A nonce that is ours and alive; whether it was used, the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedNonce {
    /// Name under which an accepted request consumes the nonce: its SHA-256.
    pub consume_key: [u8; 32],
    /// When the nonce dies by itself and the consumed row may go.
    pub expires: UnixTime,
}

impl NonceKeys {
    /// Keys of the issuer (or tenant) with this identifier.
    #[must_use]
    pub fn new(issuer: &str, number: u8, key: [u8; 32]) -> Self {
        Self::labelled(b"c_nonce\0", issuer, number, key)
    }

    /// Keys of nonces of another kind: the label keeps one kind from passing as another.
    pub(crate) fn labelled(label: &'static [u8], issuer: &str, number: u8, key: [u8; 32]) -> Self {
        Self {
            label,
            issuer: issuer.to_owned(),
            current: NonceKey {
                number,
                key: Zeroizing::new(key),
            },
            previous: Vec::new(),
        }
    }

    /// Makes a new key current; nonces of the old one stay good until they expire. Drop
    /// old keys with [`Self::forget`] one lifetime later.
    #[must_use]
    pub fn rotate(mut self, number: u8, key: [u8; 32]) -> Self {
        self.previous.retain(|k| k.number != number);
        let new = NonceKey {
            number,
            key: Zeroizing::new(key),
        };
        self.previous
            .push(std::mem::replace(&mut self.current, new));
        self
    }

    /// Drops every key but the current one.
    #[must_use]
    pub fn forget(mut self) -> Self {
        self.previous.clear();
        self
    }

    /// A fresh nonce: 55 characters of base64url.
    #[must_use]
    pub fn issue(&self, now: UnixTime, rng: &dyn Rng) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(self.current.number);
        bytes.extend_from_slice(&now.seconds().to_be_bytes());
        bytes.extend_from_slice(&random::bytes::<RANDOM>(rng));
        let tag = self.mac(&self.current, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag[..TAG]);
        b64url(&bytes)
    }

    /// Checks a nonce.
    ///
    /// # Errors
    /// [`InvalidNonce`] for a forged, altered, expired or foreign one.
    pub fn verify(&self, nonce: &str, now: UnixTime) -> Result<CheckedNonce, InvalidNonce> {
        self.verify_within(nonce, now, LIFETIME)
    }

    /// As [`Self::verify`], for nonces that live `lifetime` seconds.
    pub(crate) fn verify_within(
        &self,
        nonce: &str,
        now: UnixTime,
        lifetime: i64,
    ) -> Result<CheckedNonce, InvalidNonce> {
        // Cheap checks first: a flood of rubbish costs no hashing.
        if nonce.len() != LENGTH.div_ceil(3) * 4 - (3 - LENGTH % 3) % 3 {
            return Err(InvalidNonce);
        }
        let bytes = b64url_decode(nonce).map_err(|_| InvalidNonce)?;
        let (body, tag) = bytes.split_at_checked(LENGTH - TAG).ok_or(InvalidNonce)?;
        let (number, rest) = body.split_first().ok_or(InvalidNonce)?;
        let key = std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|k| k.number == *number)
            .ok_or(InvalidNonce)?;
        self.mac(key, body)
            .verify_truncated_left(tag)
            .map_err(|_| InvalidNonce)?;
        let (time, _) = rest.split_first_chunk::<8>().ok_or(InvalidNonce)?;
        let made = UnixTime(i64::from_be_bytes(*time));
        if !(-MAX_SKEW..lifetime).contains(&now.since(made)) {
            return Err(InvalidNonce);
        }
        Ok(CheckedNonce {
            consume_key: Sha256::digest(&bytes).into(),
            expires: made.plus(lifetime),
        })
    }

    fn mac(&self, key: &NonceKey, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.key.as_slice())
            .expect("HMAC takes keys of every length");
        mac.update(self.label);
        mac.update(&(self.issuer.len() as u64).to_be_bytes());
        mac.update(self.issuer.as_bytes());
        mac.update(body);
        mac
    }
}

/// Body of the nonce endpoint's answer; send with `Cache-Control: no-store` (section 7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// The nonce.
    pub c_nonce: String,
}

impl NonceResponse {
    /// Reads the answer; unknown members are ignored.
    ///
    /// # Errors
    /// [`InvalidNonce`] for anything but a JSON object with a short, non-empty `c_nonce`.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidNonce> {
        let value = vouchsafe_credentials::json::parse_strict(body).map_err(|_| InvalidNonce)?;
        let response: Self = serde_json::from_value(value).map_err(|_| InvalidNonce)?;
        if response.c_nonce.is_empty() || response.c_nonce.len() > 1024 {
            return Err(InvalidNonce);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vouchsafe_credentials::testing::SeededRng;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn keys() -> NonceKeys {
        NonceKeys::new("https://issuer.example.com", 1, [1; 32])
    }

    fn nonce(keys: &NonceKeys) -> String {
        keys.issue(NOW, &SeededRng::new(3))
    }

    #[test]
    fn a_nonce_lives_its_time() {
        let n = nonce(&keys());
        assert_eq!(n.len(), 55);
        let checked = keys().verify(&n, NOW.plus(LIFETIME - 1)).unwrap();
        assert_eq!(checked.expires, NOW.plus(LIFETIME));
        assert_eq!(checked, keys().verify(&n, NOW).unwrap());
        for when in [LIFETIME, i64::MAX, -MAX_SKEW - 1, i64::MIN] {
            assert_eq!(
                keys().verify(&n, NOW.plus(when)),
                Err(InvalidNonce),
                "{when}"
            );
        }
    }

    #[test]
    fn nonces_differ() {
        let rng = SeededRng::new(3);
        assert_ne!(keys().issue(NOW, &rng), keys().issue(NOW, &rng));
    }

    #[test]
    fn cat_281_rotation() {
        let old = nonce(&keys());
        let rotated = keys().rotate(2, [2; 32]);
        assert!(rotated.verify(&old, NOW).is_ok());
        let new = nonce(&rotated);
        assert!(rotated.verify(&new, NOW).is_ok());
        assert_eq!(keys().verify(&new, NOW), Err(InvalidNonce));
        let forgotten = rotated.forget();
        assert_eq!(forgotten.verify(&old, NOW), Err(InvalidNonce));
        assert!(forgotten.verify(&new, NOW).is_ok());
    }

    #[test]
    fn cat_259_nonce_of_another_issuer() {
        let other = NonceKeys::new("https://other.example.com", 1, [1; 32]);
        assert_eq!(other.verify(&nonce(&keys()), NOW), Err(InvalidNonce));
    }

    proptest! {
        #[test]
        fn cat_281_bit_flips_and_rubbish(at in 0usize..LENGTH, bit in 0u8..8, text in "[A-Za-z0-9_-]{55}", any in any::<String>()) {
            let mut bytes = b64url_decode(&nonce(&keys())).unwrap();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(keys().verify(&b64url(&bytes), NOW), Err(InvalidNonce));
            prop_assert_eq!(keys().verify(&text, NOW), Err(InvalidNonce));
            prop_assert_eq!(keys().verify(&any, NOW), Err(InvalidNonce));
        }
    }

    #[test]
    fn answers() {
        assert_eq!(
            NonceResponse::parse(br#"{"c_nonce":"n","x":1}"#)
                .unwrap()
                .c_nonce,
            "n"
        );
        for bad in [
            "{}",
            r#"{"c_nonce":""}"#,
            r#"{"c_nonce":1}"#,
            r#"{"c_nonce":"a","c_nonce":"b"}"#,
        ] {
            assert_eq!(
                NonceResponse::parse(bad.as_bytes()),
                Err(InvalidNonce),
                "{bad}"
            );
        }
    }
}
