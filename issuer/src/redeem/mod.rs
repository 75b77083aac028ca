//! Redeeming: a pre-authorized code or an authorization code becomes an access token.
//!
//! A typed code is counted before it is compared, in the same statement that knows the limit;
//! what is used once is used up by one conditional statement.

mod authorization_code;
mod fresh;
mod pre_authorized;
mod refresh;
mod signed_in;

pub use authorization_code::{
    CodeOrder, CodeRedemption, authorization_code, authorize, authorize_by_code,
};
pub use pre_authorized::pre_authorized;
pub use refresh::{Refresh, refresh};
pub use signed_in::{Confirmation, authorize_signed_in};

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::authorization_details::GrantedDetails;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::jti::Identifier;

use crate::claims::{self, ClaimsError, Origin};
use crate::core::Core;
use crate::domain::ids::OfferId;
use crate::domain::offer::{GrantKind, OfferState};
use crate::domain::secret::{MAX_TRIES, Secret, SecretHash};
use crate::events::{self, Event};
use crate::prepare::grant_purpose;
use crate::store::offers::{self, Redeemable};

/// Why a grant was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// Unknown, expired, used or locked; nobody outside is told which.
    #[error("the code is unknown, expired, used or locked")]
    Grant,
    /// The typed code is missing though the offer has one.
    #[error("a typed code is missing")]
    CodeMissing,
    /// A typed code came though the offer has none.
    #[error("a typed code came that nobody asked for")]
    CodeUnexpected,
    /// The typed code is wrong.
    #[error("the typed code is wrong")]
    CodeWrong {
        /// How many more tries there are.
        tries_left: i64,
    },
    /// The code belongs to another client, redirect URI, key or PKCE challenge.
    #[error("the code belongs to another request")]
    OtherRequest,
    /// `authorization_details` ask for what was not granted.
    #[error("the authorization details ask for what was not granted")]
    Details,
    /// A scope asks for what was not granted.
    #[error("a scope asks for what was not granted")]
    Scope,
    /// The code was used before; the tokens that it bought are revoked.
    #[error("the code was used twice")]
    Replayed,
    /// The DPoP proof of the request was used before.
    #[error("the DPoP proof was used before")]
    ProofUsed,
    /// Sealed claims do not open: a fault of ours.
    #[error("sealed data cannot be read")]
    Sealed(#[from] ClaimsError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl RedeemError {
    /// Whether the grant is open and the DPoP proof of the request was not used up yet: the
    /// transaction that does both was not reached.
    pub const fn leaves_proof(&self) -> bool {
        match self {
            Self::CodeMissing
            | Self::CodeUnexpected
            | Self::OtherRequest
            | Self::Details
            | Self::Scope
            | Self::Sealed(_) => true,
            Self::Grant
            | Self::CodeWrong { tries_left: _ }
            | Self::Replayed
            | Self::ProofUsed
            | Self::Db(_) => false,
        }
    }
}

/// An access token that was just made.
#[derive(Debug)]
pub struct Granted {
    /// The token.
    pub token: Secret,
    /// Its lifetime in seconds.
    pub expires_in_s: i64,
    /// Whether it is bound to a DPoP key.
    pub bound: bool,
    /// The refresh token, where one is issued.
    pub refresh: Option<Secret>,
    /// The scope, where it is another one than was asked for.
    pub scope: Option<String>,
    /// What was granted, where the wallet asked with `authorization_details`.
    pub details: Vec<GrantedDetails>,
}

/// Who a token is issued to.
#[derive(Debug, Clone, Default)]
pub struct TokenHolder {
    /// The wallet; none with anonymous access.
    pub client_id: Option<String>,
    /// Thumbprint of the DPoP proof's key, if one was sent.
    pub dpop_jkt: Option<String>,
    /// Thumbprint of the attested key of the wallet's instance.
    pub instance: Option<String>,
    /// The DPoP proof, which is used up with the grant.
    pub proof: Option<Identifier>,
}

/// Why an offer did not open, as a value: the count of the try must be kept.
#[derive(Debug)]
enum Refused {
    Dead,
    ProofUsed,
    Wrong { tries_left: i64 },
}

impl From<Refused> for RedeemError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Dead => Self::Grant,
            Refused::ProofUsed => Self::ProofUsed,
            Refused::Wrong { tries_left } => Self::CodeWrong { tries_left },
        }
    }
}

/// Counts, compares, redeems.
async fn open_offer(
    core: &Core,
    tx: &mut Tx,
    offer: &OfferId,
    typed: Option<&SecretHash>,
    now: UnixTime,
) -> Result<Option<Refused>, DbError> {
    if let Some(typed) = typed
        && let Some(refused) = compare(tx, offer, typed, now).await?
    {
        return Ok(Some(refused));
    }
    take(core, tx, offer, now).await
}

/// Redeems, and tells of it.
async fn take(
    core: &Core,
    tx: &mut Tx,
    offer: &OfferId,
    now: UnixTime,
) -> Result<Option<Refused>, DbError> {
    let won = offers::redeem(tx, offer, now).await?;
    if won {
        events::of_offer(core, tx, Event::OfferAccepted, offer, now).await?;
    }
    Ok((!won).then_some(Refused::Dead))
}

/// Counts a try and compares. Redeems nothing.
async fn compare(
    tx: &mut Tx,
    offer: &OfferId,
    typed: &SecretHash,
    now: UnixTime,
) -> Result<Option<Refused>, DbError> {
    // OpenID4VCI 1.0, section 13.6.3 ("Transaction Code Guessing"): tries are limited.
    let Some((tries, stored)) = offers::count_try(tx, offer, now).await? else {
        return Ok(Some(Refused::Dead));
    };
    let wrong = Refused::Wrong {
        tries_left: MAX_TRIES - tries,
    };
    if !typed.matches(&stored) {
        return Ok(Some(wrong));
    }
    // An offer for several counts what was wrong, over all of them.
    offers::uncount_try(tx, offer).await?;
    Ok(None)
}

/// An offer of a kind that is open now.
pub async fn pending(
    core: &Core,
    kind: GrantKind,
    secret: &Secret,
) -> Result<Redeemable, RedeemError> {
    let hash = secret.hash(grant_purpose(kind));
    let found = offers::find_by_grant(&core.db, kind, &hash).await?;
    still_open(core, found.ok_or(RedeemError::Grant)?).await
}

/// The same offer, if it can be redeemed now.
async fn still_open(core: &Core, found: Redeemable) -> Result<Redeemable, RedeemError> {
    let now = core.clock.now();
    match found.offer.state(now) {
        OfferState::Pending if found.claims_sealed.is_some() => Ok(found),
        // Catalogue 421: refused once, refused for good, even if the clock is set back.
        OfferState::Expired if found.claims_sealed.is_some() => {
            let (told, id) = (core.clone(), found.offer.id);
            core.db
                .write(
                    async move |tx| match offers::forget_expired(tx, &id, now).await? {
                        Some(end) => events::of_end(&told, tx, end, &id, now).await,
                        None => Ok(()),
                    },
                )
                .await?;
            Err(RedeemError::Grant)
        }
        OfferState::Pending | OfferState::Redeemed | OfferState::Expired | OfferState::Locked => {
            Err(RedeemError::Grant)
        }
    }
}

fn sealed_claims(core: &Core, found: &Redeemable) -> Result<Origin, RedeemError> {
    let sealed = found.claims_sealed.as_deref().ok_or(RedeemError::Grant)?;
    Ok(claims::open_from_offer(core, &found.offer.id, sealed)?)
}
