//! The file around a backup: a header and sealed chunks, each checked before a byte of it is used.
//!
//! Header: `VSBK`, version (2), parameters of Argon2id (12), salt (16), proof (32), SHA-256 of all
//! that (32). Key and proof are derived from the passphrase and the whole header before the proof,
//! so a header that was altered opens nothing. Then chunks of 64 KiB and their tags (AES-256-GCM);
//! the nonce is the number of the chunk and whether it is the last, so chunks cannot change places
//! and an end cannot be cut off (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizar).

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use super::BackupError;
use crate::storage::KdfParams;

const MAGIC: &[u8; 4] = b"VSBK";
/// Version 1 had nothing of the dealings with issuers.
const VERSION: u16 = 2;
const SIGNED: usize = 4 + 2 + 12 + 16;
const PROOF: usize = 32;
/// Length of a header.
pub(super) const HEADER: usize = SIGNED + PROOF + 32;
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
/// The most bytes of content: what a phone can hold in memory, and the store takes in one commit.
pub(super) const MAX_CONTENT: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// The keys of one file.
struct Keys {
    cipher: Aes256Gcm,
    proof: [u8; PROOF],
}

impl Keys {
    fn derive(signed: &[u8], params: KdfParams, passphrase: &str) -> Result<Self, BackupError> {
        let salt = signed.last_chunk::<16>().ok_or(BackupError::Damaged)?;
        let master = params
            .derive(passphrase, salt)
            .map_err(|_| BackupError::KdfBounds)?;
        let expand = |what: &[u8]| {
            let mut out = Zeroizing::new([0; 32]);
            let info = [what, Sha256::digest(signed).as_slice()].concat();
            // Only lengths above 255 hashes fail.
            let _ = Hkdf::<Sha256>::new(None, master.as_ref()).expand(&info, out.as_mut());
            out
        };
        Ok(Self {
            cipher: Aes256Gcm::new(&(*expand(b"vouchsafe backup content")).into()),
            proof: *expand(b"vouchsafe backup header"),
        })
    }
}

fn nonce(number: u64, last: bool) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    let (_, tail) = nonce.split_at_mut(3);
    for (place, byte) in tail.iter_mut().zip(number.to_be_bytes()) {
        *place = byte;
    }
    if let Some(flag) = nonce.last_mut() {
        *flag = u8::from(last);
    }
    Nonce::from(nonce)
}

/// Seals content into chunks.
pub(super) struct Sealer {
    cipher: Aes256Gcm,
    number: u64,
    written: usize,
    waiting: Zeroizing<Vec<u8>>,
}

impl Sealer {
    /// A sealer and the header.
    pub(super) fn new(
        passphrase: &str,
        params: KdfParams,
        rng: &dyn Rng,
    ) -> Result<(Self, Vec<u8>), BackupError> {
        let mut salt = [0; 16];
        rng.fill(&mut salt);
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&VERSION.to_be_bytes());
        header.extend_from_slice(&params.to_bytes());
        header.extend_from_slice(&salt);
        let keys = Keys::derive(&header, params, passphrase)?;
        header.extend_from_slice(&keys.proof);
        let checksum = Sha256::digest(&header);
        header.extend_from_slice(&checksum);
        let sealer = Self {
            cipher: keys.cipher,
            number: 0,
            written: 0,
            waiting: Zeroizing::new(Vec::with_capacity(2 * CHUNK)),
        };
        Ok((sealer, header))
    }

    /// Takes content in.
    pub(super) fn push(&mut self, content: &[u8]) -> Result<(), BackupError> {
        self.written = self.written.saturating_add(content.len());
        if self.written > MAX_CONTENT {
            return Err(BackupError::TooLarge);
        }
        self.waiting.extend_from_slice(content);
        Ok(())
    }

    /// The chunks that are full. One that might be the last stays.
    pub(super) fn full_chunks(&mut self) -> Result<Vec<u8>, BackupError> {
        let mut out = Vec::new();
        while self.waiting.len() > CHUNK {
            let rest = Zeroizing::new(self.waiting.split_off(CHUNK));
            let chunk = std::mem::replace(&mut self.waiting, rest);
            out.extend(self.seal(&chunk, false)?);
        }
        Ok(out)
    }

    /// The last chunk.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, BackupError> {
        let mut out = self.full_chunks()?;
        let last = std::mem::take(&mut self.waiting);
        out.extend(self.seal(&last, true)?);
        Ok(out)
    }

    fn seal(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>, BackupError> {
        let sealed = self.cipher.encrypt(&nonce(self.number, last), chunk);
        self.number += 1;
        sealed.map_err(|_| BackupError::TooLarge)
    }
}

/// Checks a header and opens chunks, as they come.
pub(super) struct Opener {
    cipher: Aes256Gcm,
    number: u64,
    opened: usize,
    waiting: Vec<u8>,
}

impl Opener {
    /// Reads a header. Nothing is derived before its parameters are within bounds.
    pub(super) fn new(header: &[u8], passphrase: &str) -> Result<Self, BackupError> {
        let params = check_header(header)?;
        let (signed, rest) = header
            .split_at_checked(SIGNED)
            .ok_or(BackupError::Damaged)?;
        let keys = Keys::derive(signed, params, passphrase)?;
        // The proof is no secret: it stands in the file.
        if rest.get(..PROOF) != Some(keys.proof.as_slice()) {
            return Err(BackupError::WrongPassphrase);
        }
        Ok(Self {
            cipher: keys.cipher,
            number: 0,
            opened: 0,
            waiting: Vec::new(),
        })
    }

    /// As [`Opener::new`], deriving the key once for a file that is tried often.
    #[cfg(test)]
    pub(super) fn new_for_tests(header: &[u8], passphrase: &str) -> Self {
        use std::collections::BTreeMap;
        use std::sync::Mutex;
        static KNOWN: Mutex<BTreeMap<Vec<u8>, Aes256Gcm>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap();
        let opened = |cipher| Self {
            cipher,
            number: 0,
            opened: 0,
            waiting: Vec::new(),
        };
        if let Some(cipher) = known.get(header) {
            return opened(cipher.clone());
        }
        let opener = Self::new(header, passphrase).unwrap();
        known.insert(header.to_vec(), opener.cipher.clone());
        opener
    }

    /// Takes bytes of the file and returns the content that is complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        self.waiting.extend_from_slice(bytes);
        let mut content = Zeroizing::new(Vec::new());
        // What follows shows that a chunk is not the last.
        while self.waiting.len() > CHUNK + TAG {
            let rest = self.waiting.split_off(CHUNK + TAG);
            let chunk = std::mem::replace(&mut self.waiting, rest);
            content.extend_from_slice(&self.open(&chunk, false)?);
        }
        Ok(content)
    }

    /// The content of the last chunk.
    pub(super) fn finish(mut self) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let last = std::mem::take(&mut self.waiting);
        self.open(&last, true)
    }

    fn open(&mut self, chunk: &[u8], last: bool) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let opened = self.cipher.decrypt(&nonce(self.number, last), chunk);
        let content = opened.map_err(|_| BackupError::Damaged)?;
        self.number += 1;
        self.opened = self.opened.saturating_add(content.len());
        if self.opened > MAX_CONTENT {
            return Err(BackupError::TooLarge);
        }
        Ok(Zeroizing::new(content))
    }
}

/// Reads what stands in a header, without the passphrase.
pub(super) fn check_header(header: &[u8]) -> Result<KdfParams, BackupError> {
    let rest = header.strip_prefix(MAGIC).ok_or(BackupError::NotABackup)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(BackupError::Damaged)?;
    match u16::from_be_bytes(*version) {
        0 => return Err(BackupError::Damaged),
        1..=VERSION => {}
        _ => return Err(BackupError::TooNew),
    }
    let (body, checksum) = header
        .split_at_checked(SIGNED + PROOF)
        .ok_or(BackupError::Damaged)?;
    if Sha256::digest(body)[..] != *checksum {
        return Err(BackupError::Damaged);
    }
    let (params, _) = rest.split_first_chunk::<12>().ok_or(BackupError::Damaged)?;
    let params = KdfParams::from_bytes(*params).map_err(|_| BackupError::KdfBounds)?;
    // The file is somebody else's until it opens: it may not ask for what stops a phone.
    if params.is_costly() {
        return Err(BackupError::KdfBounds);
    }
    Ok(params)
}
