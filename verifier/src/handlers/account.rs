//! `GET /account`: what the person agreed to, and where they are logged in.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::db::DbError;

use super::owned;
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::consent::Consent;
use crate::domain::ids::ClientId;
use crate::domain::session::Session;
use crate::store::{StoreError, consents, refresh_grants, sessions};
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
        Err(error) => owned::store_failure(&app, &headers, &StoreError::Db(error)),
    }
}

async fn context(
    app: &App,
    session: &Session,
    cookie: &str,
    locale: &str,
) -> Result<Value, DbError> {
    let given = consents::of_person(&app.db, session.subject.as_ref(), &session.id).await?;
    let live = match &session.subject {
        Some(subject) => sessions::of_subject(&app.db, subject, app.now()).await?,
        None => vec![session.clone()],
    };
    let mut shown = Vec::with_capacity(live.len());
    for one in &live {
        let clients = sessions::clients(&app.db, &one.id).await?;
        let apps: Vec<String> = clients
            .iter()
            .map(|member| app_name(app, &member.client))
            .collect();
        shown.push(json!({
            "current": one.id == session.id,
            "away": refresh_grants::is_away(&app.db, &one.id).await?,
            "auth_time": one.authentication.auth_time.seconds(),
            "apps": apps,
            "end_link": format!("/account/sessions/{}/end", one.id),
        }));
    }
    Ok(json!({
        "csrf": app.csrf.token(cookie),
        "consents": given.iter().map(|consent| consent_row(app, consent, locale)).collect::<Vec<_>>(),
        "sessions": shown,
    }))
}

fn consent_row(app: &App, consent: &Consent, locale: &str) -> Value {
    let Consent {
        id,
        client,
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
        "app": app_name(app, client),
        "purpose": purpose,
        "facts": claims.iter().map(label).collect::<Vec<_>>(),
        "offline": offline,
        "given_at": given_at.seconds(),
        "withdrawn_at": withdrawn_at.map(|at| at.seconds()),
        "receipt": id.as_str().get(..12).unwrap_or_default(),
        "withdraw_link": format!("/account/consents/{id}/withdraw"),
    })
}

fn app_name(app: &App, id: &ClientId) -> String {
    app.settings
        .client(id)
        .map_or_else(|| id.to_string(), |client| client.name.clone())
}
