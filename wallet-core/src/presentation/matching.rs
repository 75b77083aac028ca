//! Which cards answer a request.

use vouchsafe_protocol::vp::dcql::{Candidate, Matches, NoMatch, find_matches};
use vouchsafe_protocol::vp::transaction_data::TransactionData;

use super::context::Context;
use crate::credential::StoredCredential;

/// The cards that answer, and how. One that its issuer took back, as far as the wallet knows, answers
/// only what no other card does: the person is told, and the verifier judges.
pub(super) fn matched(
    context: &Context,
    cards: Vec<StoredCredential>,
) -> (Vec<StoredCredential>, Result<Matches, NoMatch>) {
    let is_good = |card: &StoredCredential| !context.wallet.card_status(card).is_bad();
    let (mut cards, bad): (Vec<_>, Vec<_>) = cards.into_iter().partition(is_good);
    let matches = matches(context, &cards);
    let enough = |matches: &Matches| authorises(matches, context.asked.transaction_data());
    if bad.is_empty() || matches.as_ref().is_ok_and(enough) {
        return (cards, matches);
    }
    let good = cards.len();
    cards.extend(bad);
    let mut matches = self::matches(context, &cards);
    if let Ok(matches) = &mut matches {
        matches.prefer(|candidate| candidate < good);
    }
    (cards, matches)
}

fn matches(context: &Context, cards: &[StoredCredential]) -> Result<Matches, NoMatch> {
    let held: Vec<_> = cards.iter().map(|card| card.held.candidate()).collect();
    let candidates: Vec<_> = held.iter().map(|card| card as &dyn Candidate).collect();
    find_matches(context.asked.query(), &candidates)
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
