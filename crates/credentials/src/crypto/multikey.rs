//! Multikey (W3C Controlled Identifiers 1.0, section 2.2.2): multibase text of a multicodec key.

use multibase::Base;

use super::{KeyError, KeyMaterial, PublicKey};

/// Multicodec prefixes as unsigned varints; only the shortest form of each is read.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];
const X25519_PUB: [u8; 2] = [0xec, 0x01];
const SECP256K1_PUB: [u8; 2] = [0xe7, 0x01];
const BLS12381_G2_PUB: [u8; 2] = [0xeb, 0x01];
const P256_PUB: [u8; 2] = [0x80, 0x24];
const P384_PUB: [u8; 2] = [0x81, 0x24];
const P521_PUB: [u8; 2] = [0x82, 0x24];

/// `ed25519-priv` 0x1300, `secp256k1-priv` 0x1301, `x25519-priv` 0x1302, `p256-priv` 0x1306 to `p521-priv` 0x1308,
/// `bls12_381-g2-priv` 0x130a.
const PRIVATE: [[u8; 2]; 7] = [
    [0x80, 0x26],
    [0x81, 0x26],
    [0x82, 0x26],
    [0x86, 0x26],
    [0x87, 0x26],
    [0x88, 0x26],
    [0x8a, 0x26],
];

/// Longest text that is decoded: an RSA key of 4096 bits, to be told apart as unsupported.
/// Base58 takes time in the square of the length.
const MAX_LENGTH: usize = 800;

/// A public key of a verification method.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Multikey {
    /// A key that verifies JOSE, COSE and Data Integrity signatures.
    Signature(PublicKey),
    /// For key agreement. Kept as it is: nothing here agrees with it.
    X25519([u8; 32]),
    /// Compressed point. Its form alone is checked: no signature of this curve is verified here.
    Secp256k1([u8; 33]),
    /// Compressed point of the second group. That it lies in the group is checked where BBS signatures are verified.
    Bls12381G2([u8; 96]),
}

impl Multikey {
    /// Reads `publicKeyMultibase` or what follows `did:key:`. Other bases than base58btc, longer forms of a
    /// prefix, private keys, RSA keys and points off their curve are refused, so every key has exactly one text.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] for other kinds of keys, [`KeyError::PrivateMaterial`] for private ones.
    pub fn decode(text: &str) -> Result<Self, KeyError> {
        // Controlled Identifiers 1.0, section 2.2.2: base58btc, whose prefix is `z`.
        if !text.starts_with('z') || text.len() > MAX_LENGTH {
            return Err(KeyError::Invalid);
        }
        let (_, bytes) = multibase::decode(text).map_err(|_| KeyError::Invalid)?;
        Self::from_multicodec(&bytes)
    }

    /// Reads prefix and key, without multibase.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn from_multicodec(bytes: &[u8]) -> Result<Self, KeyError> {
        let (codec, raw) = bytes.split_first_chunk::<2>().ok_or(KeyError::Invalid)?;
        match *codec {
            ED25519_PUB => PublicKey::from_ed25519(raw).map(Self::Signature),
            // Compressed points only; the same key has no second text.
            P256_PUB if raw.len() == 33 => PublicKey::from_p256_sec1(raw).map(Self::Signature),
            P384_PUB if raw.len() == 49 => PublicKey::from_p384_sec1(raw).map(Self::Signature),
            P521_PUB if raw.len() == 67 => PublicKey::from_p521_sec1(raw).map(Self::Signature),
            P256_PUB | P384_PUB | P521_PUB => Err(KeyError::Invalid),
            X25519_PUB => array(raw).map(Self::X25519),
            SECP256K1_PUB if matches!(raw.first(), Some(2 | 3)) => array(raw).map(Self::Secp256k1),
            SECP256K1_PUB => Err(KeyError::Invalid),
            BLS12381_G2_PUB => array(raw).map(Self::Bls12381G2),
            codec if PRIVATE.contains(&codec) => Err(KeyError::PrivateMaterial),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// The text, `z…`.
    #[must_use]
    pub fn encode(&self) -> String {
        multibase::encode(Base::Base58Btc, self.to_multicodec())
    }

    /// Prefix and key, without multibase.
    #[must_use]
    pub fn to_multicodec(&self) -> Vec<u8> {
        let (codec, raw) = match self {
            Self::Signature(key) => (codec_of(key), key.compressed()),
            Self::X25519(key) => (X25519_PUB, key.to_vec()),
            Self::Secp256k1(key) => (SECP256K1_PUB, key.to_vec()),
            Self::Bls12381G2(key) => (BLS12381_G2_PUB, key.to_vec()),
        };
        [&codec[..], &raw].concat()
    }

    /// The key, if it is one that verifies JOSE, COSE and Data Integrity signatures.
    #[must_use]
    pub const fn signature_key(&self) -> Option<&PublicKey> {
        match self {
            Self::Signature(key) => Some(key),
            Self::X25519(_) | Self::Secp256k1(_) | Self::Bls12381G2(_) => None,
        }
    }
}

impl From<PublicKey> for Multikey {
    fn from(key: PublicKey) -> Self {
        Self::Signature(key)
    }
}

fn codec_of(key: &PublicKey) -> [u8; 2] {
    match key.material() {
        KeyMaterial::P256(_) => P256_PUB,
        KeyMaterial::P384(_) => P384_PUB,
        KeyMaterial::P521(_) => P521_PUB,
        KeyMaterial::Ed25519(_) => ED25519_PUB,
    }
}

fn array<const N: usize>(raw: &[u8]) -> Result<[u8; N], KeyError> {
    raw.try_into().map_err(|_| KeyError::Invalid)
}
