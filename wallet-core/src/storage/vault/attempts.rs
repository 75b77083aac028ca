//! How often somebody may try to open a wallet.
//!
//! Each attempt is counted on the disk before the key is derived, so that stopping the program does
//! not save the count; the right secret sets it back. After a few wrong ones each further one waits
//! longer. A wallet behind a PIN has a limit besides: the count alone decides, no clock does.
//!
//! The count lies beside the sealed key. Who can copy the folder can put an old count back, and can
//! try passphrases without this program: against them only the passphrase and Argon2id help.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use vouchsafe_credentials::time::UnixTime;

use crate::storage::{Collection, RecordId, RecordName, Storage, StorageError, Write};

const FORMAT: u8 = 1;
const BODY: usize = 1 + 4 + 8;
/// So many attempts are free of pauses.
const FREE: u32 = 4;
/// The longest pause.
const LONGEST_S: i64 = 3600;
/// The count that is assumed where the record is gone: somebody removed it.
const ASSUMED: u32 = 16;

/// One counter at a time in this process; between processes the storage is open once.
static COUNTING: Mutex<()> = Mutex::new(());

/// Attempts that have begun since the last one that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Attempts {
    count: u32,
    last_at: UnixTime,
}

pub(super) fn counting() -> MutexGuard<'static, ()> {
    COUNTING.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn name() -> RecordName {
    RecordName::new(Collection::Meta, RecordId::from_bytes(&[1]))
}

/// No attempt so far.
pub(super) fn none() -> Write {
    Attempts {
        count: 0,
        last_at: UnixTime(0),
    }
    .write()
}

/// Counts an attempt that begins now, or says why it may not.
pub(super) fn begin(
    storage: &dyn Storage,
    limit: Option<u8>,
    old_format: bool,
    now: UnixTime,
) -> Result<u32, StorageError> {
    let _counting = counting();
    let known = storage
        .get(&name())?
        .and_then(|bytes| Attempts::parse(&bytes));
    let mut attempts = known.unwrap_or(Attempts {
        count: if old_format { 0 } else { ASSUMED },
        last_at: now,
    });
    if limit.is_some_and(|limit| attempts.count >= u32::from(limit)) {
        return Err(StorageError::AttemptsExhausted);
    }
    // A clock that went back does not shorten the pause, and does not make it longer than it is.
    let went_back = now < attempts.last_at;
    if went_back {
        attempts.last_at = now;
    }
    let wait_s = attempts.wait_s(now);
    if wait_s > 0 {
        if went_back || known.is_none() {
            storage.commit(vec![attempts.write()])?;
        }
        return Err(StorageError::TooManyAttempts { wait_s });
    }
    let begun = Attempts {
        count: attempts.count.saturating_add(1),
        last_at: now,
    };
    storage.commit(vec![begun.write()])?;
    Ok(begun.count)
}

impl Attempts {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_at_checked(BODY)?;
        if Sha256::digest(body)[..] != *checksum {
            return None;
        }
        let (format, rest) = body.split_first()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        (*format == FORMAT).then_some(Self {
            count: u32::from_be_bytes(*count),
            last_at: UnixTime(i64::from_be_bytes(rest.try_into().ok()?)),
        })
    }

    fn write(self) -> Write {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&self.count.to_be_bytes());
        bytes.extend_from_slice(&self.last_at.seconds().to_be_bytes());
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        Write::Put(name(), bytes)
    }

    fn wait_s(self, now: UnixTime) -> u64 {
        let pause = pause_s(self.count);
        let left = pause - now.since(self.last_at).clamp(0, pause);
        u64::try_from(left).unwrap_or(0)
    }
}

/// The pause before the next attempt: 2 s after the fourth, doubled each time, at most an hour.
fn pause_s(count: u32) -> i64 {
    match count.checked_sub(FREE) {
        None => 0,
        Some(more) => 2_i64
            .checked_shl(more.min(32))
            .unwrap_or(LONGEST_S)
            .min(LONGEST_S),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_up_to_an_hour() {
        let pauses: Vec<i64> = [0, 3, 4, 5, 6, 14, 15, 16, u32::MAX].map(pause_s).to_vec();
        assert_eq!(pauses, [0, 0, 2, 4, 8, 2048, 3600, 3600, 3600]);
    }

    #[test]
    fn a_count_reads_as_written_and_no_altered_byte_does() {
        let attempts = Attempts {
            count: 7,
            last_at: UnixTime(1_800_000_000),
        };
        let Write::Put(_, bytes) = attempts.write() else {
            panic!("a count is kept")
        };
        assert_eq!(Attempts::parse(&bytes), Some(attempts));
        for place in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[place] ^= 1;
            assert_eq!(Attempts::parse(&bad), None, "byte {place}");
            assert_eq!(Attempts::parse(&bytes[..place]), None, "cut {place}");
        }
    }
}
