//! A refresh token (RFC 6749, section 6): a card is issued again without the person.
//!
//! A token that is bound to a key stays the same (FAPI 2.0, section 5.3.2.1); any other is
//! exchanged for a new one, and one that comes twice revokes its family (RFC 9700, section
//! 4.14.2).

use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_service::db::DbError;

use super::fresh::{Basis, FreshTokens, granted_scope, narrow};
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
    check(&grant, &request.holder)?;
    if used {
        revoke(core, grant).await?;
        return Err(RedeemError::Replayed);
    }
    let kind = &grant.credential_type;
    let asked: Vec<String> = request.scopes.iter().map(str::to_owned).collect();
    // Scopes that nobody knows are left out; those of another card were never granted.
    let foreign =
        |id: &String| core.configuration(id).is_some() && !core.is_configuration_of(id, kind);
    if asked.iter().any(foreign) {
        return Err(RedeemError::Scope);
    }
    let scope = granted_scope(core, kind, &asked);
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
    let (rows, offer) = (fresh.rows(), grant.offer.clone());
    let good = core
        .db
        .write(async move |tx| {
            offers::lock(tx, &offer).await?;
            let good = if stays {
                refresh_tokens::hold(tx, &hash, now).await?
            } else {
                refresh_tokens::use_up(tx, &hash, now).await?
            };
            if good {
                rows.insert(tx).await?;
            }
            Ok::<_, DbError>(good)
        })
        .await?;
    if !good {
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

/// Whether a refresh token could be used now. Never a permission.
pub async fn is_open(core: &Core, token: &Secret) -> Result<bool, RedeemError> {
    let hash = token.hash(Purpose::RefreshToken);
    let found = refresh_tokens::find(&core.db, &hash, core.clock.now()).await?;
    Ok(found.is_some_and(|found| !found.used))
}

/// The same client, the same key, the same instance of the wallet (attestation-based client
/// authentication, section 10.3).
fn check(grant: &RefreshGrant, holder: &TokenHolder) -> Result<(), RedeemError> {
    let same = grant.client_id == holder.client_id
        && grant.dpop_jkt == holder.dpop_jkt
        && grant.instance == holder.instance;
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
