//! The record that holds the sealed data key.
//!
//! `VSW2`: parameters of the derivation (12), salt (16), attempts allowed (1; 0: no limit), check of
//! the data key (16), nonce (12), sealed data key (48), SHA-256 (32). `VSW1`, of the first version,
//! has neither limit nor check; it is rewritten when it is opened. `VSWX` is what stays when the
//! attempts are used up: no key.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use super::key::VaultKey;
use crate::storage::{Collection, KdfParams, RecordId, RecordName, StorageError};

const FIRST: &[u8; 4] = b"VSW1";
const CURRENT: &[u8; 4] = b"VSW2";
const ERASED: &[u8; 4] = b"VSWX";
const NONCE: usize = 12;
const WRAPPED_KEY: usize = 32 + 16;

/// The key that seals the data key.
pub(super) type WrappingKey = Zeroizing<[u8; 32]>;

/// A header that was read.
pub(super) struct Header {
    params: KdfParams,
    salt: [u8; 16],
    limit: Option<u8>,
    check: Option<[u8; 16]>,
    nonce: [u8; NONCE],
    wrapped: [u8; WRAPPED_KEY],
    // Everything before the nonce: what the sealed key is bound to.
    aad: Vec<u8>,
}

pub(super) fn name() -> RecordName {
    RecordName::new(Collection::Meta, RecordId::from_bytes(&[0]))
}

/// What is left of a header whose attempts are used up.
pub(super) fn erased() -> Vec<u8> {
    ERASED.to_vec()
}

pub(super) fn is_erased(bytes: &[u8]) -> bool {
    bytes == ERASED
}

impl Header {
    /// Reads a header; parameters of a derivation are within their bounds afterwards.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, StorageError> {
        let damaged = || StorageError::Damaged(name());
        if is_erased(bytes) {
            return Err(StorageError::AttemptsExhausted);
        }
        let (magic, _) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
        let extra = match magic {
            FIRST => 0,
            CURRENT => 1 + 16,
            _ => return Err(StorageError::UnknownFormat),
        };
        let body = 4 + 12 + 16 + extra + NONCE + WRAPPED_KEY;
        let (body, checksum) = bytes.split_at_checked(body).ok_or_else(damaged)?;
        if Sha256::digest(body)[..] != *checksum {
            return Err(damaged());
        }
        let (_, rest) = body.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (params, rest) = rest.split_first_chunk::<12>().ok_or_else(damaged)?;
        let (salt, rest) = rest.split_first_chunk::<16>().ok_or_else(damaged)?;
        let (extra, rest) = rest.split_at_checked(extra).ok_or_else(damaged)?;
        let (nonce, wrapped) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        let (limit, check) = match extra.split_first() {
            None => (None, None),
            Some((limit, check)) => (
                Some(*limit).filter(|limit| *limit > 0),
                Some(check.try_into().map_err(|_| damaged())?),
            ),
        };
        let aad_len = 4 + 12 + 16 + extra.len();
        Ok(Self {
            params: KdfParams::from_bytes(*params)?,
            salt: *salt,
            limit,
            check,
            nonce: *nonce,
            wrapped: wrapped.try_into().map_err(|_| damaged())?,
            aad: body.get(..aad_len).ok_or_else(damaged)?.to_vec(),
        })
    }

    /// How many wrong attempts there may be in a row; `None`: any number, with growing pauses.
    pub(super) fn limit(&self) -> Option<u8> {
        self.limit
    }

    /// Whether an older version wrote it, which kept no count of attempts.
    pub(super) fn is_old(&self) -> bool {
        self.check.is_none()
    }

    pub(super) fn derive(&self, secret: &str) -> Result<WrappingKey, StorageError> {
        self.params.derive(secret, &self.salt)
    }

    /// The data key, where the wrapping key is the right one.
    pub(super) fn open(&self, wrapping: &WrappingKey) -> Result<VaultKey, StorageError> {
        let payload = Payload {
            msg: &self.wrapped,
            aad: &self.aad,
        };
        let opened = Aes256Gcm::new(&(**wrapping).into())
            .decrypt(&Nonce::from(self.nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| StorageError::WrongPassphrase)?;
        let key = <[u8; 32]>::try_from(opened.as_slice());
        key.map(VaultKey::from_bytes)
            .map_err(|_| StorageError::Damaged(name()))
    }

    /// Whether a key that did not come out of this header belongs to it.
    pub(super) fn is_key(&self, key: &VaultKey) -> bool {
        self.check.is_some_and(|check| check == key.check())
    }

    /// The same header in today's format.
    pub(super) fn renewed(
        &self,
        key: &VaultKey,
        wrapping: &WrappingKey,
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, StorageError> {
        seal_with(self.params, self.salt, self.limit, key, wrapping, rng)
    }
}

/// Seals a data key under a secret.
pub(super) fn seal(
    secret: &str,
    limit: Option<u8>,
    params: KdfParams,
    key: &VaultKey,
    rng: &dyn Rng,
) -> Result<Vec<u8>, StorageError> {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    let wrapping = params.derive(secret, &salt)?;
    seal_with(params, salt, limit, key, &wrapping, rng)
}

fn seal_with(
    params: KdfParams,
    salt: [u8; 16],
    limit: Option<u8>,
    key: &VaultKey,
    wrapping: &WrappingKey,
    rng: &dyn Rng,
) -> Result<Vec<u8>, StorageError> {
    let mut nonce = [0; NONCE];
    rng.fill(&mut nonce);
    let mut header = CURRENT.to_vec();
    header.extend_from_slice(&params.to_bytes());
    header.extend_from_slice(&salt);
    header.push(limit.unwrap_or(0));
    header.extend_from_slice(&key.check());
    let payload = Payload {
        msg: key.expose_secret(),
        aad: &header,
    };
    let wrapped = Aes256Gcm::new(&(**wrapping).into())
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| StorageError::Damaged(name()))?;
    header.extend_from_slice(&nonce);
    header.extend_from_slice(&wrapped);
    // Tells a damaged header from a wrong passphrase.
    let checksum = Sha256::digest(&header);
    header.extend_from_slice(&checksum);
    Ok(header)
}

/// A header as the first version wrote it.
#[cfg(test)]
pub(super) fn seal_first(
    secret: &str,
    params: KdfParams,
    key: &VaultKey,
    rng: &dyn Rng,
) -> Vec<u8> {
    let (mut salt, mut nonce) = ([0; 16], [0; NONCE]);
    rng.fill(&mut salt);
    rng.fill(&mut nonce);
    let mut header = FIRST.to_vec();
    header.extend_from_slice(&params.to_bytes());
    header.extend_from_slice(&salt);
    let wrapping = params.derive(secret, &salt).unwrap();
    let payload = Payload {
        msg: key.expose_secret(),
        aad: &header,
    };
    let wrapped = Aes256Gcm::new(&(*wrapping).into())
        .encrypt(&Nonce::from(nonce), payload)
        .unwrap();
    header.extend_from_slice(&nonce);
    header.extend_from_slice(&wrapped);
    let checksum = Sha256::digest(&header);
    header.extend_from_slice(&checksum);
    header
}
