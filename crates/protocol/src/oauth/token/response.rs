//! The token response (RFC 6749, section 5.1), of the server and as a client reads it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::oauth::authorization_details::GrantedDetails;
use crate::oauth::values::Secret;

/// Longest refresh token that a client keeps, in bytes.
const MAX_REFRESH_TOKEN: usize = 8 * 1024;

/// How an access token must be presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// RFC 6750.
    Bearer,
    /// RFC 9449.
    #[serde(rename = "DPoP")]
    Dpop,
}

impl TokenType {
    /// How a token is presented that is bound to a key, or is not.
    #[must_use]
    pub fn of(bound: bool) -> Self {
        // RFC 9449, section 5: a bound token says so.
        if bound { Self::Dpop } else { Self::Bearer }
    }

    /// Name on the wire, also the scheme of the Authorization header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    fn from_wire(text: &str) -> Option<Self> {
        // RFC 6749, section 7.1: the value is case insensitive.
        [Self::Bearer, Self::Dpop]
            .into_iter()
            .find(|t| t.as_str().eq_ignore_ascii_case(text))
    }
}

/// The answer of a token endpoint. Send with `Cache-Control: no-store`.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// How it is presented.
    pub token_type: TokenType,
    /// Lifetime in seconds.
    pub expires_in: u64,
    /// Granted scope where it differs from the requested one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// ID token, OpenID Connect only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// Refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// The answer of the token endpoint of an issuer (OpenID4VCI 1.0, section 6.2).
#[derive(Debug, Clone, Serialize)]
pub struct IssuanceTokenResponse {
    /// The tokens.
    #[serde(flatten)]
    pub tokens: TokenResponse,
    /// What was granted, where the wallet asked with `authorization_details`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<GrantedDetails>,
}

/// What a client keeps of a token response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedToken {
    /// The access token.
    pub access_token: Secret,
    /// How it is presented.
    pub token_type: TokenType,
    /// Lifetime in seconds where the server said one.
    pub expires_in: Option<u64>,
    /// For later tokens, where the server gives one.
    pub refresh_token: Option<Secret>,
    /// Dataset identifiers by configuration, where the server sent `authorization_details`
    /// of type `openid_credential` (OpenID4VCI 1.0, section 6.2): then, and only then, a
    /// Credential Request names one of them.
    pub credential_identifiers: Vec<CredentialIdentifiers>,
}

/// Dataset identifiers of one credential configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialIdentifiers {
    /// The configuration.
    pub credential_configuration_id: String,
    /// Its identifiers, at least one.
    pub identifiers: Vec<String>,
}

/// Why a token response was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenResponseError {
    /// Not JSON of the expected form.
    #[error("malformed token response")]
    Malformed,
    /// A token type this client cannot present, or a bearer token where DPoP was asked for.
    #[error("the server issued a token of another type than requested")]
    TokenType,
}

#[derive(Deserialize)]
struct WireResponse {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
    refresh_token: Option<String>,
    authorization_details: Option<Vec<WireDetails>>,
}

#[derive(Deserialize)]
struct WireDetails {
    r#type: String,
    credential_configuration_id: Option<String>,
    credential_identifiers: Option<Vec<String>>,
}

impl ReceivedToken {
    /// Reads the body of a 200 answer; unknown members are ignored. A client that sent a
    /// DPoP proof passes `Dpop`: a downgrade to bearer is refused (RFC 9449, section 5).
    ///
    /// # Errors
    /// [`TokenResponseError`].
    pub fn parse(body: &[u8], wanted: TokenType) -> Result<Self, TokenResponseError> {
        use TokenResponseError::{Malformed, TokenType as WrongType};
        let value: Value =
            vouchsafe_credentials::json::parse_strict(body).map_err(|_| Malformed)?;
        let WireResponse {
            access_token,
            token_type,
            expires_in,
            refresh_token,
            authorization_details,
        } = serde_json::from_value(value).map_err(|_| Malformed)?;
        if !crate::oauth::access_token::is_b64token(&access_token) {
            return Err(Malformed);
        }
        // RFC 6749, appendix A.17: visible ASCII.
        let printable = |token: &String| {
            (1..=MAX_REFRESH_TOKEN).contains(&token.len())
                && token.bytes().all(|b| (0x20..=0x7e).contains(&b))
        };
        if refresh_token
            .as_ref()
            .is_some_and(|token| !printable(token))
        {
            return Err(Malformed);
        }
        let token_type = TokenType::from_wire(&token_type).ok_or(WrongType)?;
        if token_type != wanted {
            return Err(WrongType);
        }
        let credential_identifiers = authorization_details
            .unwrap_or_default()
            .into_iter()
            .filter(|d| d.r#type == "openid_credential")
            .map(WireDetails::into_identifiers)
            .collect::<Option<_>>()
            .ok_or(Malformed)?;
        Ok(Self {
            access_token: Secret::new(access_token),
            token_type,
            expires_in,
            refresh_token: refresh_token.map(Secret::new),
            credential_identifiers,
        })
    }
}

impl WireDetails {
    fn into_identifiers(self) -> Option<CredentialIdentifiers> {
        let Self {
            r#type: _,
            credential_configuration_id,
            credential_identifiers,
        } = self;
        let identifiers = credential_identifiers.filter(|i| !i.is_empty())?;
        Some(CredentialIdentifiers {
            credential_configuration_id: credential_configuration_id?,
            identifiers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_of_the_server() {
        let body = br#"{"access_token":"t","token_type":"dpop","expires_in":300,"refresh_token":"r","c_nonce":"old","authorization_details":[
            {"type":"openid_credential","credential_configuration_id":"C","credential_identifiers":["a","b"],"x":1},{"type":"other"}]}"#;
        let token = ReceivedToken::parse(body, TokenType::Dpop).unwrap();
        assert_eq!(token.credential_identifiers[0].identifiers, ["a", "b"]);
        assert_eq!(token.expires_in, Some(300));
        assert_eq!(token.refresh_token.unwrap().expose(), "r");
        for (body, error) in [
            (
                r#"{"access_token":"t","token_type":"Bearer"}"#,
                TokenResponseError::TokenType,
            ),
            (
                r#"{"access_token":"t","token_type":"mac"}"#,
                TokenResponseError::TokenType,
            ),
            (
                r#"{"access_token":"","token_type":"DPoP"}"#,
                TokenResponseError::Malformed,
            ),
            (
                r#"{"access_token":"a b","token_type":"DPoP"}"#,
                TokenResponseError::Malformed,
            ),
            (
                r#"{"access_token":"t","token_type":"DPoP","access_token":"u"}"#,
                TokenResponseError::Malformed,
            ),
            (
                r#"{"access_token":"t","token_type":"DPoP","authorization_details":[{"type":"openid_credential","credential_configuration_id":"C","credential_identifiers":[]}]}"#,
                TokenResponseError::Malformed,
            ),
            (
                r#"{"access_token":"t","token_type":"DPoP","refresh_token":""}"#,
                TokenResponseError::Malformed,
            ),
            (
                r#"{"access_token":"t","token_type":"DPoP","refresh_token":"a\nb"}"#,
                TokenResponseError::Malformed,
            ),
            ("[]", TokenResponseError::Malformed),
        ] {
            assert_eq!(
                ReceivedToken::parse(body.as_bytes(), TokenType::Dpop),
                Err(error),
                "{body}"
            );
        }
    }

    #[test]
    fn response_wire_form() {
        let response = TokenResponse {
            access_token: "t".into(),
            token_type: TokenType::Dpop,
            expires_in: 300,
            scope: None,
            id_token: None,
            refresh_token: None,
        };
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            r#"{"access_token":"t","token_type":"DPoP","expires_in":300}"#
        );
    }
}
