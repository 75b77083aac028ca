//! The authorization response: built by a server, checked by a client (RFC 6749,
//! section 4.1.2; RFC 9207).

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use url::Url;

use super::error::{OAuthError, RemoteError};
use super::params::{Params, ParamsError};
use super::redirect::RedirectUri;
use super::values::Secret;

/// How the answer travels back. Nothing else is supported (catalogue 355).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// Parameters in the query of a 303 redirect.
    #[default]
    Query,
    /// Parameters in a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// Name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

/// Where an answer may go: only a registered URI gets in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseTarget {
    /// The registered URI that the request named.
    pub redirect_uri: RedirectUri,
    /// `state` of the request, returned unchanged.
    pub state: Option<String>,
    /// How the answer travels.
    pub mode: ResponseMode,
}

/// What the answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A code to redeem.
    Code(Secret),
    /// An error.
    Error(OAuthError),
}

/// An answer ready to send.
#[derive(Clone, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// Answer 303 with this `Location` (RFC 9700, section 4.12: never 307).
    Redirect(Url),
    /// Render a form that posts these fields to this URI; values must be HTML-escaped.
    FormPost {
        /// Where the form posts to.
        action: RedirectUri,
        /// Hidden fields.
        fields: Vec<(&'static str, String)>,
    },
}

// The code is in there.
impl std::fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Redirect(_) => "Redirect",
            Self::FormPost { .. } => "FormPost",
        })
    }
}

impl AuthorizationResponse {
    /// Builds the answer. `iss` is always sent (RFC 9207, section 2; catalogue 361).
    #[must_use]
    pub fn build(target: &ResponseTarget, issuer: &str, outcome: &Outcome) -> Self {
        let mut fields: Vec<(&'static str, String)> = Vec::with_capacity(4);
        match outcome {
            Outcome::Code(code) => fields.push(("code", code.expose().to_owned())),
            Outcome::Error(OAuthError { code, description }) => {
                fields.push(("error", code.as_str().to_owned()));
                if let Some(text) = description {
                    fields.push(("error_description", text.as_str().to_owned()));
                }
            }
        }
        if let Some(state) = &target.state {
            fields.push(("state", state.clone()));
        }
        fields.push(("iss", issuer.to_owned()));
        match target.mode {
            ResponseMode::FormPost => Self::FormPost {
                action: target.redirect_uri.clone(),
                fields,
            },
            ResponseMode::Query => {
                let mut url = target.redirect_uri.to_url();
                url.query_pairs_mut().extend_pairs(&fields);
                Self::Redirect(url)
            }
        }
    }
}

/// What a client remembers about the request it sent.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Issuer identifier of the server that was asked.
    pub issuer: &'a str,
    /// `state` that was sent.
    pub state: &'a str,
    /// Whether the server's metadata promise `iss` (RFC 9207, section 2.4). Where it does
    /// not, a missing `iss` is accepted; a wrong one never is.
    pub iss_promised: bool,
}

/// Why an authorization response was refused. Catalogue 290.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Not one well-formed set of parameters.
    #[error("malformed authorization response")]
    Params(#[from] ParamsError),
    /// `state` missing or not ours.
    #[error("the answer belongs to another request")]
    State,
    /// `iss` missing though promised.
    #[error("the answer does not say which server it comes from")]
    IssMissing,
    /// `iss` of another server (mix-up).
    #[error("the answer comes from another server")]
    IssMismatch,
    /// Neither code nor error, or both.
    #[error("the answer holds neither a code nor an error, or both")]
    Shape,
    /// The server refused.
    #[error("the server refused")]
    Refused(RemoteError),
}

/// Reads the query of the redirect and returns the code.
///
/// # Errors
/// [`ResponseError`]; state and issuer are checked before the code or the error is looked at.
pub fn check(query: &str, expected: &Expected<'_>) -> Result<Secret, ResponseError> {
    let params = Params::parse(query)?;
    let state = params.get("state").ok_or(ResponseError::State)?;
    if !bool::from(state.as_bytes().ct_eq(expected.state.as_bytes())) {
        return Err(ResponseError::State);
    }
    // RFC 9207, section 2.4: simple string comparison.
    match params.get("iss") {
        Some(iss) if iss == expected.issuer => {}
        Some(_) => return Err(ResponseError::IssMismatch),
        None if expected.iss_promised => return Err(ResponseError::IssMissing),
        None => {}
    }
    match (params.get("code"), params.owned("error")) {
        (Some(code), None) => Ok(Secret::new(code)),
        (None, Some(error)) => Err(ResponseError::Refused(RemoteError {
            error,
            error_description: params.owned("error_description"),
        })),
        (Some(_), Some(_)) | (None, None) => Err(ResponseError::Shape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::error::ErrorCode;

    fn target(mode: ResponseMode) -> ResponseTarget {
        ResponseTarget {
            redirect_uri: RedirectUri::register("https://shop.example.com/cb?x=1").unwrap(),
            state: Some("s&t=\r\nLocation: https://evil.example".into()),
            mode,
        }
    }

    #[test]
    fn cat_361_iss_is_always_sent() {
        let outcomes = [
            Outcome::Code(Secret::new("c")),
            Outcome::Error(ErrorCode::AccessDenied.into()),
        ];
        for outcome in outcomes {
            let built = AuthorizationResponse::build(
                &target(ResponseMode::Query),
                "https://op.example.com",
                &outcome,
            );
            let AuthorizationResponse::Redirect(url) = built else {
                panic!("query mode redirects")
            };
            assert!(
                url.query()
                    .unwrap()
                    .ends_with("&iss=https%3A%2F%2Fop.example.com")
            );
        }
    }

    #[test]
    fn cat_118_state_cannot_split_headers() {
        let built = AuthorizationResponse::build(
            &target(ResponseMode::Query),
            "https://op.example.com",
            &Outcome::Code(Secret::new("c")),
        );
        let AuthorizationResponse::Redirect(url) = built else {
            panic!("query mode redirects")
        };
        assert!(
            url.as_str()
                .starts_with("https://shop.example.com/cb?x=1&code=c&state=s%26t%3D%0D%0A")
        );
        assert!(!url.as_str().contains(['\r', '\n']));
    }

    #[test]
    fn form_post_keeps_values_apart() {
        let built = AuthorizationResponse::build(
            &target(ResponseMode::FormPost),
            "https://op.example.com",
            &Outcome::Code(Secret::new("c")),
        );
        let AuthorizationResponse::FormPost { action, fields } = built else {
            panic!("form")
        };
        assert_eq!(action.as_str(), "https://shop.example.com/cb?x=1");
        assert_eq!(
            fields.iter().map(|f| f.0).collect::<Vec<_>>(),
            ["code", "state", "iss"]
        );
    }

    #[test]
    fn cat_290_iss_and_state_of_the_answer() {
        let expected = Expected {
            issuer: "https://as.example.com",
            state: "st",
            iss_promised: true,
        };
        let iss = "iss=https%3A%2F%2Fas.example.com";
        let code = check(&format!("code=c&state=st&{iss}"), &expected).unwrap();
        assert_eq!(code.expose(), "c");
        for (query, error) in [
            ("code=c&state=st".to_owned(), ResponseError::IssMissing),
            (
                "code=c&state=st&iss=https%3A%2F%2Fevil.example".into(),
                ResponseError::IssMismatch,
            ),
            (
                "code=c&state=st&iss=https%3A%2F%2Fas.example.com%2F".into(),
                ResponseError::IssMismatch,
            ),
            (format!("code=c&{iss}"), ResponseError::State),
            (format!("code=c&state=other&{iss}"), ResponseError::State),
            (format!("state=st&{iss}"), ResponseError::Shape),
            (
                format!("code=c&error=x&state=st&{iss}"),
                ResponseError::Shape,
            ),
            (
                format!("code=c&code=d&state=st&{iss}"),
                ResponseError::Params(ParamsError::Duplicate),
            ),
        ] {
            assert_eq!(check(&query, &expected), Err(error), "{query}");
        }
        let refused = check(&format!("error=access_denied&state=st&{iss}"), &expected);
        let Err(ResponseError::Refused(error)) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(error.code(), Some(ErrorCode::AccessDenied));
        let lax = Expected {
            iss_promised: false,
            ..expected
        };
        assert!(check("code=c&state=st", &lax).is_ok());
        assert_eq!(
            check("code=c&state=st&iss=x", &lax),
            Err(ResponseError::IssMismatch)
        );
    }
}
