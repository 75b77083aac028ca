//! The query that an application brings (draft, section 4.1.2): its profile, and what of it is served.

use serde_json::{Map, Value};
use vouchsafe_protocol::vp::dcql::{ClaimsPath, CredentialQuery, DcqlQuery, require_login_profile};

use super::{Asked, NO_QUERY};
use crate::config::{Query, RESERVED_ID};
use crate::domain::presented::{PresentedCard, PresentedSet};

/// Most cards of one query.
const MOST_CARDS: usize = 8;
/// Longest name of a set.
const LONGEST_NAME: usize = 128;

/// A query that was checked.
pub(super) struct OwnQuery {
    cards: Vec<OwnCard>,
    /// Its sets, and whether each is required.
    pub(super) sets: Vec<(PresentedSet, bool)>,
}

struct OwnCard {
    card: PresentedCard,
    /// As it came.
    written: Map<String, Value>,
}

impl OwnQuery {
    /// Checks it against the scopes of the request. The text goes to the application.
    pub(super) fn parse(
        written: &Value,
        query: &Query,
        asked: &[Asked<'_>],
    ) -> Result<Self, &'static str> {
        let parsed = DcqlQuery::parse(written).map_err(|_| NO_QUERY)?;
        require_login_profile(&parsed).map_err(|_| NO_QUERY)?;
        if parsed.credentials().len() > MOST_CARDS {
            return Err("dcql_query asks for too many cards");
        }
        let members = written.get("credentials").and_then(Value::as_array);
        let members = members.into_iter().flatten().filter_map(Value::as_object);
        let mut cards: Vec<OwnCard> = Vec::new();
        for (entry, written) in parsed.credentials().iter().zip(members) {
            let card = card(entry, written, query, asked)?;
            if cards
                .iter()
                .any(|one| one.card.credential == card.credential)
            {
                return Err("dcql_query asks twice for the card of one scope");
            }
            cards.push(OwnCard {
                card,
                written: written.clone(),
            });
        }
        let sets = sets(&parsed, written)?;
        Ok(Self { cards, sets })
    }

    /// The cards that it asks for.
    pub(super) fn cards(&self) -> impl Iterator<Item = PresentedCard> {
        self.cards.iter().map(|one| one.card.clone())
    }

    /// Adds what it demands of a card to what is demanded anyway: "MUST NOT relax any constraint
    /// expressed by the RP" (appendix A.2), and none of ours. Nothing: both demand the same thing.
    pub(super) fn demand(
        &self,
        id: &str,
        mut entry: Map<String, Value>,
    ) -> Option<Map<String, Value>> {
        let Some(own) = self.cards.iter().find(|one| one.card.id == id) else {
            return Some(entry);
        };
        if let Some(authorities) = own.written.get(AUTHORITIES) {
            let before = entry.insert(AUTHORITIES.to_owned(), authorities.clone());
            before.is_none().then_some(())?;
        }
        let wanted = own.written.get("claims").and_then(Value::as_array);
        for claim in wanted.into_iter().flatten() {
            let (Some(path), Some(values)) = (claim.get("path"), claim.get("values")) else {
                continue;
            };
            let ours = entry.get_mut("claims").and_then(Value::as_array_mut)?;
            let ours = ours.iter_mut().filter_map(Value::as_object_mut);
            let mut ours = ours.filter(|one| one.get("path") == Some(path));
            let before = ours.next()?.insert("values".to_owned(), values.clone());
            before.is_none().then_some(())?;
        }
        Some(entry)
    }
}

const AUTHORITIES: &str = "trusted_authorities";

fn card(
    entry: &CredentialQuery,
    written: &Map<String, Value>,
    query: &Query,
    asked: &[Asked<'_>],
) -> Result<PresentedCard, &'static str> {
    if written.contains_key("claim_sets") {
        return Err("dcql_query must not have claim_sets");
    }
    if entry.multiple() {
        return Err("dcql_query must not have multiple");
    }
    if entry.id().as_str() == RESERVED_ID {
        return Err("dcql_query has the reserved id");
    }
    // "Each Credential Query MUST identify a credential type that matches an entry in
    // credential_presentations_supported whose scope value is present in the authorization request."
    let own_type = |(offered, _): &&Asked<'_>| {
        let types = crate::config::types_of(entry);
        offered.format == *entry.format() && types == std::slice::from_ref(&offered.kind)
    };
    let found = asked.iter().find(own_type);
    let (offered, scope) = found.ok_or("dcql_query asks for a card that no scope stands for")?;
    let name = |path: &ClaimsPath| {
        let mut known = query.claims.iter();
        let known = known.find(|one| {
            let of_card = one.credentials.contains(&offered.scope);
            one.path == *path && of_card && scope.claims.contains(&one.name)
        });
        known.map(|one| one.name.clone())
    };
    let claims = match entry.claims() {
        // "When claims is omitted, the OP applies the pre-registered claim set."
        None => scope.claims.clone(),
        Some(claims) => {
            let names = claims.iter().map(|claim| name(claim.path()));
            let names: Option<Vec<String>> = names.collect();
            names.ok_or("dcql_query asks for a claim that no scope stands for")?
        }
    };
    Ok(PresentedCard {
        id: entry.id().as_str().to_owned(),
        credential: offered.scope.clone(),
        claims,
    })
}

/// `credential_sets`, with the names that the draft adds.
fn sets(parsed: &DcqlQuery, written: &Value) -> Result<Vec<(PresentedSet, bool)>, &'static str> {
    let members = written.get("credential_sets").and_then(Value::as_array);
    let members = members.into_iter().flatten();
    let sets = parsed.credential_sets().unwrap_or_default().iter();
    sets.zip(members)
        .map(|(set, written)| {
            let id = match written.get("id") {
                None => None,
                Some(Value::String(id)) if !id.is_empty() && id.len() <= LONGEST_NAME => {
                    Some(id.clone())
                }
                Some(_) => return Err("dcql_query has a set whose id is none"),
            };
            let options = set.options().iter();
            let options = options
                .map(|option| option.iter().map(|id| id.as_str().to_owned()).collect())
                .collect();
            Ok((PresentedSet { id, options }, set.required()))
        })
        .collect()
}
