//! Signing and verifying.

use blstrs::{G1Affine, G1Projective, Scalar};
use ff::Field as _;
use group::Group as _;

use super::ciphersuite::{
    HASH_TO_SCALAR_DST, POINT_LENGTH, SCALAR_LENGTH, hash_to_scalar, message_to_scalar, point,
    scalar,
};
use super::generators::Generators;
use super::{BbsError, PublicKey, SIGNATURE_LENGTH, SecretKey};

/// A signature whose point and scalar were checked (which says nothing yet about its messages).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    pub(super) a: G1Affine,
    pub(super) e: Scalar,
}

impl Signature {
    /// "Octets to Signature".
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BbsError> {
        let malformed = BbsError::MalformedSignature;
        let (a, rest) = bytes.split_first_chunk::<POINT_LENGTH>().ok_or(malformed)?;
        let e: &[u8; SCALAR_LENGTH] = rest.try_into().map_err(|_| malformed)?;
        Ok(Self {
            a: point(a).ok_or(malformed)?,
            e: scalar(e).ok_or(malformed)?,
        })
    }

    /// "Signature to Octets".
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIGNATURE_LENGTH] {
        let mut bytes = [0; SIGNATURE_LENGTH];
        bytes[..POINT_LENGTH].copy_from_slice(&self.a.to_compressed());
        bytes[POINT_LENGTH..].copy_from_slice(&self.e.to_bytes_be());
        bytes
    }
}

/// `Sign`: deterministic.
pub fn sign(key: &SecretKey, header: &[u8], messages: &[&[u8]]) -> Result<Signature, BbsError> {
    let generators = Generators::for_messages(messages.len())?;
    let messages: Vec<Scalar> = messages.iter().map(|m| message_to_scalar(m)).collect();

    // CoreSign, step 1.
    let domain = generators.domain(key.public(), messages.len(), header);
    // Step 2.
    let secret = key.to_bytes();
    let mut input =
        zeroize::Zeroizing::new(Vec::with_capacity((messages.len() + 2) * SCALAR_LENGTH));
    input.extend_from_slice(&*secret);
    for message in &messages {
        input.extend_from_slice(&message.to_bytes_be());
    }
    input.extend_from_slice(&domain.to_bytes_be());
    let e = hash_to_scalar(&input, HASH_TO_SCALAR_DST);
    // Steps 3 and 4; SK + e = 0 happens once in 2^255.
    let inverse: Option<Scalar> = (key.scalar() + e).invert().into();
    let inverse = inverse.ok_or(BbsError::SecretKey)?;
    let a = G1Affine::from(commitment(&generators, domain, &messages) * inverse);
    Ok(Signature { a, e })
}

/// `Verify`.
pub fn verify(
    key: &PublicKey,
    signature: &Signature,
    header: &[u8],
    messages: &[&[u8]],
) -> Result<(), BbsError> {
    let generators = Generators::for_messages(messages.len())?;
    let messages: Vec<Scalar> = messages.iter().map(|m| message_to_scalar(m)).collect();
    let domain = generators.domain(key, messages.len(), header);
    let b = commitment(&generators, domain, &messages);
    // CoreVerify, step 3: h(A, W) * h(A * e - B, BP2) = 1, with both signs of the second turned.
    let right = b - signature.a * signature.e;
    if bool::from(right.is_identity()) || !key.pairing_equal(&signature.a, &right.into()) {
        return Err(BbsError::BadSignature);
    }
    Ok(())
}

/// `B = P1 + Q_1 * domain + H_1 * msg_1 + … + H_L * msg_L`.
pub(super) fn commitment(
    generators: &Generators,
    domain: Scalar,
    messages: &[Scalar],
) -> G1Projective {
    let scalars = std::iter::once(domain).chain(messages.iter().copied());
    generators.base() + generators.sum((1..).zip(scalars), &[])
}
