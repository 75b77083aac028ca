//! Making a backup.

use std::collections::VecDeque;

use vouchsafe_credentials::encoding::b64url;

use super::content::{Confirmed, Item, MovedKey, encode};
use super::envelope::Sealer;
use super::waiting::{self, Waiting};
use super::{BackupError, Reissue, check_passphrase};
use crate::WalletError;
use crate::credential::{CredentialId, Record};
use crate::error::CredentialError;
use crate::history::{HistoryId, is_unreadable};
use crate::issuance::{MovedDealings, Pending, dealing};
use crate::secure_area::KeyId;
use crate::storage::{Collection, KdfParams, RecordId, RecordName, StorageError};
use crate::wallet::Wallet;

/// A backup on its way into a file.
pub struct Backup {
    wallet: Wallet,
    sealer: Option<Sealer>,
    header: Option<Vec<u8>>,
    left: VecDeque<(Collection, RecordId)>,
    waiting: Vec<Waiting>,
    cards: usize,
    unreadable: Vec<CredentialId>,
    unreadable_entries: usize,
    moved: MovedDealings,
    left_behind: Vec<Pending>,
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Backup(..)")
    }
}

impl Backup {
    pub(super) fn start(
        wallet: Wallet,
        passphrase: &str,
        params: KdfParams,
    ) -> Result<Self, WalletError> {
        check_passphrase(passphrase)?;
        if params.is_costly() {
            return Err(BackupError::KdfBounds.into());
        }
        let (mut sealer, header) = Sealer::new(passphrase, params, wallet.rng())?;
        sealer.push(&encode(&Item::Made { at: wallet.now() })?)?;
        let mut left = VecDeque::new();
        for kind in [
            Collection::Credentials,
            Collection::Trust,
            Collection::Verifiers,
            Collection::History,
        ] {
            left.extend(wallet.vault().list(kind)?.into_iter().map(|id| (kind, id)));
        }
        let mut dealings = wallet.vault().list(Collection::Issuance)?;
        dealings.sort_by_key(MovedDealings::rank);
        left.extend(dealings.into_iter().map(|id| (Collection::Issuance, id)));
        let waiting = waiting::all(wallet.vault())?;
        for card in &waiting {
            sealer.push(&encode(&Item::Waiting { card: card.clone() })?)?;
        }
        Ok(Self {
            wallet,
            sealer: Some(sealer),
            header: Some(header),
            left,
            waiting,
            cards: 0,
            unreadable: Vec::new(),
            unreadable_entries: 0,
            moved: MovedDealings::default(),
            left_behind: Vec::new(),
        })
    }

    /// The next piece of the file; `None` when it is complete.
    pub async fn next_piece(&mut self) -> Result<Option<Vec<u8>>, WalletError> {
        if let Some(header) = self.header.take() {
            return Ok(Some(header));
        }
        while let Some((kind, id)) = self.left.pop_front() {
            let Some(item) = self.item(kind, id).await? else {
                continue;
            };
            let Some(sealer) = &mut self.sealer else {
                return Ok(None);
            };
            sealer.push(&encode(&item)?)?;
            let chunks = sealer.full_chunks()?;
            if !chunks.is_empty() {
                return Ok(Some(chunks));
            }
        }
        match self.sealer.take() {
            Some(sealer) => Ok(Some(sealer.finish()?)),
            None => Ok(None),
        }
    }

    /// How many cards are in it with their keys, so far.
    #[must_use]
    pub fn cards(&self) -> usize {
        self.cards
    }

    /// Cards that come later, but not to a wallet that is made from this backup, because their keys
    /// could not leave; so far.
    #[must_use]
    pub fn left_behind(&self) -> &[Pending] {
        &self.left_behind
    }

    /// Cards that are not in it because they cannot be read, so far.
    #[must_use]
    pub fn unreadable(&self) -> &[CredentialId] {
        &self.unreadable
    }

    /// How many entries of the history are not in it because they cannot be read, so far.
    #[must_use]
    pub fn unreadable_entries(&self) -> usize {
        self.unreadable_entries
    }

    /// The cards that are only named in it, so far: whoever restores asks their issuers again.
    #[must_use]
    pub fn to_reissue(&self, locales: &[&str]) -> Vec<Reissue> {
        self.waiting
            .iter()
            .map(|card| card.shown(locales))
            .collect()
    }

    /// `None`: it was deleted since the backup began.
    async fn item(&mut self, kind: Collection, id: RecordId) -> Result<Option<Item>, WalletError> {
        match kind {
            Collection::Credentials => self.card(CredentialId::from(id)).await,
            Collection::History => {
                let id = HistoryId::parse(id.as_str())?;
                match self.wallet.history_store().get(&id) {
                    Ok(entry) => Ok(Some(Item::History { entry })),
                    Err(WalletError::Credential(CredentialError::UnknownEntry)) => Ok(None),
                    Err(error) if is_unreadable(&error) => {
                        self.unreadable_entries += 1;
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            }
            Collection::Trust => {
                let name = RecordName::new(kind, id);
                let Some(bytes) = self.wallet.vault().get(&name)? else {
                    return Ok(None);
                };
                let issuer: Confirmed =
                    serde_json::from_slice(&bytes).map_err(|_| StorageError::Damaged(name))?;
                Ok(Some(Item::Issuer { issuer }))
            }
            Collection::Verifiers => {
                let verifier = self
                    .wallet
                    .verifier_store()
                    .read(RecordName::new(kind, id))?;
                Ok(verifier.map(|verifier| Item::Verifier { verifier }))
            }
            Collection::Issuance => self.dealing(&id).await,
            Collection::Meta | Collection::Keys | Collection::Index | Collection::Reissue => {
                Ok(None)
            }
        }
    }

    async fn dealing(&mut self, id: &RecordId) -> Result<Option<Item>, WalletError> {
        let vault = self.wallet.vault();
        let Some(dealing) = dealing(vault, id)?.filter(|dealing| dealing.serves(&self.moved))
        else {
            return Ok(None);
        };
        let mut keys = Vec::new();
        for key in dealing.keys()? {
            match self.movable_key(&key.id).await? {
                Some(moved) => keys.push(moved),
                None => {
                    let awaited = dealing.awaited(vault)?;
                    self.left_behind.extend(awaited.clone());
                    return Ok(awaited.map(|pending| Item::LeftBehind { pending }));
                }
            }
        }
        self.moved.dealing(&dealing);
        Ok(Some(Item::Dealing { dealing, keys }))
    }

    async fn movable_key(&self, id: &KeyId) -> Result<Option<MovedKey>, WalletError> {
        let der = self.wallet.secure_area().export_key(id).await?;
        Ok(der.map(|der| MovedKey {
            id: id.clone(),
            pkcs8: b64url(&der),
        }))
    }

    async fn card(&mut self, id: CredentialId) -> Result<Option<Item>, WalletError> {
        let mut record = match self.wallet.store().record(&id) {
            Ok(record) => record,
            Err(WalletError::Credential(CredentialError::Unknown)) => return Ok(None),
            Err(error) if error.is_unreadable_card() => {
                self.unreadable.push(id);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let keys = self.movable(&mut record).await?;
        if record.copies.is_empty() {
            let card = Waiting::of(&record);
            self.waiting.push(card.clone());
            return Ok(Some(Item::Waiting { card }));
        }
        self.cards += 1;
        self.moved.card(&record.id);
        Ok(Some(Item::Card { record, keys }))
    }

    /// The keys that may leave; the copies of the others are dropped.
    async fn movable(&self, record: &mut Record) -> Result<Vec<MovedKey>, WalletError> {
        let mut keys = Vec::with_capacity(record.copies.len());
        let mut kept = Vec::with_capacity(record.copies.len());
        for copy in std::mem::take(&mut record.copies) {
            if let Some(key) = self.movable_key(&copy.key).await? {
                keys.push(key);
                kept.push(copy);
            }
        }
        record.copies = kept;
        Ok(keys)
    }
}
