//! How a client says who it is at the token endpoint (RFC 6749, section 2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::assertion::JWT_BEARER;
use super::error::{ErrorCode, OAuthError};
use super::params::{Params, decode};
use super::values::{ClientId, Secret};
use crate::http::Headers;

/// Registered way of authentication (RFC 7591, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// Public client.
    None,
    /// HTTP Basic.
    ClientSecretBasic,
    /// Secret in the form body.
    ClientSecretPost,
    /// Client assertion (RFC 7523, section 2.2).
    PrivateKeyJwt,
    /// Client attestation with a proof of its own.
    AttestJwt,
    /// Client attestation whose proof is the DPoP proof.
    AttestJwtDpop,
}

impl AuthMethod {
    /// Name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::AttestJwt => "attest_jwt_client_auth",
            Self::AttestJwtDpop => "attest_jwt_client_auth_dpop",
        }
    }
}

/// What the request presented; whether it is right is for the caller to check, with the
/// method of the registration and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredentials {
    /// Neither name nor secret (pre-authorized code with anonymous access).
    Anonymous,
    /// A name alone.
    None {
        /// Who the client says it is.
        client_id: ClientId,
    },
    /// HTTP Basic.
    Basic {
        /// Who the client says it is.
        client_id: ClientId,
        /// Secret, unchecked.
        secret: Secret,
    },
    /// Secret in the form body.
    Post {
        /// Who the client says it is.
        client_id: ClientId,
        /// Secret, unchecked.
        secret: Secret,
    },
    /// Client assertion; see [`super::assertion`].
    Assertion {
        /// `client_id` beside it, where it was sent.
        client_id: Option<ClientId>,
        /// The assertion, unchecked.
        assertion: Secret,
    },
    /// Client attestation; see [`super::attestation`].
    Attestation {
        /// `client_id` beside it, where it was sent.
        client_id: Option<ClientId>,
        /// The attestation, unchecked.
        attestation: Secret,
        /// Its proof of possession; without one the DPoP proof is meant.
        pop: Option<Secret>,
    },
}

/// Why the presented authentication cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthError {
    /// RFC 6749, section 2.3: MUST NOT use more than one method in each request.
    #[error("more than one client authentication method")]
    TwoMethods,
    /// The names of header and body differ.
    #[error("client_id differs between header and body")]
    Mismatch,
    /// The Authorization header is malformed or occurs twice.
    #[error("malformed Authorization header")]
    Header,
    /// `client_id` is malformed.
    #[error("malformed client_id")]
    ClientId,
    /// A secret without a name.
    #[error("client_secret without client_id")]
    SecretAlone,
    /// An assertion that is no JWT, and every other method that we do not offer.
    #[error("client authentication method is not supported")]
    Unsupported,
}

impl ClientAuthError {
    /// Error for the client; a 401 carries `WWW-Authenticate: Basic` (RFC 6749, section 5.2).
    #[must_use]
    pub fn to_oauth(self) -> OAuthError {
        match self {
            Self::TwoMethods | Self::Mismatch | Self::SecretAlone => {
                OAuthError::invalid_request("conflicting client authentication")
            }
            Self::Header | Self::ClientId | Self::Unsupported => ErrorCode::InvalidClient.into(),
        }
    }
}

impl ClientCredentials {
    /// Reads header and form body.
    ///
    /// # Errors
    /// [`ClientAuthError`].
    pub fn parse(headers: &Headers, params: &Params) -> Result<Self, ClientAuthError> {
        let assertion = assertion(params)?;
        let attestation = attestation(headers)?;
        let header = headers
            .at_most_one("authorization")
            .map_err(|_| ClientAuthError::Header)?;
        let named = match params.get("client_id") {
            Some(id) => Some(ClientId::parse(id).map_err(|_| ClientAuthError::ClientId)?),
            None => None,
        };
        let secret = params.get("client_secret").map(Secret::new);
        // RFC 6749, section 2.3: one method in a request.
        let other = header.is_some() || secret.is_some();
        match (assertion, attestation) {
            (None, None) => {}
            (Some(assertion), None) if !other => {
                return Ok(Self::Assertion {
                    client_id: named,
                    assertion,
                });
            }
            (None, Some((attestation, pop))) if !other => {
                return Ok(Self::Attestation {
                    client_id: named,
                    attestation,
                    pop,
                });
            }
            (_, _) => return Err(ClientAuthError::TwoMethods),
        }
        match (header, named, secret) {
            (Some(_), _, Some(_)) => Err(ClientAuthError::TwoMethods),
            (Some(header), named, None) => {
                let (client_id, secret) = parse_basic(header)?;
                if named.is_some_and(|n| n != client_id) {
                    return Err(ClientAuthError::Mismatch);
                }
                Ok(Self::Basic { client_id, secret })
            }
            (None, Some(client_id), Some(secret)) => Ok(Self::Post { client_id, secret }),
            (None, Some(client_id), None) => Ok(Self::None { client_id }),
            (None, None, Some(_)) => Err(ClientAuthError::SecretAlone),
            (None, None, None) => Ok(Self::Anonymous),
        }
    }

    /// Who the client says it is.
    #[must_use]
    pub fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Anonymous => None,
            Self::None { client_id }
            | Self::Basic { client_id, .. }
            | Self::Post { client_id, .. } => Some(client_id),
            Self::Assertion { client_id, .. } | Self::Attestation { client_id, .. } => {
                client_id.as_ref()
            }
        }
    }

    /// Presented secret.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Anonymous
            | Self::None { .. }
            | Self::Assertion { .. }
            | Self::Attestation { .. } => None,
            Self::Basic { secret, .. } | Self::Post { secret, .. } => Some(secret),
        }
    }

    /// Which method was used; compare with the registration.
    #[must_use]
    pub fn method(&self) -> AuthMethod {
        match self {
            Self::Anonymous | Self::None { .. } => AuthMethod::None,
            Self::Basic { .. } => AuthMethod::ClientSecretBasic,
            Self::Post { .. } => AuthMethod::ClientSecretPost,
            Self::Assertion { .. } => AuthMethod::PrivateKeyJwt,
            Self::Attestation { pop: Some(_), .. } => AuthMethod::AttestJwt,
            Self::Attestation { pop: None, .. } => AuthMethod::AttestJwtDpop,
        }
    }
}

/// RFC 7521, section 4.2.
fn assertion(params: &Params) -> Result<Option<Secret>, ClientAuthError> {
    let sent = params.was_sent("client_assertion") || params.was_sent("client_assertion_type");
    match (
        params.get("client_assertion_type"),
        params.get("client_assertion"),
    ) {
        _ if !sent => Ok(None),
        (Some(JWT_BEARER), Some(assertion)) => Ok(Some(Secret::new(assertion))),
        (_, _) => Err(ClientAuthError::Unsupported),
    }
}

/// Attestation-based client authentication (draft -10), section 6.1: precisely one header of each
/// kind.
fn attestation(headers: &Headers) -> Result<Option<(Secret, Option<Secret>)>, ClientAuthError> {
    let one = |name: &str| {
        let value = headers.at_most_one(name);
        value.map_err(|_| ClientAuthError::Header)
    };
    let attestation = one("oauth-client-attestation")?;
    let pop = one("oauth-client-attestation-pop")?;
    match (attestation, pop) {
        (None, None) => Ok(None),
        (Some(attestation), pop) => Ok(Some((Secret::new(attestation), pop.map(Secret::new)))),
        (None, Some(_)) => Err(ClientAuthError::Header),
    }
}

/// RFC 6749, section 2.3.1: name and secret are form-encoded before Basic encodes them.
fn parse_basic(header: &str) -> Result<(ClientId, Secret), ClientAuthError> {
    let (scheme, encoded) = header.split_once(' ').ok_or(ClientAuthError::Header)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(ClientAuthError::Header);
    }
    let bytes = zeroize::Zeroizing::new(
        STANDARD
            .decode(encoded.trim())
            .map_err(|_| ClientAuthError::Header)?,
    );
    let text = std::str::from_utf8(&bytes).map_err(|_| ClientAuthError::Header)?;
    let (id, secret) = text.split_once(':').ok_or(ClientAuthError::Header)?;
    let id = decode(id).map_err(|_| ClientAuthError::Header)?;
    let secret = decode(secret).map_err(|_| ClientAuthError::Header)?;
    let client_id = ClientId::parse(&id).map_err(|_| ClientAuthError::ClientId)?;
    Ok((client_id, Secret::new(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(text: &str) -> Headers {
        [("authorization", format!("Basic {}", STANDARD.encode(text)))]
            .into_iter()
            .collect()
    }

    fn parse(headers: &Headers, body: &str) -> Result<ClientCredentials, ClientAuthError> {
        ClientCredentials::parse(headers, &Params::parse(body).unwrap())
    }

    #[test]
    fn basic_is_form_decoded() {
        let got = parse(&basic("my%3Ashop:p%2Bss+word%25"), "").unwrap();
        assert_eq!(got.client_id().unwrap().as_str(), "my:shop");
        assert_eq!(got.secret().unwrap().expose(), "p+ss word%");
        assert_eq!(got.method(), AuthMethod::ClientSecretBasic);
        assert!(!format!("{got:?}").contains("word"));
    }

    #[test]
    fn never_two_methods() {
        assert_eq!(
            parse(&basic("a:b"), "client_id=a&client_secret=b"),
            Err(ClientAuthError::TwoMethods)
        );
        assert_eq!(
            parse(&basic("a:b"), "client_id=c"),
            Err(ClientAuthError::Mismatch)
        );
        assert!(parse(&basic("a:b"), "client_id=a").is_ok());
        let twice: Headers = [
            ("authorization", "Basic YTpi"),
            ("Authorization", "Basic YTpi"),
        ]
        .into_iter()
        .collect();
        assert_eq!(parse(&twice, ""), Err(ClientAuthError::Header));
        assert_eq!(
            parse(
                &Headers::new(),
                "client_id=a&client_assertion=x&client_assertion_type=y"
            ),
            Err(ClientAuthError::Unsupported)
        );
        assert_eq!(
            parse(&Headers::new(), "client_secret=b"),
            Err(ClientAuthError::SecretAlone)
        );
    }

    #[test]
    fn malformed_headers() {
        for value in [
            "Basic",
            "Basic !!!",
            "Basic YQ==",
            "Bearer abc",
            "Basic /////w==",
            "",
        ] {
            let headers: Headers = [("authorization", value)].into_iter().collect();
            assert_eq!(parse(&headers, ""), Err(ClientAuthError::Header), "{value}");
        }
        assert_eq!(parse(&basic("a%zz:b"), ""), Err(ClientAuthError::Header));
        assert_eq!(parse(&basic(":b"), ""), Err(ClientAuthError::ClientId));
    }

    #[test]
    fn assertions_and_attestations() {
        let type_ = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let got = parse(&Headers::new(), &format!("{type_}&client_assertion=x")).unwrap();
        assert_eq!(got.method(), AuthMethod::PrivateKeyJwt);
        assert_eq!(got.client_id(), None);
        for bad in [
            type_.to_owned(),
            "client_assertion=x".to_owned(),
            format!("{type_}&client_assertion="),
        ] {
            let got = parse(&Headers::new(), &bad);
            assert_eq!(got, Err(ClientAuthError::Unsupported), "{bad}");
        }
        let (attestation, pop) = ("OAuth-Client-Attestation", "OAuth-Client-Attestation-PoP");
        let headers = |names: &[&str]| names.iter().map(|n| (*n, "x")).collect::<Headers>();
        let got = parse(&headers(&[attestation, pop]), "client_id=a").unwrap();
        assert_eq!(got.method(), AuthMethod::AttestJwt);
        let got = parse(&headers(&[attestation]), "client_id=a").unwrap();
        assert_eq!(got.method(), AuthMethod::AttestJwtDpop);
        for bad in [
            headers(&[pop]),
            headers(&[attestation, attestation, pop]),
            headers(&[attestation, pop, pop]),
        ] {
            assert_eq!(parse(&bad, ""), Err(ClientAuthError::Header));
        }
        for body in [
            "client_id=a&client_secret=b".to_owned(),
            format!("{type_}&client_assertion=x"),
        ] {
            let got = parse(&headers(&[attestation, pop]), &body);
            assert_eq!(got, Err(ClientAuthError::TwoMethods), "{body}");
        }
        let got = parse(&basic("a:b"), &format!("{type_}&client_assertion=x"));
        assert_eq!(got, Err(ClientAuthError::TwoMethods));
    }

    #[test]
    fn the_other_methods() {
        assert_eq!(
            parse(&Headers::new(), "").unwrap(),
            ClientCredentials::Anonymous
        );
        assert_eq!(
            parse(&Headers::new(), "client_id=a").unwrap().method(),
            AuthMethod::None
        );
        let post = parse(&Headers::new(), "client_id=a&client_secret=b").unwrap();
        assert_eq!(post.method(), AuthMethod::ClientSecretPost);
    }
}
