//! A token that its application gives up (RFC 7009).

use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::single_use::{self, Consumed, Kind};

use super::refresh;
use crate::app::Parts;
use crate::config::Client;
use crate::domain::ids::Secret;
use crate::domain::session::EndReason;
use crate::store::{StoreError, receiver_tokens, refresh_grants, tokens};

/// Why a token stays.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// RFC 7009, section 2.1: it was issued to another client, which is told so.
    #[error("the token was issued to another client")]
    OtherClient,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for RevokeError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// Ends a token of this application. One that is unknown or over is no error (section 2.2).
pub async fn revoke(app: &Parts, client: &Client, token: &str) -> Result<(), RevokeError> {
    let Some(token) = Secret::parse(token) else {
        return Ok(());
    };
    let digest = token.digest();
    if let Some(live) = tokens::find(&app.db, &digest, app.now()).await? {
        if live.client_id != client.id.as_str() {
            return Err(RevokeError::OtherClient);
        }
        app.db
            .write(async move |tx| tokens::revoke(tx, &digest).await)
            .await?;
        tracing::info!("access token given up");
        return Ok(());
    }
    if let Some((owner, _)) = receiver_tokens::find(&app.db, &digest, app.now()).await? {
        if owner != client.id {
            return Err(RevokeError::OtherClient);
        }
        app.db
            .write(async move |tx| receiver_tokens::revoke(tx, &digest).await)
            .await?;
        tracing::info!("token for a stream given up");
        return Ok(());
    }
    if refresh_token(app, client, token).await? {
        tracing::info!("refresh token given up");
    }
    Ok(())
}

/// Whether there is anything to end: nothing is written for a token that never was, nor for one
/// whose grant has ended because it came twice.
async fn was_issued(app: &Parts, token: &Secret) -> Result<bool, DbError> {
    let (kind, token) = (Kind::RefreshToken, token.reveal());
    let usable = single_use::peek_family(&app.db, kind, token, app.now()).await?;
    if usable.is_some() {
        return Ok(true);
    }
    let used = single_use::unnoticed_replay(&app.db, kind, token).await?;
    Ok(used.is_some())
}

/// Section 2.1: the access tokens of the same grant go with it. A token that was exchanged before
/// still names its grant.
async fn refresh_token(app: &Parts, client: &Client, token: Secret) -> Result<bool, RevokeError> {
    let (client, now) = (client.id.clone(), app.now());
    if !was_issued(app, &token).await? {
        return Ok(false);
    }
    let write = async move |tx: &mut Tx| {
        let consumed = single_use::consume(tx, Kind::RefreshToken, token.reveal(), now).await?;
        let family = match consumed {
            Consumed::Taken { payload: _, family } | Consumed::Replayed { family } => family,
            Consumed::Unknown => return Ok(false),
        };
        let holder = refresh_grants::holder(tx, &family).await?;
        if holder.is_some_and(|holder| holder.client != client) {
            // Nothing is written: the token stays as it was.
            return Err(RevokeError::OtherClient);
        }
        refresh::end_family(tx, &family, EndReason::GivenUp, now).await?;
        Ok(true)
    };
    app.db.write(write).await
}
