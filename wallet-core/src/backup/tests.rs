mod restored;

use std::sync::Arc;

use async_trait::async_trait;
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::envelope::{HEADER, MAX_CONTENT, Opener, Sealer};
use super::*;
use crate::history::HistoryEntry;
use crate::secure_area::{AuthorizationHint, KeyHandle, KeyId, SecureArea, SecureAreaError};
use crate::storage::{Collection, MemoryStorage, Storage};
use crate::testing::{matching, new_key, put_cards, read_backup_content, read_backup_header};
use crate::tests::cards::{Like, card, query};
use crate::tests::{World, ports};

const PASSPHRASE: &str = "paper in a drawer";

async fn file_of(wallet: &Wallet) -> Vec<u8> {
    let mut backup = wallet.backup(PASSPHRASE, KdfParams::MINIMUM).unwrap();
    let mut file = Vec::new();
    while let Some(piece) = backup.next_piece().await.unwrap() {
        file.extend(piece);
    }
    file
}

fn take(wallet: &Wallet, file: &[u8], passphrase: &str) -> Result<Restored, WalletError> {
    let mut restoring = wallet.restore(passphrase);
    for piece in file.chunks(1000) {
        restoring.push(piece)?;
    }
    restoring.finish()
}

fn code_of(wallet: &Wallet, file: &[u8], passphrase: &str) -> &'static str {
    take(wallet, file, passphrase).unwrap_err().code()
}

async fn add_card(wallet: &Wallet, like: &Like) -> KeyId {
    let key = new_key(wallet).await.unwrap();
    let id = key.id.clone();
    let given = card(like, key.id, &key.public_key).await;
    put_cards(wallet, [given]).unwrap();
    id
}

/// An area whose keys never leave, and do not sign either.
struct Hardware(Arc<dyn Storage>);

#[async_trait]
impl SecureArea for Hardware {
    async fn create_key(&self, algorithm: Algorithm) -> Result<KeyHandle, SecureAreaError> {
        let key = SigningKey::generate(algorithm, &SeededRng::new(3));
        let id = crate::storage::RecordId::parse("hardware").unwrap();
        let name = crate::storage::RecordName::new(Collection::Keys, id.clone());
        let der = key.to_pkcs8_der().to_vec();
        self.0.put(name, der).map_err(SecureAreaError::Storage)?;
        Ok(KeyHandle {
            id: KeyId::from(id),
            public_key: key.public_key().clone(),
        })
    }
    async fn sign(
        &self,
        _: &KeyId,
        _: &[u8],
        _: &AuthorizationHint,
    ) -> Result<Vec<u8>, SecureAreaError> {
        Err(SecureAreaError::Unsupported)
    }
    async fn delete_key(&self, _: &KeyId) -> Result<(), SecureAreaError> {
        Ok(())
    }
    async fn keys(&self) -> Result<Vec<KeyId>, SecureAreaError> {
        Ok(vec![KeyId::parse("hardware").unwrap()])
    }
}

/// A wallet whose keys are in hardware.
fn in_hardware(world: &World) -> Wallet {
    let mut ports = ports(&world.storage, &world.clock, 5);
    ports.storage = Arc::new(MemoryStorage::new());
    ports.secure_area = Some(Arc::new(Hardware(ports.storage.clone())));
    let lock = "correct horse";
    Wallet::create(world.config.clone(), ports, lock, KdfParams::MINIMUM).unwrap()
}

#[tokio::test]
async fn cards_keys_history_and_issuers_come_back_in_an_empty_wallet() {
    let mut old = World::new();
    let added = old.add().await.unwrap();
    let file = file_of(&old.wallet).await;

    let new = World::new();
    let restored = take(&new.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.history), (1, 1));
    assert_eq!(restored.unchecked, 1);
    assert_eq!((restored.already_here, restored.to_reissue), (0, 0));
    assert_eq!(restored.made_at, Some(crate::tests::NOW));
    let cards = new.wallet.cards(&["en"]).unwrap();
    let mut before = old.wallet.cards(&["en"]).unwrap();
    // Whom a copy was shown to since the backup, nobody knows here.
    before[0].fresh_copies.0 = 0;
    // The other wallet believes another club.
    before[0].unchecked = true;
    assert_eq!(cards, before);
    assert_eq!(cards[0].id, added.cards[0]);
    let history: Vec<HistoryEntry> = new.wallet.history().unwrap();
    assert_eq!(history, old.wallet.history().unwrap());
    // The keys sign, and opening again finds nothing amiss.
    let record = new.wallet.store().record(&cards[0].id).unwrap();
    let wallet = new.open_with(&new.key()).await.unwrap();
    let hint = AuthorizationHint::default();
    for copy in &record.copies {
        wallet
            .secure_area()
            .sign(&copy.key, b"m", &hint)
            .await
            .unwrap();
    }
    assert!(wallet.to_reissue(&["en"]).unwrap().is_empty());
}

#[tokio::test]
async fn what_is_here_already_stays_as_it_is() {
    let world = World::new();
    add_card(&world.wallet, &Like::of("urn:a")).await;
    let file = file_of(&world.wallet).await;
    add_card(&world.wallet, &Like::of("urn:b")).await;
    let before = world.wallet.cards(&[]).unwrap();
    let restored = take(&world.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.already_here), (0, 1));
    assert_eq!(world.wallet.cards(&[]).unwrap(), before);
    assert_eq!(
        matching(&world.wallet, &query(&["urn:a"]), "shop")
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn cat_440_keys_that_are_bound_to_a_device_are_in_no_backup() {
    let world = World::new();
    let wallet = in_hardware(&world);
    add_card(&wallet, &Like::of("urn:a")).await;
    let mut backup = wallet.backup(PASSPHRASE, KdfParams::MINIMUM).unwrap();
    let mut file = Vec::new();
    while let Some(piece) = backup.next_piece().await.unwrap() {
        file.extend(piece);
    }
    assert_eq!(backup.cards(), 0);
    assert_eq!(backup.to_reissue(&["en"])[0].vct, "urn:a");
    let (header, chunks) = file.split_at(HEADER);
    let mut opener = Opener::new(header, PASSPHRASE).unwrap();
    let mut content = opener.push(chunks).unwrap().to_vec();
    content.extend_from_slice(&opener.finish().unwrap());
    let text = String::from_utf8_lossy(&content);
    assert!(text.contains("urn:a"));
    for canary in ["pkcs8", "CANARY", "compact", "eyJ"] {
        assert!(!text.contains(canary), "{canary} in the backup");
    }

    // A new phone: the card waits, until one of its type comes from its issuer.
    let new = in_hardware(&world);
    let restored = take(&new, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.to_reissue), (0, 1));
    let waiting = new.to_reissue(&["en"]).unwrap();
    assert_eq!(waiting[0].credential_issuer, "https://club.example.com");
    assert_eq!(take(&new, &file, PASSPHRASE).unwrap().to_reissue, 0);
    assert_eq!(new.to_reissue(&["en"]).unwrap(), waiting);
    add_card(&new, &Like::of("urn:b")).await;
    assert_eq!(new.to_reissue(&["en"]).unwrap(), waiting);
    add_card(&new, &Like::of("urn:a")).await;
    assert!(new.to_reissue(&["en"]).unwrap().is_empty());
    // Where the card never left it waits for nothing.
    assert_eq!(take(&wallet, &file, PASSPHRASE).unwrap().already_here, 1);
}

#[tokio::test]
async fn cat_440_keys_of_an_earlier_version_never_leave() {
    let world = World::new();
    let key = add_card(&world.wallet, &Like::of("urn:a")).await;
    let name = crate::storage::RecordName::new(
        Collection::Keys,
        crate::storage::RecordId::parse(key.as_str()).unwrap(),
    );
    let stored = world.wallet.vault().get(&name).unwrap().unwrap();
    let unmarked = zeroize::Zeroizing::new(stored[1..].to_vec());
    world.wallet.vault().put(name, unmarked).unwrap();
    let hint = AuthorizationHint::default();
    world
        .wallet
        .secure_area()
        .sign(&key, b"m", &hint)
        .await
        .unwrap();
    let file = file_of(&world.wallet).await;
    let new = World::new();
    let restored = take(&new.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.to_reissue), (0, 1));
    new.wallet
        .forget_reissue("https://club.example.com", "urn:a")
        .unwrap();
    assert!(new.wallet.to_reissue(&[]).unwrap().is_empty());
}

#[tokio::test]
async fn a_software_backup_in_a_wallet_with_hardware_waits_for_the_issuers() {
    let world = World::new();
    add_card(&world.wallet, &Like::of("urn:a")).await;
    let file = file_of(&world.wallet).await;
    let new = in_hardware(&world);
    let restored = take(&new, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.to_reissue), (0, 1));
    assert!(new.cards(&[]).unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_backup_of_ours_is_refused_and_changes_nothing() {
    let world = World::new();
    add_card(&world.wallet, &Like::of("urn:a")).await;
    let file = file_of(&world.wallet).await;
    let new = World::new();
    let before = new.storage.dump();
    assert_eq!(
        code_of(&new.wallet, &file, "not the passphrase"),
        "backup_passphrase_wrong"
    );
    assert_eq!(code_of(&new.wallet, b"", PASSPHRASE), "backup_unrecognized");
    assert_eq!(
        code_of(&new.wallet, b"%PDF-1.4", PASSPHRASE),
        "backup_unrecognized"
    );
    assert_eq!(
        code_of(&new.wallet, &file[..40], PASSPHRASE),
        "backup_damaged"
    );
    let mut newer = file.clone();
    newer[5] = 3;
    assert_eq!(code_of(&new.wallet, &newer, PASSPHRASE), "backup_too_new");
    for cut in [HEADER, HEADER + 1, file.len() - 1] {
        assert_eq!(
            code_of(&new.wallet, &file[..cut], PASSPHRASE),
            "backup_damaged",
            "{cut}"
        );
    }
    let mut longer = file.clone();
    longer.push(0);
    assert_eq!(code_of(&new.wallet, &longer, PASSPHRASE), "backup_damaged");
    for weak in ["short", "123456789012345"] {
        let error = world.wallet.backup(weak, KdfParams::MINIMUM).unwrap_err();
        assert_eq!(error.code(), "backup_passphrase_weak");
    }
    assert_eq!(new.storage.dump(), before);
}

#[tokio::test]
async fn every_altered_byte_of_a_backup_is_noticed() {
    let world = World::new();
    add_card(&world.wallet, &Like::of("urn:a")).await;
    let file = file_of(&world.wallet).await;
    for place in 0..HEADER {
        let mut bad = file.clone();
        bad[place] ^= 1;
        let error = read_backup_header(&bad[..HEADER]).unwrap_err().code();
        let known = ["backup_unrecognized", "backup_too_new", "backup_damaged"];
        assert!(known.contains(&error), "byte {place}: {error}");
    }
    // Behind the header without deriving the key again for each byte.
    let (header, chunks) = file.split_at(HEADER);
    for place in (0..chunks.len()).step_by(7) {
        let mut bad = chunks.to_vec();
        bad[place] ^= 1;
        let mut opener = Opener::new_for_tests(header, PASSPHRASE);
        let opened = opener.push(&bad).and_then(|_| opener.finish());
        assert!(matches!(opened, Err(BackupError::Damaged)), "byte {place}");
    }
}

#[test]
fn chunks_that_change_places_or_stop_early_do_not_open() {
    let rng = SeededRng::new(1);
    let (mut sealer, header) = Sealer::new(PASSPHRASE, KdfParams::MINIMUM, &rng).unwrap();
    let content: Vec<u8> = (0..200_000_u32).map(|n| n.to_be_bytes()[3]).collect();
    let mut file = Vec::new();
    for piece in content.chunks(7001) {
        sealer.push(piece).unwrap();
        file.extend(sealer.full_chunks().unwrap());
    }
    file.extend(sealer.finish().unwrap());
    let chunk = 64 * 1024 + 16;
    let open = |file: &[u8]| {
        let mut opener = Opener::new_for_tests(&header, PASSPHRASE);
        let mut opened = Vec::new();
        for piece in file.chunks(5003) {
            opened.extend_from_slice(&opener.push(piece)?);
        }
        opened.extend_from_slice(&opener.finish()?);
        Ok::<_, BackupError>(opened)
    };
    assert_eq!(open(&file).unwrap(), content);
    let mut swapped = file[chunk..2 * chunk].to_vec();
    swapped.extend_from_slice(&file[..chunk]);
    swapped.extend_from_slice(&file[2 * chunk..]);
    let twice = [&file[..chunk], &file[..]].concat();
    for bad in [
        &swapped,
        &twice,
        &file[..2 * chunk].to_vec(),
        &file[..chunk].to_vec(),
    ] {
        assert!(matches!(open(bad), Err(BackupError::Damaged)));
    }
}

#[test]
fn a_backup_holds_so_much_and_no_more() {
    let rng = SeededRng::new(1);
    let (mut sealer, _) = Sealer::new(PASSPHRASE, KdfParams::MINIMUM, &rng).unwrap();
    sealer.push(&vec![0; MAX_CONTENT]).unwrap();
    assert!(matches!(sealer.push(&[0]), Err(BackupError::TooLarge)));
}

#[tokio::test]
async fn cat_439_a_backup_may_not_ask_for_what_stops_a_phone() {
    use sha2::{Digest, Sha256};
    let world = World::new();
    let file = file_of(&world.wallet).await;
    for memory in [8_u32, 512 * 1024, 64 * 1024 * 1024] {
        let mut bad = file.clone();
        bad[6..10].copy_from_slice(&memory.to_be_bytes());
        let checksum = Sha256::digest(&bad[..HEADER - 32]);
        bad[HEADER - 32..HEADER].copy_from_slice(&checksum);
        assert_eq!(
            code_of(&world.wallet, &bad, PASSPHRASE),
            "kdf_out_of_bounds"
        );
    }
    // Within bounds, but not what the file was made with.
    let mut bad = file.clone();
    bad[6..10].copy_from_slice(&(20 * 1024_u32).to_be_bytes());
    let checksum = Sha256::digest(&bad[..HEADER - 32]);
    bad[HEADER - 32..HEADER].copy_from_slice(&checksum);
    assert_eq!(
        code_of(&world.wallet, &bad, PASSPHRASE),
        "backup_passphrase_wrong"
    );
    let costly = KdfParams::new(512 * 1024, 3, 4).unwrap();
    let error = world.wallet.backup(PASSPHRASE, costly).unwrap_err();
    assert_eq!(error.code(), "kdf_out_of_bounds");
}

/// A file with this content, made by somebody who knows the passphrase.
fn forged(items: &[serde_json::Value]) -> Vec<u8> {
    let rng = SeededRng::new(1);
    let (mut sealer, mut file) = Sealer::new(PASSPHRASE, KdfParams::MINIMUM, &rng).unwrap();
    for item in items {
        let json = serde_json::to_vec(item).unwrap();
        let length = u32::try_from(json.len()).unwrap();
        sealer.push(&length.to_be_bytes()).unwrap();
        sealer.push(&json).unwrap();
    }
    file.extend(sealer.finish().unwrap());
    file
}

#[tokio::test]
async fn content_that_is_none_is_refused_as_a_whole() {
    use serde_json::{Value, json};
    let world = World::new();
    add_card(&world.wallet, &Like::of("urn:a")).await;
    let file = file_of(&world.wallet).await;
    let (header, chunks) = file.split_at(HEADER);
    let mut opener = Opener::new(header, PASSPHRASE).unwrap();
    opener.push(chunks).unwrap();
    let content = opener.finish().unwrap();
    let mut items = Vec::new();
    let mut rest = &content[..];
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let (item, more) = more.split_at(u32::from_be_bytes(*length) as usize);
        items.push(serde_json::from_slice::<Value>(item).unwrap());
        rest = more;
    }
    let (made, card) = (items[0].clone(), items[1].clone());
    let edited = |edit: fn(&mut Value)| {
        let mut card = card.clone();
        edit(&mut card);
        card
    };
    let other = SigningKey::generate(Algorithm::Es256, &SeededRng::new(9));
    let mut foreign_key = card.clone();
    foreign_key["keys"][0]["pkcs8"] =
        vouchsafe_credentials::encoding::b64url(&other.to_pkcs8_der()).into();
    let mut other_card = card.clone();
    other_card["record"]["id"] = "another".into();
    let good = forged(&[made.clone(), card.clone()]);
    let new = World::new();
    let before = new.storage.dump();
    for (what, items) in [
        ("nothing", vec![]),
        ("no beginning", vec![card.clone()]),
        ("two beginnings", vec![made.clone(), made.clone()]),
        (
            "an unknown item",
            vec![made.clone(), json!({"kind": "more"})],
        ),
        (
            "an unknown member",
            vec![json!({"kind": "made", "at": 1, "more": 1})],
        ),
        ("the key of another", vec![made.clone(), foreign_key]),
        (
            "one key for two cards",
            vec![made.clone(), card.clone(), other_card],
        ),
        (
            "no keys",
            vec![made.clone(), edited(|card| card["keys"] = json!([]))],
        ),
        (
            "no copies",
            vec![
                made.clone(),
                edited(|card| {
                    card["keys"] = json!([]);
                    card["record"]["copies"] = json!([]);
                }),
            ],
        ),
        (
            "no credential",
            vec![
                made.clone(),
                edited(|card| {
                    card["record"]["copies"][0]["compact"] = "x".into();
                }),
            ],
        ),
        (
            "a name that leaves",
            vec![
                made.clone(),
                edited(|card| {
                    card["record"]["id"] = "../keys/a".into();
                }),
            ],
        ),
    ] {
        let code = code_of(&new.wallet, &forged(&items), PASSPHRASE);
        assert_eq!(code, "backup_content_invalid", "{what}");
    }
    assert_eq!(new.storage.dump(), before);
    assert_eq!(take(&new.wallet, &good, PASSPHRASE).unwrap().cards, 1);
    assert_eq!(read_backup_content(&content, 1).unwrap(), items.len());
    let cut = read_backup_content(&content[..content.len() - 1], 1000);
    assert!(matches!(cut, Err(BackupError::Content)));
}
