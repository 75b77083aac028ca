//! What every page has, whether a wallet is open or not: texts, form tokens, cookies, the host.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use vouchsafe_credentials::random;
use vouchsafe_pages::{Locale, Pages};
use vouchsafe_service::config::PublicUrl;
use vouchsafe_service::http::{CookiePolicy, Csrf, Params, SameSite};
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_service::random::OsRandom;

use super::WebError;
use super::error::Problem;
use super::profile::Profile;

const BROWSER_COOKIE: &str = "vs_wallet_browser";
const LOCALE_COOKIE: &str = "vs_wallet_locale";

/// The policy of all pages, and besides: the manifest and forms of this wallet. A form may end in a
/// redirect to whoever asked for a card, so `form-action` stays open.
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'none'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'";

/// Pages, and what protects their forms.
pub(super) struct Shell {
    pub(super) cookies: CookiePolicy,
    pub(super) profile: Profile,
    pages: Pages,
    csrf: Csrf,
    host: String,
    /// Whether the wallet asks for a passphrase: then it can be locked, and installed on a phone.
    guarded: bool,
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

impl Shell {
    pub(super) fn new(
        public_url: &PublicUrl,
        profile: Profile,
        guarded: bool,
    ) -> Result<Self, WebError> {
        // Forms live as long as this process.
        let key = SymmetricKey::from_token("wallet forms", &random::token(&OsRandom));
        let origin = public_url.origin();
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        Ok(Self {
            cookies: CookiePolicy::with_port(public_url),
            profile,
            pages: Pages::new()?,
            csrf: Csrf::new(key, public_url),
            host: host.to_owned(),
            guarded,
        })
    }

    /// Whether the wallet is on this machine alone. A proxy of ours is on this machine too, and whoever
    /// comes through it is not.
    pub(super) fn is_here(&self) -> bool {
        is_loopback(&self.host)
    }

    pub(super) fn visitor(&self, headers: &HeaderMap) -> Visitor {
        let cookie = |name| self.cookies.get(headers, name).ok().flatten();
        let language = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        let chosen = cookie(LOCALE_COOKIE).or_else(|| self.profile.locale());
        let binding = cookie(BROWSER_COOKIE);
        Visitor {
            locale: Locale::negotiate(chosen.as_deref(), language),
            is_new: binding.is_none(),
            binding: binding.unwrap_or_else(|| random::token(&OsRandom)),
        }
    }

    /// A page; the form token and the cookie it belongs to come along.
    pub(super) fn page(&self, visitor: &Visitor, name: &str, context: impl Serialize) -> Response {
        #[derive(Serialize)]
        struct Page<'a, T> {
            csrf: &'a str,
            wallet_name: Option<String>,
            guarded: bool,
            #[serde(flatten)]
            context: T,
        }
        let csrf = self.csrf.token(&visitor.binding);
        let page = Page {
            csrf: &csrf,
            wallet_name: self.profile.name(),
            guarded: self.guarded,
            context,
        };
        let mut response = match self.pages.render(name, visitor.locale, page) {
            Ok(html) => html.into_response(),
            Err(error) => {
                tracing::error!(error = ?error, "a page cannot be rendered");
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
        self.check_token(headers, form.get("csrf").unwrap_or_default())
    }

    /// The same for a form that is no list of parameters.
    pub(super) fn check_token(&self, headers: &HeaderMap, token: &str) -> Result<Visitor, Problem> {
        let visitor = self.visitor(headers);
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

    /// A text that somebody sends to somebody else, not a page.
    pub(super) fn letter(&self, locale: Locale, name: &str, context: impl Serialize) -> String {
        match self.pages.render(name, locale, context) {
            Ok(Html(text)) => unescape(text.trim()),
            Err(error) => {
                tracing::error!(error = ?error, "a letter cannot be rendered");
                String::new()
            }
        }
    }

    pub(super) fn locale_cookie(&self, locale: Locale) -> HeaderValue {
        self.cookies
            .set(LOCALE_COOKIE, locale.tag(), None, SameSite::Lax)
    }
}

/// Whether a host, with its port, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let url = url::Url::parse(&format!("http://{host}"));
    match url.as_ref().ok().and_then(url::Url::host) {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Templates escape for HTML; a letter is plain text.
fn unescape(text: &str) -> String {
    [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

/// Refuses requests under another host name: a page on the internet whose name
/// was pointed at this machine.
pub(super) async fn only_this_host(
    State(shell): State<Arc<Shell>>,
    request: Request,
    next: Next,
) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if host.as_bytes() == shell.host.as_bytes() => {
            if visible(request.headers()) {
                next.run(request).await
            } else {
                Problem::form().page(&shell, &shell.visitor(request.headers()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_only_adds_to_that_of_all_pages() {
        let common = vouchsafe_pages::CONTENT_SECURITY_POLICY;
        let own = CONTENT_SECURITY_POLICY.strip_prefix(common).unwrap();
        assert_eq!(own, "; manifest-src 'self'; worker-src 'self'");
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for here in [
            "127.0.0.1:4010",
            "[::1]:4010",
            "localhost",
            "wallet.localhost:80",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "192.168.1.5:4010",
            "wallet.example.com",
            "localhost.example",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_letter_is_plain_text() {
        assert_eq!(unescape("Caf&#x27;&amp;lt; a&#x2f;b"), "Caf'&lt; a/b");
    }
}
