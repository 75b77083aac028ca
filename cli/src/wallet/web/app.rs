//! What the pages share: the wallet, the texts, open questions, the browser.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use vouchsafe_credentials::random;
use vouchsafe_pages::{CONTENT_SECURITY_POLICY, Locale, Pages, PagesError};
use vouchsafe_protocol::http::HttpRequest;
use vouchsafe_service::config::PublicUrl;
use vouchsafe_service::http::{CookiePolicy, Csrf, Params, SameSite};
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::issuance::Step;
use vouchsafe_wallet_core::presentation::Asking;

use super::error::Problem;
use crate::wallet::handle::WalletHandle;

const BROWSER_COOKIE: &str = "vs_wallet_browser";
const LOCALE_COOKIE: &str = "vs_wallet_locale";
/// Most open questions; the oldest gives way.
const MAX_OPEN: usize = 64;

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("the pages cannot be rendered")]
pub struct WebError(#[from] PagesError);

/// Something that waits for the person.
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times per card"
)]
pub(super) enum Open {
    Offer(Step),
    Request(Asking),
    NoCard(HttpRequest),
}

pub(super) struct App {
    pub(super) wallet: WalletHandle,
    pages: Pages,
    csrf: Csrf,
    cookies: CookiePolicy,
    host: String,
    open: Mutex<VecDeque<(String, Open)>>,
}

/// The browser that asks.
pub(super) struct Visitor {
    pub(super) locale: Locale,
    binding: String,
    is_new: bool,
}

impl Visitor {
    /// The languages for what others wrote: the names and labels of a card need not be there in
    /// the person's language, and then English is better than whatever comes first.
    pub(super) fn languages(&self) -> [&'static str; 2] {
        [self.locale.tag(), Locale::default().tag()]
    }
}

impl App {
    pub(super) fn new(wallet: WalletHandle, public_url: PublicUrl) -> Result<Self, WebError> {
        // Forms live as long as this process.
        let key = SymmetricKey::from_token("wallet forms", &random::token(&OsRandom));
        let origin = public_url.origin();
        let host = origin
            .split_once("://")
            .map_or("", |(_, host)| host)
            .to_owned();
        Ok(Self {
            wallet,
            pages: Pages::new()?,
            csrf: Csrf::new(key, &public_url),
            cookies: CookiePolicy::new(&public_url),
            host,
            open: Mutex::default(),
        })
    }

    pub(super) fn visitor(&self, headers: &HeaderMap) -> Visitor {
        let cookie = |name| self.cookies.get(headers, name).ok().flatten();
        let language = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        let binding = cookie(BROWSER_COOKIE);
        Visitor {
            locale: Locale::negotiate(cookie(LOCALE_COOKIE).as_deref(), language),
            is_new: binding.is_none(),
            binding: binding.unwrap_or_else(|| random::token(&OsRandom)),
        }
    }

    /// A page; the form token and the cookie it belongs to come along.
    pub(super) fn page(&self, visitor: &Visitor, name: &str, context: impl Serialize) -> Response {
        #[derive(Serialize)]
        struct Page<'a, T> {
            csrf: &'a str,
            #[serde(flatten)]
            context: T,
        }
        let csrf = self.csrf.token(&visitor.binding);
        let page = Page {
            csrf: &csrf,
            context,
        };
        let mut response = match self.pages.render(name, visitor.locale, page) {
            Ok(html) => html.into_response(),
            Err(error) => {
                tracing::error!(%error, "a page cannot be rendered");
                return vouchsafe_service::http::Problem::internal().into_response();
            }
        };
        let headers = response.headers_mut();
        let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        if visitor.is_new {
            let cookie = self
                .cookies
                .set(BROWSER_COOKIE, &visitor.binding, None, SameSite::Lax);
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// Whether a form came from a page of ours.
    pub(super) fn check_form(
        &self,
        headers: &HeaderMap,
        form: &Params,
    ) -> Result<Visitor, Problem> {
        let visitor = self.visitor(headers);
        let token = form.get("csrf").unwrap_or_default();
        match self.csrf.check(headers, &visitor.binding, token) {
            Ok(()) if !visitor.is_new => Ok(visitor),
            Ok(()) | Err(_) => Err(Problem::form()),
        }
    }

    pub(super) fn text(&self, locale: Locale, key: &str) -> String {
        // Texts exist in every language; a test of the catalogue sees to it.
        let context = serde_json::json!({ "key": key });
        match self.pages.render("wallet/text", locale, context) {
            Ok(Html(text)) => text.trim().to_owned(),
            Err(_) => String::new(),
        }
    }

    /// Keeps something for a later request of the person, under a secret name.
    pub(super) fn keep(&self, open: Open) -> String {
        let name = random::token(&OsRandom);
        self.keep_as(name.clone(), open);
        name
    }

    pub(super) fn keep_as(&self, name: String, open: Open) {
        let mut all = self.all_open();
        if all.len() >= MAX_OPEN {
            all.pop_front();
        }
        all.push_back((name, open));
    }

    /// Takes something out again: it is answered once.
    pub(super) fn take(&self, name: &str) -> Result<Open, Problem> {
        let mut all = self.all_open();
        let position = all.iter().position(|(other, _)| other == name);
        let found = position.and_then(|position| all.remove(position));
        found.map(|(_, open)| open).ok_or_else(Problem::gone)
    }

    fn all_open(&self) -> MutexGuard<'_, VecDeque<(String, Open)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn locale_cookie(&self, locale: Locale) -> HeaderValue {
        self.cookies
            .set(LOCALE_COOKIE, locale.tag(), None, SameSite::Lax)
    }
}

/// Refuses requests under another host name: a page on the internet whose name
/// was pointed at this machine.
pub(super) async fn only_this_host(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if host.as_bytes() == app.host.as_bytes() => {
            if visible(request.headers()) {
                next.run(request).await
            } else {
                Problem::form().page(&app, &app.visitor(request.headers()))
            }
        }
        _ => vouchsafe_service::http::Problem::not_found().into_response(),
    }
}

/// Whether the person sees what the request leads to. A link that was clicked on another site
/// opens a page; an image or a frame of another site would make the wallet ask strangers for
/// offers and requests behind the person's back (Fetch Metadata).
fn visible(headers: &HeaderMap) -> bool {
    let is = |name: &str, wanted: &[&str]| {
        headers
            .get(name)
            .is_none_or(|value| wanted.iter().any(|one| value.as_bytes() == one.as_bytes()))
    };
    is("sec-fetch-site", &["same-origin", "none"])
        || (is("sec-fetch-mode", &["navigate"]) && is("sec-fetch-dest", &["document"]))
}
