//! Which cards answer a request.

use vouchsafe_protocol::vp::dcql::{Candidate, Matches, NoMatch, QueryId, find_matches};
use vouchsafe_protocol::vp::transaction_data::TransactionData;

use super::context::Context;
use crate::credential::StoredCredential;

/// How the cards answer. One that its issuer took back, as far as the wallet knows, answers only what
/// no other card does: the person is told, and the verifier judges.
pub(super) fn matched(context: &Context, cards: &[StoredCredential]) -> Result<Matches, NoMatch> {
    let held: Vec<_> = cards.iter().map(|card| card.held.candidate()).collect();
    let candidates: Vec<_> = held.iter().map(|card| card as &dyn Candidate).collect();
    let mut matches = find_matches(context.asked.query(), &candidates)?;
    let mut statuses = context.wallet.statuses();
    let is_good: Vec<bool> = (cards.iter())
        .map(|card| !statuses.of(card).is_bad())
        .collect();
    if is_good.contains(&false) {
        let is_good = |place: usize| is_good.get(place).copied().unwrap_or_default();
        let asked = context.asked.transaction_data().iter();
        let signers: Vec<&[QueryId]> = asked.map(TransactionData::credential_ids).collect();
        matches.prefer(is_good, &signers);
    }
    Ok(matches)
}

/// Whether each transaction can be signed by a card of an answer. OpenID4VP 1.0, section 6.4.2: of `options` a
/// whole one is returned, so a card that goes with a missing one alone signs nothing.
pub(super) fn authorises(matches: &Matches, asked: &[TransactionData]) -> bool {
    asked.iter().all(|one| {
        let ids = one.credential_ids();
        let mut options = matches.sets().iter().flat_map(|set| &set.options);
        options.any(|option| option.iter().any(|id| ids.contains(id)))
    })
}
