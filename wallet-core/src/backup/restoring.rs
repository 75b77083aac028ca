//! Taking a backup in.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use vouchsafe_credentials::crypto::{PublicKey, Signer, SigningKey};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

use super::BackupError;
use super::content::{Confirmed, Item, Items, MovedKey};
use super::envelope::{HEADER, Opener};
use super::waiting::{self, Waiting};
use crate::WalletError;
use crate::credential::{Copy, CredentialStore, Record};
use crate::history::{History, HistoryEntry};
use crate::issuance::{Dealing, Dealings, Pending, confirmed_issuer_name, recheck};
use crate::secure_area::{KeyId, software};
use crate::storage::{RecordName, StorageError, VaultBatch};
use crate::verifiers::KnownVerifier;
use crate::wallet::Wallet;

/// A backup on its way into a wallet. Nothing is changed before [`Restoring::finish`].
pub struct Restoring {
    wallet: Wallet,
    passphrase: Zeroizing<String>,
    header: Vec<u8>,
    opener: Option<Opener>,
    items: Items,
}

/// What a backup brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// When the backup was made.
    pub made_at: Option<UnixTime>,
    /// Cards that were taken in.
    pub cards: usize,
    /// How many of them could not be checked: the wallet does not know their issuers, or they did not
    /// sign them. No verifier is shown one before that was made up for.
    pub unchecked: usize,
    /// Cards that were here already, and stayed as they were.
    pub already_here: usize,
    /// Cards that wait for their issuers; see [`Wallet::to_reissue`].
    pub to_reissue: usize,
    /// Cards that come later and were taken in; see [`Wallet::pending`].
    pub pending: usize,
    /// Cards that come later, but not to this wallet: their keys cannot move. They have to be asked
    /// for again.
    pub left_behind: Vec<Pending>,
    /// Entries of the history that were taken in.
    pub history: usize,
}

impl std::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Restoring(..)")
    }
}

impl Restoring {
    pub(super) fn new(wallet: Wallet, passphrase: &str) -> Self {
        Self {
            wallet,
            passphrase: Zeroizing::new(passphrase.to_owned()),
            header: Vec::new(),
            opener: None,
            items: Items::default(),
        }
    }

    /// Takes the next piece of the file in, of any length.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), WalletError> {
        let mut piece = piece;
        let opener = match &mut self.opener {
            Some(opener) => opener,
            None => {
                let missing = HEADER - self.header.len();
                let (begin, rest) = piece.split_at(missing.min(piece.len()));
                self.header.extend_from_slice(begin);
                if self.header.len() < HEADER {
                    return Ok(());
                }
                piece = rest;
                let opener = Opener::new(&self.header, &self.passphrase)?;
                self.opener.insert(opener)
            }
        };
        self.items.push(&opener.push(piece)?)?;
        Ok(())
    }

    /// The end of the file: everything is taken in, or nothing.
    pub fn finish(mut self) -> Result<Restored, WalletError> {
        let Some(opener) = self.opener.take() else {
            // A file that ends within its header says at least what it is.
            super::envelope::check_header(&self.header)?;
            return Err(BackupError::Damaged.into());
        };
        self.items.push(&opener.finish()?)?;
        let mut import = Import::new(&self.wallet);
        for item in self.items.finish()? {
            import.take(item)?;
        }
        import.commit()
    }
}

/// Changes that are collected for one commit.
struct Import<'w> {
    wallet: &'w Wallet,
    batch: VaultBatch,
    cards: Vec<Record>,
    /// Issuers that the person confirmed in the wallet that made the backup, and their DIDs.
    confirmed: BTreeMap<String, String>,
    dealings: Dealings,
    keys: BTreeMap<KeyId, Zeroizing<Vec<u8>>>,
    seen: BTreeSet<RecordName>,
    waiting: BTreeMap<RecordName, Vec<Waiting>>,
    done: Restored,
}

impl<'w> Import<'w> {
    fn new(wallet: &'w Wallet) -> Self {
        Self {
            wallet,
            batch: VaultBatch::new(),
            cards: Vec::new(),
            confirmed: BTreeMap::new(),
            dealings: Dealings::default(),
            keys: BTreeMap::new(),
            seen: BTreeSet::new(),
            waiting: BTreeMap::new(),
            done: Restored::default(),
        }
    }

    fn take(&mut self, item: Item) -> Result<(), WalletError> {
        match item {
            Item::Made { at } => self.done.made_at = Some(at),
            Item::Card { record, keys } => self.card(record, keys)?,
            Item::Waiting { card } => self.wait_for(card)?,
            Item::Dealing { dealing, keys } => self.dealing(dealing, &keys)?,
            Item::LeftBehind { pending } => self.done.left_behind.push(pending),
            Item::History { entry } => self.history(&entry)?,
            Item::Issuer { issuer } => self.issuer(&issuer)?,
            Item::Verifier { verifier } => self.verifier(&verifier)?,
        }
        Ok(())
    }

    fn card(&mut self, mut record: Record, keys: Vec<MovedKey>) -> Result<(), WalletError> {
        let keys = check_keys(&record, &keys)?;
        if !self.wallet.has_software_keys() {
            return self.wait_for(Waiting::of(&record));
        }
        let name = CredentialStore::name_of(&record.id).map_err(|_| BackupError::Content)?;
        if !self.is_new(&name)? {
            self.done.already_here += 1;
            return Ok(());
        }
        for (copy, der) in record.copies.iter().zip(keys) {
            let (name, bytes) = software::moved_in(&copy.key, &der);
            // A key of another card would sign for both.
            if !self.is_new(&name)? {
                return Err(BackupError::Content.into());
            }
            self.put(name, bytes);
        }
        record.copies.iter_mut().for_each(Copy::restored);
        self.seen.insert(name);
        self.cards.push(record);
        self.done.cards += 1;
        Ok(())
    }

    fn dealing(&mut self, dealing: Dealing, keys: &[MovedKey]) -> Result<(), WalletError> {
        let wanted = dealing.keys().map_err(|_| BackupError::Content)?;
        if wanted.len() != keys.len() {
            return Err(BackupError::Content.into());
        }
        for (wanted, key) in wanted.iter().zip(keys) {
            let der = check_key(key, &wanted.id, Some(&wanted.public_key))?;
            if self.keys.insert(key.id.clone(), der).is_some() {
                return Err(BackupError::Content.into());
            }
        }
        self.dealings.take(dealing);
        Ok(())
    }

    /// What serves the cards that came, and those that come later.
    fn take_dealings(&mut self) -> Result<(), WalletError> {
        let (wallet, seen) = (self.wallet, &self.seen);
        let cards = self.cards.iter().map(|card| card.id.clone()).collect();
        let is_here = |key: &KeyId| {
            let (name, _) = software::moved_in(key, &[]);
            Ok(seen.contains(&name) || wallet.vault().get(&name)?.is_some())
        };
        let software = wallet.has_software_keys();
        let dealings = std::mem::take(&mut self.dealings);
        let batch = std::mem::take(&mut self.batch);
        let wanted = dealings.wanted(wallet.vault(), batch, &cards, software, is_here)?;
        self.batch = wanted.batch;
        for key in wanted.keys {
            let der = self.keys.remove(&key).ok_or(BackupError::Content)?;
            let (name, bytes) = software::moved_in(&key, &der);
            self.put(name, bytes);
        }
        self.done.pending = wanted.pending;
        self.done.left_behind.extend(wanted.left_behind);
        Ok(())
    }

    /// A card that never left this wallet does not wait, and one that waits already waits once.
    fn wait_for(&mut self, card: Waiting) -> Result<(), WalletError> {
        let vault = self.wallet.vault();
        let own = CredentialStore::name_of(&card.id).map_err(|_| BackupError::Content)?;
        if vault.get(&own)?.is_some() {
            self.done.already_here += 1;
            return Ok(());
        }
        let name = card.name(vault);
        if !self.waiting.contains_key(&name) {
            self.waiting
                .insert(name.clone(), waiting::read(vault, &name)?);
        }
        let cards = self.waiting.entry(name).or_default();
        if !cards.contains(&card) {
            cards.push(card);
            self.done.to_reissue += 1;
        }
        Ok(())
    }

    fn history(&mut self, entry: &HistoryEntry) -> Result<(), WalletError> {
        let (name, bytes) = History::record(entry).map_err(|_| BackupError::Content)?;
        if self.is_new(&name)? {
            self.put(name, bytes);
            self.done.history += 1;
        }
        Ok(())
    }

    fn issuer(&mut self, issuer: &Confirmed) -> Result<(), WalletError> {
        let (id, did) = (&issuer.credential_issuer, &issuer.did);
        self.confirmed.insert(id.clone(), did.clone());
        let name = confirmed_issuer_name(id);
        // What the person confirmed here holds.
        if self.is_new(&name)? {
            let json = serde_json::to_vec(issuer).map_err(|_| BackupError::Content)?;
            self.put(name, Zeroizing::new(json));
        }
        Ok(())
    }

    fn verifier(&mut self, verifier: &KnownVerifier) -> Result<(), WalletError> {
        let encoded = self.wallet.verifier_store().encode(verifier);
        let (name, bytes) = encoded.map_err(|_| BackupError::Content)?;
        // What the person decided here holds.
        if self.is_new(&name)? {
            self.put(name, bytes);
        }
        Ok(())
    }

    /// Checks the cards, which the file alone vouches for until then.
    fn check_cards(&mut self) -> Result<(), WalletError> {
        for mut record in std::mem::take(&mut self.cards) {
            let confirmed = self.confirmed.get(&record.credential_issuer);
            let issuer = recheck(self.wallet, &record, confirmed.map(String::as_str))?;
            record.unchecked = issuer.is_none();
            match issuer {
                Some(issuer) => record.issuer = issuer,
                None => self.done.unchecked += 1,
            }
            let encoded = CredentialStore::encode(&record);
            let (name, bytes) = encoded.map_err(|_| BackupError::Content)?;
            self.put(name, bytes);
        }
        Ok(())
    }

    fn commit(mut self) -> Result<Restored, WalletError> {
        self.take_dealings()?;
        self.check_cards()?;
        for (name, cards) in self.waiting {
            self.batch = waiting::write(self.batch, name, &cards)?;
        }
        self.wallet.commit_restored(self.batch)?;
        Ok(self.done)
    }

    fn is_new(&self, name: &RecordName) -> Result<bool, StorageError> {
        Ok(!self.seen.contains(name) && self.wallet.vault().get(name)?.is_none())
    }

    fn put(&mut self, name: RecordName, bytes: Zeroizing<Vec<u8>>) {
        self.seen.insert(name.clone());
        self.batch = std::mem::take(&mut self.batch).put(name, bytes);
    }
}

/// The keys of a card, each the one that its copy is bound to.
fn check_keys(record: &Record, keys: &[MovedKey]) -> Result<Vec<Zeroizing<Vec<u8>>>, BackupError> {
    if record.copies.is_empty() || record.copies.len() != keys.len() {
        return Err(BackupError::Content);
    }
    let mut checked = Vec::with_capacity(keys.len());
    for (place, (copy, key)) in record.copies.iter().zip(keys).enumerate() {
        let held = record.open_copy(place).map_err(|_| BackupError::Content)?;
        checked.push(check_key(key, &copy.key, held.holder_key().as_ref())?);
    }
    Ok(checked)
}

/// A key, where it is the one that is named, and the one that something is bound to.
fn check_key(
    key: &MovedKey,
    id: &KeyId,
    bound_to: Option<&PublicKey>,
) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let der = b64url_decode(&key.pkcs8)
        .map(Zeroizing::new)
        .map_err(|_| BackupError::Content)?;
    let signing = SigningKey::from_pkcs8_der(&der).map_err(|_| BackupError::Content)?;
    if key.id != *id || bound_to != Some(signing.public_key()) {
        return Err(BackupError::Content);
    }
    Ok(der)
}
