//! Logout tokens on their way (OpenID Connect Back-Channel Logout 1.0, section 2.5). They are
//! queued in the transaction that ends the session, so none is lost with the process.

use std::sync::Arc;

use futures::future::join_all;
use tokio::task::JoinSet;
use vouchsafe_protocol::oidc::logout::LogoutTokenClaims;
use vouchsafe_service::db::DbError;
use vouchsafe_service::tenant;

use crate::app::App;
use crate::clients::managed;
use crate::config::Client;
use crate::domain::ids::ClientId;
use crate::store::StoreError;
use crate::store::logout::{self, Delivery};

/// Deliveries to one application at the same time: as many as the fetcher lets to one host.
const AT_ONCE: i64 = 4;
/// A delivery that was taken comes back after so many seconds if the process dies meanwhile.
const RESERVED_S: i64 = 60;
/// After so many attempts (about six hours) an application is given up.
const MAX_ATTEMPTS: i64 = 20;
/// Longest pause between two attempts.
const MAX_PAUSE_S: i64 = 1800;

/// Starts to send what is due, and waits for nobody.
pub async fn start(app: App) -> Result<(), DbError> {
    due(&app).await?.detach_all();
    Ok(())
}

/// Sends what is due.
pub async fn run_once(app: App) -> Result<(), DbError> {
    let mut tasks = due(&app).await?;
    while let Some(done) = tasks.join_next().await {
        // A task that panicked leaves its deliveries to the next one.
        done.unwrap_or(Ok(()))?;
    }
    Ok(())
}

/// A task for each application that something is due for and that nobody serves: one that is slow
/// keeps nobody else waiting.
async fn due(app: &App) -> Result<JoinSet<Result<(), DbError>>, DbError> {
    let mut tasks = JoinSet::new();
    for client in logout::due_clients(&app.db, app.now()).await? {
        if let Some(serving) = app.logging_out.serve(&client) {
            let app = App::clone(app);
            tasks.spawn(tenant::inherit(async move {
                let served = serve(&app, &client).await;
                drop(serving);
                if let Err(error) = &served {
                    tracing::error!(error = %crate::views::chain(error), "logout tokens not sent");
                }
                served
            }));
        }
    }
    Ok(tasks)
}

/// Sends to one application until nothing is due for it.
async fn serve(app: &App, client: &str) -> Result<(), DbError> {
    loop {
        let (now, client) = (app.now(), client.to_owned());
        let claimed = app
            .db
            .write(async move |tx| {
                logout::claim_due(tx, &client, now, now.plus(RESERVED_S), AT_ONCE).await
            })
            .await?;
        if claimed.is_empty() {
            return Ok(());
        }
        let sent = join_all(claimed.into_iter().map(|one| deliver(app, one))).await;
        sent.into_iter().collect::<Result<(), _>>()?;
    }
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

/// Who is told: an application, or one that an administrator has removed since.
async fn told(app: &App, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
    match app.client(id).await? {
        Some(client) => Ok(Some(client)),
        None => managed::last(app, id).await,
    }
}

async fn send(app: &App, delivery: &Delivery) -> Result<Sent, Failure> {
    let id = ClientId::from_text(delivery.client_id.as_str());
    let client = told(app, &id)
        .await
        .map_err(|error| {
            tracing::error!(error = %crate::views::chain(&error), "application not looked up");
            Failure::Retry
        })?
        .ok_or(Failure::GiveUp)?;
    let Some(uri) = &client.backchannel_logout_uri else {
        return Ok(Sent::NotWanted);
    };
    // The exceptions of `[fetch]` were made for addresses that the operator chose.
    if !client.standing.is_of_operator() && !app.outbound.may_ask(uri) {
        return Err(Failure::GiveUp);
    }
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
pub fn pause(attempts: i64) -> i64 {
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
