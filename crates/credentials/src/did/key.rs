//! `did:key` (W3C CCG, v0.9): P-256 and Ed25519, multibase base58btc.

use multibase::Base;

use super::DidError;
use crate::crypto::{KeyMaterial, PublicKey};

/// Multicodec `ed25519-pub` (0xed) and `p256-pub` (0x1200) as unsigned varints.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];
const P256_PUB: [u8; 2] = [0x80, 0x24];

/// The `did:key` of a key.
#[must_use]
pub fn encode(key: &PublicKey) -> String {
    format!("did:key:{}", encode_multibase(key))
}

/// The Multikey text of a key (`z…`).
#[must_use]
pub fn encode_multibase(key: &PublicKey) -> String {
    let mut bytes = match key.material() {
        KeyMaterial::P256(_) => P256_PUB,
        KeyMaterial::Ed25519(_) => ED25519_PUB,
    }
    .to_vec();
    bytes.extend_from_slice(&key.compressed());
    multibase::encode(Base::Base58Btc, bytes)
}

/// Reads what follows `did:key:`.
pub(super) fn decode(text: &str) -> Result<PublicKey, DidError> {
    // 48 characters for Ed25519, 49 for P-256; base58 takes time in the square of the length.
    if text.len() > 64 {
        return Err(DidError::InvalidKey);
    }
    let (base, bytes) = multibase::decode(text).map_err(|_| DidError::InvalidKey)?;
    // did:key, section 3.1.2: base58btc and no other base.
    if base != Base::Base58Btc {
        return Err(DidError::InvalidKey);
    }
    let (codec, raw) = bytes.split_first_chunk::<2>().ok_or(DidError::InvalidKey)?;
    let key = match *codec {
        ED25519_PUB => PublicKey::from_ed25519(raw),
        P256_PUB if raw.len() == 33 => PublicKey::from_p256_sec1(raw),
        _ => return Err(DidError::InvalidKey),
    };
    key.map_err(|_| DidError::InvalidKey)
}
