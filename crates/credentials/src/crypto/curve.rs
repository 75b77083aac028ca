//! The NIST curves: what differs between them, in one place.

use x509_cert::der::oid::ObjectIdentifier;
use zeroize::Zeroizing;

use super::{Algorithm, CryptoError, KeyError, KeyMaterial};

/// A curve of SP 800-186 that ECDSA keys of this system may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(super) const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// `crv` of a JWK (RFC 7518, section 6.2.1.1).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The curve with this `crv`, compared byte by byte.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// `secp256r1`, `secp384r1`, `secp521r1` (RFC 5480, section 2.1.1.1).
    pub(super) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
            Self::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
            Self::P521 => ObjectIdentifier::new_unwrap("1.3.132.0.35"),
        }
    }

    /// The curve with this object identifier.
    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.oid() == oid)
    }

    /// Bytes of a coordinate, of a scalar, and of each half of a signature.
    pub(super) const fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Reads a SEC1 point: uncompressed or compressed, nothing hybrid, never the point at infinity.
    pub(super) fn read_sec1(self, bytes: &[u8]) -> Result<KeyMaterial, KeyError> {
        // SEC 1, section 2.3.4.
        let right_shape = match bytes.first() {
            Some(4) => bytes.len() == 1 + 2 * self.width(),
            Some(2 | 3) => bytes.len() == 1 + self.width(),
            _ => false,
        };
        if !right_shape {
            return Err(KeyError::Invalid);
        }
        match self {
            Self::P256 => p256::read_sec1(bytes),
            Self::P384 => p384::read_sec1(bytes),
            Self::P521 => p521::read_sec1(bytes),
        }
    }
}

impl Algorithm {
    /// The curve of an ECDSA algorithm.
    pub(super) const fn curve(self) -> Option<Curve> {
        match self {
            Self::Es256 => Some(Curve::P256),
            Self::Es384 => Some(Curve::P384),
            Self::Es512 => Some(Curve::P521),
            Self::EdDsa => None,
        }
    }
}

/// The same functions over each of the crates, which share no object-safe interface.
macro_rules! functions_of_curve {
    ($curve:ident, $material:ident, $width:literal, $top_mask:literal) => {
        pub(super) mod $curve {
            use ::$curve::PublicKey;
            use ::$curve::ecdsa::signature::{Signer as _, Verifier as _};
            use ::$curve::ecdsa::{Signature, VerifyingKey};
            use ::$curve::elliptic_curve::sec1::ToSec1Point as _;
            use ::$curve::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, SecretDocument};

            use super::{CryptoError, KeyError, KeyMaterial, Zeroizing};
            use crate::random::Rng;

            /// A private key; erases itself when dropped.
            pub(in crate::crypto) type SecretKey = ::$curve::ecdsa::SigningKey;

            pub(super) fn read_sec1(bytes: &[u8]) -> Result<KeyMaterial, KeyError> {
                let key = PublicKey::from_sec1_bytes(bytes).map_err(|_| KeyError::Invalid)?;
                material(&key)
            }

            pub(in crate::crypto) fn material(key: &PublicKey) -> Result<KeyMaterial, KeyError> {
                let point = key.as_affine().to_sec1_point(false);
                let point = point.as_bytes().try_into().map_err(|_| KeyError::Invalid)?;
                Ok(KeyMaterial::$material(point))
            }

            /// A JOSE signature (RFC 7518, section 3.4): `r || s`, never DER. Zero and too large values fail.
            pub(in crate::crypto) fn verify_fixed(
                point: &[u8],
                message: &[u8],
                signature: &[u8],
            ) -> Result<(), CryptoError> {
                verify(point, message, Signature::from_slice(signature))
            }

            /// A signature of a certificate (RFC 5758, section 3.2): DER.
            pub(in crate::crypto) fn verify_der(
                point: &[u8],
                message: &[u8],
                signature: &[u8],
            ) -> Result<(), CryptoError> {
                verify(point, message, Signature::from_der(signature))
            }

            fn verify<E>(
                point: &[u8],
                message: &[u8],
                signature: Result<Signature, E>,
            ) -> Result<(), CryptoError> {
                let signature = signature.map_err(|_| CryptoError::BadSignature)?;
                let key = VerifyingKey::from_sec1_bytes(point).map_err(|_| CryptoError::BadKey)?;
                key.verify(message, &signature)
                    .map_err(|_| CryptoError::BadSignature)
            }

            /// A uniform private key.
            pub(in crate::crypto) fn generate(rng: &dyn Rng) -> ::$curve::SecretKey {
                let mut bytes = Zeroizing::new([0; $width]);
                loop {
                    rng.fill(&mut *bytes);
                    bytes[0] &= $top_mask;
                    // Fails for zero and for values not below the group order.
                    if let Ok(key) = ::$curve::SecretKey::from_slice(&*bytes) {
                        return key;
                    }
                }
            }

            /// RFC 6979: deterministic, so no random source can leak the key.
            pub(in crate::crypto) fn sign(key: &SecretKey, message: &[u8]) -> Vec<u8> {
                let signature: Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }

            pub(in crate::crypto) fn public(key: &SecretKey) -> Result<KeyMaterial, KeyError> {
                material(&key.verifying_key().into())
            }

            pub(in crate::crypto) fn from_pkcs8(der: &[u8]) -> Option<SecretKey> {
                let key = ::$curve::SecretKey::from_pkcs8_der(der).ok()?;
                Some(key.into())
            }

            pub(in crate::crypto) fn to_pkcs8(
                key: &SecretKey,
            ) -> Result<SecretDocument, ::$curve::pkcs8::Error> {
                key.to_pkcs8_der()
            }

            /// The scalar, big endian, in the full width.
            #[cfg(feature = "aws-lc")]
            pub(in crate::crypto) fn scalar(key: &SecretKey) -> Zeroizing<Vec<u8>> {
                Zeroizing::new(key.to_bytes().to_vec())
            }
        }
    };
}

functions_of_curve!(p256, P256, 32, 0xff);
functions_of_curve!(p384, P384, 48, 0xff);
// The group order has 521 bits.
functions_of_curve!(p521, P521, 66, 0x01);
