//! Keys.

use std::fmt;
use std::sync::LazyLock;

use blstrs::{Bls12, G1Affine, G2Affine, G2Prepared, G2Projective, Scalar};
use group::Group as _;
use group::prime::PrimeCurveAffine as _;
use pairing::{MillerLoopResult as _, MultiMillerLoop as _};
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use super::ciphersuite::{
    EXPAND_LEN, KEYGEN_DST, SCALAR_LENGTH, expand_message, scalar, wide_to_scalar,
};
use super::{BbsError, PUBLIC_KEY_LENGTH};

/// `-BP2`, prepared for pairings.
static NEGATED_BASE: LazyLock<G2Prepared> = LazyLock::new(|| (-G2Affine::generator()).into());

/// A secret key; erased from memory when dropped.
#[derive(Clone)]
pub struct SecretKey {
    scalar: Zeroizing<[u8; SCALAR_LENGTH]>,
    public: PublicKey,
}

impl SecretKey {
    /// `KeyGen`: from at least 32 secret bytes; `info` makes several keys from the same ones.
    pub fn key_gen(material: &[u8], info: &[u8]) -> Result<Self, BbsError> {
        Self::key_gen_with_dst(material, info, KEYGEN_DST)
    }

    /// `KeyGen` with another domain separation tag than the default of the ciphersuite.
    pub fn key_gen_with_dst(material: &[u8], info: &[u8], dst: &[u8]) -> Result<Self, BbsError> {
        let length = u16::try_from(info.len()).map_err(|_| BbsError::SecretKey)?;
        if material.len() < 32 {
            return Err(BbsError::SecretKey);
        }
        let mut input = Zeroizing::new(Vec::with_capacity(material.len() + 2 + info.len()));
        input.extend_from_slice(material);
        input.extend_from_slice(&length.to_be_bytes());
        input.extend_from_slice(info);
        let wide = Zeroizing::new(expand_message(&input, dst, EXPAND_LEN).unwrap_or_default());
        let wide: &[u8; EXPAND_LEN] = wide.first_chunk().ok_or(BbsError::SecretKey)?;
        Self::from_bytes(&wide_to_scalar(wide).to_bytes_be())
    }

    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut material = Zeroizing::new([0; EXPAND_LEN]);
        loop {
            rng.fill(&mut *material);
            // Fails for a scalar of zero: once in 2^255.
            if let Ok(key) = Self::key_gen(&*material, &[]) {
                return key;
            }
        }
    }

    /// A scalar, big-endian: `0 < SK < r`.
    pub fn from_bytes(bytes: &[u8; SCALAR_LENGTH]) -> Result<Self, BbsError> {
        let secret = scalar(bytes).ok_or(BbsError::SecretKey)?;
        // `SkToPk`.
        let public = PublicKey::from_point(&(G2Projective::generator() * secret).into());
        Ok(Self {
            scalar: Zeroizing::new(*bytes),
            public,
        })
    }

    /// The scalar, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; SCALAR_LENGTH]> {
        self.scalar.clone()
    }

    /// `SkToPk`.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    /// The public key's compressed point.
    #[must_use]
    pub const fn public_key_bytes(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        &self.public.bytes
    }

    pub(super) const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn scalar(&self) -> Scalar {
        scalar(&self.scalar).expect("the constructor checked the scalar")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// A public key: a point of G2 that was checked, prepared for pairings.
///
/// Preparing costs about as much as one pairing: keep the value where one key is used often.
#[derive(Clone)]
pub struct PublicKey {
    bytes: [u8; PUBLIC_KEY_LENGTH],
    prepared: std::sync::Arc<G2Prepared>,
}

impl PublicKey {
    /// "Octets to Public Key".
    pub fn from_bytes(bytes: &[u8; PUBLIC_KEY_LENGTH]) -> Result<Self, BbsError> {
        // Steps 1 to 3: on the curve and in the subgroup.
        let point: Option<G2Affine> = G2Affine::from_compressed(bytes).into();
        let point = point.ok_or(BbsError::PublicKey)?;
        // Step 4, and one encoding for one key.
        if bool::from(point.is_identity()) || point.to_compressed() != *bytes {
            return Err(BbsError::PublicKey);
        }
        Ok(Self::from_point(&point))
    }

    fn from_point(point: &G2Affine) -> Self {
        Self {
            bytes: point.to_compressed(),
            prepared: std::sync::Arc::new((*point).into()),
        }
    }

    /// The compressed point.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        &self.bytes
    }

    /// `h(a, W) * h(b, -BP2) == 1`: one Miller loop for both, one final exponentiation.
    pub(super) fn pairing_equal(&self, a: &G1Affine, b: &G1Affine) -> bool {
        let loops = Bls12::multi_miller_loop(&[(a, &*self.prepared), (b, &NEGATED_BASE)]);
        loops.final_exponentiation().is_identity().into()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.bytes).finish()
    }
}
