//! A pre-authorized code, with or without a transaction code (OpenID4VCI 1.0, section 6.1).

use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_service::db::DbError;
use vouchsafe_service::dpop;

use super::fresh::{Basis, FreshTokens, asked_scope, narrow};
use super::{Granted, RedeemError, Refused, TokenHolder, open_offer, pending, sealed_claims};
use crate::core::Core;
use crate::domain::offer::{Decision, GrantKind};
use crate::domain::secret::Secret;

/// Redeems a pre-authorized code.
pub async fn pre_authorized(
    core: &Core,
    code: &Secret,
    typed: Option<&str>,
    holder: TokenHolder,
    scopes: &Scopes,
    details: Option<&[String]>,
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
    let kind = &found.offer.credential_type;
    // RFC 6749, sections 3.3 and 5.1.
    let scope = asked_scope(core, kind, scopes)?;
    let details = narrow(core, kind, Vec::new(), details)?;
    let basis = Basis {
        granted: details.clone(),
        details,
        waits: found.offer.decision == Some(Decision::Waiting),
        scope,
        offer: found.offer.id.clone(),
        record: found.offer.record.clone(),
        credential_type: kind.clone(),
        family: core.ids.next_text(),
    };
    let fresh = FreshTokens::make(core, &basis, &holder, &claims);
    let (rows, proof) = (fresh.rows(), holder.proof);
    let (now, told, offer) = (core.clock.now(), core.clone(), found.offer.id);
    let refused = core
        .db
        .write(async move |tx| {
            if !dpop::is_fresh(tx, proof.as_ref()).await? {
                return Ok(Some(Refused::ProofUsed));
            }
            let refused = open_offer(&told, tx, &offer, typed.as_ref(), now).await?;
            if refused.is_none() {
                rows.insert(tx).await?;
            }
            Ok::<_, DbError>(refused)
        })
        .await?;
    match refused {
        None => Ok(fresh.granted(core)),
        Some(refused) => Err(refused.into()),
    }
}
