//! Public keys: from and to JWK, SubjectPublicKeyInfo and raw bytes.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
#[cfg(feature = "aws-lc")]
use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::curve::Curve;
use super::{Algorithm, KeyError, sha256};
use crate::encoding::{b64url, b64url_decode};

/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `id-Ed25519` (RFC 8410, section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Members that hold private or symmetric key material (RFC 7518, section 6; RFC 8037, section 2; `priv` of AKP keys).
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A public key that is known to be a valid point, not of small order. Cloning it is cheap.
#[derive(Clone)]
pub struct PublicKey(Arc<Shared>);

struct Shared {
    material: KeyMaterial,
    /// The key as the server's library wants it, parsed at its first use.
    #[cfg(feature = "aws-lc")]
    prepared: OnceLock<aws_lc_rs::signature::ParsedPublicKey>,
}

/// The bytes of a [`PublicKey`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyMaterial {
    /// Uncompressed SEC1 point: `04 || x || y`.
    P256([u8; 65]),
    /// Uncompressed SEC1 point: `04 || x || y`.
    P384([u8; 97]),
    /// Uncompressed SEC1 point: `04 || x || y`.
    P521([u8; 133]),
    /// RFC 8032 encoding.
    Ed25519([u8; 32]),
}

impl KeyMaterial {
    /// The uncompressed point, or the 32 bytes of Ed25519.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::P256(point) => point,
            Self::P384(point) => point,
            Self::P521(point) => point,
            Self::Ed25519(key) => key,
        }
    }
}

impl PublicKey {
    pub(super) fn new(material: KeyMaterial) -> Self {
        Self(Arc::new(Shared {
            material,
            #[cfg(feature = "aws-lc")]
            prepared: OnceLock::new(),
        }))
    }

    #[cfg(feature = "aws-lc")]
    pub(super) fn prepared(&self) -> &OnceLock<aws_lc_rs::signature::ParsedPublicKey> {
        &self.0.prepared
    }

    /// The bytes, for implementations of [`super::CryptoProvider`].
    #[must_use]
    pub fn material(&self) -> &KeyMaterial {
        &self.0.material
    }

    /// The one algorithm this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0.material {
            KeyMaterial::P256(_) => Algorithm::Es256,
            KeyMaterial::P384(_) => Algorithm::Es384,
            KeyMaterial::P521(_) => Algorithm::Es512,
            KeyMaterial::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Reads a public JWK (RFC 7517, RFC 8037). Private members are refused, members that do not matter here ignored.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        Self::from_members(jwk.as_object().ok_or(KeyError::Invalid)?)
    }

    pub(crate) fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        // OpenID4VCI 1.0, appendix F.4; RFC 9449, section 4.3: no private key.
        if has_private_members(members) {
            return Err(KeyError::PrivateMaterial);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        match (text("kty"), text("crv")) {
            (Some("EC"), Some(name)) => {
                let curve = Curve::from_name(name).ok_or(KeyError::Unsupported)?;
                let mut point = Vec::with_capacity(1 + 2 * curve.width());
                point.push(4);
                point.extend(coordinate(text("x"), curve.width())?);
                point.extend(coordinate(text("y"), curve.width())?);
                Ok(Self::new(curve.read_sec1(&point)?))
            }
            (Some("OKP"), Some("Ed25519")) => Self::from_ed25519(&coordinate(text("x"), 32)?),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// The JWK with its required members alone.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        match self.ec() {
            Some((curve, x, y)) => {
                json!({"kty": "EC", "crv": curve.name(), "x": b64url(x), "y": b64url(y)})
            }
            None => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": b64url(self.material().as_bytes())})
            }
        }
    }

    /// JWK thumbprint (RFC 7638) with SHA-256, base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // RFC 7638, section 3.2 and RFC 8037, section 2: required members in lexicographic order.
        let canonical = match self.ec() {
            Some((curve, x, y)) => {
                let (name, x, y) = (curve.name(), b64url(x), b64url(y));
                format!(r#"{{"crv":"{name}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            None => {
                let x = b64url(self.material().as_bytes());
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)
            }
        };
        b64url(&sha256(canonical.as_bytes()))
    }

    /// Curve and coordinates of an ECDSA key.
    fn ec(&self) -> Option<(Curve, &[u8], &[u8])> {
        let curve = self.algorithm().curve()?;
        let (x, y) = self.material().as_bytes()[1..].split_at(curve.width());
        Some((curve, x, y))
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
                let curve = Curve::from_oid(curve).ok_or(KeyError::Unsupported)?;
                Ok(Self::new(curve.read_sec1(key)?))
            }
            ED25519 if spki.algorithm.parameters.is_none() => Self::from_ed25519(key),
            ED25519 => Err(KeyError::Invalid),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// P-256: SEC1 point, uncompressed (65 bytes) or compressed (33 bytes).
    pub fn from_p256_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        Curve::P256.read_sec1(bytes).map(Self::new)
    }

    /// P-384: SEC1 point, uncompressed (97 bytes) or compressed (49 bytes).
    pub fn from_p384_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        Curve::P384.read_sec1(bytes).map(Self::new)
    }

    /// P-521: SEC1 point, uncompressed (133 bytes) or compressed (67 bytes).
    pub fn from_p521_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        Curve::P521.read_sec1(bytes).map(Self::new)
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

    /// Compressed SEC1 point (33, 49 or 67 bytes) or the 32 bytes of Ed25519, as multicodec wants them.
    #[must_use]
    pub fn compressed(&self) -> Vec<u8> {
        match self.ec() {
            Some((_, x, y)) => {
                // SEC 1, section 2.3.3: 02 for an even y, 03 for an odd one.
                let odd = y.last().is_some_and(|byte| byte & 1 == 1);
                let mut out = Vec::with_capacity(1 + x.len());
                out.push(if odd { 3 } else { 2 });
                out.extend_from_slice(x);
                out
            }
            None => self.material().as_bytes().to_vec(),
        }
    }
}

/// Whether a JWK has a member that is private or symmetric key material.
#[must_use]
pub fn has_private_members(jwk: &Map<String, Value>) -> bool {
    PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name))
}

/// RFC 7518, section 6.2.1.2: full size of a coordinate, leading zeros included, nothing more.
fn coordinate(text: Option<&str>, width: usize) -> Result<Vec<u8>, KeyError> {
    let text = text.ok_or(KeyError::Invalid)?;
    if text.len() != (width * 4).div_ceil(3) {
        return Err(KeyError::Invalid);
    }
    b64url_decode(text).map_err(|_| KeyError::Invalid)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.material == other.0.material
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.material.hash(state);
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
