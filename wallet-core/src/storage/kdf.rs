//! From a passphrase to a key: Argon2id (RFC 9106) within bounds.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::StorageError;

/// Cost of deriving the key from the passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl KdfParams {
    /// RFC 9106, section 4, second recommended option: 64 MiB, 3 passes,
    /// 4 lanes.
    pub const RECOMMENDED: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 4,
    };

    /// The least this wallet accepts: 19 MiB, 2 passes, 1 lane.
    pub const MINIMUM: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };

    const MAX_MEMORY_KIB: u32 = 1024 * 1024;
    const MAX_PASSES: u32 = 16;
    const MAX_LANES: u32 = 8;

    /// Parameters within bounds: at least [`KdfParams::MINIMUM`], at most
    /// 1 GiB, 16 passes and 8 lanes. Stored parameters pass through here
    /// before any work is done with them.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, StorageError> {
        let memory_ok = (Self::MINIMUM.memory_kib..=Self::MAX_MEMORY_KIB).contains(&memory_kib);
        let passes_ok = (Self::MINIMUM.passes..=Self::MAX_PASSES).contains(&passes);
        let lanes_ok = (Self::MINIMUM.lanes..=Self::MAX_LANES).contains(&lanes);
        if !(memory_ok && passes_ok && lanes_ok) {
            return Err(StorageError::KdfBounds);
        }
        Ok(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// Whether they cost more than a file of somebody else may ask for: 256 MiB, 8 passes, 4 lanes.
    pub(crate) fn is_costly(self) -> bool {
        self.memory_kib > 256 * 1024 || self.passes > 8 || self.lanes > 4
    }

    pub(crate) fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.memory_kib.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.passes.to_be_bytes());
        bytes[8..].copy_from_slice(&self.lanes.to_be_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; 12]) -> Result<Self, StorageError> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        Self::new(
            u32::from_be_bytes([a, b, c, d]),
            u32::from_be_bytes([e, f, g, h]),
            u32::from_be_bytes([i, j, k, l]),
        )
    }

    pub(crate) fn derive(
        self,
        passphrase: &str,
        salt: &[u8; 16],
    ) -> Result<Zeroizing<[u8; 32]>, StorageError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| StorageError::KdfBounds)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), salt, key.as_mut())
            .map_err(|_| StorageError::KdfBounds)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_439_bounds_are_enforced_before_derivation() {
        let mib = 1024;
        for (memory, passes, lanes) in [
            (8, 3, 1),
            (64 * mib * mib, 3, 1),
            (64 * mib, 0, 1),
            (64 * mib, u32::MAX, 1),
            (64 * mib, 3, 0),
            (64 * mib, 3, 9),
        ] {
            let result = KdfParams::new(memory, passes, lanes);
            assert!(
                matches!(result, Err(StorageError::KdfBounds)),
                "{memory} {passes} {lanes}"
            );
        }
        assert!(KdfParams::new(64 * mib, 3, 4).is_ok());
    }

    #[test]
    fn parameters_survive_their_encoding() {
        let bytes = KdfParams::RECOMMENDED.to_bytes();
        assert_eq!(
            KdfParams::from_bytes(bytes).unwrap(),
            KdfParams::RECOMMENDED
        );
    }
}
