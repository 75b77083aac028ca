//! The page that asks for the one-time code, and its state: sealed into the form, bound to the
//! browser by a cookie, so that an abandoned page costs no row.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use vouchsafe_credentials::encoding::b64url_decode_array;
use vouchsafe_credentials::random;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_pages::{CONTENT_SECURITY_POLICY, Locale, PagesError};
use vouchsafe_service::http::SameSite;
use vouchsafe_service::seal::Place;

use crate::core::Core;
use crate::domain::secret::{Purpose, Secret};

const COOKIE: &str = "vs_issuer_flow";

/// What the form carries, sealed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// The wallet.
    pub client_id: String,
    /// A registered redirect URI of it.
    pub redirect_uri: String,
    /// `state` of the request.
    pub state: Option<String>,
    /// PKCE challenge.
    pub code_challenge: String,
    /// The DPoP key that the token request must prove.
    pub dpop_jkt: Option<String>,
    /// The attested key that the token request must prove.
    pub instance: Option<String>,
    /// Configurations of `authorization_details`.
    #[serde(default)]
    pub details: Vec<String>,
    /// The scopes that were asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The secret of the pushed request.
    pub pushed: Option<String>,
    /// Which prepared record; none where the person began in the wallet and the code says it.
    pub issuer_state: Option<String>,
    /// The credential types that the wallet asks for.
    #[serde(default)]
    pub types: Vec<String>,
    /// Language tag of the page.
    pub locale: String,
    /// Digest of the browser's cookie.
    pub browser: String,
    /// When the page ends, UNIX seconds.
    pub expires_at: i64,
}

impl Flow {
    fn place() -> Place {
        Place::new(&["issuer", "code page"])
    }

    /// The text for the form.
    pub fn seal(&self, core: &Core) -> String {
        let plain = serde_json::to_vec(self).expect("a struct of strings and numbers serialises");
        core.keys
            .flows
            .seal_text(&Self::place(), &plain, &*core.rng)
    }

    /// Opens the text of a form that this browser was given and that is not too old.
    pub fn open(core: &Core, sealed: &str, browser: Option<&Secret>) -> Option<Self> {
        let plain = core.keys.flows.open_text(&Self::place(), sealed).ok()?;
        let flow: Self = serde_json::from_slice(&plain).ok()?;
        let same = browser.is_some_and(|secret| browser_digest(secret) == flow.browser);
        let alive = core.clock.now() < UnixTime(flow.expires_at);
        (same && alive).then_some(flow)
    }

    /// The language of the page.
    pub fn locale(&self) -> Locale {
        Locale::from_tag(&self.locale).unwrap_or_default()
    }
}

/// The digest of a browser's cookie that the form carries.
pub fn browser_digest(secret: &Secret) -> String {
    vouchsafe_credentials::encoding::b64url(secret.hash(Purpose::Browser).as_bytes())
}

/// The cookie of a browser, if it brought one that can be ours.
pub fn browser(core: &Core, headers: &HeaderMap) -> Option<Secret> {
    let value = core.cookies.get(headers, COOKIE).ok().flatten()?;
    b64url_decode_array::<32>(&value).ok()?;
    Some(Secret::received(&value))
}

/// A fresh secret for a browser.
pub fn new_browser(core: &Core) -> Secret {
    Secret::received(&random::token(&*core.rng))
}

/// What the code page shows.
#[derive(Debug, Clone)]
pub struct CodePage {
    /// Name of the card.
    pub card: String,
    /// Name of the wallet.
    pub wallet: String,
    /// After a wrong code: how many more tries there are.
    pub tries_left: Option<i64>,
}

/// Renders the code page for a flow.
pub fn render(
    core: &Core,
    flow: &Flow,
    browser: &Secret,
    page: CodePage,
) -> Result<Response, PagesError> {
    let locale = flow.locale();
    let CodePage {
        card,
        wallet,
        tries_left,
    } = page;
    let status = if tries_left.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let context = serde_json::json!({
        "issuer": core.settings.name(locale.tag()),
        "card": card,
        "wallet": wallet,
        "tries_left": tries_left,
        "long": flow.issuer_state.is_none(),
        "action": crate::paths::AUTHORIZE,
        "flow": flow.seal(core),
    });
    let html = core.pages.render("issuer/code", locale, context)?;
    let mut response = (status, html).into_response();
    page_headers(response.headers_mut());
    set_browser(core, &mut response, browser);
    Ok(response)
}

/// Lets the browser keep its secret.
pub fn set_browser(core: &Core, response: &mut Response, browser: &Secret) {
    let life = u64::try_from(core.settings.lifetimes.page_s).unwrap_or_default();
    let life = Some(Duration::from_secs(life));
    let cookie = core
        .cookies
        .set(COOKIE, browser.expose(), life, SameSite::Lax);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
}

/// Why a person cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The request cannot be read, or the wallet is not known.
    Request,
    /// The offer is not open.
    Offer,
    /// Too many wrong codes.
    Locked,
    /// There were too many wrong answers from this browser or network, or about a person.
    Pause,
    /// The page is too old or of another browser.
    Browser,
    /// A fault of ours.
    Server,
}

impl Failure {
    const fn kind(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Offer => "offer",
            Self::Locked => "locked",
            Self::Pause => "pause",
            Self::Browser => "browser",
            Self::Server => "server",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Request | Self::Browser => StatusCode::BAD_REQUEST,
            Self::Offer => StatusCode::GONE,
            Self::Locked | Self::Pause => StatusCode::FORBIDDEN,
            Self::Server => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Renders the page that says what happened; the reference stands in the log too.
pub fn render_failure(core: &Core, locale: Locale, failure: Failure) -> Response {
    let reference = random::token(&*core.rng)[..8].to_owned();
    tracing::info!(kind = failure.kind(), reference, "code page failed");
    let context = serde_json::json!({
        "issuer": core.settings.name(locale.tag()),
        "kind": failure.kind(),
        "reference": reference,
    });
    let mut response = match core.pages.render("issuer/failed", locale, context) {
        Ok(html) => (failure.status(), html).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "page failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    page_headers(response.headers_mut());
    response
}

/// What every page of ours says to the browser.
pub fn page_headers(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
}
