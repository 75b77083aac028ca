//! What every adapter must do; each adapter's tests run it.

use super::{Collection, RecordId, RecordName, Storage, Write};

fn name(collection: Collection, id: &str) -> RecordName {
    RecordName::new(collection, RecordId::parse(id).unwrap())
}

pub(crate) fn assert_storage_contract(storage: &dyn Storage) {
    let a = name(Collection::Credentials, "a1");
    let b = name(Collection::Credentials, "b2");
    let same_id_elsewhere = name(Collection::Keys, "a1");

    assert_eq!(storage.get(&a).unwrap(), None);
    assert!(storage.list(Collection::Credentials).unwrap().is_empty());
    storage.delete(a.clone()).unwrap();

    storage.put(a.clone(), b"one".to_vec()).unwrap();
    storage.put(a.clone(), b"two".to_vec()).unwrap();
    assert_eq!(storage.get(&a).unwrap().as_deref(), Some(&b"two"[..]));
    assert_eq!(storage.get(&same_id_elsewhere).unwrap(), None);

    storage
        .commit(vec![
            Write::Put(b.clone(), Vec::new()),
            Write::Put(same_id_elsewhere.clone(), b"key".to_vec()),
            Write::Delete(a.clone()),
        ])
        .unwrap();
    assert_eq!(storage.get(&a).unwrap(), None);
    assert_eq!(storage.get(&b).unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(
        storage.get(&same_id_elsewhere).unwrap().as_deref(),
        Some(&b"key"[..])
    );
    assert_eq!(
        storage.list(Collection::Credentials).unwrap(),
        vec![b.id.clone()]
    );

    storage.put(a.clone(), b"back".to_vec()).unwrap();
    assert_eq!(
        storage.list(Collection::Credentials).unwrap(),
        vec![a.id.clone(), b.id.clone()]
    );
    storage.commit(Vec::new()).unwrap();
}
