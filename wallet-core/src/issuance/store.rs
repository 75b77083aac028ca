//! Checking what came, and keeping it.

use vouchsafe_credentials::Verified;
use vouchsafe_credentials::sd_jwt_vc::{
    HeldSdJwtVc, IssuancePolicy, IssuerTrust, VcError, verify_issued,
};
use vouchsafe_protocol::vci::response::ReceivedCredentials;

use super::IssuanceError;
use super::credentials::Wanted;
use super::readied::Readied;
use super::session::Session;
use crate::WalletError;
use crate::credential::{Copy, CredentialId, CredentialStore, Record, facts_of};
use crate::display::{CardDisplay, choose};
use crate::history::{History, Outcome};
use crate::secure_area::KeyHandle;
use crate::storage::VaultBatch;
use crate::text::PlainText;

/// A copy that passed every check, with the key it is bound to.
struct CheckedCopy {
    held: Verified<HeldSdJwtVc>,
    key: KeyHandle,
}

/// Verifies what came for one card and stores it with its history, all or
/// nothing. Nothing of a credential that fails is kept (catalogue 292).
pub(super) async fn store(
    session: &mut Session,
    readied: &Readied,
    wanted: &Wanted,
    keys: &[KeyHandle],
    received: ReceivedCredentials,
) -> Result<CredentialId, WalletError> {
    let configuration = readied.configuration(&wanted.configuration)?;
    let vct = configuration
        .vct
        .as_deref()
        .ok_or(IssuanceError::UnsupportedCard)?;
    let first = received
        .credentials
        .first()
        .ok_or(IssuanceError::UnsupportedCard)?;
    let known = readied.standing.known(&readied.offer, first)?;
    let trust = known
        .for_type(vct)
        .ok_or(IssuanceError::IssuerNotForType)?
        .map_err(|_| IssuanceError::NotAcceptable(VcError::IssuerUntrusted))?;
    let copies = check_all(session, &received.credentials, &trust, vct, keys)?;
    let display = readied.display(configuration);
    let held = copies
        .first()
        .ok_or(IssuanceError::UnsupportedCard)?
        .held
        .get();
    check_same(&copies, &display)?;

    let wallet = &session.wallet;
    let record = Record {
        id: wallet.store().new_id(),
        credential_issuer: readied.offer.credential_issuer.as_str().to_owned(),
        issuer: held.issuer().clone(),
        vct: vct.to_owned(),
        added_at: wallet.now(),
        copies: copies.iter().map(CheckedCopy::to_copy).collect(),
        display,
    };
    let (cards, facts) = names(session, &record, held);
    let (history, entry) = History::record(&session.entry(Outcome::Completed, cards, facts))?;
    let (name, bytes) = CredentialStore::encode(&record)?;
    let mut batch = VaultBatch::new().put(name, bytes).put(history, entry);
    if let Some((name, bytes)) = readied.standing.to_remember(&known, wallet.now())? {
        batch = batch.put(name, bytes);
    }
    wallet.commit(batch)?;
    for copy in &copies {
        session.bind_key(&copy.key.id);
    }
    // Keys for which nothing came.
    session.drop_unbound_keys().await?;
    Ok(record.id)
}

fn check_all(
    session: &Session,
    received: &[String],
    trust: &IssuerTrust,
    vct: &str,
    keys: &[KeyHandle],
) -> Result<Vec<CheckedCopy>, IssuanceError> {
    let mut free: Vec<&KeyHandle> = keys.iter().collect();
    let mut copies = Vec::with_capacity(received.len());
    for compact in received {
        let (held, position) = check_one(session, compact, trust, vct, &free)?;
        let key = free.remove(position).clone();
        copies.push(CheckedCopy { held, key });
    }
    Ok(copies)
}

/// Finds the key that a credential is bound to: issuers need not keep the
/// order of the proofs.
fn check_one(
    session: &Session,
    compact: &str,
    trust: &IssuerTrust,
    vct: &str,
    keys: &[&KeyHandle],
) -> Result<(Verified<HeldSdJwtVc>, usize), IssuanceError> {
    let wallet = &session.wallet;
    for (position, key) in keys.iter().enumerate() {
        let policy = IssuancePolicy {
            trust,
            vct,
            holder_key: Some(&key.public_key),
            now: wallet.now(),
        };
        match verify_issued(compact, &policy, wallet.crypto()) {
            Ok(held) => return Ok((held, position)),
            Err(VcError::HolderKeyMismatch) => {}
            Err(error) => return Err(IssuanceError::NotAcceptable(error)),
        }
    }
    Err(IssuanceError::NotAcceptable(VcError::HolderKeyMismatch))
}

/// Copies of a card that say different things would show the person one thing
/// and a verifier another.
fn check_same(copies: &[CheckedCopy], display: &CardDisplay) -> Result<(), IssuanceError> {
    let claims = |copy: &CheckedCopy| serde_json::Value::Object(copy.held.get().claims().clone());
    let mut all = copies.iter().map(claims);
    let Some(first) = all.next() else {
        return Ok(());
    };
    let same = all.all(|other| facts_of(&other, display).0 == facts_of(&first, display).0);
    if same {
        Ok(())
    } else {
        Err(IssuanceError::CopiesDiffer)
    }
}

fn names(
    session: &Session,
    record: &Record,
    held: &HeldSdJwtVc,
) -> (Vec<PlainText>, Vec<PlainText>) {
    let locales = session.wallet.locales();
    let title = choose(&record.display.name, &locales).cloned();
    let title = title.unwrap_or_else(|| PlainText::new(&record.vct));
    let claims = serde_json::Value::Object(held.claims().clone());
    let facts = facts_of(&claims, &record.display);
    let labels = facts
        .labelled(&record.display, &locales)
        .map(|(label, _)| label)
        .collect();
    (vec![title], labels)
}

impl CheckedCopy {
    fn to_copy(&self) -> Copy {
        Copy {
            compact: self.held.get().compact().to_owned(),
            key: self.key.id.clone(),
            shown_to: None,
        }
    }
}
