//! How a client of this service proves who it is, as registered.

use std::collections::HashSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use url::Url;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::oauth::client_auth::{AuthMethod, ClientCredentials};
use vouchsafe_service::keys::secret_text;

/// Shortest client secret, in bytes.
const MIN_SECRET: usize = 16;

/// Characters that a secret has at the least, without words that everybody tries.
const MIN_DISTINCT: usize = 8;
/// What stands in examples.
const PLACEHOLDERS: [&str; 7] = [
    "changeme",
    "change-me",
    "change_me",
    "password",
    "secret",
    "default",
    "example",
];

/// Catalogue 406: what an example or one key of the keyboard gave is no secret.
fn is_guessed(text: &str) -> bool {
    let text = text.to_lowercase();
    let rest = (PLACEHOLDERS.iter()).fold(text, |rest, word| rest.replace(word, ""));
    rest.chars().collect::<HashSet<_>>().len() < MIN_DISTINCT
}

/// A registered way of authentication.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// A public client.
    None,
    /// A secret, in the header or in the form.
    Secret(ClientSecret),
    /// A signed assertion (`private_key_jwt`).
    PrivateKeyJwt(ClientKeys),
}

/// Where the public keys of a client are.
#[derive(Debug, Clone)]
pub enum ClientKeys {
    /// In the configuration.
    Listed(JwkSet),
    /// At an address of the client.
    At(Url),
}

/// How a client authenticates, as written: a secret or keys or neither, in one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    pub secret: Option<&'a str>,
    pub secret_file: Option<&'a Path>,
    pub jwks: Option<&'a str>,
    pub jwks_file: Option<&'a Path>,
    pub jwks_uri: Option<&'a str>,
    /// `http` addresses of this machine are fine.
    pub loopback_http: bool,
}

/// SHA-256 of a client secret, the one method that goes with it, where there is but one, and SHA-256 of the
/// secret before, for as long as it counts.
#[derive(Clone)]
pub struct ClientSecret([u8; 32], Option<AuthMethod>, Option<[u8; 32]>);

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret")
    }
}

impl ClientSecret {
    /// Reads a secret from the configuration or a file; `None` where neither names one.
    fn parse(text: Option<&str>, file: Option<&Path>) -> Result<Option<Self>, String> {
        if text.is_none() && file.is_none() {
            return Ok(None);
        }
        let text = secret_text("secret", text, file).map_err(|error| error.to_string())?;
        if text.len() < MIN_SECRET {
            return Err("the secret is shorter than 16 characters".to_owned());
        }
        if is_guessed(&text) {
            return Err("the secret can be guessed: take random characters".to_owned());
        }
        Ok(Some(Self(
            Sha256::digest(text.as_bytes()).into(),
            None,
            None,
        )))
    }

    /// A secret of which only the SHA-256 is known, in base64url, for one method.
    #[must_use]
    pub fn of_digest(digest: &str, method: AuthMethod) -> Option<Self> {
        Some(Self(bytes_of(digest)?, Some(method), None))
    }

    /// A secret of which only the SHA-256 is known, in base64url, and that of the one before while it
    /// counts. It goes with either method.
    #[must_use]
    pub fn of_digests(digest: &str, previous: Option<&str>) -> Option<Self> {
        let previous = match previous {
            Some(previous) => Some(bytes_of(previous)?),
            None => None,
        };
        Some(Self(bytes_of(digest)?, None, previous))
    }

    fn fits(&self, method: AuthMethod) -> bool {
        self.1.is_none_or(|only| only == method)
    }

    fn is(&self, shown: &str) -> bool {
        // Digests of equal length: the time of the comparison tells nothing.
        let shown = Sha256::digest(shown.as_bytes());
        let is = |known: &[u8; 32]| shown.as_slice().ct_eq(known.as_slice());
        let previous = self.2.as_ref().map_or(Choice::from(0), is);
        (is(&self.0) | previous).into()
    }
}

/// The bytes of a digest.
fn bytes_of(digest: &str) -> Option<[u8; 32]> {
    b64url_decode(digest).ok()?.try_into().ok()
}

impl ClientKeys {
    fn parse(written: Written<'_>) -> Result<Option<Self>, String> {
        match (written.jwks, written.jwks_file, written.jwks_uri) {
            (None, None, None) => Ok(None),
            (Some(text), None, None) => listed("jwks", text.as_bytes()).map(Some),
            (None, Some(path), None) => {
                let bytes =
                    std::fs::read(path).map_err(|_| "jwks_file cannot be read".to_owned())?;
                listed("jwks_file", &bytes).map(Some)
            }
            (None, None, Some(uri)) => {
                let rule = match written.loopback_http {
                    true => UrlRule::LoopbackAllowed,
                    false => UrlRule::AnyHttps,
                };
                let uri = rule.parse(uri);
                uri.map(|uri| Some(Self::At(uri)))
                    .map_err(|error| format!("jwks_uri: {error}"))
            }
            // RFC 7591, section 2: never both.
            (_, _, _) => Err("choose one of jwks, jwks_file and jwks_uri".to_owned()),
        }
    }
}

fn listed(name: &str, bytes: &[u8]) -> Result<ClientKeys, String> {
    let keys = JwkSet::parse(bytes).map_err(|error| format!("{name}: {error}"))?;
    let usable = |&algorithm: &Algorithm| keys.verification_keys(algorithm, None).next().is_some();
    if !Algorithm::ALL.iter().any(usable) {
        return Err(format!("{name}: no usable key"));
    }
    Ok(ClientKeys::Listed(keys))
}

impl Authentication {
    /// Reads it; the text of an error goes to the operator.
    pub(super) fn parse(written: Written<'_>) -> Result<Self, String> {
        let secret = ClientSecret::parse(written.secret, written.secret_file)?;
        match (secret, ClientKeys::parse(written)?) {
            (None, None) => Ok(Self::None),
            (Some(secret), None) => Ok(Self::Secret(secret)),
            (None, Some(keys)) => Ok(Self::PrivateKeyJwt(keys)),
            (Some(_), Some(_)) => Err("choose a secret or keys, not both".to_owned()),
        }
    }

    /// Whether the client proves who it is at all (RFC 6749, section 2.1).
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        match self {
            Self::None => false,
            Self::Secret(_) | Self::PrivateKeyJwt(_) => true,
        }
    }

    /// Whether this secret, or none, is the client's (RFC 6749, section 2.3.1). A client with a
    /// secret always shows it; a client without one never does, nor does one with keys.
    #[must_use]
    pub fn accepts(&self, credentials: &ClientCredentials) -> bool {
        match (credentials.method(), credentials.secret(), self) {
            (
                AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost,
                Some(shown),
                Self::Secret(known),
            ) => known.fits(credentials.method()) && known.is(shown.expose()),
            (AuthMethod::None, None, Self::None) => true,
            _ => false,
        }
    }
}
