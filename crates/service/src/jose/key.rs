//! Keys that sign ID tokens and logout tokens.

use josekit::{
    jwk::{Jwk, KeyPair},
    jws::{self, JwsHeader, JwsSigner},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::encoding::b64url;
use zeroize::Zeroizing;

use super::{JoseError, rsa};

const RSA_BITS: u32 = 2048;

/// Algorithms of tokens to relying parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SigningAlg {
    /// RSA with PKCS #1 padding and SHA-256; what most client libraries expect.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl SigningAlg {
    /// Name in `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// From the name in `alg`; nothing else is accepted.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A private key with its key id.
#[derive(Clone)]
pub struct JwtKey {
    alg: SigningAlg,
    kid: String,
    signer: Box<dyn JwsSigner>,
    pair: Box<dyn KeyPair>,
    public: Value,
}

impl JwtKey {
    /// A fresh key. RSA takes a noticeable part of a second.
    pub fn generate(alg: SigningAlg) -> Result<Self, JoseError> {
        match alg {
            SigningAlg::Rs256 => {
                let pair = jws::RS256.generate_key_pair(RSA_BITS);
                Self::from_pair(alg, Box::new(pair.map_err(|_| JoseError::Key)?))
            }
            SigningAlg::Es256 => {
                let pair = jws::ES256.generate_key_pair();
                Self::from_pair(alg, Box::new(pair.map_err(|_| JoseError::Key)?))
            }
        }
    }

    /// From PKCS #8 in PEM. RSA keys have 2048 to 4096 bits.
    pub fn from_pem(alg: SigningAlg, pem: &str) -> Result<Self, JoseError> {
        match alg {
            SigningAlg::Rs256 => {
                let pair = jws::RS256
                    .key_pair_from_pem(pem)
                    .map_err(|_| JoseError::Key)?;
                Self::from_pair(alg, Box::new(pair))
            }
            SigningAlg::Es256 => {
                let pair = jws::ES256
                    .key_pair_from_pem(pem)
                    .map_err(|_| JoseError::Key)?;
                Self::from_pair(alg, Box::new(pair))
            }
        }
    }

    /// As PKCS #8 in PEM.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let pem = Zeroizing::new(self.pair.to_pem_private_key());
        Zeroizing::new(String::from_utf8_lossy(&pem).into_owned())
    }

    fn from_pair(alg: SigningAlg, pair: Box<dyn KeyPair>) -> Result<Self, JoseError> {
        let private = pair.to_jwk_private_key();
        let signer: Box<dyn JwsSigner> = match alg {
            SigningAlg::Rs256 => Box::new(
                jws::RS256
                    .signer_from_jwk(&private)
                    .map_err(|_| JoseError::Key)?,
            ),
            SigningAlg::Es256 => Box::new(
                jws::ES256
                    .signer_from_jwk(&private)
                    .map_err(|_| JoseError::Key)?,
            ),
        };
        let public = public_members(&pair.to_jwk_public_key())?;
        if alg == SigningAlg::Rs256 && !rsa::acceptable(&public) {
            return Err(JoseError::Key);
        }
        let kid = thumbprint(&public);
        let mut published = public;
        published.insert("use".into(), json!("sig"));
        published.insert("alg".into(), json!(alg.as_str()));
        published.insert("kid".into(), json!(kid));
        Ok(Self {
            alg,
            kid,
            signer,
            pair,
            public: Value::Object(published),
        })
    }

    /// The algorithm.
    pub fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// The key id: the RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a JWK with `kid`, `alg` and `use`.
    pub fn public_jwk(&self) -> &Value {
        &self.public
    }

    /// Signs claims as a compact JWT. `typ` is `JWT` for ID tokens, `logout+jwt` for logout
    /// tokens (OpenID Connect Back-Channel Logout 1.0, section 2.4).
    pub fn sign(&self, typ: &str, claims: &Map<String, Value>) -> Result<String, JoseError> {
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::Signing)?;
        let mut header = JwsHeader::new();
        header.set_token_type(typ);
        header.set_key_id(self.kid.as_str());
        jws::serialize_compact(&payload, &header, self.signer.as_ref())
            .map_err(|_| JoseError::Signing)
    }
}

impl std::fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JwtKey({}, {})", self.alg.as_str(), self.kid)
    }
}

/// The keys of a provider. The first key of an algorithm signs; all are published.
#[derive(Debug, Clone)]
pub struct KeySet(Vec<JwtKey>);

impl KeySet {
    /// A set of keys.
    pub fn new(keys: Vec<JwtKey>) -> Self {
        Self(keys)
    }

    /// The key that signs with this algorithm.
    pub fn signer(&self, alg: SigningAlg) -> Option<&JwtKey> {
        self.0.iter().find(|key| key.alg == alg)
    }

    /// Algorithms that this set can sign with.
    pub fn algorithms(&self) -> Vec<SigningAlg> {
        [SigningAlg::Rs256, SigningAlg::Es256]
            .into_iter()
            .filter(|alg| self.signer(*alg).is_some())
            .collect()
    }

    /// The document at `jwks_uri`.
    pub fn jwks(&self) -> Value {
        let keys: Vec<&Value> = self.0.iter().map(JwtKey::public_jwk).collect();
        json!({ "keys": keys })
    }
}

/// The members that make the public key, and nothing private.
fn public_members(jwk: &Jwk) -> Result<Map<String, Value>, JoseError> {
    let names: &[&str] = match jwk.key_type() {
        "RSA" => &["kty", "n", "e"],
        "EC" => &["kty", "crv", "x", "y"],
        _ => return Err(JoseError::Key),
    };
    let member = |name: &&str| {
        let value = jwk.parameter(name).cloned().ok_or(JoseError::Key)?;
        Ok(((*name).to_owned(), value))
    };
    names.iter().map(member).collect()
}

/// RFC 7638, section 3: SHA-256 of the required members in alphabetical order.
pub(super) fn thumbprint(public: &Map<String, Value>) -> String {
    let mut names: Vec<&String> = public.keys().collect();
    names.sort();
    let members = names
        .into_iter()
        .map(|name| (name.clone(), public[name].clone()));
    let canonical = Value::Object(members.collect()).to_string();
    b64url(&Sha256::digest(canonical.as_bytes()))
}
