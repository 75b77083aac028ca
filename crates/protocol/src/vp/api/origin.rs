//! The origin of a page, as a browser writes it.

use url::Url;

use crate::http::{UrlRule, is_loopback_url};

/// An origin such as `https://verifier.example`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Not an origin whose pages may ask for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin with https")]
pub struct OriginError;

impl Origin {
    /// Reads an origin in the form in which browsers write it. Appendix A.2: "Values using the http
    /// scheme MUST NOT be used unless they are explicitly allowed", which `rule` does for this
    /// machine alone.
    ///
    /// # Errors
    /// [`OriginError`] for anything else.
    pub fn parse(text: &str, rule: UrlRule) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError)?;
        let allowed = match url.scheme() {
            "https" => true,
            "http" => rule == UrlRule::LoopbackAllowed && is_loopback_url(&url),
            _ => false,
        };
        // One origin has one text: it is compared without looking into it.
        if !allowed || url.origin().ascii_serialization() != text {
            return Err(OriginError);
        }
        Ok(Origin(text.to_owned()))
    }

    /// The origin, as it stands in `expected_origins` and in the handover of an mdoc.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The audience of presentations (appendix A.4: "the Origin, prefixed with `origin:`").
    pub fn audience(&self) -> String {
        format!("origin:{}", self.0)
    }

    /// Its host, with the port where that is not the usual one.
    pub fn host(&self) -> &str {
        self.0.split_once("://").map_or(&self.0, |(_, host)| host)
    }

    /// Its host without a port.
    pub(in crate::vp) fn host_name(&self) -> String {
        let url = Url::parse(&self.0).ok();
        let host = url.as_ref().and_then(Url::host_str);
        host.unwrap_or_default().to_owned()
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
