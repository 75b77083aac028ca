//! Public keys: from and to JWK, SubjectPublicKeyInfo and raw bytes.

use std::fmt;
use std::hash::{Hash, Hasher};
#[cfg(feature = "aws-lc")]
use std::sync::{Arc, OnceLock};

use p256::elliptic_curve::sec1::ToSec1Point as _;
use serde_json::{Value, json};
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::{Algorithm, KeyError, sha256};
use crate::encoding::{b64url, b64url_decode_array};

/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp256r1` (RFC 5480, section 2.1.1.1).
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// `id-Ed25519` (RFC 8410, section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Members that hold private or symmetric key material (RFC 7518, section 6; RFC 8037, section 2).
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A P-256 or Ed25519 public key that is known to be a valid point, not of small order.
#[derive(Clone)]
pub struct PublicKey {
    material: KeyMaterial,
    /// The key as the server's library wants it, parsed at its first use.
    #[cfg(feature = "aws-lc")]
    pub(super) prepared: Arc<OnceLock<aws_lc_rs::signature::ParsedPublicKey>>,
}

/// The bytes of a [`PublicKey`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyMaterial {
    /// Uncompressed SEC1 point: `04 || x || y`.
    P256([u8; 65]),
    /// RFC 8032 encoding.
    Ed25519([u8; 32]),
}

impl PublicKey {
    pub(super) fn new(material: KeyMaterial) -> Self {
        Self {
            material,
            #[cfg(feature = "aws-lc")]
            prepared: Arc::default(),
        }
    }

    /// The bytes, for implementations of [`super::CryptoProvider`].
    #[must_use]
    pub const fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// The one algorithm this key verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.material {
            KeyMaterial::P256(_) => Algorithm::Es256,
            KeyMaterial::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Reads a public JWK (RFC 7517, RFC 8037). Private members are refused, members that do not matter here ignored.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let members = jwk.as_object().ok_or(KeyError::Invalid)?;
        // OpenID4VCI 1.0, appendix F.4; RFC 9449, section 4.3: no private key.
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(KeyError::PrivateMaterial);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => {
                // RFC 7518, section 6.2.1.2: full size of a coordinate, leading zeros included.
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&coordinate(text("x"))?);
                point[33..].copy_from_slice(&coordinate(text("y"))?);
                Self::from_p256_sec1(&point)
            }
            (Some("OKP"), Some("Ed25519")) => Self::from_ed25519(&coordinate(text("x"))?),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// The JWK with its required members alone.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        match &self.material {
            KeyMaterial::P256(point) => {
                json!({"kty": "EC", "crv": "P-256", "x": b64url(&point[1..33]), "y": b64url(&point[33..])})
            }
            KeyMaterial::Ed25519(key) => json!({"kty": "OKP", "crv": "Ed25519", "x": b64url(key)}),
        }
    }

    /// JWK thumbprint (RFC 7638) with SHA-256, base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // RFC 7638, section 3.2 and RFC 8037, section 2: required members in lexicographic order.
        let canonical = match &self.material {
            KeyMaterial::P256(point) => {
                let (x, y) = (b64url(&point[1..33]), b64url(&point[33..]));
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            KeyMaterial::Ed25519(key) => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64url(key))
            }
        };
        b64url(&sha256(canonical.as_bytes()))
    }

    /// Reads a DER SubjectPublicKeyInfo (RFC 5480, RFC 8410).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| KeyError::Invalid)?;
        let key = spki
            .subject_public_key
            .as_bytes()
            .ok_or(KeyError::Invalid)?;
        match spki.algorithm.oid {
            EC_PUBLIC_KEY => {
                let curve = spki
                    .algorithm
                    .parameters_oid()
                    .map_err(|_| KeyError::Invalid)?;
                if curve != SECP256R1 {
                    return Err(KeyError::Unsupported);
                }
                Self::from_p256_sec1(key)
            }
            ED25519 if spki.algorithm.parameters.is_none() => Self::from_ed25519(key),
            ED25519 => Err(KeyError::Invalid),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// P-256: SEC1 point, uncompressed (65 bytes) or compressed (33 bytes).
    pub fn from_p256_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        if !matches!(
            (bytes.len(), bytes.first()),
            (65, Some(4)) | (33, Some(2 | 3))
        ) {
            return Err(KeyError::Invalid);
        }
        let key = p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| KeyError::Invalid)?;
        Self::from_p256(&key)
    }

    pub(super) fn from_p256(key: &p256::PublicKey) -> Result<Self, KeyError> {
        let point = key.as_affine().to_sec1_point(false);
        let point = point.as_bytes().try_into().map_err(|_| KeyError::Invalid)?;
        Ok(Self::new(KeyMaterial::P256(point)))
    }

    /// Ed25519: 32 bytes (RFC 8032), canonical, not of small order.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Invalid)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Invalid)?;
        // RFC 8032, section 5.1.3: the y coordinate must be below the field prime, and -0 is no x.
        if key.is_weak() || key.to_edwards().compress().to_bytes() != bytes {
            return Err(KeyError::Invalid);
        }
        Ok(Self::new(KeyMaterial::Ed25519(bytes)))
    }

    /// Compressed SEC1 point (33 bytes) or the 32 bytes of Ed25519, as multicodec wants them.
    #[must_use]
    pub fn compressed(&self) -> Vec<u8> {
        match &self.material {
            KeyMaterial::P256(point) => {
                let mut out = Vec::with_capacity(33);
                // SEC 1, section 2.3.3: 02 for an even y, 03 for an odd one.
                out.push(2 | (point[64] & 1));
                out.extend_from_slice(&point[1..33]);
                out
            }
            KeyMaterial::Ed25519(key) => key.to_vec(),
        }
    }
}

fn coordinate(text: Option<&str>) -> Result<[u8; 32], KeyError> {
    b64url_decode_array(text.ok_or(KeyError::Invalid)?).map_err(|_| KeyError::Invalid)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.material.hash(state);
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicKey({} {})",
            self.algorithm().name(),
            self.thumbprint()
        )
    }
}
