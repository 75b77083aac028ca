//! `verified_claims` (OpenID Connect for Identity Assurance 1.0) of a verified answer: claims of a card
//! whose issuer the operator lists with the rules that it keeps. What a person said, and what other
//! providers said, is never among them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use vouchsafe_credentials::sd_jwt_vc::IssuerAuthority;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::verified_claims::{Known, VerifiedWish};
use vouchsafe_protocol::vp::verify::{VerifiedCredential, VerifiedPresentation};

use crate::app::Parts;
use crate::config::Query;
use crate::domain::request::Verified;
use crate::domain::transaction::VerifiedAnswer;

/// The claim.
pub const VERIFIED: &str = "verified_claims";
const DAY_S: i64 = 86_400;
/// Most that is told in one place, in bytes of JSON: eight elements may each ask for the same portrait.
const MOST_BYTES: usize = 64 * 1024;

/// What is told.
pub(super) fn told(
    app: &Parts,
    query: &Query,
    wishes: &Verified,
    presentation: &VerifiedPresentation,
) -> VerifiedAnswer {
    let answer = |wishes: &[VerifiedWish]| {
        // Where cards may be of several people, that of the person who logs in alone speaks of them.
        let known = query.subject.claim().map(|claim| claim.credential.as_str());
        let own = |card: &&VerifiedCredential| {
            query.one_holder || known.is_none_or(|id| id == card.query().as_str())
        };
        let cards = || presentation.credentials().iter().filter(own);
        let elements = wishes.iter().filter_map(|wish| {
            // Each wish by itself; each element of one card, whose issuer is one.
            cards().find_map(|card| element(app, query, wish, card))
        });
        let mut room = MOST_BYTES;
        let fits = |element: &Value| {
            let length = element.to_string().len();
            let fits = length <= room;
            room -= if fits { length } else { 0 };
            fits
        };
        elements.filter(fits).collect::<Vec<_>>()
    };
    VerifiedAnswer {
        userinfo: answer(&wishes.userinfo),
        id_token: answer(&wishes.id_token),
    }
}

/// Names of the claims of an answer.
pub(super) fn names(answer: &VerifiedAnswer) -> BTreeSet<String> {
    let elements = answer.userinfo.iter().chain(&answer.id_token);
    let claims = elements.filter_map(|element| element.get("claims")?.as_object());
    claims.flat_map(Map::keys).cloned().collect()
}

/// One element as it is, several as a list, none at all.
pub(super) fn claim(mut elements: Vec<Value>) -> Option<(String, Value)> {
    let value = match elements.len() {
        0 | 1 => elements.pop()?,
        _ => elements.into(),
    };
    Some((VERIFIED.to_owned(), value))
}

fn element(
    app: &Parts,
    query: &Query,
    wish: &VerifiedWish,
    card: &VerifiedCredential,
) -> Option<Value> {
    let mdoc = matches!(card.issuer().authority, IssuerAuthority::Iaca { .. });
    let kind = (mdoc, card.credential_type());
    let assurance = app.settings.trust.assurance(&card.issuer().trusted, kind)?;
    let mut verification = assurance.verification();
    // IDA 1.0: the time of the verification of the person, which is that of issue only where the operator says
    // so. To the day: the second would tell two applications that they saw the same card.
    let time = card.issued_at().filter(|_| assurance.time_is_issuance);
    let time = time.map(|at| UnixTime(at.0 - at.0.rem_euclid(DAY_S)));
    let written = time.and_then(|at| jiff::Timestamp::from_second(at.0).ok());
    if let Some(written) = written {
        verification.insert("time".to_owned(), written.to_string().into());
    }
    let mut claims = Map::new();
    for mapping in &query.claims {
        let of_card = mapping.credentials.iter();
        let mut of_card = of_card.filter(|id| *id == card.query().as_str());
        if let Some(value) = of_card.next().and_then(|_| card.claim(&mapping.path)) {
            claims.insert(mapping.name.clone(), value.clone());
        }
    }
    let known = Known {
        verification: &verification,
        time,
        claims: &claims,
    };
    wish.fulfil(known, app.now())
}
