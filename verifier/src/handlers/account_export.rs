//! `GET /account/export`: all that the service knows of the person, as JSON.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_service::http::ClientAddress;

use super::account_means::{may_change, stale};
use super::owned;
use crate::app::App;
use crate::domain::attribute::Known;
use crate::domain::consent::Consent;
use crate::domain::ids::SubjectId;
use crate::domain::means::Means;
use crate::domain::session::Session;
use crate::store::{
    StoreError, accounts, attributes, consents, refresh_grants, risk, sessions, subjects,
};
use crate::views;

/// Consents, and logins that were seen, in one file: the newest ones.
const MOST: i64 = 5_000;

/// Where it is.
pub const PATH: &str = "/account/export";

/// The file.
pub async fn handle(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
) -> Response {
    let session = match owned::session(&app, &headers).await {
        Ok(session) => session,
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let owner = session.and_then(|session| Some((session.subject.clone()?, session)));
    let Some((subject, session)) = owner else {
        let locale = views::browser_locale(&headers);
        return views::message(&app, StatusCode::UNAUTHORIZED, locale, "account-none");
    };
    // A stolen session must not take with it all that is known of somebody.
    match may_change(&app, &headers, address, &session).await {
        Ok(true) => {}
        Ok(false) => return stale(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    match export(&app, &subject, &session).await {
        Ok(export) => {
            let headers = [
                (header::CACHE_CONTROL, "no-store"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"account.json\"",
                ),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, Json(export)).into_response()
        }
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

async fn export(app: &App, subject: &SubjectId, session: &Session) -> Result<Value, StoreError> {
    let (db, now) = (&app.db, app.now());
    let known = attributes::of_account(db, &app.vault, subject, now).await?;
    let refused = attributes::refusals(db, subject).await?;
    let means = subjects::means_of(db, subject).await?;
    let given = consents::of_person(db, Some(subject), &session.id, MOST).await?;
    let mut live = Vec::new();
    for one in sessions::all_of_subject(db, subject, now).await? {
        let clients = sessions::clients(db, &one.id).await?;
        let applications: Vec<&str> = clients.iter().map(|one| one.client.as_str()).collect();
        live.push(json!({
            "current": one.id == session.id,
            "away": refresh_grants::is_away(db, &one.id).await?,
            "auth_time": one.authentication.auth_time.seconds(),
            "acr": one.authentication.acr,
            "amr": one.authentication.amr,
            "expires_at": one.expires_at.seconds(),
            "applications": applications,
        }));
    }
    let mut seen = Vec::new();
    for past in risk::all_of_account(db, subject, MOST).await? {
        let at = past.at.seconds();
        let place = past.last_login(&app.vault)?.place;
        seen.push(json!({ "at": at, "place": place }));
    }
    Ok(json!({
        "account": {
            "created_at": subjects::created_at(db, subject).await?.map(|at| at.seconds()),
            "external_id": accounts::external_id_of(db, &app.vault, subject).await?,
            "logins": attributes::logins(db, subject).await?,
        },
        "attributes": known.iter().map(attribute).collect::<Vec<_>>(),
        "refused": refused.iter().map(|(name, at)| json!({ "name": name, "at": at.seconds() })).collect::<Vec<_>>(),
        "means": means.iter().map(one_means).collect::<Vec<_>>(),
        "sessions": live,
        "consents": given.iter().map(consent).collect::<Vec<_>>(),
        "logins_seen": seen,
    }))
}

fn attribute(known: &Known) -> Value {
    let Known {
        name,
        value,
        source,
        assurance,
        verified_at,
        purpose,
        agreed_at,
        expires_at,
    } = known;
    json!({
        "name": name, "value": value, "source": source.name(), "assurance": assurance,
        "verified_at": verified_at.seconds(), "purpose": purpose, "agreed_at": agreed_at.seconds(),
        "kept_until": expires_at.seconds(),
    })
}

fn one_means(means: &Means) -> Value {
    let Means {
        id: _,
        kind,
        issuer,
        credential_type,
        created_at,
    } = means;
    json!({
        "kind": kind.name(), "issuer": issuer, "type": credential_type,
        "created_at": created_at.seconds(),
    })
}

fn consent(consent: &Consent) -> Value {
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
    json!({
        "receipt": id.as_str(), "application": client.as_str(), "facts": claims, "purpose": purpose,
        "offline": offline, "given_at": given_at.seconds(),
        "withdrawn_at": withdrawn_at.map(|at| at.seconds()),
    })
}
