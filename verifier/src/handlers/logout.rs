//! `GET|POST /logout` (OpenID Connect RP-Initiated Logout 1.0).
//!
//! With an ID token of the browser's own session that session ends at once. Without one, anybody
//! could have sent the browser here, so the person is asked first.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_service::db::DbError;

use super::{owned, satisfaction};
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::ids::{ClientId, SessionId, Sid};
use crate::domain::reason::Explanation;
use crate::domain::session::EndReason;
use crate::login::end;
use crate::reply::{see_other, with_cookie};
use crate::store::{StoreError, sessions};
use crate::tokens::Hint;
use crate::views::{self, PageFailure};

/// Why nobody is logged out.
#[derive(Debug, thiserror::Error)]
enum LogoutError {
    /// The parameters are malformed, or the hint is not an ID token of ours for this client.
    #[error("the logout request is not acceptable: {0}")]
    Request(&'static str),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for LogoutError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl LogoutError {
    fn show(self, app: &App, headers: &HeaderMap) -> Response {
        match self {
            // Catalogue 367: a page, never a redirect.
            Self::Request(code) => PageFailure {
                status: StatusCode::BAD_REQUEST,
                explanation: Explanation::Request,
                code: code.to_owned(),
                locale: views::browser_locale(headers),
            }
            .show(app),
            Self::Store(error) => owned::store_failure(app, headers, &error),
        }
    }
}

/// By link.
pub async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    respond(&app, &headers, query.as_deref().unwrap_or_default()).await
}

/// By form, from an application or from our own page.
pub async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    respond(&app, &headers, std::str::from_utf8(&body).unwrap_or("=")).await
}

async fn respond(app: &App, headers: &HeaderMap, parameters: &str) -> Response {
    match logout(app, headers, parameters).await {
        Ok(response) => response,
        Err(error) => error.show(app, headers),
    }
}

async fn logout(app: &App, headers: &HeaderMap, parameters: &str) -> Result<Response, LogoutError> {
    let params =
        Params::parse(parameters).map_err(|_| LogoutError::Request("logout_parameters"))?;
    let cookie = Cookie::Session.read(app, headers);
    if let (Some(token), Some(cookie)) = (params.get("confirmation"), &cookie) {
        app.csrf
            .check(headers, cookie, token)
            .map_err(|_| LogoutError::Request("logout_form"))?;
        let ended = end_browser_session(app, headers).await?;
        return Ok(logged_out(app, headers, ended.as_ref()));
    }
    let Some(token) = params.get("id_token_hint") else {
        return confirm(app, headers, &params, cookie).await;
    };
    let hint = app
        .tokens
        .read_hint(token, app.issuer(), app.now())
        .ok_or(LogoutError::Request("id_token_hint"))?;
    if params.get("client_id").is_some_and(|id| id != hint.client) {
        return Err(LogoutError::Request("client_id"));
    }
    let target = return_address(app, &hint, &params).await?;
    let hinted = session_of(app, &hint).await?;
    let own = owned::session(app, headers).await?;
    let mine = own.as_ref().map(|own| own.id.clone());
    // Section 2: the OP MUST ask "if the supplied ID Token does not belong to the current OP
    // session": anybody has an ID token of their own and can send a browser here with it.
    if let (Some(own), Some(cookie)) = (own, &cookie)
        && hinted.as_ref() != Some(&own.id)
    {
        return Ok(ask(app, headers, cookie));
    }
    if let Some(session) = hinted {
        end::end(app, &session, EndReason::LoggedOut).await?;
    }
    let response = match target {
        Some(target) => see_other(&target),
        None => logged_out(app, headers, mine.as_ref()),
    };
    Ok(with_cookie(response, Cookie::Session.remove(app)))
}

/// Without a hint: the person decides, and nobody is sent anywhere afterwards.
async fn confirm(
    app: &App,
    headers: &HeaderMap,
    params: &Params,
    cookie: Option<String>,
) -> Result<Response, LogoutError> {
    if params.get("post_logout_redirect_uri").is_some() && params.get("client_id").is_none() {
        return Err(LogoutError::Request(
            "post_logout_redirect_uri_without_hint",
        ));
    }
    match (owned::session(app, headers).await?, cookie) {
        (Some(_), Some(cookie)) => Ok(ask(app, headers, &cookie)),
        _ => Ok(logged_out(app, headers, None)),
    }
}

fn ask(app: &App, headers: &HeaderMap, cookie: &str) -> Response {
    let context = json!({ "confirmation": app.csrf.token(cookie) });
    views::page(
        app,
        StatusCode::OK,
        "verifier/logout",
        views::browser_locale(headers),
        context,
    )
}

/// Section 3: the URI must be one that was registered, exactly.
async fn return_address(
    app: &App,
    hint: &Hint,
    params: &Params,
) -> Result<Option<String>, LogoutError> {
    let Some(wanted) = params.get("post_logout_redirect_uri") else {
        return Ok(None);
    };
    let client = ClientId::from_text(hint.client.as_str());
    let client = app.client(&client).await?;
    let known = client.as_ref().and_then(|client| {
        client
            .post_logout_redirect_uris
            .iter()
            .find(|uri| *uri == wanted)
    });
    let known = known.ok_or(LogoutError::Request("post_logout_redirect_uri"))?;
    let mut url =
        url::Url::parse(known).map_err(|_| LogoutError::Request("post_logout_redirect_uri"))?;
    if let Some(state) = params.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    Ok(Some(url.into()))
}

async fn session_of(app: &App, hint: &Hint) -> Result<Option<SessionId>, LogoutError> {
    let Some(sid) = &hint.sid else {
        return Ok(None);
    };
    let member = sessions::of_sid(
        &app.db,
        &Sid::from_text(sid.as_str()),
        &ClientId::from_text(hint.client.as_str()),
    )
    .await?;
    Ok(member.map(|member| member.session))
}

async fn end_browser_session(
    app: &App,
    headers: &HeaderMap,
) -> Result<Option<SessionId>, LogoutError> {
    let Some(session) = owned::session(app, headers).await? else {
        return Ok(None);
    };
    end::end(app, &session.id, EndReason::LoggedOut).await?;
    Ok(Some(session.id))
}

/// `ended`: the session of this browser, until now. Whoever had none is not asked how it was.
fn logged_out(app: &App, headers: &HeaderMap, ended: Option<&SessionId>) -> Response {
    let asked = ended.and_then(|session| satisfaction::link(app, session));
    let context = json!({ "key": "logged-out", "asked": asked });
    let locale = views::browser_locale(headers);
    let page = views::page(app, StatusCode::OK, "verifier/message", locale, context);
    with_cookie(page, Cookie::Session.remove(app))
}
