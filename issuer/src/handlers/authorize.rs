//! `GET /authorize`: a wallet asks for an authorization code (RFC 6749, section 4.1.1;
//! OpenID4VCI 1.0, section 5). The person proves the right to the record on our page.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_pages::{Locale, PagesError};
use vouchsafe_protocol::oauth::authorize::{Entry, EntryError, Rejection};
use vouchsafe_protocol::oauth::response::{
    AuthorizationResponse, Outcome, ResponseMode, ResponseTarget,
};
use vouchsafe_protocol::oauth::{AuthorizationRequest, ClientRules, ErrorCode, OAuthError};
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::ClientAddress;

use super::code_page::{self, CodePage, Failure, Flow};
use super::person_page;
use super::presentation_page::{self, PageError};
use super::sign_in::{self, SignInError, told};
use crate::authentication::Method;
use crate::core::Core;
use crate::domain::offer::{GrantKind, Offer};
use crate::domain::secret::Secret;
use crate::profile::Use;
use crate::pushed::{self, PushedRequest};
use crate::redeem::{self, RedeemError};
use crate::settings::WalletClient;
use crate::wanted::Wanted;

/// Why the code page is not shown.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// Nobody is known to send an error to.
    #[error("the request has no address")]
    Entry(#[from] EntryError),
    /// The wallet is not registered.
    #[error("the client is not known")]
    UnknownClient,
    /// No pushed request of this wallet that still lives (RFC 9126, section 4).
    #[error("the pushed request is unknown, used or over")]
    RequestUri,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The wallet is told.
    #[error("the request is refused")]
    Rejected(#[from] Rejection),
    /// A page cannot be rendered.
    #[error("the page cannot be rendered")]
    Page(#[from] PagesError),
    /// The page that asks for a card cannot be shown.
    #[error("no card can be asked for")]
    Presentation(#[from] PageError),
    /// A network has too many questions for cards put: the wallet is told.
    #[error("the network has too many questions put")]
    Busy(Box<ResponseTarget>),
    /// The provider that signs persons in cannot be asked: the wallet is told.
    #[error("nobody can sign in")]
    SignIn(#[source] SignInError, Box<ResponseTarget>),
}

impl AuthorizeError {
    fn respond(self, core: &Core, locale: Locale) -> Response {
        match self {
            Self::Rejected(Rejection { error, target }) => {
                redirect(core, &target, &Outcome::Error(error))
            }
            Self::Entry(_) | Self::UnknownClient | Self::RequestUri => {
                code_page::render_failure(core, locale, Failure::Request)
            }
            Self::Db(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "authorize failed");
                code_page::render_failure(core, locale, Failure::Server)
            }
            Self::Page(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "page failed");
                code_page::render_failure(core, locale, Failure::Server)
            }
            Self::Presentation(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "page failed");
                code_page::render_failure(core, locale, Failure::Server)
            }
            Self::Busy(target) => {
                let error = ErrorCode::TemporarilyUnavailable.into();
                redirect(core, &target, &Outcome::Error(error))
            }
            Self::SignIn(error, target) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "nobody can sign in"
                );
                let code = match &error {
                    SignInError::NotConfigured => ErrorCode::ServerError,
                    SignInError::Upstream(error) => told(error),
                    SignInError::Busy | SignInError::Db(_) => ErrorCode::TemporarilyUnavailable,
                };
                redirect(core, &target, &Outcome::Error(code.into()))
            }
        }
    }
}

/// Shows the code page.
pub async fn handler(
    State(core): State<Core>,
    address: ClientAddress,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let locale = locale(&headers, &[]);
    let query = query.as_deref().unwrap_or_default();
    match show(&core, address, query, &headers).await {
        Ok(response) => response,
        Err(error) => error.respond(&core, locale),
    }
}

async fn show(
    core: &Core,
    address: ClientAddress,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, AuthorizeError> {
    let entry = Entry::parse(query)?;
    let client = core.settings.clients.get(entry.client_id.as_str());
    let client = client.ok_or(AuthorizeError::UnknownClient)?;
    let (entry, pushed) = pushed_request(core, entry).await?;
    let addressed = entry.address(&client.redirect_uris)?;
    if pushed.is_none() && core.settings.rules().par == Use::Required {
        // RFC 9126, section 5.
        return Err(Rejection {
            error: OAuthError::invalid_request("the request must be pushed"),
            target: Box::new(addressed.target().clone()),
        }
        .into());
    }
    let request = addressed.parse(ClientRules::public())?;
    let (offer, wanted) = what_is_asked(core, &request).await?;
    let browser = code_page::browser(core, headers).unwrap_or_else(|| code_page::new_browser(core));
    let locale = locale(headers, &request.ui_locales);
    let target = request.target.clone();
    let mut flow = flow(core, request, wanted, locale, &browser)?;
    if let Some((pushed, secret)) = pushed {
        flow.dpop_jkt = pushed.dpop_jkt;
        flow.instance = pushed.instance;
        flow.pushed = Some(secret.expose().to_owned());
    }
    if offer.is_none()
        && let Some(kind) = flow.types.first().cloned()
    {
        match core.settings.authentication(&kind) {
            Method::Code => {}
            Method::OpenIdConnect(_) => {
                let begun = sign_in::begin(core, address, &kind, &flow, &browser).await;
                return begun.map_err(|error| AuthorizeError::SignIn(error, Box::new(target)));
            }
            Method::Presentation(method) => {
                let page = presentation_page::ask(core, address, method, &flow, client, &browser);
                return page.await.map_err(|error| match error {
                    PageError::Busy => AuthorizeError::Busy(Box::new(target)),
                    other => other.into(),
                });
            }
            Method::Webhook(questions) => {
                let shown = (&browser, None);
                return Ok(person_page::render(core, questions, &flow, client, shown)?);
            }
        }
    }
    let kind = offer.map(|offer| offer.credential_type);
    let kind = kind.as_ref().or(flow.types.first());
    let page = page_of(core, kind.map_or("", String::as_str), client, locale);
    Ok(code_page::render(core, &flow, &browser, page)?)
}

/// The pushed request instead of the one in the URL, where there is one.
async fn pushed_request(
    core: &Core,
    entry: Entry,
) -> Result<(Entry, Option<(PushedRequest, Secret)>), AuthorizeError> {
    let Some(request_uri) = entry.request_uri() else {
        return Ok((entry, None));
    };
    if !core.settings.rules().par.on() {
        return Ok((entry, None));
    }
    let found = pushed::load(core, request_uri, entry.client_id.as_str()).await?;
    let (pushed, secret) = found.ok_or(AuthorizeError::RequestUri)?;
    // The parameters beside `request_uri` say nothing.
    Ok((Entry::parse(&pushed.text)?, Some((pushed, secret))))
}

/// The key of `dpop_jkt`, where the profile has DPoP: elsewhere nobody could prove it, and
/// parameters that mean nothing are ignored (RFC 6749, section 3.1).
pub(super) fn bound_key(core: &Core, dpop_jkt: Option<String>) -> Option<String> {
    dpop_jkt.filter(|_| core.settings.rules().dpop.on())
}

/// What the wallet asks for and, where the link of an offer brought the person, the offer.
///
/// The offer is open and is what is asked for. `issuer_state` authenticates nobody: it only says
/// which code will be asked for (catalogue 245).
pub(super) async fn what_is_asked(
    core: &Core,
    request: &AuthorizationRequest,
) -> Result<(Option<Offer>, Wanted), Rejection> {
    let reject = |error| Rejection {
        error,
        target: Box::new(ResponseTarget {
            mode: ResponseMode::Query,
            ..request.target.clone()
        }),
    };
    let invalid = |text| reject(OAuthError::invalid_request(text));
    if request.target.mode != ResponseMode::Query {
        return Err(invalid("response_mode must be query"));
    }
    let wanted = Wanted::read(core, request).map_err(reject)?;
    let Some(issuer_state) = &request.issuer_state else {
        // The person began in the wallet: the code that is typed will find the offer.
        let types = wanted.types(core);
        // RFC 6749, section 4.1.2.1: there are scopes, and none is known.
        if types.is_empty() && request.scopes.iter().next().is_some() {
            return Err(reject(ErrorCode::InvalidScope.into()));
        }
        if types.is_empty() {
            return Err(invalid("scope or authorization_details must name a card"));
        }
        // A typed code says which card it is about; a person who signs in does not.
        let by_code = |kind: &String| matches!(core.settings.authentication(kind), Method::Code);
        if types.len() > 1 && !types.iter().all(by_code) {
            return Err(invalid("scope or authorization_details must name one card"));
        }
        return Ok((None, wanted));
    };
    let secret = Secret::received(issuer_state);
    let found = redeem::pending(core, GrantKind::AuthorizationCode, &secret).await;
    let offer = match found {
        Ok(found) => found.offer,
        Err(RedeemError::Db(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "authorize failed");
            return Err(reject(ErrorCode::TemporarilyUnavailable.into()));
        }
        Err(_) => return Err(invalid("issuer_state is not valid")),
    };
    wanted.check(core, &offer.credential_type).map_err(reject)?;
    Ok((Some(offer), wanted))
}

fn flow(
    core: &Core,
    request: AuthorizationRequest,
    wanted: Wanted,
    locale: Locale,
    browser: &Secret,
) -> Result<Flow, Rejection> {
    let Some(code_challenge) = request.code_challenge else {
        // A public client's request does not parse without one; say so rather than go on.
        return Err(Rejection {
            error: OAuthError::invalid_request("code_challenge is required"),
            target: Box::new(request.target),
        });
    };
    let now = core.clock.now();
    Ok(Flow {
        client_id: request.client_id.as_str().to_owned(),
        redirect_uri: request.target.redirect_uri.as_str().to_owned(),
        state: request.target.state,
        code_challenge: code_challenge.as_str().to_owned(),
        dpop_jkt: bound_key(core, request.dpop_jkt),
        instance: None,
        pushed: None,
        issuer_state: request.issuer_state,
        types: wanted.types(core),
        scopes: request.scopes.iter().map(str::to_owned).collect(),
        details: wanted.details,
        locale: locale.tag().to_owned(),
        browser: code_page::browser_digest(browser),
        expires_at: now.plus(core.settings.lifetimes.page_s).0,
    })
}

/// What the code page says about a card of a type.
pub fn page_of(core: &Core, kind_id: &str, client: &WalletClient, locale: Locale) -> CodePage {
    let kind = core.credential_type(kind_id);
    let card = kind.as_deref().map(|kind| kind.display.name(locale.tag()));
    CodePage {
        card: card.unwrap_or(kind_id).to_owned(),
        wallet: client.name.clone(),
        tries_left: None,
    }
}

/// Sends the browser back to the wallet, always with `iss` (RFC 9207) and never with 307.
pub fn redirect(core: &Core, target: &ResponseTarget, outcome: &Outcome) -> Response {
    // Errors before the response mode was judged go by query: it is the only mode here.
    let target = ResponseTarget {
        mode: ResponseMode::Query,
        ..target.clone()
    };
    let built = AuthorizationResponse::build(&target, &core.settings.issuer, outcome);
    let AuthorizationResponse::Redirect(url) = built else {
        return code_page::render_failure(core, Locale::default(), Failure::Server);
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    match HeaderValue::try_from(String::from(url)) {
        Ok(location) => {
            headers.insert(header::LOCATION, location);
            response
        }
        Err(_) => code_page::render_failure(core, Locale::default(), Failure::Server),
    }
}

fn locale(headers: &HeaderMap, ui_locales: &[String]) -> Locale {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Locale::negotiate(Some(&ui_locales.join(" ")), accepted)
}
