//! For tests and measurements of hosts: cards without an issuer, and what is otherwise behind a
//! protocol.

use std::collections::BTreeSet;

use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::dcql::{Candidate, DcqlQuery, find_matches};

use crate::backup::BackupError;
use crate::credential::{CardFormat, Copy, CredentialId, CredentialStore, Record};
use crate::display::CardDisplay;
use crate::secure_area::{KeyHandle, KeyId};
use crate::storage::VaultBatch;
use crate::{Wallet, WalletError};

/// A card as an issuer would have given it.
#[derive(Debug, Clone)]
pub struct GivenCard {
    /// The credential with all its disclosures.
    pub compact: String,
    /// Who signed it.
    pub issuer: IssuerIdentity,
    /// Where it came from.
    pub credential_issuer: String,
    /// Its type.
    pub vct: String,
    /// The key it is bound to.
    pub key: KeyId,
    /// When it came.
    pub added_at: UnixTime,
}

/// A fresh key of the wallet.
pub async fn new_key(wallet: &Wallet) -> Result<KeyHandle, WalletError> {
    Ok(wallet.secure_area().create_key(Algorithm::Es256).await?)
}

/// Puts cards into the wallet in one commit, as the end of an issuance does.
pub fn put_cards(
    wallet: &Wallet,
    cards: impl IntoIterator<Item = GivenCard>,
) -> Result<Vec<CredentialId>, WalletError> {
    let (mut batch, mut ids) = (VaultBatch::new(), Vec::new());
    for given in cards {
        let record = record(wallet.store().new_id(), given);
        let (name, bytes) = CredentialStore::encode(&record)?;
        batch = batch.put(name, bytes);
        ids.push(record.id);
    }
    wallet.commit(batch)?;
    Ok(ids)
}

pub(crate) fn record(id: CredentialId, given: GivenCard) -> Record {
    Record {
        id,
        credential_issuer: given.credential_issuer,
        issuer: given.issuer,
        vct: given.vct,
        format: CardFormat::SdJwtVc,
        display: CardDisplay::new(Vec::new(), Vec::new(), None, None, Vec::new()),
        added_at: given.added_at,
        copies: vec![Copy {
            compact: given.compact,
            key: given.key,
            shown_to: None,
            unsure: false,
        }],
        unchecked: false,
    }
}

/// Marks every copy of a card as shown to a verifier, as an answer does.
pub fn mark_shown(wallet: &Wallet, id: &CredentialId, verifier: &str) -> Result<(), WalletError> {
    let mut record = wallet.store().record(id)?;
    for copy in &mut record.copies {
        copy.shown_to = Some(verifier.to_owned());
    }
    let (name, bytes) = CredentialStore::encode(&record)?;
    wallet.commit(VaultBatch::new().put(name, bytes))
}

/// Whom the first copy of a card was shown to.
pub fn shown_to(wallet: &Wallet, id: &CredentialId) -> Result<Option<String>, WalletError> {
    let record = wallet.store().record(id)?;
    Ok(record.copies.first().and_then(|copy| copy.shown_to.clone()))
}

/// How many keys have no card, and how many copies of cards have no key.
pub async fn stray_keys(wallet: &Wallet) -> Result<(usize, usize), WalletError> {
    let cards = wallet.store().list(wallet.now())?;
    let copies = cards.iter().flat_map(|card| &card.record.copies);
    let bound: BTreeSet<&KeyId> = copies.map(|copy| &copy.key).collect();
    let keys = wallet.secure_area().keys().await?;
    let without_card = keys.iter().filter(|key| !bound.contains(key)).count();
    let without_key = bound.iter().filter(|key| !keys.contains(key)).count();
    Ok((without_card, without_key))
}

/// The cards that answer a query of a verifier, as a request finds them.
pub fn matching(
    wallet: &Wallet,
    query: &DcqlQuery,
    verifier: &str,
) -> Result<Vec<CredentialId>, WalletError> {
    let cards = wallet.answering(query, verifier)?;
    let held: Vec<_> = cards.iter().map(|card| card.held.candidate()).collect();
    let candidates: Vec<_> = held.iter().map(|card| card as &dyn Candidate).collect();
    let Ok(matches) = find_matches(query, &candidates) else {
        return Ok(Vec::new());
    };
    let found = matches.queries().iter().flat_map(|query| &query.candidates);
    let cards = found.filter_map(|matched| cards.get(matched.candidate));
    Ok(cards.map(|card| card.record.id.clone()).collect())
}

/// Reads the header of a backup.
pub fn read_backup_header(header: &[u8]) -> Result<(), BackupError> {
    crate::backup::read_header(header)
}

/// Reads the content of a backup that opened, in pieces of `size`, and says how many items it has.
pub fn read_backup_content(content: &[u8], size: usize) -> Result<usize, BackupError> {
    crate::backup::read_content(content, size)
}
