//! Which question a request leads to, and what of the answer goes where.

use std::collections::BTreeSet;

use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_protocol::oidc::claims_request::{ClaimWish, ClaimsRequest};
use vouchsafe_protocol::oidc::verified_claims::VerifiedWish;

use super::presented::{self, Asked};
use crate::config::{Attribute, Client, Query, ScopeClaims, Settings};
use crate::domain::presented::PresentedWish;
use crate::domain::request::{Fact, Facts, OFFLINE_ACCESS, OPENID, Verified};

/// A question that a client may ask, and what it learns.
#[derive(Debug)]
pub struct Choice<'a> {
    /// The question.
    pub query: &'a Query,
    /// The scope values of cards that were asked for.
    pub scopes: Vec<String>,
    /// What goes to the application.
    pub facts: Facts,
    /// Cards that go to it in the form of a draft.
    pub presented: Option<PresentedWish>,
    /// What goes to it with how it was verified.
    pub verified: Verified,
}

/// Chooses the query that the scopes name; without one, the client's own. The `claims` parameter
/// adds facts of that query and never chooses another one: whoever logs in can write into the
/// address of the request, and another query has other conditions. Scope values and claims that
/// nobody knows are ignored (OpenID Connect Core 1.0, sections 3.1.2.1 and 5.5.1).
pub fn choose<'a>(
    settings: &'a Settings,
    client: &Client,
    scopes: &Scopes,
    claims: &ClaimsRequest,
) -> Result<Choice<'a>, OAuthError> {
    let refuse = |reason| OAuthError::new(ErrorCode::InvalidScope, reason);
    if !scopes.contains(OPENID) {
        return Err(refuse("scope openid is missing"));
    }
    let asked = |scope: &&ScopeClaims| scopes.contains(&scope.scope);
    let mut named = settings
        .queries()
        .iter()
        .filter(|query| query.scopes.iter().any(|scope| asked(&scope)));
    let query = match (named.next(), named.next()) {
        // One login shows one set of cards and leads to one person.
        (Some(_), Some(_)) => return Err(refuse("these scopes cannot be asked for together")),
        (Some(query), None) => query,
        (None, _) => {
            let own = client.default_query.as_ref();
            let own = own.and_then(|id| settings.query(id));
            own.ok_or_else(|| refuse("no scope of a credential"))?
        }
    };
    let scopes: Vec<&ScopeClaims> = query.scopes.iter().filter(asked).collect();
    if !scopes.iter().all(|scope| may_ask(client, scope)) {
        return Err(refuse("the client may not ask for this scope"));
    }
    let cards = presented_cards(settings, client, &scopes);
    let is_card = |scope: &&ScopeClaims| cards.iter().any(|(_, card)| card.scope == scope.scope);
    let flat: Vec<&ScopeClaims> = (scopes.iter().copied())
        .filter(|scope| !is_card(scope))
        .collect();
    let facts = facts(query, client, &flat, claims);
    let verified = verified(settings, query, client, claims);
    let names = [facts.names(), verified.names()];
    let names: BTreeSet<&str> = names.into_iter().flatten().collect();
    Ok(Choice {
        presented: presented(settings, (query, client), &cards, &names, claims)?,
        query,
        verified,
        facts,
        scopes: scopes.iter().map(|scope| scope.scope.clone()).collect(),
    })
}

/// The cards that a client gets in the form of a draft, where it may have that.
fn presented_cards<'a>(
    settings: &'a Settings,
    client: &Client,
    scopes: &[&'a ScopeClaims],
) -> Vec<Asked<'a>> {
    let served = settings.presented.as_ref();
    let served = served.filter(|_| client.presented_credentials);
    let cards = scopes.iter().filter_map(|scope| {
        let offered = served?.of_scope(&scope.scope)?;
        Some((offered, *scope))
    });
    cards.collect()
}

/// draft-svensson-credential-oidc-bridge-02, section 5.3, steps 1 and 2.
fn presented(
    settings: &Settings,
    (query, client): (&Query, &Client),
    cards: &[Asked<'_>],
    flat: &BTreeSet<&str>,
    claims: &ClaimsRequest,
) -> Result<Option<PresentedWish>, OAuthError> {
    // Where the draft is off, the member is one that nobody knows (OpenID Connect Core 1.0, section 5.5).
    let own = claims.dcql_query.as_ref();
    let own = own.filter(|_| settings.presented.is_some());
    let served = settings.presented.as_ref();
    let served = served.is_some_and(|one| one.dcql_query && client.presented_credentials);
    if own.is_some() && (!served || cards.is_empty()) {
        let reason = "dcql_query is not served to this client with these scopes";
        return Err(OAuthError::invalid_request(reason));
    }
    match cards {
        [] => Ok(None),
        cards => presented::compose(query, cards, flat, own).map(Some),
    }
}

/// `verified_claims` with the claims that the client may learn and that some card could tell so; the
/// others are not asked for.
fn verified(
    settings: &Settings,
    query: &Query,
    client: &Client,
    claims: &ClaimsRequest,
) -> Verified {
    let own = |wishes: &[VerifiedWish]| {
        let wishes = wishes.iter().map(|wish| {
            let mut own = wish.clone();
            own.claims.retain(|claim| {
                may_learn(client, query, &claim.name)
                    && settings.may_verify(query, wish, &claim.name)
            });
            own
        });
        wishes.filter(|wish| !wish.claims.is_empty()).collect()
    };
    Verified {
        userinfo: own(&claims.verified_userinfo),
        id_token: own(&claims.verified_id_token),
    }
}

/// Whether the scopes name no question, so that only another rule can choose one.
#[must_use]
pub fn names_no_card(settings: &Settings, scopes: &Scopes) -> bool {
    let mut queries = settings.queries().iter();
    let named = queries.any(|query| query.scope_names().any(|scope| scopes.contains(scope)));
    scopes.contains(OPENID) && !named
}

fn may_ask(client: &Client, scope: &ScopeClaims) -> bool {
    client.scopes.contains(&scope.scope)
}

/// The scope that is granted. An application gets a refresh token (OpenID Connect Core 1.0,
/// section 11) only if it is registered for one, and never for a guest: without an account nobody
/// comes back.
#[must_use]
pub fn granted(client: &Client, guest: bool, asked: &Scopes, cards: Vec<String>) -> String {
    let stays = client.offline_access && asked.contains(OFFLINE_ACCESS) && !guest;
    let mut scope = vec![OPENID.to_owned()];
    scope.extend(cards);
    scope.extend(stays.then(|| OFFLINE_ACCESS.to_owned()));
    scope.join(" ")
}

/// Whether a client may learn this claim of a query: as it could by a scope, or because the query
/// has none and is its own.
fn may_learn(client: &Client, query: &Query, claim: &str) -> bool {
    let known = || query.claim_names().any(|name| name == claim);
    match query.scopes.as_slice() {
        [] => client.default_query.as_ref() == Some(&query.id) && known(),
        scopes => scopes
            .iter()
            .filter(|scope| may_ask(client, scope))
            .any(|scope| scope.claims.iter().any(|name| name == claim)),
    }
}

/// Section 5.5: what the parameter names is added to what the scopes stand for.
fn facts(query: &Query, client: &Client, scopes: &[&ScopeClaims], claims: &ClaimsRequest) -> Facts {
    let mut facts = Facts::default();
    for mapping in &query.claims {
        if scopes
            .iter()
            .any(|scope| scope.claims.contains(&mapping.name))
        {
            let fact = Fact {
                name: mapping.name.clone(),
                values: Vec::new(),
            };
            if mapping.in_id_token {
                facts.id_token.push(fact.clone());
            }
            facts.userinfo.push(fact);
        }
    }
    add(&mut facts.userinfo, query, client, &claims.userinfo);
    add(&mut facts.id_token, query, client, &claims.id_token);
    facts
}

/// Attributes of the account that a request asks for by a scope or by the `claims` parameter, as far
/// as the application may learn them.
#[must_use]
pub fn attributes(
    settings: &Settings,
    client: &Client,
    scopes: &Scopes,
    claims: &ClaimsRequest,
) -> Facts {
    let mut facts = Facts::default();
    let may = |one: &&Attribute| client.attributes.contains(&one.name);
    for attribute in settings.attributes().iter().filter(may) {
        let scope = attribute.scope.as_ref();
        if scope.is_some_and(|scope| scopes.contains(scope)) {
            facts.userinfo.push(Fact {
                name: attribute.claim.clone(),
                values: Vec::new(),
            });
        }
        let places = [
            (&mut facts.userinfo, &claims.userinfo),
            (&mut facts.id_token, &claims.id_token),
        ];
        for (facts, wishes) in places {
            let wish = wishes.iter().find(|wish| wish.name == attribute.claim);
            let known = facts.iter().any(|fact| fact.name == attribute.claim);
            facts.extend(wish.filter(|_| !known).map(|wish| Fact {
                name: wish.name.clone(),
                values: wish.values.clone(),
            }));
        }
    }
    facts
}

/// The scope values of a request that ask for attributes which the application may learn.
pub fn attribute_scopes<'a>(
    settings: &'a Settings,
    client: &'a Client,
    asked: &'a Scopes,
) -> impl Iterator<Item = String> + 'a {
    let may = |one: &&Attribute| client.attributes.contains(&one.name);
    let known = settings.attributes().iter().filter(may);
    let scopes: BTreeSet<&String> = known.filter_map(|one| one.scope.as_ref()).collect();
    let mut scopes: Vec<&String> = scopes.into_iter().collect();
    scopes.retain(|scope| asked.contains(scope));
    scopes.into_iter().cloned()
}

fn add(facts: &mut Vec<Fact>, query: &Query, client: &Client, wishes: &[ClaimWish]) {
    for wish in wishes {
        let known = facts.iter().any(|fact| fact.name == wish.name);
        if !known && may_learn(client, query, &wish.name) {
            facts.push(Fact {
                name: wish.name.clone(),
                values: wish.values.clone(),
            });
        }
    }
}
