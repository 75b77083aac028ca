//! Constants and utility operations of the ciphersuite BLS12-381-SHA-256.

use blstrs::{G1Affine, G1Projective, Scalar};
use ff::Field as _;
use sha2::{Digest as _, Sha256};

/// `ciphersuite_id || "H2G_HM2S_"`, the identifier of the interface (section "BBS Signatures Interface").
pub(super) const API_ID: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_";
pub(super) const KEYGEN_DST: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_KEYGEN_DST_";
pub(super) const HASH_TO_SCALAR_DST: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_H2S_";
pub(super) const MAP_DST: &[u8] =
    b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_MAP_MSG_TO_SCALAR_AS_HASH_";
pub(super) const SEED_DST: &[u8] =
    b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_SIG_GENERATOR_SEED_";
pub(super) const GENERATOR_DST: &[u8] =
    b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_SIG_GENERATOR_DST_";
pub(super) const GENERATOR_SEED: &[u8] =
    b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_MESSAGE_GENERATOR_SEED";
/// Where the fixed point P1 comes from (section "BLS12-381 Ciphersuites").
pub(super) const BP_GENERATOR_SEED: &[u8] =
    b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_BP_MESSAGE_GENERATOR_SEED";

/// `expand_len`: bytes that give one scalar.
pub(super) const EXPAND_LEN: usize = 48;
pub(super) const POINT_LENGTH: usize = 48;
pub(super) const SCALAR_LENGTH: usize = 32;

/// `expand_message_xmd` with SHA-256 (RFC 9380, section 5.3.1).
///
/// `None` when `dst` is longer than 255 bytes or `length` above 255 * 32.
#[must_use]
pub fn expand_message(message: &[u8], dst: &[u8], length: usize) -> Option<Vec<u8>> {
    const BLOCK: [u8; 64] = [0; 64];
    let dst_length = u8::try_from(dst.len()).ok()?;
    let blocks = u8::try_from(length.div_ceil(32)).ok()?;
    let length_octets = u16::try_from(length).ok()?.to_be_bytes();

    let first = Sha256::new()
        .chain_update(BLOCK)
        .chain_update(message)
        .chain_update(length_octets)
        .chain_update([0])
        .chain_update(dst)
        .chain_update([dst_length])
        .finalize();
    let mut out = Vec::with_capacity(usize::from(blocks) * 32);
    let mut previous = [0; 32];
    for counter in 1..=blocks {
        for (byte, mixed) in previous.iter_mut().zip(&first) {
            *byte ^= mixed;
        }
        previous = Sha256::new()
            .chain_update(previous)
            .chain_update([counter])
            .chain_update(dst)
            .chain_update([dst_length])
            .finalize()
            .into();
        out.extend_from_slice(&previous);
    }
    out.truncate(length);
    Some(out)
}

/// [`expand_message`] to the bytes of one scalar, with a tag of this module.
pub(super) fn expand(message: &[u8], dst: &'static [u8]) -> [u8; EXPAND_LEN] {
    let bytes = expand_message(message, dst, EXPAND_LEN);
    let bytes = bytes.expect("48 bytes under a tag of less than 256 bytes can be expanded");
    bytes
        .try_into()
        .expect("expand_message gives the length it was asked for")
}

/// "Hash to Scalar".
pub(super) fn hash_to_scalar(message: &[u8], dst: &'static [u8]) -> Scalar {
    wide_to_scalar(&expand(message, dst))
}

/// `OS2IP(bytes) mod r`.
pub(super) fn wide_to_scalar(bytes: &[u8; EXPAND_LEN]) -> Scalar {
    let shift = Scalar::from(1 << 32).square().square();
    let mut sum = Scalar::ZERO;
    for part in bytes.as_chunks::<16>().0 {
        sum = sum * shift + limb(part);
    }
    sum
}

/// A number of 128 bits, which is always below `r`.
fn limb(bytes: &[u8; 16]) -> Scalar {
    let mut wide = [0; SCALAR_LENGTH];
    wide[16..].copy_from_slice(bytes);
    Option::from(Scalar::from_bytes_be(&wide)).expect("a number of 128 bits is below r")
}

/// "Octets to Signature", step 7, and "Octets to Proof", step 14: `0 < s < r`.
pub(super) fn scalar(bytes: &[u8; SCALAR_LENGTH]) -> Option<Scalar> {
    let scalar = Option::from(Scalar::from_bytes_be(bytes))?;
    (scalar != Scalar::ZERO).then_some(scalar)
}

/// A compressed point of G1: on the curve, in the subgroup, not the identity.
pub(super) fn point(bytes: &[u8; POINT_LENGTH]) -> Option<G1Affine> {
    use group::prime::PrimeCurveAffine as _;
    let point: G1Affine = Option::from(G1Affine::from_compressed(bytes))?;
    // blst accepts only the canonical encoding; the comparison keeps that our own rule.
    let canonical = point.to_compressed() == *bytes;
    (canonical && !bool::from(point.is_identity())).then_some(point)
}

/// "Messages to Scalars" for one message.
pub(super) fn message_to_scalar(message: &[u8]) -> Scalar {
    hash_to_scalar(message, MAP_DST)
}

/// `hash_to_curve_g1` for generators.
pub(super) fn generator(seed: &[u8; EXPAND_LEN]) -> G1Projective {
    G1Projective::hash_to_curve(seed, GENERATOR_DST, &[])
}

/// `I2OSP(length, 8)`. Lengths of slices fit 64 bits on every platform we build for.
pub(super) fn octets(number: usize) -> [u8; 8] {
    u64::try_from(number)
        .expect("a length in memory fits 64 bits")
        .to_be_bytes()
}
