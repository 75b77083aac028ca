//! `GET /account`: what the person agreed to, and where they are logged in.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::owned;
use crate::app::App;
use crate::clients::document;
use crate::config::Query;
use crate::cookies::Cookie;
use crate::domain::consent::Consent;
use crate::domain::ids::ClientId;
use crate::domain::means::Means;
use crate::domain::session::Session;
use crate::login::{linking, run};
use crate::store::{
    StoreError, consents, journey_holds, notices, refresh_grants, sessions, subjects,
};
use crate::views;

/// The page of the browser's session.
pub async fn handle(State(app): State<App>, headers: HeaderMap) -> Response {
    let locale = views::browser_locale(&headers);
    let session = match owned::session(&app, &headers).await {
        Ok(session) => session,
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let Some((session, cookie)) = session.zip(Cookie::Session.read(&app, &headers)) else {
        return views::message(&app, StatusCode::OK, locale, "account-none");
    };
    match context(&app, &session, &cookie, locale.tag()).await {
        Ok(context) => views::page(&app, StatusCode::OK, "verifier/account", locale, context),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

async fn context(
    app: &App,
    session: &Session,
    cookie: &str,
    locale: &str,
) -> Result<Value, StoreError> {
    let given = consents::of_person(&app.db, session.subject.as_ref(), &session.id).await?;
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
        consents.push(consent_row(app, consent, &name, locale));
    }
    let means = match &session.subject {
        Some(subject) => subjects::means_of(&app.db, subject).await?,
        None => Vec::new(),
    };
    let choices = match session.subject {
        Some(_) => choices(app, locale),
        None => Vec::new(),
    };
    let notices = match &session.subject {
        Some(subject) => notices::of_subject(&app.db, subject).await?,
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
    Ok(json!({
        "holds": waiting,
        "notices": told,
        "means": means.iter().map(|one| means_row(one, means.len())).collect::<Vec<_>>(),
        "choices": choices,
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

/// The last one stays: without it nobody comes back to the account.
fn means_row(means: &Means, all: usize) -> Value {
    let Means {
        id,
        kind,
        issuer: _,
        credential_type,
        created_at,
    } = means;
    json!({
        "kind": kind.name(),
        "type": credential_type,
        "created_at": created_at.seconds(),
        "remove_link": (all > 1).then(|| format!("/account/means/{id}/remove")),
    })
}

fn consent_row(app: &App, consent: &Consent, name: &str, locale: &str) -> Value {
    let Consent {
        id,
        client: _,
        subject: _,
        session: _,
        claims,
        purpose,
        offline,
        given_at,
        withdrawn_at,
    } = consent;
    let label = |name: &String| {
        let mut mappings = app
            .settings
            .queries()
            .iter()
            .flat_map(|query| &query.claims);
        let mapping = mappings.find(|mapping| mapping.name == *name);
        mapping.map_or_else(
            || name.replace('_', " "),
            |mapping| mapping.label.for_locale(locale).to_owned(),
        )
    };
    json!({
        "app": name,
        "purpose": purpose,
        "facts": claims.iter().map(label).collect::<Vec<_>>(),
        "offline": offline,
        "given_at": given_at.seconds(),
        "withdrawn_at": withdrawn_at.map(|at| at.seconds()),
        "receipt": id.as_str().get(..12).unwrap_or_default(),
        "withdraw_link": format!("/account/consents/{id}/withdraw"),
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
