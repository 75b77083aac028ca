//! A pre-authorized code, with or without a transaction code (OpenID4VCI 1.0, section 6.1).

use vouchsafe_service::db::DbError;

use super::{FreshToken, Granted, RedeemError, TokenHolder, open_offer, pending, sealed_claims};
use crate::core::Core;
use crate::domain::offer::GrantKind;
use crate::domain::secret::Secret;
use crate::store::tokens;

/// Redeems a pre-authorized code.
pub async fn pre_authorized(
    core: &Core,
    code: &Secret,
    typed: Option<&str>,
    holder: TokenHolder,
) -> Result<Granted, RedeemError> {
    let found = pending(core, GrantKind::PreAuthorizedCode, code).await?;
    let typed = match (found.offer.code_required, typed) {
        // OpenID4VCI 1.0, section 6.3: invalid_request in both cases.
        (true, None) => return Err(RedeemError::CodeMissing),
        (false, Some(_)) => return Err(RedeemError::CodeUnexpected),
        (true, Some(typed)) => Some(code.hash_typed(typed)),
        (false, None) => None,
    };
    let claims = sealed_claims(core, &found)?;
    let fresh = FreshToken::make(core, &found.offer, &claims, holder);
    let (hash, grant) = (fresh.hash.clone(), fresh.grant.clone());
    let (now, told) = (core.clock.now(), core.clone());
    let refused = core
        .db
        .write(async move |tx| {
            let refused = open_offer(&told, tx, &grant.offer, typed.as_ref(), now).await?;
            if refused.is_none() {
                tokens::insert(tx, &hash, &grant).await?;
            }
            Ok::<_, DbError>(refused)
        })
        .await?;
    match refused {
        None => Ok(fresh.granted(core)),
        Some(refused) => Err(refused.into()),
    }
}
