//! Claim values on their way from the offer to the credential. They are never stored in plain.
//!
//! Offer row: sealed under the service's key. Authorization code: sealed under the code. Access
//! or refresh token: sealed under the token. From redemption on, database and service key together cannot
//! read them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_service::seal::{Place, SealError, Sealer};

use crate::core::Core;
use crate::domain::ids::OfferId;
use crate::domain::secret::Secret;

/// The claims of one credential. `Debug` shows no value.
#[derive(Clone)]
pub struct Claims(pub Map<String, Value>);

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claims({} members)", self.0.len())
    }
}

/// Who the person is at the provider that signed them in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The issuer identifier of the provider.
    pub issuer: String,
    /// The name of the claim that says who it is.
    pub claim: String,
    /// Its value.
    pub value: String,
}

/// Where the claims of a credential come from. `Debug` shows no value.
#[derive(Clone)]
pub enum Origin {
    /// They are here.
    Here(Claims),
    /// The claims source is asked when the credential is issued, each time.
    Source(Option<Subject>),
}

impl Origin {
    /// An object, or an array with the subject: what older releases sealed is an object.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Here(claims) => Value::Object(claims.0.clone()),
            Self::Source(subject) => serde_json::json!([subject]),
        }
    }

    /// The reverse of [`Self::to_value`].
    pub fn from_value(value: Value) -> Result<Self, ClaimsError> {
        match value {
            Value::Object(claims) => Ok(Self::Here(Claims(claims))),
            other => {
                let (subject,) = serde_json::from_value(other)?;
                Ok(Self::Source(subject))
            }
        }
    }
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here(claims) => claims.fmt(f),
            Self::Source(_) => f.write_str("Source"),
        }
    }
}

/// Claims that cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// The sealed bytes do not open.
    #[error("sealed claims do not open")]
    Seal(#[from] SealError),
    /// A key that was sealed with claims is none any more.
    #[error("a key that was sealed with claims is not acceptable")]
    Key,
    /// The opened bytes say nothing.
    #[error("opened claims cannot be read")]
    Json(#[from] serde_json::Error),
}

fn place(table: &str, offer: &OfferId) -> Place {
    Place::new(&[table, offer.as_str(), "claims"])
}

fn seal(core: &Core, sealer: &Sealer, place: &Place, claims: &Origin) -> Vec<u8> {
    let plain = zeroize::Zeroizing::new(claims.to_value().to_string());
    sealer.seal(place, plain.as_bytes(), &*core.rng)
}

fn open(sealer: &Sealer, place: &Place, sealed: &[u8]) -> Result<Origin, ClaimsError> {
    let plain = sealer.open(place, sealed)?;
    Origin::from_value(serde_json::from_slice(&plain)?)
}

/// Seals for the row of an offer.
pub fn seal_for_offer(core: &Core, offer: &OfferId, claims: &Origin) -> Vec<u8> {
    seal(
        core,
        &core.keys.columns,
        &place("issuer_offers", offer),
        claims,
    )
}

/// Opens from the row of an offer.
pub fn open_from_offer(core: &Core, offer: &OfferId, sealed: &[u8]) -> Result<Origin, ClaimsError> {
    open(&core.keys.columns, &place("issuer_offers", offer), sealed)
}

/// Seals under an access token.
pub fn seal_under_token(core: &Core, token: &Secret, offer: &OfferId, claims: &Origin) -> Vec<u8> {
    seal(
        core,
        &token_sealer(token),
        &place("issuer_access_tokens", offer),
        claims,
    )
}

/// Opens what was sealed under an access token.
pub fn open_under_token(
    token: &Secret,
    offer: &OfferId,
    sealed: &[u8],
) -> Result<Origin, ClaimsError> {
    open(
        &token_sealer(token),
        &place("issuer_access_tokens", offer),
        sealed,
    )
}

/// Seals under a refresh token.
pub fn seal_under_refresh(
    core: &Core,
    token: &Secret,
    offer: &OfferId,
    claims: &Origin,
) -> Vec<u8> {
    seal(
        core,
        &refresh_sealer(token),
        &place("issuer_refresh_tokens", offer),
        claims,
    )
}

/// Opens what was sealed under a refresh token.
pub fn open_under_refresh(
    token: &Secret,
    offer: &OfferId,
    sealed: &[u8],
) -> Result<Origin, ClaimsError> {
    open(
        &refresh_sealer(token),
        &place("issuer_refresh_tokens", offer),
        sealed,
    )
}

fn refresh_sealer(token: &Secret) -> Sealer {
    Sealer::under_token("issuer claims of a refresh token", token.expose())
}

fn token_sealer(token: &Secret) -> Sealer {
    Sealer::under_token("issuer claims", token.expose())
}
