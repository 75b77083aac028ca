//! Who somebody is, and by which name each client knows them.
//!
//! A subject is a random id. Bindings point to it: a keyed hash over the trust framework,
//! the validated issuer, the credential type and the stable claim; no claim value is kept.
//! Each sector sees its own `sub`, computed with a secret key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::Url;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::{Rng, token};
use zeroize::Zeroizing;

/// A secret of 256 bits for one purpose. Catalogue 382.
#[derive(Clone)]
pub struct SubjectKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey")
    }
}

impl SubjectKey {
    /// Wraps a key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    fn mac(&self, purpose: &str, parts: &[&str]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice())
            .expect("HMAC takes keys of every length");
        for part in [purpose].iter().chain(parts) {
            // A length before each part: ("ab", "c") and ("a", "bc") give different hashes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        b64url(&mac.finalize().into_bytes())
    }
}

/// A subject: 256 random bits, made at the first login. Never sent anywhere.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SubjectId(String);

impl std::fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectId")
    }
}

/// Stored text is no subject id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a subject id")]
pub struct NotASubjectId;

impl SubjectId {
    /// A new subject.
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(token(rng))
    }

    /// Reads a stored id.
    ///
    /// # Errors
    /// [`NotASubjectId`] unless it is 32 bytes in base64url.
    pub fn parse(text: &str) -> Result<Self, NotASubjectId> {
        match b64url_decode(text) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(NotASubjectId),
        }
    }

    /// Text for the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Clients of one sector see the same `sub` (OpenID Connect Core, section 8.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sector(String);

/// A client's redirect URIs give no sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SectorError {
    /// Empty or longer than 255 bytes.
    #[error("malformed sector")]
    Malformed,
    /// Redirect URIs of several hosts need a configured sector.
    #[error("the redirect URIs name more than one host: configure the sector")]
    Ambiguous,
}

impl Sector {
    /// A configured sector, a host name by custom; lower case.
    ///
    /// # Errors
    /// [`SectorError::Malformed`].
    pub fn configured(text: &str) -> Result<Self, SectorError> {
        if text.is_empty() || text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SectorError::Malformed);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// A sector that one client has for itself.
    #[must_use]
    pub fn of_client(client_id: &str) -> Self {
        // Not in lower case: identifiers are compared as they are.
        Self(format!("client:{client_id}"))
    }

    /// The host of the redirect URIs, where they all have the same one (section 8.1).
    ///
    /// # Errors
    /// [`SectorError`].
    pub fn from_redirect_uris<'a>(
        uris: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, SectorError> {
        let mut sector: Option<String> = None;
        for uri in uris {
            let url = Url::parse(uri).map_err(|_| SectorError::Malformed)?;
            // Private-use schemes have no host; the scheme is a reverse domain name.
            // Both loopback addresses are the person's own machine (RFC 8252, section 7.3).
            let host = match url.host_str().unwrap_or_else(|| url.scheme()) {
                "[::1]" => "127.0.0.1",
                host => host,
            };
            let host = host.to_owned();
            match &sector {
                None => sector = Some(host),
                Some(first) if *first == host => {}
                Some(_) => return Err(SectorError::Ambiguous),
            }
        }
        Self::configured(&sector.ok_or(SectorError::Malformed)?)
    }

    /// The sector.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The `sub` of a subject in a sector.
#[must_use]
pub fn pairwise_sub(key: &SubjectKey, sector: &Sector, subject: &SubjectId) -> String {
    key.mac("pairwise-sub", &[&sector.0, &subject.0])
}

/// The `sub` of a guest: random, never stored, another one each time.
#[must_use]
pub fn guest_sub(rng: &dyn Rng) -> String {
    token(rng)
}

/// What names the same person again in a later presentation.
#[derive(Debug, Clone, Copy)]
pub struct StableClaim<'a> {
    /// Trust framework that vouches for the issuer (`x509`, `did`).
    pub framework: &'a str,
    /// The validated issuer: anchor and certificate subject, or DID. Never the bare `iss`.
    pub issuer: &'a str,
    /// Credential type (`vct`).
    pub credential_type: &'a str,
    /// Name of the claim.
    pub claim: &'a str,
    /// Its value.
    pub value: &'a str,
}

/// Key under which a subject is found again: a keyed hash, so that the store alone tells
/// nothing about the value.
#[must_use]
pub fn binding_key(key: &SubjectKey, claim: &StableClaim<'_>) -> String {
    let StableClaim {
        framework,
        issuer,
        credential_type,
        claim,
        value,
    } = *claim;
    key.mac(
        "subject-binding",
        &[framework, issuer, credential_type, claim, value],
    )
}

/// Key under which the account is found that somebody says is theirs: a keyed hash of what they
/// call it.
#[must_use]
pub fn identifier_key(key: &SubjectKey, identifier: &str) -> String {
    key.mac("account-identifier", &[identifier])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vouchsafe_credentials::testing::SeededRng;

    fn key(byte: u8) -> SubjectKey {
        SubjectKey::new([byte; 32])
    }

    proptest! {
        #[test]
        fn cat_382_pairwise_sub_differs_by_sector(a in "[a-z0-9.]{1,30}", b in "[a-z0-9.]{1,30}", seed in any::<u64>()) {
            let subject = SubjectId::generate(&SeededRng::new(seed));
            let (a, b) = (Sector::configured(&a).unwrap(), Sector::configured(&b).unwrap());
            let (one, two) = (pairwise_sub(&key(1), &a, &subject), pairwise_sub(&key(1), &b, &subject));
            prop_assert_eq!(one == two, a == b);
            prop_assert_ne!(&one, &pairwise_sub(&key(2), &a, &subject));
            prop_assert!(!one.contains(subject.as_str()));
        }

        #[test]
        fn parts_do_not_run_together(text in "[a-c]{2,8}", at in 1usize..7) {
            let at = at.min(text.len() - 1);
            let whole = key(1).mac("p", &[&text, ""]);
            prop_assert_ne!(whole, key(1).mac("p", &[&text[..at], &text[at..]]));
        }
    }

    #[test]
    fn bindings_depend_on_every_part() {
        let base = StableClaim {
            framework: "x509",
            issuer: "anchor|CN=Club",
            credential_type: "urn:vouchsafe:membership:1",
            claim: "member_id",
            value: "M-1",
        };
        let first = binding_key(&key(1), &base);
        assert_eq!(first, binding_key(&key(1), &base));
        for other in [
            StableClaim {
                framework: "did",
                ..base
            },
            StableClaim {
                issuer: "anchor2|CN=Club",
                ..base
            },
            StableClaim {
                credential_type: "urn:other",
                ..base
            },
            StableClaim {
                claim: "tier",
                ..base
            },
            StableClaim {
                value: "M-2",
                ..base
            },
        ] {
            assert_ne!(first, binding_key(&key(1), &other));
        }
        assert_ne!(first, binding_key(&key(2), &base));
        assert!(!first.contains("M-1"));
    }

    #[test]
    fn sectors() {
        let of = |uris: &[&str]| Sector::from_redirect_uris(uris.iter().copied()).map(|s| s.0);
        assert_eq!(
            of(&["http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"]).unwrap(),
            "127.0.0.1"
        );
        assert_eq!(of(&["http://127.0.0.2:1/cb"]).unwrap(), "127.0.0.2");
        assert_eq!(
            of(&["https://a.example/cb", "https://b.example/cb"]),
            Err(SectorError::Ambiguous)
        );
        assert_eq!(of(&[]), Err(SectorError::Malformed));
    }

    #[test]
    fn ids_are_random() {
        let rng = SeededRng::new(7);
        let (a, b) = (SubjectId::generate(&rng), SubjectId::generate(&rng));
        assert_ne!(a, b);
        assert_eq!(SubjectId::parse(a.as_str()), Ok(a));
        assert_eq!(SubjectId::parse("M-1"), Err(NotASubjectId));
        assert_ne!(guest_sub(&rng), guest_sub(&rng));
    }
}
