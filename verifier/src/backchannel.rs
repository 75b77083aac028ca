//! Logout tokens on their way (OpenID Connect Back-Channel Logout 1.0, section 2.5). They are
//! queued in the transaction that ends the session, so none is lost with the process.

use futures::future::join_all;
use vouchsafe_protocol::oidc::logout::LogoutTokenClaims;
use vouchsafe_service::db::DbError;

use crate::app::App;
use crate::domain::ids::ClientId;
use crate::store::logout::{self, Delivery};

/// Deliveries of one round.
const BATCH: i64 = 50;
/// A delivery that was taken comes back after so many seconds if the process dies meanwhile.
const RESERVED_S: i64 = 30;
/// After so many attempts (about six hours) an application is given up.
const MAX_ATTEMPTS: i64 = 20;
/// Longest pause between two attempts.
const MAX_PAUSE_S: i64 = 1800;

/// Sends what is due.
pub async fn run_once(app: App) -> Result<(), DbError> {
    let now = app.now();
    if !logout::any_due(&app.db, now).await? {
        return Ok(());
    }
    let due = app
        .db
        .write(async move |tx| logout::claim_due(tx, now, now.plus(RESERVED_S), BATCH).await)
        .await?;
    for outcome in join_all(due.into_iter().map(|delivery| deliver(&app, delivery))).await {
        outcome?;
    }
    Ok(())
}

async fn deliver(app: &App, delivery: Delivery) -> Result<(), DbError> {
    let sent = send(app, &delivery).await;
    let outcome = match sent {
        Ok(Sent::Taken) => "delivered",
        // It takes none: nothing to tell anybody.
        Ok(Sent::NotWanted) => {
            let id = delivery.id;
            return (app.db)
                .write(async move |tx| logout::remove(tx, &id).await)
                .await;
        }
        Err(Failure::Retry) if delivery.attempts < MAX_ATTEMPTS => "retry",
        Err(Failure::Retry | Failure::GiveUp) => "given_up",
    };
    metrics::counter!("vouchsafe_sets_delivered_total", "outcome" => outcome).increment(1);
    tracing::info!(client = %delivery.client_id, outcome, attempt = delivery.attempts, "logout token");
    let (id, again) = (delivery.id, app.now().plus(pause(delivery.attempts)));
    app.db
        .write(async move |tx| match outcome {
            "retry" => logout::retry_at(tx, &id, again).await,
            _ => logout::remove(tx, &id).await,
        })
        .await
}

enum Sent {
    Taken,
    NotWanted,
}

enum Failure {
    Retry,
    GiveUp,
}

async fn send(app: &App, delivery: &Delivery) -> Result<Sent, Failure> {
    let client = app
        .client(&ClientId::from_text(delivery.client_id.as_str()))
        .await
        .map_err(|error| {
            tracing::error!(error = %crate::views::chain(&error), "application not looked up");
            Failure::Retry
        })?
        .ok_or(Failure::GiveUp)?;
    let Some(uri) = &client.backchannel_logout_uri else {
        return Ok(Sent::NotWanted);
    };
    // Made fresh for each attempt: it is valid for two minutes only.
    let claims = LogoutTokenClaims::new(
        app.issuer(),
        client.id.as_str(),
        &delivery.sub,
        &delivery.sid,
        app.now(),
        app.rng.as_ref(),
    );
    let token = app
        .tokens
        .logout_token(client.alg, &claims)
        .map_err(|error| {
            tracing::error!(error = %crate::views::chain(&error), "logout token not made");
            Failure::Retry
        })?;
    app.outbound.logout(uri, &token).await.map(|()| Sent::Taken).map_err(|error| {
        tracing::warn!(client = %client.id, error = %crate::views::chain(&error), "logout token not taken");
        Failure::Retry
    })
}

/// 1, 2, 4, … seconds, at most half an hour.
fn pause(attempts: i64) -> i64 {
    let exponent = u32::try_from(attempts.clamp(1, 12) - 1).unwrap_or_default();
    2_i64.pow(exponent).min(MAX_PAUSE_S)
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn pauses_grow_and_have_a_limit() {
        assert_eq!([1, 2, 3, 20].map(pause), [1, 2, 4, 1800]);
    }
}
