//! The journal of one transaction: all its changes in one file.

use sha2::{Digest, Sha256};

use crate::storage::{Collection, RecordId, RecordName, StorageError, Write};

const MAGIC: &[u8; 4] = b"VSJ1";

/// Encodes a batch: magic, count, then per change its kind, name and bytes,
/// then a SHA-256 over all of it.
pub(super) fn encode(batch: &[Write]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    push_len(&mut out, batch.len());
    for write in batch {
        let (kind, name, bytes) = match write {
            Write::Put(name, bytes) => (b'P', name, bytes.as_slice()),
            Write::Delete(name) => (b'D', name, &[][..]),
        };
        out.push(kind);
        for part in [
            name.collection.as_str().as_bytes(),
            name.id.as_str().as_bytes(),
            bytes,
        ] {
            push_len(&mut out, part.len());
            out.extend_from_slice(part);
        }
    }
    let checksum = Sha256::digest(&out);
    out.extend_from_slice(&checksum);
    out
}

/// Decodes what [`encode`] wrote; anything else is an error.
pub(super) fn decode(journal: &[u8]) -> Result<Vec<Write>, StorageError> {
    let (body, checksum) = journal
        .split_last_chunk::<32>()
        .ok_or(StorageError::DamagedJournal)?;
    if Sha256::digest(body)[..] != *checksum {
        return Err(StorageError::DamagedJournal);
    }
    let mut reader = Reader(
        body.strip_prefix(MAGIC)
            .ok_or(StorageError::DamagedJournal)?,
    );
    let count = reader.len()?;
    let mut batch = Vec::new();
    for _ in 0..count {
        batch.push(reader.write()?);
    }
    if reader.0.is_empty() {
        Ok(batch)
    } else {
        Err(StorageError::DamagedJournal)
    }
}

fn push_len(out: &mut Vec<u8>, len: usize) {
    // A batch is far below 2^64 bytes, so the conversion cannot saturate.
    out.extend_from_slice(&u64::try_from(len).unwrap_or(u64::MAX).to_be_bytes());
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn len(&mut self) -> Result<usize, StorageError> {
        let (len, rest) = self
            .0
            .split_first_chunk::<8>()
            .ok_or(StorageError::DamagedJournal)?;
        self.0 = rest;
        usize::try_from(u64::from_be_bytes(*len)).map_err(|_| StorageError::DamagedJournal)
    }

    fn bytes(&mut self) -> Result<&'a [u8], StorageError> {
        let len = self.len()?;
        let (bytes, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(StorageError::DamagedJournal)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'a str, StorageError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| StorageError::DamagedJournal)
    }

    fn write(&mut self) -> Result<Write, StorageError> {
        let (kind, rest) = self.0.split_first().ok_or(StorageError::DamagedJournal)?;
        self.0 = rest;
        let folder = self.text()?;
        let collection = Collection::ALL
            .into_iter()
            .find(|c| c.as_str() == folder)
            .ok_or(StorageError::DamagedJournal)?;
        let name = RecordName::new(collection, RecordId::parse(self.text()?)?);
        let bytes = self.bytes()?.to_vec();
        match kind {
            b'P' => Ok(Write::Put(name, bytes)),
            b'D' => Ok(Write::Delete(name)),
            _ => Err(StorageError::DamagedJournal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_refuses_every_damaged_byte_and_cut() {
        let name = RecordName::new(Collection::Keys, RecordId::parse("a1").unwrap());
        let batch = vec![Write::Put(name.clone(), b"x".to_vec()), Write::Delete(name)];
        let good = encode(&batch);
        assert_eq!(decode(&good).unwrap(), batch);
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1;
            assert!(
                matches!(decode(&bad), Err(StorageError::DamagedJournal)),
                "byte {i}"
            );
            assert!(
                matches!(decode(&good[..i]), Err(StorageError::DamagedJournal)),
                "cut {i}"
            );
        }
    }
}
