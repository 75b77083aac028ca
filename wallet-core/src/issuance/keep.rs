//! What came is kept, with all that belongs to it, in one batch: the card or its new copies, where
//! it came from, the access, what the issuer is to hear.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::notification::Event;
use vouchsafe_protocol::vci::request::Requested;
use vouchsafe_protocol::vci::response::ReceivedCredentials;

use super::IssuanceError;
use super::client::keep_instance;
use super::readied::Readied;
use super::records::{self, Access, AccessId, Notice, Origin, Waiting};
use super::session::Session;
use super::store::{Checked, check};
use crate::WalletError;
use crate::credential::{Copy, CredentialId, CredentialStore, StoredCredential, facts_of};
use crate::history::{History, Outcome};
use crate::secure_area::KeyHandle;
use crate::storage::VaultBatch;

/// Most copies of one card.
const MAX_COPIES: usize = 100;

/// What belongs to credentials that came.
pub(super) struct Kept<'a> {
    pub(super) access_id: &'a AccessId,
    pub(super) access: &'a Access,
    pub(super) configuration: &'a str,
    pub(super) requested: Requested,
    /// The card whose copies they are; `None`: a new one.
    pub(super) renews: Option<&'a CredentialId>,
    /// The record of what waited for them.
    pub(super) waited: Option<&'a str>,
}

/// Verifies what came for one card and stores it, all or nothing. Nothing of a credential that
/// fails is kept (catalogue 292), and the issuer hears of it.
pub(super) async fn keep(
    session: &mut Session,
    readied: &Readied,
    kept: &Kept<'_>,
    keys: &[KeyHandle],
    received: ReceivedCredentials,
) -> Result<CredentialId, WalletError> {
    let notification = received.notification_id.clone();
    let checked = match check(
        session,
        readied,
        kept.configuration,
        keys,
        &received.credentials,
    ) {
        Ok(checked) => checked,
        Err(error) => {
            if let Some(id) = &notification {
                let batch = VaultBatch::new();
                let batch = tell(session, readied, kept, id, Event::Failure, batch)?;
                session.wallet.vault().commit(batch)?;
            }
            return Err(error.into());
        }
    };
    let card = match kept.renews {
        None => new_card(session, readied, kept, checked, notification).await?,
        Some(card) => {
            new_copies(session, readied, kept, checked, notification, card).await?;
            card.clone()
        }
    };
    keep_instance(&session.wallet, &kept.access.server)?;
    Ok(card)
}

async fn new_card(
    session: &mut Session,
    readied: &Readied,
    kept: &Kept<'_>,
    checked: Checked,
    notification: Option<String>,
) -> Result<CredentialId, WalletError> {
    let wallet = session.wallet.clone();
    let Checked {
        record,
        known,
        cards,
        facts,
    } = checked;
    let (history, entry) = History::record(&session.entry(Outcome::Completed, cards, facts))?;
    let (name, bytes) = CredentialStore::encode(&record)?;
    let mut batch = VaultBatch::new().put(name, bytes).put(history, entry);
    if let Some(known) = &known
        && let Some((name, bytes)) = readied.standing.to_remember(known, wallet.now())?
    {
        batch = batch.put(name, bytes);
    }
    let origin = Origin::new(kept.access_id.clone(), kept.configuration, &kept.requested);
    let batch = beside(
        session,
        readied,
        kept,
        origin,
        &record.id,
        notification,
        batch,
    )?;
    wallet.commit(batch)?;
    for copy in &record.copies {
        session.bind_key(&copy.key);
    }
    Ok(record.id)
}

/// New copies join those that somebody has seen and that still serve: who saw one sees it again.
async fn new_copies(
    session: &mut Session,
    readied: &Readied,
    kept: &Kept<'_>,
    checked: Checked,
    notification: Option<String>,
    card: &CredentialId,
) -> Result<(), WalletError> {
    let wallet = session.wallet.clone();
    let changing = wallet.changing_cards();
    let old = wallet.store().get(card, wallet.now())?;
    let mut record = checked.record;
    if record.vct != old.record.vct
        || record.format != old.record.format
        || record.issuer.trusted != old.record.issuer.trusted
    {
        return Err(IssuanceError::CopiesDiffer.into());
    }
    let left = match !old.record.unchecked && says_the_same(&record, &old)? {
        true => still_good(&old, wallet.now()),
        false => Vec::new(),
    };
    let dropped: Vec<_> = old
        .record
        .copies
        .iter()
        .map(|copy| copy.key.clone())
        .collect();
    record.id = old.record.id.clone();
    record.added_at = old.record.added_at;
    let room = MAX_COPIES.saturating_sub(record.copies.len());
    record.copies.extend(left.into_iter().take(room));
    let origin = records::get::<Origin>(wallet.vault(), card.as_str())?;
    let origin = origin.unwrap_or_else(|| {
        Origin::new(kept.access_id.clone(), kept.configuration, &kept.requested)
    });
    let (name, bytes) = CredentialStore::encode(&record)?;
    let batch = VaultBatch::new().put(name, bytes);
    let batch = beside(session, readied, kept, origin, card, notification, batch)?;
    wallet.commit(batch)?;
    drop(changing);
    for copy in &record.copies {
        session.bind_key(&copy.key);
    }
    // A crash from here on leaves keys alone, which the next opening destroys.
    for key in dropped {
        if !record.copies.iter().any(|copy| copy.key == key) {
            wallet.secure_area().delete_key(&key).await?;
        }
    }
    Ok(())
}

fn says_the_same(
    new: &crate::credential::Record,
    old: &StoredCredential,
) -> Result<bool, WalletError> {
    if new.issuer != old.record.issuer {
        return Ok(false);
    }
    let first = StoredCredential::open(new.clone())?;
    let display = &new.display;
    let format = new.format;
    Ok(facts_of(&first.claims, format, display).0 == facts_of(&old.claims, format, display).0)
}

fn still_good(old: &StoredCredential, now: UnixTime) -> Vec<Copy> {
    let copies = old.record.copies.iter().enumerate();
    // What came out of a backup was only for the time until there is something better.
    let good = copies.filter(|(place, copy)| {
        let held = old.record.open_copy(*place);
        !copy.unsure && held.is_ok_and(|held| held.expires_at().is_none_or(|end| end > now))
    });
    good.map(|(_, copy)| copy.clone()).collect()
}

/// What is stored beside a card.
fn beside(
    session: &Session,
    readied: &Readied,
    kept: &Kept<'_>,
    mut origin: Origin,
    card: &CredentialId,
    notification: Option<String>,
    mut batch: VaultBatch,
) -> Result<VaultBatch, WalletError> {
    let endpoint = readied.issuer.notification_endpoint();
    if let (Some(id), Some(endpoint)) = (notification, endpoint) {
        batch = tell(session, readied, kept, &id, Event::Accepted, batch)?;
        origin.notification_endpoint = Some(endpoint.to_string());
        origin.notification_ids.push(id);
    }
    origin.access = kept.access_id.clone();
    batch = records::put_access(session.wallet.vault(), batch, kept.access_id, kept.access)?;
    batch = records::put(batch, card.as_str(), &origin)?;
    if let Some(waited) = kept.waited {
        batch = records::remove::<Waiting>(batch, waited);
    }
    Ok(batch)
}

/// Puts a notification beside (section 11), where the issuer takes them.
fn tell(
    session: &Session,
    readied: &Readied,
    kept: &Kept<'_>,
    id: &str,
    event: Event,
    batch: VaultBatch,
) -> Result<VaultBatch, WalletError> {
    let Some(endpoint) = readied.issuer.notification_endpoint() else {
        return Ok(batch);
    };
    let notice = Notice::new(kept.access_id.clone(), endpoint.as_str(), id, event);
    let batch = records::put_access(session.wallet.vault(), batch, kept.access_id, kept.access)?;
    let name = records::new_id(session.wallet.vault());
    records::put(batch, &name, &notice)
}
