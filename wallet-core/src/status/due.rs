//! Which lists are to be asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use vouchsafe_credentials::sd_jwt_vc::IssuerTrust;

use super::fetch::StatusFetch;
use super::known::{Known, ListId};
use super::reference::{Reference, references};
use crate::WalletError;
use crate::credential::{CredentialId, Record};
use crate::issuance::trust_in;
use crate::wallet::Wallet;

/// Most lists that are asked at once.
const MAX_LISTS: usize = 64;

/// No list is asked so soon after a verifier was answered: the hosts of both, who may compare notes,
/// would know each other's visitor by the moment.
const QUIET_S: i64 = 600;

/// What is looked up in a list, and whom its signer is checked against.
pub(super) struct Wanted {
    pub(super) trust: IssuerTrust,
    /// By place; a card may go while its list is on its way.
    pub(super) places: BTreeMap<String, (Reference, CredentialId)>,
}

impl Wallet {
    /// The status lists that are to be asked now: of cards that were verified and have not ended,
    /// where what is known is missing or too old. Copies on one list share one request. Nothing
    /// where the setting is off, and for ten minutes after a verifier was answered.
    ///
    /// To be called when the owner looks at the cards or has just added one, and at no other time:
    /// above all not while a card is shown.
    pub fn status_lists_due(&self) -> Result<Vec<StatusFetch>, WalletError> {
        let policy = self.config().status;
        let now = self.now();
        if !policy.ask || (self.history_store()).answered_since(now.plus(1 - QUIET_S), now)? {
            return Ok(Vec::new());
        }
        let mut lists: HashMap<ListId, Wanted> = HashMap::new();
        for card in self.store().list(now)? {
            // Catalogue 218: no request for a card that nobody checked.
            if !card.record.unchecked {
                self.collect(&card.record, &mut lists)?;
            }
        }
        let mut due: Vec<_> = lists.into_iter().collect();
        due.sort_by(|(one, _), (other, _)| (&one.uri, one.kind).cmp(&(&other.uri, other.kind)));
        let mut fetches = Vec::new();
        for (list, wanted) in due {
            let places: BTreeSet<&str> = wanted.places.keys().map(String::as_str).collect();
            let known = Known::read(self.vault(), &list)?.unwrap_or_default();
            if fetches.len() < MAX_LISTS && known.is_due(&places, policy.least_s, now) {
                fetches.extend(StatusFetch::new(self.clone(), list, wanted));
            }
        }
        Ok(fetches)
    }

    fn collect(
        &self,
        record: &Record,
        lists: &mut HashMap<ListId, Wanted>,
    ) -> Result<(), WalletError> {
        let now = self.now();
        let copies = (0..record.copies.len()).filter_map(|place| record.open_copy(place).ok());
        // Token Status List, "Validation Rules": what has ended has no other status.
        let alive = copies.filter(|held| held.expires_at().is_none_or(|end| end > now));
        let places: Vec<Reference> = alive.flat_map(|held| references(&held)).collect();
        if places.is_empty() {
            return Ok(());
        }
        // An issuer that the wallet knows no more has nobody who could sign for it.
        let Some(trust) = trust_in(self, record, None)? else {
            return Ok(());
        };
        for reference in places {
            let list = ListId::of(&reference, &record.issuer);
            let wanted = lists.entry(list).or_insert_with(|| Wanted {
                trust: trust.clone(),
                places: BTreeMap::new(),
            });
            let place = (reference.place(), (reference, record.id.clone()));
            wanted.places.extend([place]);
        }
        Ok(())
    }
}
