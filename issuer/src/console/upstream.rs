//! `/console/upstream`: signing in at the organisation's OpenID Provider.
//!
//! The provider sends the browser back from another site, so the way there is kept under a cookie
//! of its own (`Lax`). The cookie of the session is `Strict`: a page of ours goes on from there.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::json;
use vouchsafe_credentials::random::token;
use vouchsafe_service::config::{ConfigError, PublicUrl};
use vouchsafe_service::http::SameSite;
use vouchsafe_service::operators::RECENT_S;
use vouchsafe_service::upstream::{Ask, Callback, Upstream, flows};

use super::visitor::{form, is_signed_in, session_cookie, visit};
use super::{Console, Failure, paths, query, view};
use crate::config::ConsoleConfig;
use crate::core::Core;

/// Ties the way to the provider and back to one browser.
const COOKIE: &str = "vs_console_upstream";
/// Whose sign-ins these are.
const PURPOSE: &str = "console";
/// How long somebody may take at the provider, in seconds.
const LIFE_S: i64 = 600;

/// The provider, ready to be asked.
#[derive(Debug, Clone)]
pub struct Provider {
    /// What the button calls it.
    pub name: String,
    /// Where it sends the browser back to: here alone.
    back: String,
    upstream: Upstream,
}

impl Provider {
    /// Checks the configuration and reads the secret.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting.
    pub fn open(
        config: &ConsoleConfig,
        public_url: &PublicUrl,
        core: &Core,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(provider) = &config.upstream else {
            return Ok(None);
        };
        let back = public_url.join(paths::UPSTREAM_CALLBACK);
        let settings = provider.settings("console.upstream", &back)?;
        let (clock, rng) = (Arc::clone(&core.clock), Arc::clone(&core.rng));
        Ok(Some(Self {
            name: config
                .upstream_name
                .clone()
                .unwrap_or_else(|| provider.issuer.clone()),
            back,
            upstream: Upstream::new(settings, core.outbound.clone(), clock, rng),
        }))
    }
}

/// Sends the browser to the provider; with a link, to redeem it there.
pub async fn begin(
    State(console): State<Console>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let visit = visit(&console, &headers).ok_or(Failure::Form)?;
    let form = form(&console, &headers, &body, &visit)?;
    let link = query::filter(&form, "link").map(str::to_owned);
    if let Some(link) = &link {
        console.operators.invited(link).await?;
    }
    let provider = console.provider.as_ref().ok_or(Failure::NotFound)?;
    // OpenID Connect Core 1.0, section 3.1.2.1: 0 asks for an authentication now. Whoever is signed
    // in and comes here wants a recent one.
    let max_age_s = match is_signed_in(&console, &headers).await? {
        true => Some(0),
        false => u32::try_from(RECENT_S).ok(),
    };
    let ask = Ask {
        max_age_s,
        ui_locales: vec![view::locale(&headers).tag().to_owned()],
        ..Ask::default()
    };
    let start = provider.upstream.begin(&ask).await?;
    let core = &console.core;
    let (browser, until) = (token(&*core.rng), core.clock.now().plus(LIFE_S));
    let kept = flows::keep(
        &core.db,
        PURPOSE,
        &browser,
        &start.pending,
        &link,
        (until, &*core.rng),
    );
    kept.await?;
    let life = Some(Duration::from_secs(LIFE_S.unsigned_abs()));
    let cookie = core.cookies.set(COOKIE, &browser, life, SameSite::Lax);
    let mut response = view::see_other(&start.url);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// The way back.
pub async fn callback(
    State(console): State<Console>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Failure> {
    let provider = console.provider.as_ref().ok_or(Failure::NotFound)?;
    let core = &console.core;
    let callback = Callback::parse(&provider.back, raw.as_deref().unwrap_or_default())?;
    let browser = core.cookies.get(&headers, COOKIE).ok().flatten();
    let browser = browser.ok_or(Failure::Form)?;
    let now = core.clock.now();
    let taken = flows::take(&core.db, PURPOSE, &browser, callback.state(), now).await?;
    let (pending, link): (_, Option<String>) = taken.ok_or(Failure::Form)?;
    let identity = provider.upstream.finish(pending, callback).await?;
    let operators = &console.operators;
    let session = match link {
        Some(link) => operators.accept_with_identity(&link, &identity).await?,
        None => operators.sign_in_with_identity(&identity).await?,
    };
    let locale = view::locale(&headers);
    let mut response = view::outside(&console, locale, "console/signed_in", json!({}))?;
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, session_cookie(&console, &session));
    headers.append(header::SET_COOKIE, core.cookies.clear(COOKIE));
    Ok(response)
}

/// A form of this page ends in a redirect to the provider, which `form-action 'self'` would stop.
pub fn may_leave(console: &Console, response: &mut Response) {
    if console.provider.is_some() {
        let policy = HeaderValue::from_static(vouchsafe_pages::CONTENT_SECURITY_POLICY);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}
