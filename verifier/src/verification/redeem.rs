//! What the browser brings back to the caller, as far as the caller says so.

use vouchsafe_service::db::DbError;

use super::{log_id, webhook};
use crate::app::Parts;
use crate::domain::ids::{CallerId, Secret, VerificationId};
use crate::domain::verification::Verification;
use crate::store::{StoreError, verifications};

/// Takes the `response_code` that the browser brought to the return address. `None`: there is no
/// such verification of this caller. A code that does not fit, was used or is too old changes
/// nothing, and the verification is returned as it stands.
pub async fn redeem(
    app: &Parts,
    caller: &CallerId,
    id: &VerificationId,
    code: &str,
) -> Result<Option<Redeemed>, StoreError> {
    let now = app.now();
    let found = verifications::find(&app.db, &app.vault, caller, id, now).await?;
    let answered = match found {
        None => return Ok(None),
        Some(Verification::Answered(answered)) => answered,
        Some(Verification::Pending(_) | Verification::Verified(_) | Verification::Failed(_)) => {
            return Ok(Some(Redeemed::Refused));
        }
    };
    let Some(code) = Secret::parse(code) else {
        return Ok(Some(Redeemed::Refused));
    };
    let verified = Verification::Verified(answered.redeem());
    let forget_at = now.plus(app.settings.verifications.keep_s);
    let row = verifications::seal(&app.vault, &verified, None, forget_at)?;
    let digest = code.digest();
    let told = webhook::message(app, &verified, now);
    let redeemed = app
        .db
        .write(async move |tx| {
            let redeemed = verifications::redeem(tx, &row, &digest, now).await?;
            if redeemed {
                webhook::publish(tx, told.as_ref(), now).await?;
            }
            Ok::<_, DbError>(redeemed)
        })
        .await?;
    if !redeemed {
        return Ok(Some(Redeemed::Refused));
    }
    tracing::info!(verification = log_id(id), "the browser came back");
    app.verification_changes.announce(id);
    Ok(Some(Redeemed::Verified(Box::new(verified))))
}

/// What became of a code.
#[derive(Debug)]
pub enum Redeemed {
    /// The result can be read.
    Verified(Box<Verification>),
    /// The code does not count.
    Refused,
}
