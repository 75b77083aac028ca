//! The token request and response (RFC 6749, sections 4.1.3 and 5; OpenID4VCI 1.0, section 6).

use super::error::{ErrorCode, OAuthError};
use super::params::{Params, ParamsError};
use super::values::{Scopes, Secret};

mod response;

pub use response::{
    CredentialIdentifiers, IssuanceTokenResponse, ReceivedToken, TokenResponse, TokenResponseError,
    TokenType,
};

/// Grant type of the code flow.
pub const AUTHORIZATION_CODE: &str = "authorization_code";
/// Grant type of RFC 6749, section 6.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// Grant type of OpenID4VCI 1.0, section 4.1.1.
pub const PRE_AUTHORIZED_CODE: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// A token request, by grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// Code flow.
    AuthorizationCode {
        /// The code.
        code: Secret,
        /// Must equal the one of the authorization request (catalogue 352).
        redirect_uri: Option<String>,
        /// PKCE.
        code_verifier: Option<Secret>,
    },
    /// Pre-authorized code flow.
    PreAuthorizedCode {
        /// The code of the offer.
        code: Secret,
        /// The one-time code the person was given. Compared as it is; any text counts as a try (catalogue 236).
        tx_code: Option<Secret>,
    },
}

/// Why a token request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRequestError {
    /// Malformed, repeated or missing parameters.
    #[error("malformed token request")]
    Params(#[from] ParamsError),
    /// The grant is not one of ours (catalogue 386).
    #[error("grant type is not supported")]
    GrantType,
    /// `tx_code` with another grant (OpenID4VCI 1.0, section 6.1: MUST only be used there).
    #[error("tx_code belongs to the pre-authorized code grant")]
    TxCode,
    /// `authorization_details` are not offered here.
    #[error("authorization_details are not supported")]
    AuthorizationDetails,
}

impl From<TokenRequestError> for OAuthError {
    fn from(error: TokenRequestError) -> Self {
        match error {
            TokenRequestError::Params(ParamsError::Missing(_)) => {
                Self::invalid_request("a required parameter is missing")
            }
            TokenRequestError::Params(
                ParamsError::Duplicate
                | ParamsError::Encoding
                | ParamsError::Utf8
                | ParamsError::TooLong
                | ParamsError::TooMany,
            ) => Self::invalid_request("malformed parameters"),
            TokenRequestError::GrantType => ErrorCode::UnsupportedGrantType.into(),
            TokenRequestError::TxCode => Self::invalid_request("tx_code belongs to another grant"),
            TokenRequestError::AuthorizationDetails => {
                ErrorCode::InvalidAuthorizationDetails.into()
            }
        }
    }
}

impl TokenRequest {
    /// Reads the form body. Which grants a client may use is for the caller.
    ///
    /// # Errors
    /// [`TokenRequestError`].
    pub fn parse(params: &Params) -> Result<Self, TokenRequestError> {
        if params.was_sent("authorization_details") {
            return Err(TokenRequestError::AuthorizationDetails);
        }
        Self::parse_beside_details(params)
    }

    /// As [`Self::parse`] for a server that reads `authorization_details` beside
    /// (OpenID4VCI 1.0, section 6.1.1).
    ///
    /// # Errors
    /// [`TokenRequestError`].
    pub fn parse_beside_details(params: &Params) -> Result<Self, TokenRequestError> {
        match params.required("grant_type")? {
            AUTHORIZATION_CODE => {
                if params.was_sent("tx_code") {
                    return Err(TokenRequestError::TxCode);
                }
                Ok(Self::AuthorizationCode {
                    code: Secret::new(params.required("code")?),
                    redirect_uri: params.owned("redirect_uri"),
                    code_verifier: params.get("code_verifier").map(Secret::new),
                })
            }
            PRE_AUTHORIZED_CODE => Ok(Self::PreAuthorizedCode {
                code: Secret::new(params.required("pre-authorized_code")?),
                tx_code: params.get("tx_code").map(Secret::new),
            }),
            _ => Err(TokenRequestError::GrantType),
        }
    }

    /// Fields of the request as a client sends them; add client authentication beside.
    #[must_use]
    pub fn to_fields(&self) -> Vec<(&'static str, &str)> {
        let mut fields = Vec::with_capacity(4);
        match self {
            Self::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => {
                fields.push(("grant_type", AUTHORIZATION_CODE));
                fields.push(("code", code.expose()));
                fields.extend(redirect_uri.as_deref().map(|u| ("redirect_uri", u)));
                fields.extend(
                    code_verifier
                        .as_ref()
                        .map(|v| ("code_verifier", v.expose())),
                );
            }
            Self::PreAuthorizedCode { code, tx_code } => {
                fields.push(("grant_type", PRE_AUTHORIZED_CODE));
                fields.push(("pre-authorized_code", code.expose()));
                fields.extend(tx_code.as_ref().map(|c| ("tx_code", c.expose())));
            }
        }
        fields
    }
}

/// A request for a new access token (RFC 6749, section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshRequest {
    /// The refresh token.
    pub token: Secret,
    /// What is asked; nothing asks for what was granted.
    pub scopes: Scopes,
}

impl RefreshRequest {
    /// Fields of the request as a client sends them, for what was granted; add client
    /// authentication beside.
    #[must_use]
    pub fn to_fields(token: &Secret) -> Vec<(&'static str, &str)> {
        vec![
            ("grant_type", REFRESH_TOKEN),
            ("refresh_token", token.expose()),
        ]
    }

    /// Reads the form body; `None` for another grant.
    ///
    /// # Errors
    /// [`TokenRequestError`].
    pub fn parse(params: &Params) -> Result<Option<Self>, TokenRequestError> {
        if params.get("grant_type") != Some(REFRESH_TOKEN) {
            return Ok(None);
        }
        if params.was_sent("tx_code") {
            return Err(TokenRequestError::TxCode);
        }
        let scopes = Scopes::parse(params.get("scope").unwrap_or_default());
        Ok(Some(Self {
            token: Secret::new(params.required("refresh_token")?),
            scopes: scopes.map_err(|_| TokenRequestError::Params(ParamsError::Encoding))?,
        }))
    }
}

/// Compares a presented `redirect_uri` with the one the code was issued for. Missing is
/// wrong too (OpenID Connect Core, section 3.1.3.2; catalogue 352).
///
/// # Errors
/// `invalid_grant`.
pub fn check_redirect_uri(issued_for: &str, presented: Option<&str>) -> Result<(), OAuthError> {
    if presented == Some(issued_for) {
        Ok(())
    } else {
        Err(ErrorCode::InvalidGrant.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<TokenRequest, TokenRequestError> {
        TokenRequest::parse(&Params::parse(body).unwrap())
    }

    const PRE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code";

    #[test]
    fn grants_round_trip() {
        for body in [
            "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fa.example&code_verifier=v".to_owned(),
            format!("{PRE}&pre-authorized_code=p&tx_code=493536"),
        ] {
            let request = parse(&body).unwrap();
            let again = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(request.to_fields())
                .finish();
            assert_eq!(parse(&again).unwrap(), request);
            assert!(!format!("{request:?}").contains("493536"));
        }
    }

    #[test]
    fn refresh_requests() {
        let parse = |body: &str| RefreshRequest::parse(&Params::parse(body).unwrap());
        assert_eq!(parse("grant_type=authorization_code&code=c"), Ok(None));
        let got = parse("grant_type=refresh_token&refresh_token=r&scope=a+b")
            .unwrap()
            .unwrap();
        assert_eq!(
            (got.token.expose(), got.scopes.to_string().as_str()),
            ("r", "a b")
        );
        let sent = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(RefreshRequest::to_fields(&Secret::new("r")))
            .finish();
        assert_eq!(parse(&sent).unwrap().unwrap().token.expose(), "r");
        let missing = TokenRequestError::Params(ParamsError::Missing("refresh_token"));
        assert_eq!(parse("grant_type=refresh_token"), Err(missing));
        let stray = parse("grant_type=refresh_token&refresh_token=r&tx_code=1");
        assert_eq!(stray, Err(TokenRequestError::TxCode));
    }

    #[test]
    fn cat_386_other_grants() {
        for grant in [
            "password",
            "client_credentials",
            "implicit",
            "urn:openid:params:grant-type:ciba",
            "Authorization_Code",
        ] {
            assert_eq!(
                parse(&format!("grant_type={grant}&username=a&password=b")),
                Err(TokenRequestError::GrantType)
            );
        }
        assert_eq!(
            OAuthError::from(TokenRequestError::GrantType).code,
            ErrorCode::UnsupportedGrantType
        );
    }

    #[test]
    fn missing_and_misplaced_parameters() {
        assert_eq!(
            parse("code=c"),
            Err(ParamsError::Missing("grant_type").into())
        );
        assert_eq!(
            parse("grant_type=authorization_code"),
            Err(ParamsError::Missing("code").into())
        );
        assert_eq!(
            parse(PRE),
            Err(ParamsError::Missing("pre-authorized_code").into())
        );
        assert_eq!(
            parse("grant_type=authorization_code&code=c&tx_code=1"),
            Err(TokenRequestError::TxCode)
        );
        assert_eq!(
            parse(&format!(
                "{PRE}&pre-authorized_code=p&authorization_details=%5B%5D"
            )),
            Err(TokenRequestError::AuthorizationDetails)
        );
    }

    #[test]
    fn cat_236_tx_code_is_any_text() {
        let request = parse(&format!(
            "{PRE}&pre-authorized_code=p&tx_code=%20%EF%BC%94%EF%BC%99"
        ))
        .unwrap();
        let TokenRequest::PreAuthorizedCode {
            tx_code: Some(code),
            ..
        } = request
        else {
            panic!()
        };
        assert_eq!(code.expose(), " \u{ff14}\u{ff19}");
    }

    #[test]
    fn cat_352_redirect_uri_at_the_token_endpoint() {
        assert!(check_redirect_uri("https://a.example/cb", Some("https://a.example/cb")).is_ok());
        for wrong in [None, Some("https://a.example/cb/"), Some("")] {
            let error = check_redirect_uri("https://a.example/cb", wrong).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidGrant);
        }
    }
}
