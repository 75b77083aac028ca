//! Redirect URIs: what may be registered, and the exact comparison with it.

use url::Url;

use super::error::{ErrorCode, OAuthError};
use crate::http::is_loopback_url;

/// Why a redirect URI cannot be registered. Catalogue 353.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// No URI registered at all.
    #[error("a client needs at least one redirect URI")]
    None,
    /// Not an absolute URI of plain characters.
    #[error("the redirect URI is not an absolute URI")]
    Malformed,
    /// `*` has no meaning here: URIs are compared exactly.
    #[error("wildcards are not supported, the redirect URI is compared exactly")]
    Wildcard,
    /// `http` to another machine.
    #[error("http is allowed for loopback addresses only")]
    Http,
    /// A scheme that runs code, opens files, or is no reverse domain name (RFC 8252, section 7.1).
    #[error("the scheme is not https and not a private-use scheme in reverse domain form")]
    Scheme,
    /// RFC 6749, section 3.1.2: no fragment.
    #[error("the redirect URI has a fragment")]
    Fragment,
    /// User name or password.
    #[error("the redirect URI carries credentials")]
    Credentials,
    /// A parameter in its query that an answer has, too: each must be there once (RFC 6749, section
    /// 3.1), and who looks at the first `iss` would believe it (RFC 9207, section 2.4).
    #[error("the query of the redirect URI holds a parameter of answers")]
    Answer,
}

/// What answers hold (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207, section 2; OpenID Connect Session
/// Management 1.0, section 2; JARM, section 2.3).
const OF_ANSWERS: [&str; 8] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "session_state",
    "response",
];

impl From<RedirectUriError> for OAuthError {
    fn from(_: RedirectUriError) -> Self {
        ErrorCode::InvalidRedirectUri.into()
    }
}

/// One registered redirect URI, kept byte for byte as registered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Checks a URI at registration.
    ///
    /// # Errors
    /// [`RedirectUriError`] with the rule it breaks.
    pub fn register(text: &str) -> Result<Self, RedirectUriError> {
        Self::without(text, &OF_ANSWERS)
    }

    /// The same for an address after a logout, where `state` alone is added (OpenID Connect RP-Initiated
    /// Logout 1.0, section 3).
    ///
    /// # Errors
    /// As [`Self::register`].
    pub fn register_after_logout(text: &str) -> Result<Self, RedirectUriError> {
        Self::without(text, &["state"])
    }

    fn without(text: &str, reserved: &[&str]) -> Result<Self, RedirectUriError> {
        if text.contains('*') {
            return Err(RedirectUriError::Wildcard);
        }
        let plain = |b: u8| b.is_ascii_graphic() && !b"\\\"<>".contains(&b);
        if text.is_empty() || text.len() > 2048 || !text.bytes().all(plain) {
            return Err(RedirectUriError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::Credentials);
        }
        if (url.query_pairs()).any(|(name, _)| reserved.contains(&name.as_ref())) {
            return Err(RedirectUriError::Answer);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback_url(&url) => {}
            "http" => return Err(RedirectUriError::Http),
            // RFC 8252, section 7.1: private-use schemes are reverse domain names.
            scheme if scheme.contains('.') => {}
            _ => return Err(RedirectUriError::Scheme),
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URI to append parameters to.
    #[must_use]
    pub fn to_url(&self) -> Url {
        Url::parse(&self.0).expect("a registered URI was parsed before it was accepted")
    }

    /// Origin for a `form-action` directive of a form_post page, `None` for private-use schemes.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        let origin = self.to_url().origin();
        origin.is_tuple().then(|| origin.ascii_serialization())
    }
}

/// All redirect URIs of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUris {
    uris: Vec<RedirectUri>,
    any_port: bool,
}

impl RedirectUris {
    /// Checks a client's list at registration.
    ///
    /// # Errors
    /// [`RedirectUriError`] of the first entry that breaks a rule, or of an empty list.
    pub fn register<S: AsRef<str>>(uris: &[S]) -> Result<Self, RedirectUriError> {
        if uris.is_empty() {
            return Err(RedirectUriError::None);
        }
        let uris = uris.iter().map(|u| RedirectUri::register(u.as_ref()));
        Ok(Self {
            uris: uris.collect::<Result<_, _>>()?,
            any_port: false,
        })
    }

    /// Of an application on the person's own machine, which listens where there is room: the port of a
    /// loopback address is free (RFC 8252, section 7.3). One that keeps a secret is a server, and has a
    /// port of its own.
    #[must_use]
    pub fn at_any_loopback_port(self, native: bool) -> Self {
        Self {
            any_port: native,
            ..self
        }
    }

    /// Of a client that nobody is ever sent back to.
    #[must_use]
    pub fn none() -> Self {
        Self {
            uris: Vec::new(),
            any_port: false,
        }
    }

    /// The requested URI, if it is registered: one equals it byte for byte (RFC 9700, section 4.1.3). No
    /// prefix, case or slash is forgiven; a port is after [`Self::at_any_loopback_port`].
    #[must_use]
    pub fn find(&self, requested: &str) -> Option<RedirectUri> {
        let theirs = LoopbackUri::of(requested).filter(|_| self.any_port);
        let registered = |uri: &RedirectUri| match (LoopbackUri::of(&uri.0), &theirs) {
            (Some(ours), Some(theirs)) => ours == *theirs,
            _ => uri.0 == requested,
        };
        let known = self.uris.iter().any(registered);
        known.then(|| RedirectUri(requested.to_owned()))
    }

    /// Registered URIs.
    pub fn iter(&self) -> impl Iterator<Item = &RedirectUri> {
        self.uris.iter()
    }
}

/// A URI at a loopback address without its port. `localhost` is a name that may lead elsewhere
/// (RFC 8252, section 8.3).
#[derive(PartialEq, Eq)]
struct LoopbackUri<'a> {
    address: &'static str,
    rest: &'a str,
}

impl<'a> LoopbackUri<'a> {
    fn of(text: &'a str) -> Option<Self> {
        ["http://127.0.0.1", "http://[::1]"]
            .into_iter()
            .find_map(|address| {
                let rest = text.strip_prefix(address)?;
                let rest = match rest.strip_prefix(':') {
                    None => rest,
                    Some(with_port) => {
                        let end = with_port.find(|c: char| !c.is_ascii_digit());
                        let (port, rest) = with_port.split_at(end.unwrap_or(with_port.len()));
                        port.parse::<u16>().ok().filter(|port| *port > 0)?;
                        rest
                    }
                };
                let ends_host = rest.is_empty() || rest.starts_with(['/', '?']);
                ends_host.then_some(Self { address, rest })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_353_registration_refuses_dangerous_uris() {
        use RedirectUriError as E;
        for (text, why) in [
            ("javascript:alert(1)", E::Scheme),
            ("JaVaScRiPt:alert(1)", E::Scheme),
            ("data:text/html,x", E::Scheme),
            ("file:///x", E::Scheme),
            ("vbscript:x", E::Scheme),
            ("myapp:/cb", E::Scheme),
            ("https://*.example.com/cb", E::Wildcard),
            ("https://shop.example.com/*", E::Wildcard),
            ("http://shop.example.com/cb", E::Http),
            ("http://127.0.0.1.example.com/cb", E::Http),
            ("https://shop.example.com/cb#f", E::Fragment),
            ("https://shop.example.com/cb#", E::Fragment),
            ("https://u@shop.example.com/cb", E::Credentials),
            ("https://shop.example.com/cb?iss=x", E::Answer),
            ("https://shop.example.com/cb?x=1&c%6fde=1", E::Answer),
            ("com.example.app:/cb?state", E::Answer),
            ("/cb", E::Malformed),
            ("https://shop.example.com/c b", E::Malformed),
            ("https://shop.example.com\\@evil.example/cb", E::Malformed),
            ("https://shop.example.com/\"><script>", E::Malformed),
            ("", E::Malformed),
        ] {
            assert_eq!(RedirectUri::register(text), Err(why), "{text}");
        }
        let bye = "https://shop.example.com/bye?error=none";
        assert!(RedirectUri::register_after_logout(bye).is_ok());
        let bye = "https://shop.example.com/bye?state=1";
        assert_eq!(RedirectUri::register_after_logout(bye), Err(E::Answer));
        assert_eq!(RedirectUris::register::<&str>(&[]), Err(E::None));
        for text in [
            "https://shop.example.com/cb?x=1",
            "http://127.0.0.1:9999/cb",
            "com.example.app:/cb",
        ] {
            assert!(RedirectUri::register(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn rfc_8252_section_7_3_a_port_is_free_at_a_loopback_address_alone() {
        let registered = [
            "http://127.0.0.1/cb",
            "http://[::1]:9/cb",
            "http://localhost:80/cb",
        ];
        let uris = RedirectUris::register(&registered).unwrap();
        assert!(uris.find("http://127.0.0.1:51777/cb").is_none());
        assert!(uris.find("http://[::1]:9/cb").is_some());
        let uris = uris.at_any_loopback_port(true);
        for same in [
            "http://127.0.0.1/cb",
            "http://127.0.0.1:51777/cb",
            "http://[::1]:51777/cb",
        ] {
            assert_eq!(uris.find(same).unwrap().as_str(), same);
        }
        for other in [
            "http://127.0.0.1:51777/cb2",
            "http://127.0.0.1:51777/",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1:@evil.example/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:51777/cb#x",
            "https://127.0.0.1:51777/cb",
            "http://[::1]/cb?x",
            "http://localhost:81/cb",
        ] {
            assert!(uris.find(other).is_none(), "{other}");
        }
    }

    #[test]
    fn only_the_exact_uri_matches() {
        let uris = RedirectUris::register(&["https://shop.example.com/cb"]).unwrap();
        assert!(uris.find("https://shop.example.com/cb").is_some());
        for other in [
            "https://shop.example.com/cb/",
            "https://shop.example.com/cb?x",
            "https://SHOP.example.com/cb",
            "https://shop.example.com:443/cb",
            "https://shop.example.com/cb/../evil",
            "https://shop.example.com/c%62",
            "https://shop.example.com.evil.example/cb",
            "http://shop.example.com/cb",
            "",
        ] {
            assert!(uris.find(other).is_none(), "{other}");
        }
    }
}
