//! `GET|POST /authorize` (OpenID Connect Core 1.0, section 3.1.2).

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::authorize::{AuthorizationRequest, Entry, EntryError, Rejection};
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::response::ResponseTarget;
use vouchsafe_protocol::oidc::acr::{Acr, AcrLadder, AcrWish};
use vouchsafe_protocol::oidc::prompt::{Decision, SessionState, Wishes, decide};
use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::http::ClientAddress;

use super::owned;
use crate::app::App;
use crate::config::{Client, Query};
use crate::cookies::Cookie;
use crate::domain::ids::{ClientId, Secret};
use crate::domain::place::Place;
use crate::domain::reason::Explanation;
use crate::domain::request::{LoginRequest, ReturnAddress};
use crate::domain::session::Session;
use crate::login::finish::{self, FinishError};
use crate::login::start;
use crate::reply::{self, Told, see_other, with_cookie};
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

/// By form: the same parameters in the body.
pub async fn post(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match std::str::from_utf8(&body) {
        Ok(form) => respond(&app, address, &headers, form).await,
        Err(_) => AuthorizeError::Page("request_parameters").respond(&app, &headers),
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
    let client = app
        .settings
        .client(&ClientId::from_text(entry.client_id.as_str()));
    let client = client.ok_or(AuthorizeError::Page("client_unknown"))?;
    let addressed = entry.address(&client.redirect_uris)?;
    let to_client = |error: OAuthError, target: ResponseTarget| AuthorizeError::Client {
        error,
        target: Box::new(target),
        app_name: client.name.clone(),
    };
    let request = addressed
        .parse(client.rules)
        .map_err(|Rejection { error, target }| to_client(error, *target))?;
    let target = request.target.clone();
    let login = login_request(app, client, &request, headers)
        .map_err(|error| to_client(error, target.clone()))?;

    let session = owned::session(app, headers)
        .await?
        .filter(|session| is_expected(app, client, &login, session));
    match decision(app, client, &request, &login, session.as_ref()) {
        Decision::Refuse(error) => Err(to_client(error, target)),
        Decision::UseSession => match session {
            Some(session) => answer_from_session(app, login, session).await,
            None => Err(to_client(ErrorCode::LoginRequired.into(), target)),
        },
        Decision::Authenticate | Decision::AskConsent => begin(app, headers, address, login).await,
    }
}

/// Turns the parsed request into what the login needs; the error goes to the application.
fn login_request(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    headers: &HeaderMap,
) -> Result<LoginRequest, OAuthError> {
    let (query, deliver_claims) = choose_query(app, client, request)?;
    let wish = request.claims.acr_wish(&request.acr_values);
    if !reachable(client, &wish) {
        return Err(ErrorCode::UnmetAuthenticationRequirements.into());
    }
    let hint = request
        .id_token_hint
        .as_deref()
        .map(|hint| app.tokens.read_hint(hint, app.issuer(), app.now()));
    let expected_sub = match hint {
        None => request.claims.required_sub.clone(),
        Some(Some(hint)) if hint.client == client.id.as_str() => Some(hint.sub),
        Some(Some(_) | None) => {
            return Err(OAuthError::invalid_request(
                "id_token_hint is not one of ours for this client",
            ));
        }
    };
    let mut scope = vec!["openid".to_owned()];
    scope.extend(query.scope.clone().filter(|_| deliver_claims));
    let accept = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Ok(LoginRequest {
        client: client.id.clone(),
        back: ReturnAddress {
            redirect_uri: request.target.redirect_uri.as_str().to_owned(),
            response_mode: request.target.mode,
            state: request.target.state.clone(),
        },
        nonce: request.nonce.clone(),
        scope: scope.join(" "),
        code_challenge: request
            .code_challenge
            .as_ref()
            .map(|challenge| challenge.as_str().to_owned()),
        query: query.id.clone(),
        deliver_claims,
        id_token_claims: request.claims.id_token.clone(),
        locale: Locale::negotiate(Some(&request.ui_locales.join(" ")), accept)
            .tag()
            .to_owned(),
        essential_acr: if wish.essential {
            wish.accepted
                .iter()
                .map(|acr| acr.as_str().to_owned())
                .collect()
        } else {
            Vec::new()
        },
        may_switch_account: request.prompt.select_account(),
        expected_sub,
    })
}

/// The one query that the scope names, or the client's own for a login without facts. Scope
/// values that nobody knows are ignored (OpenID Connect Core 1.0, section 3.1.2.1).
fn choose_query<'a>(
    app: &'a App,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<(&'a Query, bool), OAuthError> {
    if !request.scopes.contains("openid") {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "scope openid is missing",
        ));
    }
    let allowed = |scope: &str| client.scopes.iter().any(|allowed| allowed == scope);
    let mut named = app.settings.queries().iter().filter(|query| {
        query
            .scope
            .as_deref()
            .is_some_and(|scope| request.scopes.contains(scope))
    });
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "only one scope of a credential at a time",
        )),
        (Some(query), None) if query.scope.as_deref().is_some_and(allowed) => Ok((query, true)),
        (Some(_), None) => Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "the client may not ask for this scope",
        )),
        (None, _) => {
            let own = client
                .default_query
                .as_ref()
                .and_then(|id| app.settings.query(id));
            own.map(|query| (query, false))
                .ok_or_else(|| OAuthError::new(ErrorCode::InvalidScope, "no scope of a credential"))
        }
    }
}

/// Whether a login here can reach what is demanded: an essential class above all of ours fails
/// before anybody is asked for a card.
fn reachable(client: &Client, wish: &AcrWish) -> bool {
    wish.permits(Acr::Credential)
        || (client.cross_device && wish.permits(Acr::CredentialCrossDevice))
}

/// A session of somebody else than the one whom the application expects does not answer.
fn is_expected(app: &App, client: &Client, login: &LoginRequest, session: &Session) -> bool {
    let sub = session
        .subject
        .as_ref()
        .map(|subject| pairwise_sub(&app.pairwise_key, &client.sector, subject));
    sub.is_some()
        && login
            .expected_sub
            .as_ref()
            .is_none_or(|expected| sub.as_ref() == Some(expected))
}

fn decision(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    login: &LoginRequest,
    session: Option<&Session>,
) -> Decision {
    let wish = request.claims.acr_wish(&request.acr_values);
    let max_age = match (request.max_age, client.default_max_age) {
        (Some(asked), Some(registered)) => Some(asked.min(registered)),
        (asked, registered) => asked.or(registered),
    };
    let wishes = Wishes {
        prompt: request.prompt,
        max_age,
        min_acr: wish.lowest(),
        // A session never stands for a card (login.md, section 2, point 6).
        needs_presentation: login.deliver_claims,
    };
    let state = session.and_then(|session| {
        let acr = Acr::from_wire(&session.authentication.acr)?;
        // Without facts there is nothing to consent to.
        Some(SessionState {
            auth_time: session.authentication.auth_time,
            acr,
            consented: true,
        })
    });
    decide(&wishes, state.as_ref(), &AcrLadder::default(), app.now())
}

async fn answer_from_session(
    app: &App,
    login: LoginRequest,
    session: Session,
) -> Result<Response, AuthorizeError> {
    let told = match finish::from_session(app, login.clone(), session).await {
        Ok(finished) => Told::Code(finished.code),
        Err(FinishError::AlreadyOver | FinishError::Failed(_) | FinishError::ClientGone) => {
            Told::Error(ErrorCode::LoginRequired.into())
        }
        Err(FinishError::Store(error)) => return Err(error.into()),
    };
    Ok(reply::to_client(app, &login, told))
}

async fn begin(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    login: LoginRequest,
) -> Result<Response, AuthorizeError> {
    let known = Cookie::Browser
        .read(app, headers)
        .and_then(|value| Secret::parse(&value));
    let (browser, is_new) = match known {
        Some(known) => (known, false),
        None => (Secret::random(app.rng.as_ref()), true),
    };
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let place = Place::from_request(
        agent,
        (!address.0.is_unspecified()).then(|| address.0.to_string()),
    );
    let id = start::start(app, login, browser.digest(), place).await?;
    let response = see_other(&format!("/login/{id}"));
    Ok(if is_new {
        with_cookie(response, Cookie::Browser.set(app, browser.reveal()))
    } else {
        response
    })
}
