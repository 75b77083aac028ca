//! Issuers that publish their keys on the web (SD-JWT VC, "JWT VC Issuer Metadata").
//!
//! This method is not among [`crate::sd_jwt_vc::IssuerMethod`]: a credential whose issuer is not
//! pinned to a certificate or a DID is refused. What is here reads and judges the documents, for
//! an operator who takes a key over from them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::crypto::{KeyError, KeyUse, PublicKey};
use crate::json::{self, JsonError};

/// Largest accepted document in bytes.
pub const MAX_ISSUER_METADATA_BYTES: usize = 512 * 1024;
const MAX_KEYS: usize = 64;
const WELL_KNOWN: &str = "/.well-known/jwt-vc-issuer";

/// The metadata of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtVcIssuerMetadata {
    /// The issuer, identical to `iss`.
    pub issuer: String,
    /// Its keys.
    pub keys: IssuerKeys,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKeys {
    /// In the metadata, each with its `kid`. Keys of other types are left out.
    Inline(Vec<(Option<String>, PublicKey)>),
    /// At this `https` address.
    Uri(String),
}

/// Why metadata of an issuer is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerMetadataError {
    /// `iss` is not an `https` URL without user information, query and fragment.
    #[error("the issuer is not a plain https URL")]
    IssuerUrl,
    /// Larger than [`MAX_ISSUER_METADATA_BYTES`].
    #[error("the issuer metadata is too large")]
    TooLarge,
    /// Not strict JSON.
    #[error("the issuer metadata is not acceptable JSON")]
    Json(#[source] JsonError),
    /// `issuer` is another one.
    #[error("the issuer metadata is about another issuer")]
    WrongIssuer,
    /// Both of `jwks` and `jwks_uri`, or none.
    #[error("the issuer metadata has not exactly one of jwks and jwks_uri")]
    NotOneKeySource,
    /// The keys are malformed.
    #[error("the keys of the issuer are malformed")]
    Keys,
    /// A key has private parts.
    #[error("a key of the issuer has private parts")]
    PrivateKey,
    /// Two keys with one `kid`.
    #[error("two keys of the issuer with one kid")]
    DuplicateKid,
}

impl JwtVcIssuerMetadata {
    /// Where the metadata of an issuer is: the well-known string between host and path.
    ///
    /// # Errors
    /// [`IssuerMetadataError::IssuerUrl`].
    pub fn url(iss: &str) -> Result<String, IssuerMetadataError> {
        let rest = https(iss)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = path.strip_suffix('/').unwrap_or(path);
        Ok(format!("https://{authority}{WELL_KNOWN}{path}"))
    }

    /// Reads the metadata of the issuer `iss`.
    ///
    /// # Errors
    /// See [`IssuerMetadataError`].
    pub fn parse(octets: &[u8], iss: &str) -> Result<Self, IssuerMetadataError> {
        if octets.len() > MAX_ISSUER_METADATA_BYTES {
            return Err(IssuerMetadataError::TooLarge);
        }
        https(iss)?;
        let metadata = json::parse_object(octets).map_err(IssuerMetadataError::Json)?;
        // "JWT VC Issuer Metadata Validation": identical, or nothing in it is used.
        if metadata.get("issuer").and_then(Value::as_str) != Some(iss) {
            return Err(IssuerMetadataError::WrongIssuer);
        }
        let keys = match (metadata.get("jwks"), metadata.get("jwks_uri")) {
            (Some(set), None) => IssuerKeys::Inline(read_keys(set)?),
            (None, Some(uri)) => {
                let uri = uri.as_str().ok_or(IssuerMetadataError::Keys)?;
                https(uri).map_err(|_| IssuerMetadataError::Keys)?;
                IssuerKeys::Uri(uri.to_owned())
            }
            _ => return Err(IssuerMetadataError::NotOneKeySource),
        };
        Ok(Self {
            issuer: iss.to_owned(),
            keys,
        })
    }

    /// Reads a key set, such as the one at `jwks_uri`.
    ///
    /// # Errors
    /// See [`IssuerMetadataError`].
    pub fn parse_keys(
        octets: &[u8],
    ) -> Result<Vec<(Option<String>, PublicKey)>, IssuerMetadataError> {
        if octets.len() > MAX_ISSUER_METADATA_BYTES {
            return Err(IssuerMetadataError::TooLarge);
        }
        let set = json::parse_object(octets).map_err(IssuerMetadataError::Json)?;
        read_keys(&Value::Object(set))
    }
}

/// What follows `https://`, in a URL without user information, query and fragment.
fn https(url: &str) -> Result<&str, IssuerMetadataError> {
    let rest = url
        .strip_prefix("https://")
        .ok_or(IssuerMetadataError::IssuerUrl)?;
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'@' | b'\\');
    if rest.is_empty() || rest.starts_with('/') || !rest.bytes().all(plain) {
        return Err(IssuerMetadataError::IssuerUrl);
    }
    Ok(rest)
}

/// RFC 7517, section 5: keys of unknown types are ignored; private ones never are.
fn read_keys(set: &Value) -> Result<Vec<(Option<String>, PublicKey)>, IssuerMetadataError> {
    let items = set.get("keys").and_then(Value::as_array);
    let items = items.ok_or(IssuerMetadataError::Keys)?;
    if items.len() > MAX_KEYS {
        return Err(IssuerMetadataError::Keys);
    }
    let (mut keys, mut kids) = (Vec::new(), BTreeSet::new());
    for item in items {
        let jwk = item.as_object().ok_or(IssuerMetadataError::Keys)?;
        let kid = kid(jwk)?;
        if kid.as_ref().is_some_and(|kid| !kids.insert(kid.clone())) {
            return Err(IssuerMetadataError::DuplicateKid);
        }
        match PublicKey::from_jwk_for(item, KeyUse::Verify) {
            Ok(key) => keys.push((kid, key)),
            Err(KeyError::Unsupported | KeyError::OtherUse) => {}
            Err(KeyError::PrivateMaterial) => return Err(IssuerMetadataError::PrivateKey),
            Err(_) => return Err(IssuerMetadataError::Keys),
        }
    }
    Ok(keys)
}

fn kid(jwk: &Map<String, Value>) -> Result<Option<String>, IssuerMetadataError> {
    match jwk.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) => Ok(Some(kid.clone())),
        Some(_) => Err(IssuerMetadataError::Keys),
    }
}
