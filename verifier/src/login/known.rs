//! What an application is told of the attributes of an account: those that it asks for, that it may
//! learn, and that a consent of the person with it names.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};

use super::code::Told;
use crate::app::Parts;
use crate::domain::attribute::Known;
use crate::domain::consent::of_account;
use crate::domain::ids::{ClientId, SecretDigest, SubjectId};
use crate::domain::request::{Fact, LoginRequest, OPENID};
use crate::store::{StoreError, attributes, consents, subjects, tokens};

/// Notes what is told of an account, and that somebody logged in to it. Whoever calls holds the
/// account.
pub(super) async fn of_login(
    tx: &mut Tx,
    app: &Parts,
    request: &LoginRequest,
    subject: Option<&SubjectId>,
    told: &mut Told,
) -> Result<(), StoreError> {
    let Some(subject) = subject else {
        return Ok(());
    };
    // Any page can send silent requests without end.
    let asked = request.asked.as_ref();
    let silent = asked.is_some_and(|asked| asked.prompt.iter().any(|one| one == "none"));
    if !silent {
        attributes::count_login(tx, subject).await?;
    }
    // UserInfo looks when it is asked: what was deleted meanwhile is not told.
    told.attributes.clone_from(&request.attributes.userinfo);
    let facts = &request.attributes.id_token;
    if facts.is_empty() {
        return Ok(());
    }
    let known = attributes::of_account_in(tx, &app.vault, subject, app.now()).await?;
    let covered =
        consents::covered_in(tx, &app.vault, (subject, &request.client), app.now()).await?;
    for (name, value) in Fact::choose(facts, &claims(app, &request.client, known, &covered)) {
        told.id_token_claims.entry(name).or_insert(value);
    }
    Ok(())
}

/// What UserInfo tells now for a token that asks for `facts`.
pub async fn of_token(
    app: &Parts,
    token: &SecretDigest,
    client: &ClientId,
    facts: &[Fact],
) -> Result<Map<String, Value>, StoreError> {
    if facts.is_empty() {
        return Ok(Map::new());
    }
    let Some(subject) = tokens::subject(&app.db, token).await? else {
        return Ok(Map::new());
    };
    let known = attributes::of_account(&app.db, &app.vault, &subject, app.now()).await?;
    let covered = consents::covered(&app.db, &app.vault, (&subject, client), app.now()).await?;
    Ok(Fact::choose(facts, &claims(app, client, known, &covered)))
}

/// Claims of what is known, as far as a consent names them. A no to one is stronger than a consent of
/// before.
fn claims(
    app: &Parts,
    client: &ClientId,
    known: Vec<Known>,
    covered: &BTreeMap<String, UnixTime>,
) -> Map<String, Value> {
    let mut claims = Map::new();
    for known in known {
        let Some(attribute) = app.settings.attribute(&known.name) else {
            continue;
        };
        if !attribute.takes(&known) {
            continue;
        }
        let given_at = covered.get(&of_account(&attribute.claim));
        if given_at.is_some_and(|at| known.is_for(client, *at)) {
            claims.insert(attribute.claim.clone(), known.value);
        }
    }
    claims
}

/// Holds an account until the transaction is over; `false` where it was deleted.
pub(super) async fn hold(tx: &mut Tx, subject: &SubjectId) -> Result<bool, DbError> {
    subjects::hold(tx, subject).await
}

/// The scope of a login without a card: what attributes ask for rests on consents given before.
pub(super) fn kept_scope(app: &Parts, scope: &str) -> String {
    let mut kept: Vec<&str> = scope.split(' ').collect();
    kept.retain(|one| *one == OPENID || app.settings.is_attribute_scope(one));
    kept.join(" ")
}
