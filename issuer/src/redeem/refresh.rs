//! A refresh token (RFC 6749, section 6): a card is issued again without the person.
//!
//! A token of an authorization with DPoP stays the same (FAPI 2.0, section 5.3.2.1); any other is
//! exchanged for a new one, and one that comes twice revokes its family (RFC 9700, section
//! 4.14.2).

use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_service::db::DbError;
use vouchsafe_service::dpop;

use super::fresh::{Basis, FreshTokens, asked_scope, narrow};
use super::{Granted, RedeemError, TokenHolder};
use crate::claims;
use crate::core::Core;
use crate::domain::secret::{Purpose, Secret};
use crate::store::refresh_tokens::{self, FoundRefresh, RefreshGrant};
use crate::store::{offers, tokens};

/// What a request with a refresh token says beside it.
#[derive(Debug)]
pub struct Refresh<'a> {
    /// Who asks.
    pub holder: TokenHolder,
    /// Whether it proved that with an authentication of its own.
    pub confidential: bool,
    /// What is asked.
    pub scopes: &'a Scopes,
    /// Configurations of `authorization_details`.
    pub details: Option<&'a [String]>,
}

/// Makes another access token.
pub async fn refresh(
    core: &Core,
    token: &Secret,
    request: Refresh<'_>,
) -> Result<Granted, RedeemError> {
    let (hash, now) = (token.hash(Purpose::RefreshToken), core.clock.now());
    let found = refresh_tokens::find(&core.db, &hash, now).await?;
    let FoundRefresh { grant, used } = found.ok_or(RedeemError::Grant)?;
    check(&grant, &request)?;
    if used {
        revoke(core, grant).await?;
        return Err(RedeemError::Replayed);
    }
    let kind = &grant.credential_type;
    let scope = asked_scope(core, kind, request.scopes)?;
    let details = narrow(core, kind, grant.details.clone(), request.details)?;
    let claims = claims::open_under_refresh(token, &grant.offer, &grant.claims_sealed)?;
    let basis = Basis {
        offer: grant.offer.clone(),
        record: grant.record.clone(),
        credential_type: grant.credential_type.clone(),
        family: grant.family.clone(),
        details,
        // RFC 6749, section 6: a narrowed request narrows its access token alone.
        granted: grant.details.clone(),
        waits: false,
        scope,
    };
    let stays = grant.dpop_jkt.is_some();
    let until = (!stays).then_some(grant.expires_at);
    let fresh = FreshTokens::with_refresh(core, &basis, &request.holder, &claims, until);
    let (rows, offer, proof) = (fresh.rows(), grant.offer.clone(), request.holder.proof);
    let good = core
        .db
        .write(async move |tx| {
            offers::lock(tx, &offer).await?;
            if !dpop::is_fresh(tx, proof.as_ref()).await? {
                return Ok(None);
            }
            let good = if stays {
                refresh_tokens::hold(tx, &hash, now).await?
            } else {
                refresh_tokens::use_up(tx, &hash, now).await?
            };
            if good {
                rows.insert(tx).await?;
            }
            Ok::<_, DbError>(Some(good))
        })
        .await?;
    if !good.ok_or(RedeemError::ProofUsed)? {
        // Somebody was faster with the same token.
        if !stays {
            revoke(core, grant).await?;
        }
        return Err(RedeemError::Replayed);
    }
    let mut granted = fresh.granted(core);
    granted.refresh = granted.refresh.or_else(|| Some(token.clone()));
    Ok(granted)
}

/// The same client and the same instance of the wallet (attestation-based client authentication,
/// section 10.3). RFC 9449, section 5: what was issued to a confidential client is bound by its
/// authentication, so its DPoP key may be another one than before; any other client proves the same
/// key.
fn check(grant: &RefreshGrant, request: &Refresh<'_>) -> Result<(), RedeemError> {
    let holder = &request.holder;
    let key = if request.confidential {
        grant.dpop_jkt.is_some() == holder.dpop_jkt.is_some()
    } else {
        grant.dpop_jkt == holder.dpop_jkt
    };
    let same = grant.client_id == holder.client_id && grant.instance == holder.instance && key;
    same.then_some(()).ok_or(RedeemError::OtherRequest)
}

async fn revoke(core: &Core, grant: RefreshGrant) -> Result<(), DbError> {
    let (now, family) = (core.clock.now(), grant.family);
    core.db
        .write(async move |tx| {
            // A rotation in flight would leave its successor behind.
            offers::lock(tx, &grant.offer).await?;
            tokens::revoke_family(tx, &family, now).await?;
            refresh_tokens::revoke_family(tx, &family, now).await?;
            Ok(())
        })
        .await
}
