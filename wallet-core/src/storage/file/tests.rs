use std::collections::BTreeMap;

use proptest::prelude::*;

use super::sim::SimDisk;
use super::*;

type Model = BTreeMap<RecordName, Vec<u8>>;

fn name(collection: Collection, id: &str) -> RecordName {
    RecordName::new(collection, RecordId::parse(id).unwrap())
}

fn write() -> impl Strategy<Value = Write> {
    let name = (0..2_usize, 0..3_u8).prop_map(|(collection, id)| {
        let collection = [Collection::Credentials, Collection::Keys][collection];
        name(collection, &format!("r{id}"))
    });
    (
        name,
        proptest::option::weighted(0.7, proptest::collection::vec(any::<u8>(), 0..8)),
    )
        .prop_map(|(name, bytes)| match bytes {
            Some(bytes) => Write::Put(name, bytes),
            None => Write::Delete(name),
        })
}

fn apply(model: &mut Model, batch: &[Write]) {
    for write in batch {
        match write {
            Write::Put(name, bytes) => model.insert(name.clone(), bytes.clone()),
            Write::Delete(name) => model.remove(name),
        };
    }
}

fn contents(storage: &FileStorage) -> Model {
    let mut found = Model::new();
    for collection in Collection::ALL {
        for id in storage.list(collection).unwrap() {
            let name = RecordName::new(collection, id);
            let bytes = storage.get(&name).unwrap().unwrap();
            found.insert(name, bytes);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Catalogue 437: whatever is cut off when, acknowledged batches stay and
    /// the one in flight is there as a whole or not at all.
    #[test]
    fn cat_437_acknowledged_writes_survive_any_crash(
        lives in proptest::collection::vec(
            (
                proptest::collection::vec(proptest::collection::vec(write(), 1..4), 1..8),
                8..90_usize,
                any::<usize>(),
            ),
            1..4,
        ),
    ) {
        let mut disk = SimDisk::default();
        let mut acknowledged = Model::new();
        for (batches, crash_after, luck) in lives {
            disk.crash_after(crash_after);
            let mut allowed = vec![acknowledged.clone()];
            if let Ok(storage) = FileStorage::recover(Box::new(disk.clone())) {
                for batch in &batches {
                    let mut after = acknowledged.clone();
                    apply(&mut after, batch);
                    if storage.commit(batch.clone()).is_ok() {
                        acknowledged = after;
                        allowed = vec![acknowledged.clone()];
                    } else {
                        allowed.push(after);
                        break;
                    }
                }
            }
            disk = disk.after_crash(luck);
            let found = contents(&FileStorage::recover(Box::new(disk.clone())).unwrap());
            prop_assert!(allowed.contains(&found), "found {found:?}, allowed {allowed:?}");
            acknowledged = found;
        }
    }
}

#[test]
fn cat_437_every_crash_point_of_a_batch_leaves_old_or_new() {
    let credential = name(Collection::Credentials, "c");
    let key = name(Collection::Keys, "k");
    let old = Model::from([
        (credential.clone(), b"old".to_vec()),
        (key.clone(), b"k1".to_vec()),
    ]);
    let batch = vec![
        Write::Put(credential.clone(), b"new".to_vec()),
        Write::Delete(key.clone()),
    ];
    let new = Model::from([(credential.clone(), b"new".to_vec())]);
    let (mut saw_old, mut saw_new) = (false, false);
    for crash_after in 1..64 {
        for luck in [0, usize::MAX, 0x1111_1111, 0x2222_2222] {
            let disk = SimDisk::default();
            let storage = FileStorage::recover(Box::new(disk.clone())).unwrap();
            storage.put(credential.clone(), b"old".to_vec()).unwrap();
            storage.put(key.clone(), b"k1".to_vec()).unwrap();
            disk.crash_after(crash_after);
            let result = storage.commit(batch.clone());
            let disk = disk.after_crash(luck);
            let found = contents(&FileStorage::recover(Box::new(disk)).unwrap());
            assert!(
                found == new || (found == old && result.is_err()),
                "{crash_after} {found:?}"
            );
            saw_old |= found == old;
            saw_new |= found == new;
        }
    }
    assert!(saw_old && saw_new);
}

#[test]
fn refuses_to_go_on_after_a_half_done_write() {
    let disk = SimDisk::default();
    let storage = FileStorage::recover(Box::new(disk.clone())).unwrap();
    let record = name(Collection::Keys, "k");
    disk.crash_after(2); // Staging succeeds, the rename does not.
    assert!(matches!(
        storage.put(record.clone(), vec![1]),
        Err(StorageError::Io(_))
    ));
    assert!(matches!(
        storage.get(&record),
        Err(StorageError::NeedsRecovery)
    ));
    assert!(matches!(
        storage.delete(record),
        Err(StorageError::NeedsRecovery)
    ));
}

#[test]
fn a_full_disk_fails_the_write_and_nothing_else() {
    let disk = SimDisk::default();
    let storage = FileStorage::recover(Box::new(disk.clone())).unwrap();
    let record = name(Collection::Keys, "k");
    disk.crash_after(1); // Staging itself fails.
    assert!(matches!(
        storage.put(record, vec![1]),
        Err(StorageError::Io(_))
    ));
    disk.crash_after(usize::MAX);
    assert!(storage.list(Collection::Keys).unwrap().is_empty());
}

#[test]
fn a_real_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::open(folder.path()).unwrap();
    crate::storage::contract::assert_storage_contract(&storage);
}

#[test]
fn a_real_folder_opens_once_at_a_time_and_keeps_its_records() {
    let folder = tempfile::tempdir().unwrap();
    let record = name(Collection::Keys, "k");
    let storage = FileStorage::open(folder.path()).unwrap();
    storage.put(record.clone(), b"kept".to_vec()).unwrap();
    assert!(matches!(
        FileStorage::open(folder.path()),
        Err(StorageError::Locked)
    ));
    drop(storage);
    let storage = FileStorage::open(folder.path()).unwrap();
    assert_eq!(storage.get(&record).unwrap().as_deref(), Some(&b"kept"[..]));
}

#[test]
#[cfg(unix)]
fn folder_and_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("wallet");
    let storage = FileStorage::open(&folder).unwrap();
    storage.put(name(Collection::Keys, "k"), vec![1]).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("keys/k")), 0o600);
}
