//! A login as the browser that started it sees it. For everybody else it does not exist.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use vouchsafe_protocol::oauth::error::OAuthError;

use crate::app::App;
use crate::config::Client;
use crate::cookies::Cookie;
use crate::domain::ids::{Secret, TransactionId};
use crate::domain::reason::Explanation;
use crate::domain::request::LoginRequest;
use crate::domain::session::Session;
use crate::domain::transaction::{Login, Transaction};
use crate::login::accept::log_id;
use crate::login::device;
use crate::reply::{self, Told};
use crate::store::{StoreError, sessions, transactions};
use crate::views::{self, Own, PageFailure};

/// A login together with the proof that this browser started it.
pub struct Owned {
    /// The login.
    pub transaction: Transaction,
    /// The application.
    pub client: Arc<Client>,
    /// The browser's cookie, to bind forms to.
    pub cookie: String,
}

/// Why a login is not shown.
#[derive(Debug, thiserror::Error)]
pub enum OwnedError {
    /// It does not exist, or another browser started it (catalogue 313: no difference).
    #[error("no such login for this browser")]
    Unknown,
    /// Its five minutes are over.
    #[error("the login has expired")]
    Expired(Box<(Login, Arc<Client>, Own)>),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OwnedError {
    /// The page for it.
    pub fn show(self, app: &App, headers: &HeaderMap) -> Response {
        let locale = views::browser_locale(headers);
        match self {
            Self::Unknown => PageFailure::unknown(locale).show(app),
            Self::Expired(both) => {
                let (login, client, own) = *both;
                let explanation = Explanation::ExpiredLogin;
                views::failed(app, &login, Some(&client), explanation, Some(&own))
            }
            Self::Store(error) => store_failure(app, headers, &error),
        }
    }
}

/// The page for a failure of the database.
pub fn store_failure(app: &App, headers: &HeaderMap, error: &StoreError) -> Response {
    let temporary = matches!(error, StoreError::Db(error) if error.is_temporary());
    PageFailure::server(views::browser_locale(headers), error, temporary).show(app)
}

/// The login, whatever its state and age, if this browser started it.
pub async fn find_any_age(app: &App, headers: &HeaderMap, id: &str) -> Result<Owned, OwnedError> {
    let cookie = Cookie::Browser
        .read(app, headers)
        .ok_or(OwnedError::Unknown)?;
    let digest = Secret::parse(&cookie).ok_or(OwnedError::Unknown)?.digest();
    let transaction = transactions::find(&app.db, &app.vault, &TransactionId::from_text(id))
        .await?
        .ok_or(OwnedError::Unknown)?;
    // Digests of random values: their comparison tells nothing about the values.
    if transaction.login().browser != digest {
        return Err(OwnedError::Unknown);
    }
    let client = app.asker(&transaction.login().request).await?;
    let client = client.ok_or(OwnedError::Unknown)?;
    Ok(Owned {
        transaction,
        client,
        cookie,
    })
}

/// The login, if this browser started it and its time is not over.
pub async fn find(app: &App, headers: &HeaderMap, id: &str) -> Result<Owned, OwnedError> {
    let owned = find_any_age(app, headers, id).await?;
    let over = matches!(
        owned.transaction,
        Transaction::Finished(_) | Transaction::Failed(_)
    );
    if !over && app.now() >= owned.transaction.login().expires_at {
        let login = owned.transaction.login().clone();
        let own = own(app, owned.cookie, &login.request).await?;
        return Err(OwnedError::Expired(Box::new((login, owned.client, own))));
    }
    Ok(owned)
}

/// What the browser with this cookie is offered, having started the login.
pub async fn own(app: &App, cookie: String, request: &LoginRequest) -> Result<Own, StoreError> {
    let awaited = device::waits(app, request).await?;
    Ok(Own { cookie, awaited })
}

/// The page of a login whose way back broke off: the browser that began it may begin again.
pub async fn restart(app: &App, headers: &HeaderMap, cookie: String, login: &Login) -> Response {
    tracing::info!(
        login = log_id(&login.id),
        reason = "restart_login",
        "error page"
    );
    let found = async {
        let client = app.asker(&login.request).await?;
        Ok::<_, StoreError>((client, own(app, cookie, &login.request).await?))
    };
    match found.await {
        Ok((client, own)) => views::failed(
            app,
            login,
            client.as_deref(),
            Explanation::RestartLogin,
            Some(&own),
        ),
        Err(error) => store_failure(app, headers, &error),
    }
}

/// The page for a browser that has begun too many logins at one application.
pub fn too_many(app: &App, headers: &HeaderMap, wait_s: i64) -> Response {
    let failure = PageFailure {
        status: StatusCode::TOO_MANY_REQUESTS,
        explanation: Explanation::TooMany,
        code: "too_many_logins".to_owned(),
        locale: views::browser_locale(headers),
    };
    let mut response = failure.show(app);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
    response
}

/// The live session of a browser.
pub async fn session(app: &App, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
    let cookie = Cookie::Session
        .read(app, headers)
        .and_then(|value| Secret::parse(&value));
    match cookie {
        None => Ok(None),
        Some(cookie) => Ok(sessions::of_cookie(&app.db, &cookie.digest(), app.now()).await?),
    }
}

/// The person leaves a login that did not succeed: whoever waits for it is told.
pub async fn leave(
    app: &App,
    headers: &HeaderMap,
    request: &LoginRequest,
    error: OAuthError,
) -> Response {
    match device::deny(app, request).await {
        Ok(()) => reply::to_client(app, request, Told::Error(error)).await,
        Err(error) => store_failure(app, headers, &error),
    }
}

/// The page for a form that belongs to no login and was not sent from a page of ours in this browser.
pub fn foreign(app: &App, headers: &HeaderMap) -> Response {
    PageFailure {
        status: StatusCode::FORBIDDEN,
        explanation: Explanation::Form,
        code: "foreign_form".to_owned(),
        locale: views::browser_locale(headers),
    }
    .show(app)
}

/// The page for a request that the browser should not have made.
pub fn refused(app: &App, headers: &HeaderMap) -> Response {
    PageFailure {
        status: StatusCode::FORBIDDEN,
        explanation: Explanation::Unknown,
        code: "foreign_form".to_owned(),
        locale: views::browser_locale(headers),
    }
    .show(app)
}
