//! Making the answer.

use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::HttpRequest;
use vouchsafe_protocol::vp::answer::{Presented, make_api_response, make_form};
use vouchsafe_protocol::vp::dcql::{Candidate, Pick, Selection};

use super::PresentationError;
use super::ask::Asking;
use super::context::Asked;
use super::submit::post_form;
use crate::WalletError;
use crate::credential::{CredentialStore, Held, Record, StoredCredential};
use crate::error::CredentialError;
use crate::history::{History, HistoryEntry, Outcome};
use crate::secure_area::{self, AreaSigner, AuthorizationHint, KeyHandle, SecureAreaError};
use crate::storage::VaultBatch;
use crate::text::PlainText;
use crate::verifiers::KnownVerifier;
use crate::wallet::Wallet;

/// A copy of a card, ready to be bound to the request.
struct Prepared<'a> {
    pick: &'a Pick,
    held: Held,
    signer: AreaSigner,
}

/// An answer, as it travels.
pub(super) enum Made {
    /// To be posted.
    Post(HttpRequest),
    /// `data` for the browser.
    Data(Value),
}

/// Makes what carries the answer. Before it is handed out, the
/// history and the copies that it shows are durable: whatever happens next,
/// the wallet knows what may have left.
pub(super) async fn answer(
    asking: &Asking,
    chosen: &Selection,
) -> Result<(Made, HistoryEntry), WalletError> {
    let wallet = &asking.context.wallet;
    let verifier = asking.context.verifier_key();
    let hint = AuthorizationHint {
        title: asking.context.verifier(&wallet.locales()).name.to_string(),
    };
    let mut prepared = Vec::new();
    let mut shown_copies = Vec::new();
    for pick in chosen.picks() {
        let card = asking
            .cards
            .get(pick.candidate)
            .ok_or(PresentationError::Answer)?;
        still_chosen(card, verifier, wallet.now())?;
        let (held, signer) = open_copy(wallet, card, card.place, &hint)?;
        prepared.push(Prepared { pick, held, signer });
        shown_copies.push((card, card.place));
    }
    mark_shown(wallet, &shown_copies, verifier)?;
    let presented: Vec<Presented<'_>> = prepared
        .iter()
        .map(|one| Presented {
            query: &one.pick.query,
            credential: one.held.credential(),
            claims: &one.pick.claims,
            signer: &one.signer,
        })
        .collect();
    let made = carry(wallet, &asking.context.asked, &presented).await?;
    let entry = entry(asking, chosen);
    let _changing = wallet.changing_cards();
    let records = mark_shown(wallet, &shown_copies, verifier)?;
    save(asking, &entry, &records)?;
    Ok((made, entry))
}

async fn carry(
    wallet: &Wallet,
    asked: &Asked,
    presented: &[Presented<'_>],
) -> Result<Made, WalletError> {
    let (crypto, rng, now) = (wallet.crypto(), wallet.rng(), wallet.now());
    match asked {
        Asked::Link(request) => make_form(request, presented, crypto, rng, now)
            .await
            .map(|form| Made::Post(post_form(request.response_uri().clone(), form))),
        Asked::Page(request) => make_api_response(request, presented, crypto, rng, now)
            .await
            .map(Made::Data),
    }
    // What the person or the key said is worth more than that there is no answer.
    .map_err(|error| match secure_area::refusal(&error) {
        Some(refused) => refused.into(),
        None => PresentationError::Answer.into(),
    })
}

/// A copy that ended while the question was open is no answer: another one may take its place.
fn still_chosen(card: &StoredCredential, verifier: &str, now: UnixTime) -> Result<(), WalletError> {
    match card.record.copy_for(verifier, now)? {
        Some(chosen) if chosen.place == card.place => Ok(()),
        Some(_) | None => Err(PresentationError::CardChanged.into()),
    }
}

fn open_copy(
    wallet: &Wallet,
    card: &StoredCredential,
    copy: usize,
    hint: &AuthorizationHint,
) -> Result<(Held, AreaSigner), WalletError> {
    let record = &card.record;
    let copy = record.copies.get(copy).ok_or(CredentialError::Damaged)?;
    let held = Held::reopen(record.format, &copy.compact, record.issuer.clone())?;
    let public_key = held.holder_key().ok_or(SecureAreaError::UnknownKey)?;
    let key = KeyHandle {
        id: copy.key.clone(),
        public_key,
    };
    let signer = AreaSigner {
        area: Arc::clone(wallet.secure_area()),
        key,
        hint: hint.clone(),
    };
    Ok((held, signer))
}

/// The cards as they are stored now, with the copies marked that this verifier sees. What the
/// person was asked must still hold: the card is there, and nobody else saw the copy since.
fn mark_shown(
    wallet: &Wallet,
    copies: &[(&StoredCredential, usize)],
    verifier: &str,
) -> Result<Vec<Record>, WalletError> {
    let mut records: Vec<Record> = Vec::with_capacity(copies.len());
    for (card, index) in copies {
        let mut record = wallet.store().record(&card.record.id)?;
        let (Some(seen), Some(copy)) = (
            card.record.copies.get(*index),
            record.copies.get_mut(*index),
        ) else {
            return Err(PresentationError::CardChanged.into());
        };
        let same = copy.key == seen.key
            && (copy.shown_to == seen.shown_to || copy.shown_to.as_deref() == Some(verifier));
        if !same {
            return Err(PresentationError::CardChanged.into());
        }
        copy.shown_to.get_or_insert_with(|| verifier.to_owned());
        records.push(record);
    }
    Ok(records)
}

fn entry(asking: &Asking, chosen: &Selection) -> HistoryEntry {
    let locales = asking.context.wallet.locales();
    let (mut cards, mut facts): (Vec<PlainText>, Vec<PlainText>) = (Vec::new(), Vec::new());
    for pick in chosen.picks() {
        let Some(card) = asking.cards.get(pick.candidate) else {
            continue;
        };
        cards.push(card.title(&locales));
        let view = card.held.candidate().disclosed_view(&pick.claims);
        let learned = card.facts(&view);
        facts.extend(
            learned
                .labelled(&card.record.display, &locales)
                .map(|(label, _)| label),
        );
    }
    asking.context.entry(Outcome::Unknown, cards, facts)
}

fn save(asking: &Asking, entry: &HistoryEntry, records: &[Record]) -> Result<(), WalletError> {
    let wallet = &asking.context.wallet;
    let (name, bytes) = History::record(entry)?;
    let mut batch = VaultBatch::new().put(name, bytes);
    let known = asking.context.to_know();
    if asking.context.is_blocked()? {
        return Err(PresentationError::Blocked.into());
    }
    let (name, bytes) = wallet.verifier_store().encode(&KnownVerifier {
        last_shown_at: Some(entry.at),
        ..known
    })?;
    batch = batch.put(name, bytes);
    for record in records {
        let (name, bytes) = CredentialStore::encode(record)?;
        batch = batch.put(name, bytes);
    }
    wallet.commit(batch)
}
