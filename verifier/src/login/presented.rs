//! Cards in the form of draft-svensson-credential-oidc-bridge-02: from the scopes of a request, and the
//! query that it may bring, to the question; from the verified answer to `presented_credentials`.
//!
//! A query of an application chooses among what its scopes stand for. What the configured question
//! demands of a card stays demanded: the address of a request is what anybody can write.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use vouchsafe_credentials::sd_jwt_vc::IssuerAuthority;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::error::OAuthError;
use vouchsafe_protocol::oidc::claims_request::DcqlWish;
use vouchsafe_protocol::vp::dcql::{
    ClaimQuery, ClaimsPath, CredentialQuery, DcqlQuery, PathStep, require_login_profile,
};
use vouchsafe_protocol::vp::verify::{VerifiedCredential, VerifiedPresentation};

use super::ask::AskError;
use crate::config::{OfferedCard, Query, ScopeClaims, SubjectStrategy};
use crate::domain::presented::{PresentedCard, PresentedWish};
use crate::domain::reason::{Explanation, Failure};
use crate::domain::request::LoginRequest;

mod own;

use own::OwnQuery;

/// The claim.
pub const PRESENTED: &str = "presented_credentials";
/// Longest claim, as JSON.
const MAX_BYTES: usize = 64 * 1024;
/// Longest claim in an ID token: section 6.1, tokens travel in headers.
const MAX_ID_TOKEN_BYTES: usize = 4 * 1024;

/// A card that a request asks for, and what the scope stands for.
pub(super) type Asked<'a> = (&'a OfferedCard, &'a ScopeClaims);

/// Makes the question. `flat` are the names of claims that the application learns by themselves.
pub(super) fn compose(
    query: &Query,
    asked: &[Asked<'_>],
    flat: &BTreeSet<&str>,
    own: Option<&DcqlWish>,
) -> Result<PresentedWish, OAuthError> {
    let refuse = OAuthError::invalid_request;
    let in_id_token = own.is_some_and(|own| own.in_id_token);
    let own = own.map(|own| OwnQuery::parse(&own.query, query, asked));
    let own = own.transpose().map_err(refuse)?;
    let mut cards: Vec<PresentedCard> = own.iter().flat_map(OwnQuery::cards).collect();
    // Appendix A.2: scopes that the query does not cover are asked for beside it, "and MUST NOT
    // reuse an id supplied by the RP".
    let mut beside = Vec::new();
    let covered: Vec<String> = cards.iter().map(|card| card.credential.clone()).collect();
    for (offered, claims) in asked {
        if !covered.contains(&offered.scope) {
            beside.push(offered.scope.clone());
            cards.push(PresentedCard {
                id: offered.scope.clone(),
                credential: offered.scope.clone(),
                claims: claims.claims.clone(),
            });
        }
    }
    let subject = query.subject.claim().map(|claim| claim.credential.as_str());
    let mut ids: Vec<(&str, &str)> = (cards.iter())
        .map(|card| (card.id.as_str(), card.credential.as_str()))
        .collect();
    // Who logs in is asked in any case; nothing is told of that card.
    if let Some(subject) = subject {
        let known = ids.iter().find(|(_, credential)| *credential == subject);
        let id = known.map_or(subject, |(id, _)| id);
        if !beside.iter().any(|other| other == id) {
            beside.push(id.to_owned());
        }
        if known.is_none() {
            ids.push((subject, subject));
        }
    }
    let names: BTreeSet<&str> = ids.iter().map(|(id, _)| *id).collect();
    if names.len() != ids.len() {
        return Err(refuse("dcql_query has an id that a scope needs"));
    }
    let narrowed = narrowed(query, &cards, flat);
    let credentials = ids.iter().map(|(id, credential)| {
        let mut entry = written(&narrowed, credential)?;
        entry.insert("id".to_owned(), (*id).into());
        match &own {
            Some(own) => own.demand(id, entry),
            None => Some(entry),
        }
    });
    let credentials: Option<Vec<Map<String, Value>>> = credentials.collect();
    let mut dcql = json!({ "credentials": credentials.ok_or(refuse(NO_QUERY))? });
    let sets = own.map(|own| own.sets).unwrap_or_default();
    if !sets.is_empty() {
        let alone = beside.iter().map(|id| json!({ "options": [[id]] }));
        let theirs = sets
            .iter()
            .map(|(set, required)| json!({ "options": set.options, "required": required }));
        dcql["credential_sets"] = theirs.chain(alone).collect();
    }
    // What is asked is checked once more as a whole.
    let whole = DcqlQuery::parse(&dcql).map_err(|_| refuse(NO_QUERY))?;
    require_login_profile(&whole).map_err(|_| refuse(NO_QUERY))?;
    Ok(PresentedWish {
        dcql,
        cards,
        sets: sets.into_iter().map(|(set, _)| set).collect(),
        in_id_token,
    })
}

/// The description of every `dcql_query` that is none.
const NO_QUERY: &str = "dcql_query is not one that is served";

/// The configured question without the claims that nobody is told and no rule reads.
fn narrowed(query: &Query, cards: &[PresentedCard], flat: &BTreeSet<&str>) -> DcqlQuery {
    query
        .dcql
        .narrowed(|entry: &CredentialQuery, claim: &ClaimQuery| {
            let credential = entry.id().as_str();
            let card = cards.iter().find(|card| card.credential == credential);
            let told = |name: &String| {
                flat.contains(name.as_str()) || card.is_some_and(|card| card.claims.contains(name))
            };
            let here = |path: &ClaimsPath| path == claim.path();
            let mut mapped = query.claims.iter().filter(|one| here(&one.path)).peekable();
            let is_subject = query
                .subject
                .claim()
                .is_some_and(|subject| subject.credential == credential && here(&subject.path));
            is_subject
                || mapped.peek().is_none()
                || query.bind.iter().any(|one| here(&one.path))
                || mapped.any(|one| told(&one.name))
        })
}

/// A Credential Query as it is written.
fn written(query: &DcqlQuery, id: &str) -> Option<Map<String, Value>> {
    let entries = query.as_json().get("credentials")?.as_array()?.iter();
    let mut entries = entries.filter_map(Value::as_object);
    let named = |entry: &&Map<String, Value>| entry.get("id").is_some_and(|found| found == id);
    entries.find(named).cloned()
}

/// The question as the login asks it: the configured one, under the names of the request.
pub(super) fn question(query: &Query, wish: &PresentedWish) -> Result<Query, AskError> {
    let dcql = DcqlQuery::parse(&wish.dcql).map_err(|_| AskError::Gone)?;
    let called = |credential: &str| {
        let card = wish.cards.iter().find(|card| card.credential == credential);
        let of_another = wish.cards.iter().any(|card| card.id == credential);
        match card {
            Some(card) => Some(card.id.clone()),
            None if of_another => None,
            None => dcql.credential(credential).map(|_| credential.to_owned()),
        }
    };
    let mut query = query.clone();
    for mapping in query.claims.iter_mut().chain(&mut query.bind) {
        let names = mapping.credentials.iter();
        mapping.credentials = names.filter_map(|name| called(name)).collect();
    }
    match &mut query.subject {
        SubjectStrategy::Guest => {}
        SubjectStrategy::IssuerScopedClaim(claim)
        | SubjectStrategy::AssertedLookup(claim)
        | SubjectStrategy::SessionBinding(claim) => {
            claim.credential = called(&claim.credential).ok_or(AskError::Gone)?;
        }
    }
    query.dcql = dcql;
    Ok(query)
}

/// What is told, and the names of the claims in it.
#[derive(Debug, Default)]
pub(super) struct ToldCards {
    pub(super) sets: Vec<Value>,
    pub(super) names: BTreeSet<String>,
}

/// `presented_credentials` of a verified answer to [`question`]; nothing else can be told.
pub(super) fn told(
    query: &Query,
    wish: &PresentedWish,
    presentation: &VerifiedPresentation,
    now: UnixTime,
) -> Result<ToldCards, Failure> {
    let shown: BTreeMap<&str, &PresentedCard> = (wish.cards.iter())
        .filter(|card| presentation.credential(&card.id).is_some())
        .map(|card| (card.id.as_str(), card))
        .collect();
    let mut told = ToldCards::default();
    let mut entry = |id: &str| {
        let verified = presentation.credential(id)?;
        let (entry, names) = entry(query, shown.get(id)?, verified, now);
        told.names.extend(names);
        Some((id.to_owned(), json!([entry])))
    };
    let mut sets = Vec::new();
    for set in &wish.sets {
        // Section 5.1.1: one object for each set that is satisfied, in the order of the request.
        let complete =
            |option: &&Vec<String>| option.iter().all(|id| shown.contains_key(id.as_str()));
        if let Some(option) = set.options.iter().find(complete) {
            let mut object: Map<String, Value> = option.iter().filter_map(|id| entry(id)).collect();
            if let Some(id) = &set.id {
                object.insert("id".to_owned(), id.as_str().into());
            }
            sets.push(Value::Object(object));
        }
    }
    let in_a_set = |id: &String| {
        let mut options = wish.sets.iter().flat_map(|set| &set.options);
        options.any(|option| option.contains(id))
    };
    let others = wish.cards.iter().filter(|card| !in_a_set(&card.id));
    let others: Map<String, Value> = others.filter_map(|card| entry(&card.id)).collect();
    if !others.is_empty() {
        sets.push(Value::Object(others));
    }
    told.sets = sets;
    match serde_json::to_vec(&told.sets) {
        Ok(bytes) if bytes.len() <= MAX_BYTES => Ok(told),
        Ok(_) | Err(_) => Err(Failure::new(
            "presented_credentials_too_large",
            Explanation::NotProven,
        )),
    }
}

/// Where `presented_credentials` goes.
#[derive(Debug, Default)]
pub(super) struct Claim {
    pub(super) userinfo: Option<(String, Value)>,
    pub(super) id_token: Option<(String, Value)>,
}

/// Section 7.2: to UserInfo; into the ID token only where the query stood there, and it is not long.
pub(super) fn claim(request: &LoginRequest, sets: &[Value]) -> Claim {
    // Section 5.1.1: at least one set.
    let Some(wish) = request.presented.as_ref().filter(|_| !sets.is_empty()) else {
        return Claim::default();
    };
    let value = Value::Array(sets.to_vec());
    let fits = value.to_string().len() <= MAX_ID_TOKEN_BYTES;
    let named = |value: Value| (PRESENTED.to_owned(), value);
    Claim {
        id_token: (wish.in_id_token && fits).then(|| named(value.clone())),
        userinfo: Some(named(value)),
    }
}

/// Section 5.1.2: a Credential Entry. When a card was issued and ends is not in it: two applications
/// could tell by it that they saw the same one.
fn entry(
    query: &Query,
    card: &PresentedCard,
    verified: &VerifiedCredential,
    now: UnixTime,
) -> (Value, Vec<String>) {
    let mdoc = matches!(verified.issuer().authority, IssuerAuthority::Iaca { .. });
    let mut claims = Map::new();
    let mut names = Vec::new();
    let mut namespace = None;
    for mapping in query
        .claims
        .iter()
        .filter(|one| card.claims.contains(&one.name))
    {
        // Section 5.4: nothing that was not disclosed, and nothing changed.
        let Some(value) = verified.claim(&mapping.path) else {
            continue;
        };
        let keys = mapping.path.steps().iter().filter_map(|step| match step {
            PathStep::Key(key) => Some(key.as_str()),
            PathStep::Index(_) | PathStep::All => None,
        });
        let keys: Vec<&str> = keys.collect();
        let keys = match keys.split_first() {
            Some((first, rest)) if mdoc => {
                namespace = Some((*first).to_owned());
                rest
            }
            Some(_) | None => keys.as_slice(),
        };
        put(&mut claims, keys, value);
        names.push(mapping.name.clone());
    }
    // A card without a status list has no status that could be asked.
    let trust_status = match verified.status() {
        Some(_) => "valid",
        None => "not_checked",
    };
    let mut entry = json!({
        "type": [verified.credential_type()],
        "issuer": verified.issuer().trusted,
        "verified_at": now.0,
        "verification": { "holder_binding": "key_binding", "trust_status": trust_status },
        "claims": claims,
    });
    if let Some(namespace) = namespace {
        entry["namespace"] = namespace.into();
    }
    (entry, names)
}

/// Puts a value at its place; what stands there as a whole stays.
fn put(object: &mut Map<String, Value>, keys: &[&str], value: &Value) {
    match keys {
        [] => {}
        [last] => {
            object.insert((*last).to_owned(), value.clone());
        }
        [first, rest @ ..] => {
            let inner = object.entry(*first).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
