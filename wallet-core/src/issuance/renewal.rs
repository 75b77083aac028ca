//! New copies of cards, without the person.

use vouchsafe_credentials::time::UnixTime;

use super::goal::{self, Goal};
use super::records::{self, Access, Origin};
use super::{IssuanceError, Step};
use crate::WalletError;
use crate::credential::{CredentialId, StoredCredential};
use crate::wallet::Wallet;

/// A card with fewer fresh copies than this gets new ones, unless it never had more.
const FRESH_COPIES: usize = 2;
/// A card in the last quarter of its life gets new copies.
const LAST_PART: i64 = 4;

/// Cards that have few fresh copies left or end soon, and whose issuer can be asked again.
pub(crate) fn cards_to_top_up(wallet: &Wallet) -> Result<Vec<CredentialId>, WalletError> {
    let now = wallet.now();
    let mut cards = Vec::new();
    for card in wallet.store().list(now)? {
        if wants_copies(&card, now) && source(wallet, &card.record.id)?.is_some() {
            cards.push(card.record.id.clone());
        }
    }
    Ok(cards)
}

fn wants_copies(card: &StoredCredential, now: UnixTime) -> bool {
    let copies = &card.record.copies;
    let fresh = card.fresh_copies(now);
    let ends_soon = card.held.expires_at().is_some_and(|end| {
        let life = end.since(card.record.added_at).max(0);
        end.since(now).saturating_mul(LAST_PART) < life
    });
    fresh < FRESH_COPIES.min(copies.len()) || ends_soon
}

/// Where new copies come from, if the issuer can be asked.
fn source(wallet: &Wallet, card: &CredentialId) -> Result<Option<(Origin, Access)>, WalletError> {
    let Some(origin) = records::get::<Origin>(wallet.vault(), card.as_str())? else {
        return Ok(None);
    };
    let access = records::get::<Access>(wallet.vault(), origin.access.as_str())?;
    let access = access.filter(|access| access.serves(wallet.now()));
    Ok(access.map(|access| (origin, access)))
}

/// Gets new copies of a card.
pub(crate) fn renew(wallet: Wallet, id: &CredentialId) -> Result<Step, WalletError> {
    wallet.store().record(id)?;
    let (origin, access) = source(&wallet, id)?.ok_or(IssuanceError::AccessEnded)?;
    let issuer = access.credential_issuer.clone();
    let configurations = vec![origin.configuration.clone()];
    let goal = Goal::Renew(id.clone(), Box::new(origin), Box::new(access));
    goal::begin(wallet, goal, &issuer, configurations)
}
