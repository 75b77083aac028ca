//! How an access token is presented to a protected resource and how it is refused
//! (RFC 6750, sections 2.1, 2.2 and 3; RFC 9449, section 7).

use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use super::token::TokenType;
use super::values::Secret;
use crate::http::Headers;

/// Name in a form (RFC 6750, section 2.2).
const PARAMETER: &str = "access_token";
/// Longest accepted access token in bytes.
const MAX_TOKEN: usize = 4096;

/// A presented token, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedToken {
    /// Scheme it came under. A DPoP-bound token under `Bearer` must be refused (RFC 9449, section 7.2).
    pub token_type: TokenType,
    /// The token.
    pub token: Secret,
}

/// Why no token could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PresentationError {
    /// No Authorization header: answer 401 without an error code (RFC 6750, section 3.1).
    #[error("no access token")]
    Missing,
    /// Two headers, another scheme, or a malformed token.
    #[error("malformed Authorization header")]
    Malformed,
    /// In the header and in the form (RFC 6750, section 2: one method in a request).
    #[error("two access tokens in one request")]
    TwoMethods,
}

impl PresentedToken {
    /// Reads the Authorization header; query and form parameters are never looked at.
    ///
    /// # Errors
    /// [`PresentationError`].
    pub fn parse(headers: &Headers) -> Result<Self, PresentationError> {
        let header = headers
            .at_most_one("authorization")
            .map_err(|_| PresentationError::Malformed)?
            .ok_or(PresentationError::Missing)?;
        let (scheme, token) = header.split_once(' ').ok_or(PresentationError::Malformed)?;
        let token_type = [TokenType::Bearer, TokenType::Dpop]
            .into_iter()
            .find(|t| t.as_str().eq_ignore_ascii_case(scheme))
            .ok_or(PresentationError::Malformed)?;
        if !is_b64token(token) {
            return Err(PresentationError::Malformed);
        }
        Ok(Self {
            token_type,
            token: Secret::new(token),
        })
    }

    /// Reads the Authorization header or, where there is none, the parameter `access_token` of a
    /// form (RFC 6750, section 2.2), which is a bearer token. `form` is the body of a request
    /// whose method gives it a meaning and whose content type says that it is a form.
    ///
    /// # Errors
    /// [`PresentationError`].
    pub fn parse_with_form(
        headers: &Headers,
        form: Option<&Params>,
    ) -> Result<Self, PresentationError> {
        let Some(form) = form.filter(|form| form.was_sent(PARAMETER)) else {
            return Self::parse(headers);
        };
        match headers.at_most_one("authorization") {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Err(PresentationError::TwoMethods),
        }
        let token = form.get(PARAMETER).filter(|token| is_b64token(token));
        Ok(Self {
            token_type: TokenType::Bearer,
            token: Secret::new(token.ok_or(PresentationError::Malformed)?),
        })
    }

    /// Value of the Authorization header.
    #[must_use]
    pub fn to_header(&self) -> String {
        format!("{} {}", self.token_type.as_str(), self.token.expose())
    }
}

/// RFC 6750, section 2.1: `b64token`, at most 4 KiB.
pub(crate) fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !body.is_empty() && text.len() <= MAX_TOKEN && body.bytes().all(allowed)
}

/// Value of a `WWW-Authenticate` header.
///
/// `error` is absent where no token was presented at all. `dpop_algs` lists the algorithms
/// of proofs (RFC 9449, section 7.1) for the DPoP scheme.
#[must_use]
pub fn challenge(scheme: TokenType, error: Option<&OAuthError>, dpop_algs: &[&str]) -> String {
    let mut parameters = Vec::new();
    if let Some(OAuthError { code, description }) = error {
        parameters.push(format!("error=\"{}\"", code.as_str()));
        if let Some(text) = description {
            // The description holds neither quotes nor backslashes (ErrorDescription).
            parameters.push(format!("error_description=\"{}\"", text.as_str()));
        }
    }
    if scheme == TokenType::Dpop {
        parameters.push(format!("algs=\"{}\"", dpop_algs.join(" ")));
    }
    if parameters.is_empty() {
        return scheme.as_str().to_owned();
    }
    format!("{} {}", scheme.as_str(), parameters.join(", "))
}

impl From<PresentationError> for Option<OAuthError> {
    fn from(error: PresentationError) -> Self {
        match error {
            PresentationError::Missing => None,
            PresentationError::Malformed => Some(ErrorCode::InvalidToken.into()),
            // RFC 6750, section 3.1: more than one method is invalid_request.
            PresentationError::TwoMethods => Some(ErrorCode::InvalidRequest.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&str]) -> Result<PresentedToken, PresentationError> {
        PresentedToken::parse(&values.iter().map(|v| ("authorization", *v)).collect())
    }

    #[test]
    fn cat_248_malformed_tokens() {
        assert_eq!(parse(&[]), Err(PresentationError::Missing));
        for bad in [
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Basic YTpi",
            "DPoP \u{e9}",
            "Bearer =",
            "Bearer a=b",
        ] {
            assert_eq!(parse(&[bad]), Err(PresentationError::Malformed), "{bad}");
        }
        assert_eq!(
            parse(&["Bearer a", "Bearer a"]),
            Err(PresentationError::Malformed)
        );
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN + 1));
        assert_eq!(parse(&[&long]), Err(PresentationError::Malformed));
    }

    #[test]
    fn rfc_6750_section_2_2_a_token_in_a_form() {
        let read = |headers: &[&str], form: &str| {
            let headers = headers.iter().map(|v| ("authorization", *v)).collect();
            let form = Params::parse(form).unwrap();
            PresentedToken::parse_with_form(&headers, Some(&form))
        };
        let token = read(&[], "access_token=abc&x=1").unwrap();
        assert_eq!(
            (token.token_type, token.token.expose()),
            (TokenType::Bearer, "abc")
        );
        assert_eq!(read(&["Bearer abc"], "x=1").unwrap().token.expose(), "abc");
        for header in ["Bearer abc", "Basic YTpi", ""] {
            let both = read(&[header], "access_token=abc");
            assert_eq!(both, Err(PresentationError::TwoMethods), "{header}");
        }
        for bad in ["access_token=", "access_token=a+b", "access_token=%C3%A9"] {
            assert_eq!(read(&[], bad), Err(PresentationError::Malformed), "{bad}");
        }
        assert_eq!(read(&[], ""), Err(PresentationError::Missing));
        let none = PresentedToken::parse_with_form(&Headers::default(), None);
        assert_eq!(none, Err(PresentationError::Missing));
        let error: Option<OAuthError> = PresentationError::TwoMethods.into();
        assert_eq!(error.unwrap().status(), 400);
    }

    #[test]
    fn schemes() {
        let token = parse(&["dpop Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"]).unwrap();
        assert_eq!(token.token_type, TokenType::Dpop);
        assert!(token.to_header().starts_with("DPoP Kz~8"));
        // OpenID4VCI 1.0, section 8.2 shows an upper-case scheme.
        assert_eq!(
            parse(&["BEARER czZCaGRSa3F0MzpnWDFmQmF0M2JW"])
                .unwrap()
                .token_type,
            TokenType::Bearer
        );
    }

    #[test]
    fn challenges() {
        assert_eq!(challenge(TokenType::Bearer, None, &[]), "Bearer");
        let error = OAuthError::from(ErrorCode::InvalidToken);
        assert_eq!(
            challenge(TokenType::Dpop, Some(&error), &["ES256", "EdDSA"]),
            r#"DPoP error="invalid_token", algs="ES256 EdDSA""#
        );
    }
}
