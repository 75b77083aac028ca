//! Public keys of verification methods.

use crate::crypto::{KeyError, KeyMaterial, PublicKey};

/// A public key of a verification method.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Multikey {
    /// A key that verifies signatures.
    Signature(PublicKey),
    /// For key agreement.
    X25519([u8; 32]),
    /// Compressed point.
    Secp256k1([u8; 33]),
    /// Compressed point of the second group.
    Bls12381G2([u8; 96]),
}

impl Multikey {
    /// Reads `z…`.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn decode(text: &str) -> Result<Self, KeyError> {
        if !text.starts_with('z') || text.len() > 140 {
            return Err(KeyError::Invalid);
        }
        let (_, bytes) = multibase::decode(text).map_err(|_| KeyError::Invalid)?;
        let (codec, raw) = bytes.split_first_chunk::<2>().ok_or(KeyError::Invalid)?;
        let wrong = |_| KeyError::Invalid;
        match *codec {
            [0xed, 0x01] => PublicKey::from_ed25519(raw).map(Self::Signature),
            [0x80, 0x24] if raw.len() == 33 => PublicKey::from_p256_sec1(raw).map(Self::Signature),
            [0xec, 0x01] => raw.try_into().map(Self::X25519).map_err(wrong),
            [0xe7, 0x01] => raw.try_into().map(Self::Secp256k1).map_err(wrong),
            [0xeb, 0x01] => raw.try_into().map(Self::Bls12381G2).map_err(wrong),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// The text, `z…`.
    #[must_use]
    pub fn encode(&self) -> String {
        let (codec, raw) = match self {
            Self::Signature(key) => match key.material() {
                KeyMaterial::P256(_) => ([0x80, 0x24], key.compressed()),
                KeyMaterial::Ed25519(_) => ([0xed, 0x01], key.compressed()),
            },
            Self::X25519(key) => ([0xec, 0x01], key.to_vec()),
            Self::Secp256k1(key) => ([0xe7, 0x01], key.to_vec()),
            Self::Bls12381G2(key) => ([0xeb, 0x01], key.to_vec()),
        };
        multibase::encode(multibase::Base::Base58Btc, [&codec[..], &raw].concat())
    }
}
