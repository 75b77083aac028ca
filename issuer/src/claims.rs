//! Claim values on their way from the offer to the credential. They are never stored in plain.
//!
//! Offer row: sealed under the service's key. Authorization code: sealed under the code. Access
//! or refresh token: sealed under the token. From redemption on, database and service key together cannot
//! read them.

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

/// Claims that cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// The sealed bytes do not open.
    #[error("sealed claims do not open")]
    Seal(#[from] SealError),
    /// A key that was sealed with claims is none any more.
    #[error("a key that was sealed with claims is not acceptable")]
    Key,
    /// The opened bytes are not a JSON object.
    #[error("opened claims are not an object")]
    Json(#[from] serde_json::Error),
}

fn place(table: &str, offer: &OfferId) -> Place {
    Place::new(&[table, offer.as_str(), "claims"])
}

fn seal(core: &Core, sealer: &Sealer, place: &Place, claims: &Claims) -> Vec<u8> {
    let plain = zeroize::Zeroizing::new(Value::Object(claims.0.clone()).to_string());
    sealer.seal(place, plain.as_bytes(), &*core.rng)
}

fn open(sealer: &Sealer, place: &Place, sealed: &[u8]) -> Result<Claims, ClaimsError> {
    let plain = sealer.open(place, sealed)?;
    Ok(Claims(serde_json::from_slice(&plain)?))
}

/// Seals for the row of an offer.
pub fn seal_for_offer(core: &Core, offer: &OfferId, claims: &Claims) -> Vec<u8> {
    seal(
        core,
        &core.keys.columns,
        &place("issuer_offers", offer),
        claims,
    )
}

/// Opens from the row of an offer.
pub fn open_from_offer(core: &Core, offer: &OfferId, sealed: &[u8]) -> Result<Claims, ClaimsError> {
    open(&core.keys.columns, &place("issuer_offers", offer), sealed)
}

/// Seals under an access token.
pub fn seal_under_token(core: &Core, token: &Secret, offer: &OfferId, claims: &Claims) -> Vec<u8> {
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
) -> Result<Claims, ClaimsError> {
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
    claims: &Claims,
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
) -> Result<Claims, ClaimsError> {
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
