//! `GET /account`: what the person agreed to, and where they are logged in.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::account_attributes::{self, Problem};
use super::{account_authenticator, account_delete, account_export, owned, satisfaction};
use crate::app::App;
use crate::clients::document;
use crate::config::Query;
use crate::cookies::Cookie;
use crate::domain::authenticator::Authenticator;
use crate::domain::consent::{self, Consent, Event};
use crate::domain::ids::ClientId;
use crate::domain::means::{Means, MeansKind};
use crate::domain::session::Session;
use crate::login::notice::fact;
use crate::login::{linking, run};
use crate::store::passkeys::{self, Named};
use crate::store::{
    StoreError, attributes, authenticators, consents, journey_holds, notices, refresh_grants,
    sessions, subjects,
};
use crate::views;

/// So many consents stand on the page, those that hold first; all of them are in the file to keep.
const SHOWN: i64 = 100;
/// So many notices; all of them are in the export.
const NOTICES: i64 = 50;

/// The page of the browser's session.
pub async fn handle(State(app): State<App>, headers: HeaderMap) -> Response {
    show(&app, &headers, None).await
}

/// The page, and what is wrong with what was typed there.
pub(super) async fn show(app: &App, headers: &HeaderMap, problem: Option<Problem>) -> Response {
    let locale = views::browser_locale(headers);
    let session = match owned::session(app, headers).await {
        Ok(session) => session,
        Err(error) => return owned::store_failure(app, headers, &error),
    };
    let Some((session, cookie)) = session.zip(Cookie::Session.read(app, headers)) else {
        return views::message(app, StatusCode::OK, locale, "account-none");
    };
    let status = account_attributes::status(problem.as_ref());
    match context(app, (&session, &cookie), locale.tag(), problem.as_ref()).await {
        Ok(context) => views::page(app, status, "verifier/account", locale, context),
        Err(error) => owned::store_failure(app, headers, &error),
    }
}

async fn context(
    app: &App,
    (session, cookie): (&Session, &str),
    locale: &str,
    problem: Option<&Problem>,
) -> Result<Value, StoreError> {
    let subject = session.subject.as_ref();
    let given = consents::of_person(&app.db, subject, &session.id, SHOWN).await?;
    let events = consents::events_of_person(&app.db, subject, &session.id, SHOWN).await?;
    let live = match &session.subject {
        Some(subject) => sessions::of_subject(&app.db, subject, app.now()).await?,
        None => vec![session.clone()],
    };
    let mut shown = Vec::with_capacity(live.len());
    for one in &live {
        let clients = sessions::clients(&app.db, &one.id).await?;
        let mut apps = Vec::with_capacity(clients.len());
        for member in &clients {
            apps.push(app_name(app, &member.client, locale).await?);
        }
        shown.push(json!({
            "current": one.id == session.id,
            "away": refresh_grants::is_away(&app.db, &one.id).await?,
            "auth_time": one.authentication.auth_time.seconds(),
            "apps": apps,
            "end_link": format!("/account/sessions/{}/end", one.id),
        }));
    }
    let mut consents = Vec::with_capacity(given.len());
    for consent in &given {
        let name = app_name(app, &consent.client, locale).await?;
        consents.push(consent_row(app, consent, &events, &name, locale));
    }
    let means = match &session.subject {
        Some(subject) => subjects::means_of(&app.db, subject).await?,
        None => Vec::new(),
    };
    let keys = match (&session.subject, &app.settings.passkeys) {
        (Some(subject), Some(_)) => passkeys::of_account(&app.db, &app.vault, subject).await?,
        (_, _) => Vec::new(),
    };
    let authenticator = match &session.subject {
        Some(subject) if app.settings.totp.is_some() => {
            Some(authenticators::of_account(&app.db, subject).await?)
        }
        _ => None,
    };
    let cards = means
        .iter()
        .filter(|one| one.kind != MeansKind::Passkey)
        .count();
    let choices = match session.subject {
        Some(_) => choices(app, locale),
        None => Vec::new(),
    };
    let notices = match &session.subject {
        Some(subject) => notices::of_subject(&app.db, subject, NOTICES).await?,
        None => Vec::new(),
    };
    let mut told = Vec::with_capacity(notices.len());
    for notice in &notices {
        told.push(json!({
            "kind": notice.kind.name(),
            "app": app_name(app, &notice.client, locale).await?,
            "told_at": notice.told_at.seconds(),
            "reference": notice.reference,
        }));
    }
    let holds = match &session.subject {
        Some(subject) => {
            let after = app.now().plus(-run::RESUME_S);
            journey_holds::of_subject(&app.db, subject, after).await?
        }
        None => Vec::new(),
    };
    let mut waiting = Vec::with_capacity(holds.len());
    for hold in &holds {
        waiting.push(json!({
            "app": app_name(app, &hold.client, locale).await?,
            "ends_at": hold.ends_at.seconds(),
            "cancel_link": format!("/account/holds/{}/cancel", hold.login),
        }));
    }
    let known = match &session.subject {
        Some(subject) => attributes::of_account(&app.db, &app.vault, subject, app.now()).await?,
        None => Vec::new(),
    };
    let is_person = session.subject.is_some();
    let attributes = match &session.subject {
        Some(subject) => {
            let names = attributes::names(&app.db, subject, app.now()).await?;
            account_attributes::rows(app, (&known, &names), locale, problem)
        }
        None => Vec::new(),
    };
    Ok(json!({
        "attributes": attributes,
        "export_link": is_person.then_some(account_export::PATH),
        "delete_link": is_person.then_some(account_delete::PATH),
        "holds": waiting,
        "notices": told,
        "means": means.iter().map(|one| means_row(app, one, (cards, &keys), locale)).collect::<Vec<_>>(),
        "passkeys": app.settings.passkeys.is_some(),
        "authenticator": authenticator.as_ref().map(|app| authenticator_row(app.as_ref())),
        "choices": choices,
        "asked": satisfaction::link(app, &session.id),
        "csrf": app.csrf.token(cookie),
        "consents": consents,
        "sessions": shown,
    }))
}

/// The cards that somebody can add to an account: for each question its id and what it is for.
pub(super) fn choices(app: &App, locale: &str) -> Vec<Value> {
    let choice = |query: &Query| json!({ "query": query.id.as_str(), "purpose": query.purpose.for_locale(locale) });
    linking::questions(app).into_iter().map(choice).collect()
}

/// The last card, or account elsewhere, stays: without it nobody comes back to the account.
fn means_row(app: &App, means: &Means, (cards, keys): (usize, &[Named]), locale: &str) -> Value {
    let Means {
        id,
        kind,
        issuer,
        credential_type,
        created_at,
    } = means;
    let mut providers = app.settings.providers.iter();
    let elsewhere = (*kind == MeansKind::Upstream).then(|| {
        let provider = providers.find(|one| one.settings.issuer == *issuer);
        provider.map_or(issuer.as_str(), |one| one.name.as_str())
    });
    let key = keys.iter().find(|key| key.means == *id);
    let stays = *kind != MeansKind::Passkey && cards <= 1;
    json!({
        "name": elsewhere.or(key.map(|key| key.name.as_str())),
        "used_at": key.and_then(|key| key.used_at).map(|at| at.seconds()),
        "kind": kind.name(),
        "label": app.settings.card_name(credential_type).map(|name| name.for_locale(locale)),
        "type": credential_type,
        "created_at": created_at.seconds(),
        "remove_link": (!stays).then(|| format!("/account/means/{id}/remove")),
    })
}

/// The authenticator app, or how to add one.
fn authenticator_row(found: Option<&Authenticator>) -> Value {
    match found {
        None => json!({ "add_link": account_authenticator::PATH }),
        Some(Authenticator {
            id: _,
            created_at,
            used_at,
        }) => json!({
            "created_at": created_at.seconds(),
            "used_at": used_at.map(|at| at.seconds()),
            "remove_link": account_authenticator::REMOVE,
        }),
    }
}

fn consent_row(app: &App, consent: &Consent, events: &[Event], name: &str, locale: &str) -> Value {
    let Consent {
        id,
        client: _,
        subject: _,
        session: _,
        claims,
        purpose,
        offline,
        given_at,
        over_at,
        about,
    } = consent;
    let facts = claims.iter().map(|name| fact(app, name, locale).label);
    let history = events.iter().filter(|event| event.consent == *id);
    let history = history.filter(|event| event.state != consent::State::Given);
    let history: Vec<Value> = history
        .map(|event| json!({ "state": event.state.name(), "at": event.at.seconds() }))
        .collect();
    let receipt = about.as_ref();
    let receipt = receipt.map(|_| format!("/account/consents/{id}/receipt"));
    json!({
        "app": name,
        "purpose": purpose,
        "facts": facts.collect::<Vec<_>>(),
        "offline": offline,
        "given_at": given_at.seconds(),
        "history": history,
        "receipt": id.as_str().get(..12).unwrap_or_default(),
        "signed_link": receipt.as_ref().map(|link| format!("{link}.jwt")),
        "receipt_link": receipt,
        "withdraw_link": over_at.is_none().then(|| format!("/account/consents/{id}/withdraw")),
    })
}

async fn app_name(app: &App, id: &ClientId, locale: &str) -> Result<String, StoreError> {
    // Nothing is fetched for a list of what was.
    if app.settings.configured(id).is_none()
        && let Some(host) = document::host(id.as_str())
    {
        return Ok(host);
    }
    let client = app.client(id).await?;
    Ok(client.map_or_else(
        || id.to_string(),
        |client| client.name_in(locale).to_owned(),
    ))
}
