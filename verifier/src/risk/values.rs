//! What is counted of a login: seven values in two features, as keyed hashes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use vouchsafe_service::keys::SymmetricKey;

/// A level of detail of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The network address.
    Address,
    /// The autonomous system that announces it.
    Network,
    /// The country that it is registered in.
    Country,
    /// The whole `User-Agent`.
    Agent,
    /// Name and major version of the browser.
    Browser,
    /// Name and version of the operating system.
    System,
    /// Kind of device.
    Device,
}

impl Level {
    /// All of them, in the order of [`Values`].
    pub const ALL: [Self; 7] = [
        Self::Address,
        Self::Network,
        Self::Country,
        Self::Agent,
        Self::Browser,
        Self::System,
        Self::Device,
    ];

    /// Place among [`Self::ALL`], and number in the database.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A feature: the same thing in ever less detail.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    /// Its levels, the finest first, with their weights; the weights sum to one.
    pub levels: &'static [(Level, f64)],
}

impl Feature {
    /// The level with the most detail.
    #[must_use]
    pub fn finest(&self) -> Level {
        self.levels[0].0
    }

    /// The levels with less detail.
    pub fn coarser(&self) -> impl Iterator<Item = Level> + '_ {
        self.levels.iter().skip(1).map(|(level, _)| *level)
    }
}

/// The features and the weights that Wiefling et al. fitted to their public data set (ACM TOPS
/// 2022, doi 10.1145/3546069).
pub const FEATURES: [Feature; 2] = [
    Feature {
        levels: &[
            (Level::Address, 0.6),
            (Level::Network, 0.3),
            (Level::Country, 0.1),
        ],
    },
    Feature {
        levels: &[
            (Level::Agent, 0.538_665_384_055_135_9),
            (Level::Browser, 0.268_045_149_862_566_6),
            (Level::System, 0.188_182_951_001_095_36),
            (Level::Device, 0.005_106_515_081_202_152_5),
        ],
    },
];

/// The values of one login, one for each of [`Level::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Values(pub [u64; 7]);

impl Values {
    /// The value at a level.
    #[must_use]
    pub fn at(&self, level: Level) -> u64 {
        self.0[level.index()]
    }

    /// For the database: 56 bytes, big endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect()
    }

    /// From the database; `None` where it is not 56 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<8>();
        let chunks: &[[u8; 8]; 7] = chunks.try_into().ok()?;
        rest.is_empty()
            .then(|| Self(chunks.map(u64::from_be_bytes)))
    }
}

/// The key under which values are hashed, so that the database tells no address and no browser.
pub struct ValueKey(SymmetricKey);

impl ValueKey {
    /// Wraps a key.
    #[must_use]
    pub fn new(key: SymmetricKey) -> Self {
        Self(key)
    }

    /// Keyed hash of the cookie that a browser is known by.
    #[must_use]
    pub fn device(&self, cookie: &str) -> i64 {
        Self(self.0.child("device"))
            .hash(Level::Agent, cookie)
            .cast_signed()
    }

    /// The first eight bytes of HMAC-SHA-256 of the level and the text. What is not known is a
    /// value as well: the empty text.
    #[must_use]
    pub fn hash(&self, level: Level, text: &str) -> u64 {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose())
            .expect("HMAC takes keys of every length");
        mac.update(&[level as u8]);
        mac.update(text.as_bytes());
        let bytes = mac.finalize().into_bytes();
        let (first, _) = bytes.split_at(8);
        first
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_each_level_is_in_one_feature() {
        let mut seen = Vec::new();
        for feature in FEATURES {
            let sum: f64 = feature.levels.iter().map(|(_, weight)| weight).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
            seen.extend(feature.levels.iter().map(|(level, _)| *level));
        }
        assert_eq!(seen, Level::ALL);
    }

    #[test]
    fn values_come_back_from_their_bytes_and_nothing_else_does() {
        let values = Values([1, u64::MAX, 3, 4, 5, 6, 7]);
        let bytes = values.to_bytes();
        assert_eq!(Values::from_bytes(&bytes), Some(values));
        assert_eq!(Values::from_bytes(&bytes[1..]), None);
        assert_eq!(Values::from_bytes(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(Values::from_bytes(&[]), None);
    }

    #[test]
    fn a_hash_depends_on_key_level_and_text() {
        let key = |byte| ValueKey::new(SymmetricKey::from_token("risk", &format!("{}", byte)));
        let hash = key(1).hash(Level::Country, "NO");
        assert_eq!(hash, key(1).hash(Level::Country, "NO"));
        assert_ne!(hash, key(2).hash(Level::Country, "NO"));
        assert_ne!(hash, key(1).hash(Level::Network, "NO"));
        assert_ne!(hash, key(1).hash(Level::Country, "SE"));
    }
}
