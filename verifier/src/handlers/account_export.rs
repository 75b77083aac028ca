//! `GET /account/export`: all that the service knows of the person, as JSON.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_service::http::ClientAddress;

use super::account_means::{may_change, stale};
use super::{account_attributes, owned};
use crate::app::App;
use crate::domain::account_notice::Notice;
use crate::domain::attribute::Known;
use crate::domain::consent::{Consent, Event};
use crate::domain::ids::{ConsentId, SubjectId};
use crate::domain::means::Means;
use crate::domain::session::{CardRef, Session};
use crate::store::account_cards::{self, ShownCard};
use crate::store::passkeys::{self, Named};
use crate::store::{
    StoreError, accounts, attributes, authenticators, consents, notices, refresh_grants, risk,
    sessions, subjects,
};
use crate::views;

/// Consents, and logins that were seen, in one file: the newest ones.
const MOST: i64 = 5_000;

/// What is kept of the person and says nothing without a key of the service: keyed hashes, and what the
/// authenticator app of the person has itself.
const LEFT_OUT: [&str; 5] = [
    "account_authenticators.secret",
    "account_identifiers.identifier_mac",
    "risk_failures.address",
    "risk_logins.features",
    "subject_means.claim_mac",
];

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
    let names = attributes::names(db, subject, now).await?;
    let cards = account_cards::of_account(db, subject).await?;
    let refused = attributes::refusals(db, subject).await?;
    let means = subjects::means_of(db, subject).await?;
    let given = consents::of_person(db, Some(subject), &session.id, MOST).await?;
    let events = consents::events_of_person(db, Some(subject), &session.id, MOST).await?;
    let keys = passkeys::of_account(db, &app.vault, subject).await?;
    let authenticator = authenticators::of_account(db, subject).await?;
    let told = notices::of_subject(db, subject, MOST).await?;
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
            "locale": accounts::locale_of(db, subject).await?,
            "logins": attributes::logins(db, subject).await?,
        },
        "attributes": known.iter().map(attribute).collect::<Vec<_>>(),
        "refused": refused.iter().map(|(name, at)| json!({ "name": name, "at": at.seconds() })).collect::<Vec<_>>(),
        "means": means.iter().map(|one| one_means(one, &keys)).collect::<Vec<_>>(),
        "authenticator": authenticator.as_ref().map(|one| json!({
            "created_at": one.created_at.seconds(), "used_at": one.used_at.map(|at| at.seconds()),
        })),
        "unreadable": account_attributes::unread(&known, &names),
        "cards": cards.iter().map(card).collect::<Vec<_>>(),
        "left_out": LEFT_OUT,
        "notices": told.iter().map(notice).collect::<Vec<_>>(),
        "sessions": live,
        "consents": given.iter().map(|one| consent(one, &events)).collect::<Vec<_>>(),
        "logins_seen": seen,
    }))
}

fn card(shown: &ShownCard) -> Value {
    let ShownCard {
        query,
        card,
        shown_at,
    } = shown;
    let CardRef {
        issuer,
        credential_type,
        status,
        expires_at,
    } = card;
    let status = status.as_ref();
    json!({
        "question": query.as_str(), "issuer": issuer.trusted, "type": credential_type,
        "status_list": status.map(|status| json!({ "uri": status.uri, "idx": status.idx })),
        "expires_at": expires_at.map(|at| at.seconds()), "shown_at": shown_at.seconds(),
    })
}

fn notice(notice: &Notice) -> Value {
    json!({
        "kind": notice.kind.name(), "application": notice.client.as_str(),
        "reference": notice.reference, "told_at": notice.told_at.seconds(),
    })
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
        consent,
        not_for,
    } = known;
    let not_for: Vec<&str> = not_for.iter().map(|one| one.client.as_str()).collect();
    json!({
        "name": name, "value": value, "source": source.name(), "assurance": assurance,
        "verified_at": verified_at.seconds(), "purpose": purpose, "agreed_at": agreed_at.seconds(),
        "kept_until": expires_at.seconds(), "consent_id": consent.as_ref().map(ConsentId::as_str),
        "not_for": not_for,
    })
}

fn one_means(means: &Means, keys: &[Named]) -> Value {
    let Means {
        id,
        kind,
        issuer,
        credential_type,
        created_at,
    } = means;
    let key = keys.iter().find(|key| key.means == *id);
    json!({
        "name": key.map(|key| key.name.as_str()),
        "used_at": key.and_then(|key| key.used_at).map(|at| at.seconds()),
        "kind": kind.name(), "issuer": issuer, "type": credential_type,
        "created_at": created_at.seconds(),
    })
}

fn consent(consent: &Consent, events: &[Event]) -> Value {
    let history = events.iter().filter(|event| event.consent == consent.id);
    let history: Vec<Value> = history
        .map(|event| json!({ "state": event.state.name(), "at": event.at.seconds() }))
        .collect();
    let Consent {
        id,
        client,
        subject: _,
        session: _,
        claims,
        purpose,
        offline,
        given_at,
        over_at,
        about: _,
    } = consent;
    json!({
        "receipt": id.as_str(), "application": client.as_str(), "facts": claims, "purpose": purpose,
        "offline": offline, "given_at": given_at.seconds(),
        "over_at": over_at.map(|at| at.seconds()), "history": history,
    })
}
