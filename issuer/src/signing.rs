//! The keys that sign credentials and status lists, how their names go out, and when each is used.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::Signer;
use vouchsafe_credentials::sd_jwt_vc::IssuerKey;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;

/// How a signature names its key.
#[derive(Debug, Clone)]
pub enum KeyName {
    /// A certificate chain in `x5c`, leaf first, without the anchor.
    X5c(Chain),
    /// The absolute DID URL of the key in `kid`.
    Did(String),
}

impl KeyName {
    /// The form that signing functions take.
    pub fn as_issuer_key(&self) -> IssuerKey<'_> {
        match self {
            Self::X5c(chain) => IssuerKey::X5c(chain),
            Self::Did(url) => IssuerKey::Did(url),
        }
    }

    /// The chain, where there is one.
    pub const fn chain(&self) -> Option<&Chain> {
        match self {
            Self::X5c(chain) => Some(chain),
            Self::Did(_) => None,
        }
    }
}

/// A signer and its name.
#[derive(Clone)]
pub struct NamedSigner {
    /// Signs.
    pub signer: Arc<dyn Signer>,
    /// What commands, metrics and log lines call the key.
    pub called: String,
    /// How the key is named.
    pub name: KeyName,
    /// `iss` of what is signed: an https URL or a DID, else nothing.
    pub iss: Option<String>,
    /// The cryptosuite of its Data Integrity proofs.
    pub cryptosuite: String,
    /// Since when its certificate is valid; a DID is so at any time.
    pub certified_from: UnixTime,
}

impl std::fmt::Debug for NamedSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamedSigner")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// No key of a purpose is in use at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no signing key is in use at this time")]
pub struct NoKey;

/// A key and when it is used.
#[derive(Debug, Clone)]
pub struct Term {
    /// From this moment on.
    pub from: UnixTime,
    /// Before this moment.
    pub until: UnixTime,
    /// The key.
    pub key: NamedSigner,
}

/// The keys of one purpose, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Rotation(Vec<Term>);

impl Rotation {
    /// Of these keys.
    pub fn new(mut terms: Vec<Term>) -> Self {
        terms.sort_by_key(|term| term.from);
        Self(terms)
    }

    /// The keys and when each is used, in the order of their beginnings.
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// Whether there is no key at all.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that signs now.
    pub fn at(&self, now: UnixTime) -> Result<&NamedSigner, NoKey> {
        let place = self.place(now).ok_or(NoKey)?;
        self.0.get(place).map(|term| &term.key).ok_or(NoKey)
    }

    /// Where the key that signs now stands among [`Self::terms`]: of those in use, the one that began
    /// last.
    pub fn place(&self, now: UnixTime) -> Option<usize> {
        self.0
            .iter()
            .rposition(|term| term.from <= now && now < term.until)
    }

    /// All keys, those to come and those that are retired among them.
    pub fn keys(&self) -> impl Iterator<Item = &NamedSigner> {
        self.0.iter().map(|term| &term.key)
    }
}

/// The issuer's signers.
#[derive(Debug, Clone)]
pub struct Signing {
    /// Sign SD-JWT VCs.
    pub sd_jwt: Rotation,
    /// Document signers of mdocs, named by their chains.
    pub mdoc: Rotation,
    /// Sign W3C credentials with Data Integrity.
    pub ldp_vc: Rotation,
    /// Sign W3C credentials as JWT; of the same issuer as those before.
    pub jwt_vc: Rotation,
    /// Sign status lists. May be keys of their own.
    pub status: Rotation,
    /// Sign the metadata. May be keys of their own.
    pub metadata: Rotation,
}

impl Signing {
    /// The keys of a format.
    pub const fn of(&self, format: Format) -> &Rotation {
        match format {
            Format::SdJwtVc => &self.sd_jwt,
            Format::Mdoc => &self.mdoc,
            Format::LdpVc => &self.ldp_vc,
            Format::JwtVc => &self.jwt_vc,
        }
    }

    /// The document of the service's `did:web`, where a key is named so: with the keys to come and
    /// those that are retired, because what they signed stays good.
    pub fn did_document(&self) -> Option<Value> {
        let all = [
            &self.sd_jwt,
            &self.ldp_vc,
            &self.jwt_vc,
            &self.status,
            &self.metadata,
        ];
        let mut methods = BTreeMap::new();
        let mut id = None;
        for key in all.into_iter().flat_map(Rotation::keys) {
            let KeyName::Did(url) = &key.name else {
                continue;
            };
            let Some((did, _)) = url.split_once('#').filter(|_| url.starts_with("did:web:")) else {
                continue;
            };
            id = Some(did);
            let method = json!({
                "id": url,
                "type": "JsonWebKey",
                "controller": did,
                "publicKeyJwk": key.signer.public_key().to_jwk(),
            });
            methods.insert(url.as_str(), method);
        }
        Some(json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
            "id": id?,
            "verificationMethod": methods.values().collect::<Vec<_>>(),
            "assertionMethod": methods.keys().collect::<Vec<_>>(),
        }))
    }

    /// The keys of every purpose, by its name in metrics and log lines.
    pub const fn by_purpose(&self) -> [(&'static str, &Rotation); 6] {
        [
            (Format::SdJwtVc.name(), &self.sd_jwt),
            (Format::Mdoc.name(), &self.mdoc),
            (Format::LdpVc.name(), &self.ldp_vc),
            (Format::JwtVc.name(), &self.jwt_vc),
            ("status", &self.status),
            ("metadata", &self.metadata),
        ]
    }

    /// The keys of status lists of W3C credentials, empty where none are issued.
    pub const fn w3c(&self) -> &Rotation {
        self.of(self.w3c_format())
    }

    /// How those lists are secured: as credentials are, and with Data Integrity where both are.
    pub const fn w3c_format(&self) -> Format {
        if self.ldp_vc.is_empty() {
            Format::JwtVc
        } else {
            Format::LdpVc
        }
    }

    /// What signs a status list as CWT: it is for mdocs, and named by a certificate. `None` where no
    /// mdocs are issued.
    pub fn status_cwt(&self, now: UnixTime) -> Result<Option<(&dyn Signer, &Chain)>, NoKey> {
        if self.mdoc.is_empty() {
            return Ok(None);
        }
        let status = self.status.at(now)?;
        let (key, chain) = match status.name.chain() {
            Some(chain) => (status, chain),
            None => {
                let key = self.mdoc.at(now)?;
                (key, key.name.chain().ok_or(NoKey)?)
            }
        };
        Ok(Some((&*key.signer, chain)))
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::crypto::{Algorithm, AwsLcSigningKey, SigningKey};
    use vouchsafe_credentials::testing::SeededRng;

    use super::*;

    fn term(name: &str, from: i64, until: i64) -> Term {
        let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1));
        let key = NamedSigner {
            signer: Arc::new(AwsLcSigningKey::new(&key).unwrap()),
            called: name.to_owned(),
            name: KeyName::Did(name.to_owned()),
            iss: Some(name.to_owned()),
            cryptosuite: String::new(),
            certified_from: UnixTime(i64::MIN),
        };
        Term {
            from: UnixTime(from),
            until: UnixTime(until),
            key,
        }
    }

    #[test]
    fn the_key_that_began_last_signs() {
        let keys = Rotation::new(vec![term("new", 100, 300), term("old", 0, 200)]);
        let at = |now| keys.at(UnixTime(now)).ok()?.iss.clone();
        assert_eq!(at(-1), None);
        assert_eq!(at(0).as_deref(), Some("old"));
        assert_eq!(at(99).as_deref(), Some("old"));
        assert_eq!(at(100).as_deref(), Some("new"));
        assert_eq!(at(299).as_deref(), Some("new"));
        assert_eq!(at(300), None);
        assert_eq!(keys.keys().count(), 2);
        assert!(Rotation::default().at(UnixTime(0)).is_err());
    }
}
