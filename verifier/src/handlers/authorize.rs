//! `GET|POST /authorize` (OpenID Connect Core 1.0, section 3.1.2).

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use vouchsafe_protocol::oauth::authorize::{Entry, EntryError, Rejection};
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::pushed::PREFIX;
use vouchsafe_protocol::oauth::response::ResponseTarget;
use vouchsafe_protocol::oidc::prompt::Decision;
use vouchsafe_service::http::{ClientAddress, is_form};

use super::authorize_journey::{self, Led, lead};
use super::authorize_request::{decision, is_expected, login_request, why};
use super::authorize_session::{Verdict, browser, judge, place};
use super::owned;
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::ids::ClientId;
use crate::domain::place::Place;
use crate::domain::reason::Explanation;
use crate::domain::request::{LoginRequest, StepUp};
use crate::domain::session::Session;
use crate::journeys::Unclear;
use crate::login::finish::{self, FinishError};
use crate::login::start::{self, Start};
use crate::pushed;
use crate::reply::{self, Told, see_other, with_cookie};
use crate::risk::Seen;
use crate::store::StoreError;
use crate::views::{self, PageFailure};

/// Why a request does not lead to a login page.
enum AuthorizeError {
    /// Nobody is known to send an answer to (catalogue 367: a page, never a redirect).
    Page(&'static str),
    /// The application is told.
    Client {
        error: OAuthError,
        target: Box<ResponseTarget>,
        app_name: String,
    },
    /// The database.
    Store(StoreError),
}

impl From<StoreError> for AuthorizeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<EntryError> for AuthorizeError {
    fn from(error: EntryError) -> Self {
        Self::Page(match error {
            EntryError::Params(_) => "request_parameters",
            EntryError::Malformed(_) => "client_id_malformed",
            EntryError::RedirectMissing => "redirect_uri_missing",
            EntryError::RedirectUnregistered => "redirect_uri_unregistered",
        })
    }
}

impl AuthorizeError {
    fn respond(self, app: &App, headers: &HeaderMap) -> Response {
        let locale = views::browser_locale(headers);
        match self {
            Self::Page(code) => PageFailure {
                status: StatusCode::BAD_REQUEST,
                explanation: Explanation::Request,
                code: code.to_owned(),
                locale,
            }
            .show(app),
            Self::Client {
                error,
                target,
                app_name,
            } => {
                tracing::info!(error = error.code.as_str(), "authorization request refused");
                reply::to_target(app, locale, &app_name, &target, Told::Error(error))
            }
            Self::Store(error) => owned::store_failure(app, headers, &error),
        }
    }
}

/// By link.
pub async fn get(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    respond(
        &app,
        address,
        &headers,
        query.as_deref().unwrap_or_default(),
    )
    .await
}

/// Longest form that is turned into a link.
const MAX_LINK: usize = 8 * 1024;

/// By form: the same parameters in the body.
///
/// A form of another site comes without our cookies (`SameSite=Lax`), as if nobody were logged in
/// here, and a new cookie would cut off every login that this browser has begun. So a form
/// without cookies becomes a link, with which the browser sends them.
pub async fn post(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // OpenID Connect Core 1.0, section 3.1.2.1: with POST the parameters are sent using form
    // serialization.
    if !is_form(&headers) {
        return PageFailure {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            explanation: Explanation::Request,
            code: "request_media_type".to_owned(),
            locale: views::browser_locale(&headers),
        }
        .show(&app);
    }
    let known = [Cookie::Browser, Cookie::Session]
        .iter()
        .any(|cookie| cookie.read(&app, &headers).is_some());
    let fits_a_link =
        body.len() <= MAX_LINK && body.iter().all(|b| b.is_ascii_graphic() && *b != b'#');
    match std::str::from_utf8(&body) {
        Ok(form) if known => respond(&app, address, &headers, form).await,
        Ok(form) if fits_a_link => see_other(&format!("/authorize?{form}")),
        Ok(_) | Err(_) => AuthorizeError::Page("request_parameters").respond(&app, &headers),
    }
}

async fn respond(
    app: &App,
    address: ClientAddress,
    headers: &HeaderMap,
    parameters: &str,
) -> Response {
    match authorize(app, address, headers, parameters).await {
        Ok(response) => response,
        Err(error) => error.respond(app, headers),
    }
}

async fn authorize(
    app: &App,
    address: ClientAddress,
    headers: &HeaderMap,
    parameters: &str,
) -> Result<Response, AuthorizeError> {
    let entry = Entry::parse(parameters)?;
    let client = ClientId::from_text(entry.client_id.as_str());
    let client = app.client(&client).await?;
    let client = client.ok_or(AuthorizeError::Page("client_unknown"))?;
    let client = client.as_ref();
    let (entry, pushed) = pushed_request(app, entry).await?;
    let addressed = entry.address(&client.redirect_uris)?;
    let to_client = |error: OAuthError, target: ResponseTarget| AuthorizeError::Client {
        error,
        target: Box::new(target),
        app_name: client
            .name_in(views::browser_locale(headers).tag())
            .to_owned(),
    };
    if pushed.is_none() && client.only_pushed {
        // RFC 9126, section 6.
        let error = OAuthError::invalid_request("the request must be pushed");
        return Err(to_client(error, addressed.target().clone()));
    }
    let request = addressed
        .parse(client.rules)
        .map_err(|Rejection { error, target }| to_client(error, *target))?;
    if request.authorization_details.is_some() && pushed.is_none() {
        // What a browser could change is not what is signed (RFC 9396, section 12).
        let error = OAuthError::invalid_request("authorization_details must be pushed");
        return Err(to_client(error, request.target));
    }
    let target = request.target.clone();
    let login = login_request(app, client, &request, headers)
        .map_err(|error| to_client(error, target.clone()))?;
    let login = LoginRequest { pushed, ..login };
    match authorize_journey::of(app, &login) {
        Ok(None) => {}
        Ok(Some(journey)) => {
            let asked = (client, login);
            return match lead(app, headers, address, asked, &journey).await? {
                Led::Shown(response) => Ok(response),
                Led::Told(error) => Err(to_client(error, target)),
            };
        }
        // Said before: the files changed meanwhile.
        Err(Unclear) => return Err(to_client(ErrorCode::AccessDenied.into(), target)),
    }
    let session = owned::session(app, headers)
        .await?
        .filter(|session| is_expected(app, client, &login, session));
    match decision(app, client, &request, &login, session.as_ref()) {
        Decision::Refuse(error) => Err(to_client(error, target)),
        Decision::UseSession => match session {
            Some(session) => match judge(app, headers, address, &session).await? {
                Verdict::Answers(seen) => answer_from_session(app, login, session, seen).await,
                // Nothing may be shown.
                Verdict::AskAgain(_) if request.prompt.none() => {
                    Err(to_client(ErrorCode::LoginRequired.into(), target))
                }
                Verdict::AskAgain(signs) => {
                    let risk = Some(signs);
                    let login = LoginRequest { risk, ..login };
                    begin(app, headers, address, login, Some(StepUp::Risk)).await
                }
            },
            None => Err(to_client(ErrorCode::LoginRequired.into(), target)),
        },
        Decision::Authenticate | Decision::AskConsent => {
            let reason = session.and_then(|session| why(app, client, &request, &session));
            begin(app, headers, address, login, reason).await
        }
    }
}

/// The pushed request instead of the one in the URL, where there is one, and what uses it up.
/// The parameters beside `request_uri` say nothing (RFC 9126, section 4).
async fn pushed_request(
    app: &App,
    entry: Entry,
) -> Result<(Entry, Option<String>), AuthorizeError> {
    let Some(request_uri) = entry.request_uri().filter(|uri| uri.starts_with(PREFIX)) else {
        return Ok((entry, None));
    };
    let found = pushed::load(app, request_uri, entry.client_id.as_str()).await;
    let found = found.map_err(StoreError::from)?;
    let (text, secret) = found.ok_or(AuthorizeError::Page("request_uri_unknown"))?;
    Ok((Entry::parse(&text)?, Some(secret)))
}

async fn answer_from_session(
    app: &App,
    login: LoginRequest,
    session: Session,
    seen: Option<Seen>,
) -> Result<Response, AuthorizeError> {
    let told = match finish::from_session(app, login.clone(), session, seen).await {
        Ok(code) => Told::Code(code),
        Err(FinishError::AlreadyOver | FinishError::Failed(_) | FinishError::ClientGone) => {
            Told::Error(ErrorCode::LoginRequired.into())
        }
        Err(FinishError::Store(error)) => return Err(error.into()),
    };
    Ok(reply::to_client(app, &login, told).await)
}

/// Begins a login that no application asked for.
pub(super) async fn begin_at(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    login: LoginRequest,
) -> Response {
    match begin(app, headers, address, login, None).await {
        Ok(response) => response,
        Err(error) => error.respond(app, headers),
    }
}

async fn begin(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    login: LoginRequest,
    step_up: Option<StepUp>,
) -> Result<Response, AuthorizeError> {
    let (browser, is_new) = browser(app, headers);
    let place = Place {
        step_up,
        ..place(app, headers, address, &browser)
    };
    let response = match start::start(app, login, browser.digest(), place).await? {
        Start::Started(id) => see_other(&format!("/login/{id}")),
        Start::TooMany(wait) => return Ok(owned::too_many(app, headers, wait)),
    };
    Ok(if is_new {
        with_cookie(response, Cookie::Browser.set(app, browser.reveal()))
    } else {
        response
    })
}
