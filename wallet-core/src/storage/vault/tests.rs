use std::thread;

use sha2::{Digest, Sha256};
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::UnixTime;

use super::*;
use crate::storage::MemoryStorage;

const PASSPHRASE: &str = "correct horse";
const PIN: &str = "482916";
const NOW: UnixTime = UnixTime(1_780_272_000);

fn name(collection: Collection, id: &str) -> RecordName {
    RecordName::new(collection, RecordId::parse(id).unwrap())
}

fn new_vault() -> (Arc<MemoryStorage>, Vault) {
    let storage = Arc::new(MemoryStorage::new());
    let rng = Arc::new(SeededRng::new(7));
    let vault = Vault::create(storage.clone(), PASSPHRASE, KdfParams::MINIMUM, rng).unwrap();
    (storage, vault)
}

fn open_at(
    storage: &Arc<MemoryStorage>,
    secret: &str,
    now: UnixTime,
) -> Result<Vault, StorageError> {
    let rng = Arc::new(SeededRng::new(8));
    Vault::open(storage.clone(), secret, rng, &FixedClock::new(now))
}

fn reopen(storage: &Arc<MemoryStorage>, passphrase: &str) -> Result<Vault, StorageError> {
    open_at(storage, passphrase, NOW)
}

#[test]
fn wrong_passphrase_has_its_own_error() {
    let (storage, _) = new_vault();
    assert!(matches!(
        reopen(&storage, "incorrect"),
        Err(StorageError::WrongPassphrase)
    ));
}

#[test]
fn a_place_without_a_wallet_is_told_apart() {
    let storage = Arc::new(MemoryStorage::new());
    assert!(matches!(
        reopen(&storage, PASSPHRASE),
        Err(StorageError::NoWallet)
    ));
}

#[test]
fn refuses_short_passphrases_and_existing_wallets() {
    let (storage, _) = new_vault();
    let create = |passphrase| {
        let rng = Arc::new(SeededRng::new(9));
        Vault::create(storage.clone(), passphrase, KdfParams::MINIMUM, rng).unwrap_err()
    };
    assert!(matches!(create("short"), StorageError::WeakPassphrase));
    assert!(matches!(create(PASSPHRASE), StorageError::AlreadyExists));
}

#[test]
fn every_damaged_header_byte_is_noticed_and_is_no_wrong_passphrase() {
    let (storage, _) = new_vault();
    let good = storage.get(&header::name()).unwrap().unwrap();
    for i in 0..good.len() {
        let mut bad = good.clone();
        bad[i] ^= 1;
        storage.put(header::name(), bad).unwrap();
        let error = reopen(&storage, PASSPHRASE).unwrap_err();
        assert!(
            matches!(
                error,
                StorageError::Damaged(_) | StorageError::UnknownFormat
            ),
            "byte {i}: {error}"
        );
    }
}

#[test]
fn cat_439_hostile_parameters_in_the_header_cost_nothing() {
    let (storage, _) = new_vault();
    let mut header = storage.get(&header::name()).unwrap().unwrap();
    for memory in [8_u32, 64 * 1024 * 1024] {
        header[4..8].copy_from_slice(&memory.to_be_bytes());
        let body = header.len() - 32;
        let checksum = Sha256::digest(&header[..body]);
        header[body..].copy_from_slice(&checksum);
        storage.put(header::name(), header.clone()).unwrap();
        assert!(matches!(
            reopen(&storage, PASSPHRASE),
            Err(StorageError::KdfBounds)
        ));
    }
}

#[test]
fn a_record_moved_or_altered_does_not_open() {
    let (storage, vault) = new_vault();
    let a = name(Collection::Credentials, "a");
    let b = name(Collection::Credentials, "b");
    vault
        .put(a.clone(), Zeroizing::new(b"secret".to_vec()))
        .unwrap();
    let sealed = storage.get(&a).unwrap().unwrap();
    storage.put(b.clone(), sealed.clone()).unwrap();
    assert!(matches!(vault.get(&b), Err(StorageError::Damaged(n)) if n == b));
    for i in 1..sealed.len() {
        let mut bad = sealed.clone();
        bad[i] ^= 1;
        storage.put(a.clone(), bad).unwrap();
        assert!(
            matches!(vault.get(&a), Err(StorageError::Damaged(_))),
            "byte {i}"
        );
    }
    for cut in 0..sealed.len() {
        storage.put(a.clone(), sealed[..cut].to_vec()).unwrap();
        assert!(vault.get(&a).is_err(), "cut {cut}");
    }
}

#[test]
fn cat_434_stored_bytes_hold_nothing_in_plain() {
    let (storage, vault) = new_vault();
    let record = name(Collection::History, "a");
    vault
        .put(record.clone(), Zeroizing::new(b"CANARY-VALUE".to_vec()))
        .unwrap();
    let stored = storage.dump();
    assert!(
        !stored
            .windows(6)
            .any(|w| w == b"CANARY" || w == &PASSPHRASE.as_bytes()[..6])
    );
    let vault = reopen(&storage, PASSPHRASE).unwrap();
    assert_eq!(
        vault.get(&record).unwrap().unwrap().as_slice(),
        b"CANARY-VALUE"
    );
}

#[test]
fn sealing_the_same_bytes_twice_differs() {
    let (storage, vault) = new_vault();
    let record = name(Collection::Keys, "a");
    vault
        .put(record.clone(), Zeroizing::new(b"same".to_vec()))
        .unwrap();
    let first = storage.get(&record).unwrap();
    vault
        .put(record.clone(), Zeroizing::new(b"same".to_vec()))
        .unwrap();
    assert_ne!(storage.get(&record).unwrap(), first);
}

fn pin_vault(attempts: u8) -> Arc<MemoryStorage> {
    let storage = Arc::new(MemoryStorage::new());
    let lock = Lock::Pin {
        digits: PIN,
        attempts,
    };
    let rng = Arc::new(SeededRng::new(7));
    Vault::create(storage.clone(), lock, KdfParams::MINIMUM, rng).unwrap();
    storage
}

fn wait_of(result: Result<Vault, StorageError>) -> u64 {
    match result {
        Err(StorageError::TooManyAttempts { wait_s }) => wait_s,
        other => panic!("no pause: {other:?}"),
    }
}

/// Wrong attempts, each after the pause before it, up to a pause.
fn until_a_pause(storage: &Arc<MemoryStorage>) -> u64 {
    for _ in 0..4 {
        let wrong = reopen(storage, "incorrect");
        assert!(matches!(wrong, Err(StorageError::WrongPassphrase)));
    }
    wait_of(reopen(storage, PASSPHRASE))
}

#[test]
fn a_pin_is_no_passphrase_and_needs_a_limit() {
    for (lock, code) in [
        (Lock::Passphrase("482916"), "weak_passphrase"),
        (Lock::Passphrase("123456789012"), "weak_passphrase"),
        (
            Lock::Pin {
                digits: "48291",
                attempts: 5,
            },
            "weak_passphrase",
        ),
        (
            Lock::Pin {
                digits: "111111",
                attempts: 5,
            },
            "weak_passphrase",
        ),
        (
            Lock::Pin {
                digits: "48291a",
                attempts: 5,
            },
            "weak_passphrase",
        ),
        (
            Lock::Pin {
                digits: PIN,
                attempts: 0,
            },
            "pin_limit",
        ),
        (
            Lock::Pin {
                digits: PIN,
                attempts: 11,
            },
            "pin_limit",
        ),
    ] {
        let storage = Arc::new(MemoryStorage::new());
        let rng = Arc::new(SeededRng::new(7));
        let error = Vault::create(storage, lock, KdfParams::MINIMUM, rng).unwrap_err();
        assert_eq!(error.code(), code, "{lock:?}");
    }
}

#[test]
fn cat_436_after_some_wrong_attempts_each_one_waits_and_a_right_one_ends_it() {
    let (storage, _) = new_vault();
    assert_eq!(until_a_pause(&storage), 2);
    // An attempt that is refused is none.
    assert_eq!(wait_of(reopen(&storage, PASSPHRASE)), 2);
    let later = NOW.plus(2);
    assert!(matches!(
        open_at(&storage, "incorrect", later),
        Err(StorageError::WrongPassphrase)
    ));
    assert_eq!(wait_of(open_at(&storage, PASSPHRASE, later)), 4);
    let later = later.plus(4);
    open_at(&storage, PASSPHRASE, later).unwrap();
    assert!(matches!(
        open_at(&storage, "incorrect", later),
        Err(StorageError::WrongPassphrase)
    ));
}

#[test]
fn cat_436_a_clock_that_goes_back_shortens_no_pause() {
    let (storage, _) = new_vault();
    assert_eq!(until_a_pause(&storage), 2);
    let before = NOW.plus(-86_400);
    assert_eq!(wait_of(open_at(&storage, PASSPHRASE, before)), 2);
    // And makes none that lasts until the old time comes again.
    open_at(&storage, PASSPHRASE, before.plus(2)).unwrap();
}

#[test]
fn cat_436_the_count_of_a_pin_outlives_restarts_and_at_the_limit_the_key_is_gone() {
    let storage = pin_vault(3);
    let header = storage.get(&header::name()).unwrap().unwrap();
    for _ in 0..2 {
        let wrong = reopen(&storage, "000001");
        assert!(matches!(wrong, Err(StorageError::WrongPassphrase)));
    }
    reopen(&storage, PIN).unwrap();
    for _ in 0..3 {
        let wrong = reopen(&storage, "000001");
        assert!(matches!(wrong, Err(StorageError::WrongPassphrase)));
    }
    for _ in 0..2 {
        let used_up = reopen(&storage, PIN);
        assert!(matches!(used_up, Err(StorageError::AttemptsExhausted)));
    }
    let left = storage.get(&header::name()).unwrap().unwrap();
    assert!(left.len() < 16 && !header.ends_with(&left));
    // A key that a host kept belongs to no header any more.
    let rng = Arc::new(SeededRng::new(8));
    let key = VaultKey::from_bytes([1; 32]);
    let opened = Vault::open_with_key(storage, &key, rng);
    assert!(matches!(opened, Err(StorageError::AttemptsExhausted)));
}

#[test]
fn cat_436_a_count_that_was_removed_or_altered_is_the_worst_one() {
    let (storage, _) = new_vault();
    storage.delete(attempts::name()).unwrap();
    assert_eq!(wait_of(reopen(&storage, PASSPHRASE)), 3600);
    open_at(&storage, PASSPHRASE, NOW.plus(3600)).unwrap();
    storage.put(attempts::name(), vec![1, 2, 3]).unwrap();
    assert_eq!(wait_of(reopen(&storage, PASSPHRASE)), 3600);

    let storage = pin_vault(10);
    storage.delete(attempts::name()).unwrap();
    let opened = reopen(&storage, PIN);
    assert!(matches!(opened, Err(StorageError::AttemptsExhausted)));
}

#[test]
fn cat_436_attempts_at_the_same_time_are_counted_each() {
    let storage = pin_vault(4);
    let attempts: Vec<_> = (0..12)
        .map(|_| {
            let storage = storage.clone();
            thread::spawn(move || reopen(&storage, "000001").unwrap_err().code())
        })
        .collect();
    let codes: Vec<_> = attempts.into_iter().map(|t| t.join().unwrap()).collect();
    let tried = codes.iter().filter(|code| **code == "wrong_passphrase");
    assert_eq!(tried.count(), 4, "{codes:?}");
    assert!(matches!(
        reopen(&storage, PIN),
        Err(StorageError::AttemptsExhausted)
    ));
}

#[test]
fn an_attempt_counts_before_its_key_is_derived() {
    /// Stops at the first write after the count.
    struct Stopped(Arc<MemoryStorage>);
    impl Storage for Stopped {
        fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError> {
            self.0.get(name)
        }
        fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
            self.0.list(collection)
        }
        fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError> {
            let begins = |bytes: &[u8]| bytes.get(1..5) != Some(&[0; 4][..]);
            match batch.as_slice() {
                [Write::Put(name, bytes)] if *name == attempts::name() && begins(bytes) => {
                    self.0.commit(batch)
                }
                _ => Err(StorageError::Io(std::io::Error::other("stopped"))),
            }
        }
    }
    let storage = pin_vault(3);
    for _ in 0..3 {
        let stopped = Stopped(storage.clone());
        let rng = SeededRng::new(8);
        let opened = Vault::unlock(&stopped, PIN, &rng, &FixedClock::new(NOW));
        assert!(matches!(opened, Err(StorageError::Io(_))));
    }
    let opened = reopen(&storage, PIN);
    assert!(matches!(opened, Err(StorageError::AttemptsExhausted)));
}

#[test]
fn another_passphrase_opens_what_was_there_and_the_old_one_nothing() {
    let (storage, vault) = new_vault();
    let record = name(Collection::Credentials, "a");
    let secret = Zeroizing::new(b"kept".to_vec());
    vault.put(record.clone(), secret).unwrap();
    let clock = FixedClock::new(NOW);
    let change = |old, new| vault.change_lock(old, new, KdfParams::MINIMUM, &clock);
    let weak = change(PASSPHRASE, Lock::Passphrase("short"));
    assert!(matches!(weak, Err(StorageError::WeakPassphrase)));
    let wrong = change("incorrect", Lock::Passphrase("battery staple"));
    assert!(matches!(wrong, Err(StorageError::WrongPassphrase)));
    change(PASSPHRASE, Lock::Passphrase("battery staple")).unwrap();
    assert!(matches!(
        reopen(&storage, PASSPHRASE),
        Err(StorageError::WrongPassphrase)
    ));
    let vault = reopen(&storage, "battery staple").unwrap();
    assert_eq!(vault.get(&record).unwrap().unwrap().as_slice(), b"kept");
}

#[test]
fn a_wallet_of_the_first_version_opens_and_is_counted_from_then_on() {
    let (storage, vault) = new_vault();
    let record = name(Collection::Credentials, "a");
    let secret = Zeroizing::new(b"kept".to_vec());
    vault.put(record.clone(), secret).unwrap();
    let rng = SeededRng::new(8);
    let key = Vault::unlock(storage.as_ref(), PASSPHRASE, &rng, &FixedClock::new(NOW)).unwrap();
    let first = header::seal_first(PASSPHRASE, KdfParams::MINIMUM, &key, &rng);
    storage.put(header::name(), first.clone()).unwrap();
    storage.delete(attempts::name()).unwrap();
    assert!(matches!(
        reopen(&storage, "incorrect"),
        Err(StorageError::WrongPassphrase)
    ));
    assert_eq!(storage.get(&header::name()).unwrap().unwrap(), first);
    let vault = reopen(&storage, PASSPHRASE).unwrap();
    assert_eq!(vault.get(&record).unwrap().unwrap().as_slice(), b"kept");
    assert_ne!(storage.get(&header::name()).unwrap().unwrap(), first);
    assert!(storage.get(&attempts::name()).unwrap().is_some());
    reopen(&storage, PASSPHRASE).unwrap();
}

#[test]
fn a_key_that_a_host_keeps_opens_its_own_store_only() {
    let (storage, vault) = new_vault();
    let record = name(Collection::Credentials, "a");
    let secret = Zeroizing::new(b"kept".to_vec());
    vault.put(record.clone(), secret).unwrap();
    let rng = Arc::new(SeededRng::new(8));
    let clock = FixedClock::new(NOW);
    let key = Vault::unlock(storage.as_ref(), PASSPHRASE, rng.as_ref(), &clock).unwrap();
    let kept = VaultKey::from_bytes(*key.expose_secret());
    let vault = Vault::open_with_key(storage.clone(), &kept, rng.clone()).unwrap();
    assert_eq!(vault.get(&record).unwrap().unwrap().as_slice(), b"kept");
    let other = VaultKey::from_bytes([7; 32]);
    let opened = Vault::open_with_key(storage, &other, rng);
    assert!(matches!(opened, Err(StorageError::WrongPassphrase)));
}
