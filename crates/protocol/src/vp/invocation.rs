//! The link that opens a wallet (OpenID4VP 1.0, sections 5.1 and 9).

use crate::http::UrlRule;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use vouchsafe_credentials::json;

/// Longest link that is read, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// How the wallet fetches the request object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestUriMethod {
    /// `get`, the default.
    #[default]
    Get,
    /// `post`: the wallet may send a `wallet_nonce`.
    Post,
}

/// Where a wallet finds the request, and of whom it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The full client identifier. Must be the one in the request object.
    pub client_id: String,
    /// Where the request object is.
    pub request_uri: Url,
    /// How to fetch it.
    pub method: RequestUriMethod,
}

/// Parameters whose values are JSON (OpenID4VP 1.0, section 5.1).
const JSON_PARAMETERS: [&str; 4] = [
    "dcql_query",
    "client_metadata",
    "transaction_data",
    "verifier_info",
];

/// The parameters of a link that carries its request itself; `None`: the link names a request object,
/// and [`Invocation::parse`] reads it.
///
/// # Errors
/// [`InvocationError`] with the first rule broken.
pub fn parameters_by_value(link: &str) -> Result<Option<Map<String, Value>>, InvocationError> {
    if link.len() > MAX_BYTES {
        return Err(InvocationError::TooLong);
    }
    let (_, query) = link.split_once('?').ok_or(InvocationError::Malformed)?;
    let query = query.split('#').next().unwrap_or(query);
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // A byte sequence that is no UTF-8 was replaced: nothing legal contains the replacement.
        if value.contains(char::REPLACEMENT_CHARACTER) {
            return Err(InvocationError::Malformed);
        }
        if ["request", "request_uri"].contains(&name.as_ref()) {
            return Ok(None);
        }
        let value = match JSON_PARAMETERS.contains(&name.as_ref()) {
            true => json::parse_strict(value.as_bytes()).map_err(|_| InvocationError::Malformed)?,
            false => Value::String(value.into_owned()),
        };
        // RFC 6749, section 3.1: "parameters MUST NOT be included more than once".
        if parameters.insert(name.into_owned(), value).is_some() {
            return Err(InvocationError::DuplicateParameter);
        }
    }
    Ok(Some(parameters))
}

/// The link to a wallet at `endpoint` with these parameters.
pub(super) fn to_link(endpoint: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    // Some wallets read links as addresses (RFC 3986), in which a plus is a plus.
    let query = query.finish().replace('+', "%20");
    format!("{endpoint}{separator}{query}")
}

/// Why a link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// Longer than [`MAX_BYTES`].
    #[error("the link is too long")]
    TooLong,
    /// No query, or text that is no Unicode.
    #[error("the link is malformed")]
    Malformed,
    /// A parameter occurs twice.
    #[error("a parameter occurs more than once")]
    DuplicateParameter,
    /// `client_id` or `request_uri` is missing.
    #[error("a required parameter is missing")]
    MissingParameter,
    /// `request`: only requests by reference are accepted (HAIP 1.0, section 5.1).
    #[error("requests by value are not accepted")]
    RequestByValue,
    /// `request_uri` is not an acceptable URL.
    #[error("the request_uri is not acceptable")]
    RequestUri,
    /// `request_uri_method` is neither `get` nor `post`.
    #[error("the request_uri_method is invalid")]
    RequestUriMethod,
}

impl InvocationError {
    /// A stable code for logs and interfaces.
    pub fn code(self) -> &'static str {
        match self {
            InvocationError::TooLong => "link_too_long",
            InvocationError::Malformed => "link_malformed",
            InvocationError::DuplicateParameter => "link_duplicate_parameter",
            InvocationError::MissingParameter => "link_missing_parameter",
            InvocationError::RequestByValue => "request_by_value",
            InvocationError::RequestUri => "request_uri_unacceptable",
            InvocationError::RequestUriMethod => "invalid_request_uri_method",
        }
    }
}

impl Invocation {
    /// The link for a wallet at `endpoint`, for example `openid4vp://`.
    pub fn to_link(&self, endpoint: &str) -> String {
        let mut parameters = vec![
            ("client_id", self.client_id.as_str()),
            ("request_uri", self.request_uri.as_str()),
        ];
        match self.method {
            RequestUriMethod::Get => {}
            RequestUriMethod::Post => parameters.push(("request_uri_method", "post")),
        }
        to_link(endpoint, &parameters)
    }

    /// Reads a link. The scheme is the platform's business and not looked at;
    /// unknown parameters are ignored.
    pub fn parse(link: &str, policy: UrlRule) -> Result<Self, InvocationError> {
        if link.len() > MAX_BYTES {
            return Err(InvocationError::TooLong);
        }
        let (_, query) = link.split_once('?').ok_or(InvocationError::Malformed)?;
        let query = query.split('#').next().unwrap_or(query);
        let mut client_id = None;
        let mut request_uri = None;
        let mut method = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // A byte sequence that is no UTF-8 was replaced: nothing legal contains the replacement.
            if value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(InvocationError::Malformed);
            }
            let place = match name.as_ref() {
                "client_id" => &mut client_id,
                "request_uri" => &mut request_uri,
                "request_uri_method" => &mut method,
                "request" => return Err(InvocationError::RequestByValue),
                _ => continue,
            };
            // RFC 6749, section 3.1: "parameters MUST NOT be included more than once".
            if place.replace(value.into_owned()).is_some() {
                return Err(InvocationError::DuplicateParameter);
            }
        }
        let client_id = client_id.filter(|id| !id.is_empty());
        let request_uri = request_uri.ok_or(InvocationError::MissingParameter)?;
        Ok(Invocation {
            client_id: client_id.ok_or(InvocationError::MissingParameter)?,
            request_uri: policy
                .endpoint(&request_uri)
                .map_err(|_| InvocationError::RequestUri)?,
            // OpenID4VP 1.0, section 8.5: "neither `get` nor `post` (case-sensitive)".
            method: match method.as_deref() {
                None | Some("get") => RequestUriMethod::Get,
                Some("post") => RequestUriMethod::Post,
                Some(_) => return Err(InvocationError::RequestUriMethod),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: UrlRule = UrlRule::PublicHttps;

    fn invocation(method: RequestUriMethod) -> Invocation {
        Invocation {
            client_id: "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk".to_owned(),
            request_uri: Url::parse("https://verifier.example/vp/request/a?b=c&d").unwrap(),
            method,
        }
    }

    #[test]
    fn links_round_trip() {
        for endpoint in [
            "openid4vp://",
            "haip-vp://",
            "https://wallet.example/open?from=link",
        ] {
            for method in [RequestUriMethod::Get, RequestUriMethod::Post] {
                let sent = invocation(method);
                assert_eq!(Invocation::parse(&sent.to_link(endpoint), STRICT), Ok(sent));
            }
        }
        assert_eq!(
            invocation(RequestUriMethod::Get).to_link("openid4vp://"),
            "openid4vp://?client_id=x509_hash%3AUvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk\
             &request_uri=https%3A%2F%2Fverifier.example%2Fvp%2Frequest%2Fa%3Fb%3Dc%26d"
        );
    }

    #[test]
    fn cat_320_links_that_are_refused() {
        let long = format!("openid4vp://?client_id={}", "a".repeat(MAX_BYTES));
        for (link, error) in [
            ("openid4vp://", InvocationError::Malformed),
            (
                "openid4vp://?client_id=a",
                InvocationError::MissingParameter,
            ),
            (
                "openid4vp://?client_id=&request_uri=https://v.example",
                InvocationError::MissingParameter,
            ),
            (
                "openid4vp://?request_uri=https://v.example",
                InvocationError::MissingParameter,
            ),
            (
                "openid4vp://?client_id=a&request_uri=http://v.example",
                InvocationError::RequestUri,
            ),
            (
                "openid4vp://?client_id=a&request_uri=http://127.0.0.1",
                InvocationError::RequestUri,
            ),
            (
                "openid4vp://?client_id=a&request_uri=file:///etc/passwd",
                InvocationError::RequestUri,
            ),
            (
                "openid4vp://?client_id=a&request_uri=https://u:p@v.example",
                InvocationError::RequestUri,
            ),
            (
                "openid4vp://?client_id=a&request_uri=https://v.example/%23f",
                InvocationError::RequestUri,
            ),
            (
                "openid4vp://?client_id=a&client_id=b&request_uri=https://v.example",
                InvocationError::DuplicateParameter,
            ),
            (
                "openid4vp://?client_id=a&request=eyJ",
                InvocationError::RequestByValue,
            ),
            (
                "openid4vp://?client_id=a%FF&request_uri=https://v.example",
                InvocationError::Malformed,
            ),
            (
                "openid4vp://?client_id=a&request_uri=https://v.example&request_uri_method=POST",
                InvocationError::RequestUriMethod,
            ),
            (long.as_str(), InvocationError::TooLong),
        ] {
            assert_eq!(Invocation::parse(link, STRICT), Err(error), "{link}");
        }
    }

    #[test]
    fn loopback_http_needs_permission() {
        let link = "openid4vp://?client_id=a&request_uri=http%3A%2F%2F127.0.0.1%3A4001%2Fr";
        assert!(Invocation::parse(link, UrlRule::LoopbackAllowed).is_ok());
        let elsewhere = "openid4vp://?client_id=a&request_uri=http%3A%2F%2F192.168.0.1%2Fr";
        let refused = Invocation::parse(elsewhere, UrlRule::LoopbackAllowed);
        assert_eq!(refused, Err(InvocationError::RequestUri));
    }
}
