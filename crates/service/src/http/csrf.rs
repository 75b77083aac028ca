//! Protection of HTML forms against requests that another site makes the browser send.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};

use crate::{config::PublicUrl, keys::SymmetricKey};

/// A form was not sent from one of our own pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsrfError {
    /// The browser says that the request comes from another site.
    #[error("the form was sent from another site")]
    CrossSite,
    /// The token is missing or belongs to another browser session.
    #[error("the form's token does not fit")]
    Token,
}

/// Makes and checks the hidden token of forms.
#[derive(Debug, Clone)]
pub struct Csrf {
    key: SymmetricKey,
    origin: String,
}

impl Csrf {
    /// Tokens under a key derived for [`Purpose::Csrf`](crate::keys::Purpose::Csrf).
    pub fn new(key: SymmetricKey, public_url: &PublicUrl) -> Self {
        Self {
            key,
            origin: public_url.origin(),
        }
    }

    /// The token for a browser session. `binding` is what ties it to that browser: the value of
    /// its session cookie.
    pub fn token(&self, binding: &str) -> String {
        b64url(&self.mac(binding).finalize().into_bytes())
    }

    /// Checks where a form came from and its token.
    ///
    /// Under `Referrer-Policy: no-referrer` browsers send `Origin: null` with a form of our own,
    /// so `null` alone proves nothing: then `Sec-Fetch-Site` and the token decide.
    pub fn check(&self, headers: &HeaderMap, binding: &str, token: &str) -> Result<(), CsrfError> {
        let text = |name| {
            let value = headers.get(name);
            value.map(|value| value.to_str().unwrap_or("?"))
        };
        match text("origin") {
            None | Some("null") => {}
            Some(origin) if origin == self.origin => {}
            Some(_) => return Err(CsrfError::CrossSite),
        }
        match text("sec-fetch-site") {
            None | Some("same-origin") => {}
            Some(_) => return Err(CsrfError::CrossSite),
        }
        let token = b64url_decode(token).map_err(|_| CsrfError::Token)?;
        // Comparison in constant time.
        let mac = self.mac(binding);
        mac.verify_slice(&token).map_err(|_| CsrfError::Token)
    }

    fn mac(&self, binding: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose())
            .expect("HMAC takes keys of every length");
        mac.update(binding.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    const ORIGIN: &str = "https://op.example";

    fn csrf(key: &str) -> Csrf {
        Csrf::new(
            SymmetricKey::from_token("test", key),
            &ORIGIN.parse().unwrap(),
        )
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn own_forms_pass() {
        let csrf = csrf("key");
        let token = csrf.token("session");
        for own in [
            headers(&[("origin", ORIGIN), ("sec-fetch-site", "same-origin")]),
            headers(&[("origin", "null"), ("sec-fetch-site", "same-origin")]),
            headers(&[("origin", ORIGIN)]),
            headers(&[]),
        ] {
            assert_eq!(csrf.check(&own, "session", &token), Ok(()));
        }
    }

    #[test]
    fn forms_of_other_sites_do_not() {
        let csrf = csrf("key");
        let token = csrf.token("session");
        for other in [
            headers(&[("origin", "https://evil.example")]),
            headers(&[("origin", "https://op.example:444")]),
            headers(&[("origin", "http://op.example")]),
            headers(&[("origin", "null"), ("sec-fetch-site", "cross-site")]),
            headers(&[("origin", ORIGIN), ("sec-fetch-site", "same-site")]),
            headers(&[("sec-fetch-site", "none")]),
        ] {
            let checked = csrf.check(&other, "session", &token);
            assert_eq!(checked, Err(CsrfError::CrossSite));
        }
    }

    #[test]
    fn the_token_belongs_to_one_browser() {
        let checker = csrf("key");
        let other = checker.token("other");
        let foreign = csrf("other key").token("session");
        for bad in ["", "x", other.as_str(), foreign.as_str()] {
            let checked = checker.check(&headers(&[]), "session", bad);
            assert_eq!(checked, Err(CsrfError::Token));
        }
    }
}
