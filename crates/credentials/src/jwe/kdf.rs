//! Concat KDF (RFC 7518, section 4.6.2; NIST SP 800-56A).

use zeroize::Zeroizing;

use super::ContentEncryption;
use crate::crypto::sha256;

/// The content encryption key for direct key agreement.
pub(super) fn derive(
    shared_secret: &[u8; 32],
    enc: ContentEncryption,
    apu: &[u8],
    apv: &[u8],
) -> Zeroizing<Vec<u8>> {
    let length = enc.key_length();
    let mut input = Zeroizing::new(Vec::with_capacity(256));
    // One round of SHA-256 gives all the bits either cipher needs.
    input.extend_from_slice(&1_u32.to_be_bytes());
    input.extend_from_slice(shared_secret);
    // "Direct Key Agreement" mode: AlgorithmID is the value of `enc`.
    for part in [enc.name().as_bytes(), apu, apv] {
        // The header limit keeps every part far below 2^32 bytes.
        input.extend_from_slice(&(part.len() as u32).to_be_bytes());
        input.extend_from_slice(part);
    }
    input.extend_from_slice(&(length as u32).saturating_mul(8).to_be_bytes());
    let mut key = Zeroizing::new(sha256(&input).to_vec());
    key.truncate(length);
    key
}
