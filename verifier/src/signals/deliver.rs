//! Push-based delivery (RFC 8935): events go to the applications that want them sent.

use futures::future::join_all;
use vouchsafe_protocol::ssf::stream::Delivery;

use super::signed;
use crate::app::App;
use crate::domain::ids::ClientId;
use crate::outbound::{OutboundError, Pushed};
use crate::store::stream_events::Waiting;
use crate::store::{StoreError, stream_events, streams};
use crate::views::chain;

/// Deliveries of one round.
const BATCH: i64 = 50;
/// An event that was taken comes back after so many seconds if the process dies meanwhile.
const RESERVED_S: i64 = 30;
/// Longest pause between two attempts. Events are kept for a week.
const MAX_PAUSE_S: i64 = 1800;

/// Sends what is due.
pub async fn run_once(app: App) -> Result<(), StoreError> {
    let now = app.now();
    if !stream_events::any_due(&app.db, now).await? {
        return Ok(());
    }
    let due = app
        .db
        .write(async move |tx| stream_events::claim_due(tx, now, now.plus(RESERVED_S), BATCH).await)
        .await?;
    for outcome in join_all(due.into_iter().map(|event| deliver(&app, event))).await {
        outcome?;
    }
    Ok(())
}

async fn deliver(app: &App, waiting: Waiting) -> Result<(), StoreError> {
    let outcome = match send(app, &waiting).await {
        Ok(Pushed::Taken) => "delivered",
        Ok(Pushed::Refused) => "refused",
        Err(error) => {
            tracing::warn!(client = waiting.client_id, error = %chain(error.as_ref()), "security event not taken");
            "retry"
        }
    };
    metrics::counter!("vouchsafe_sets_delivered_total", "outcome" => outcome).increment(1);
    tracing::info!(
        client = waiting.client_id,
        outcome,
        attempt = waiting.attempts,
        "security event"
    );
    let again = app.now().plus(pause(waiting.attempts));
    app.db
        .write(async move |tx| match outcome {
            "retry" => stream_events::retry_at(tx, &waiting.id, again).await,
            _ => stream_events::remove_pushed(tx, &waiting.id).await,
        })
        .await?;
    Ok(())
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn send(app: &App, waiting: &Waiting) -> Result<Pushed, Failure> {
    let client = ClientId::from_text(waiting.client_id.as_str());
    let stream = streams::of_client(&app.db, &app.vault, &client).await?;
    // A stream that is gone, or that is asked from now on, sends nothing; the event stays for who asks.
    let Some(Delivery::Push {
        endpoint,
        authorization,
    }) = stream.map(|stream| stream.delivery)
    else {
        return Err(Box::new(OutboundError::Status(410)));
    };
    let token = signed(app, waiting)?;
    let sent = app
        .outbound
        .security_event(&endpoint, authorization.as_deref(), token);
    Ok(sent.await?)
}

/// 1, 2, 4, … seconds, at most half an hour.
fn pause(attempts: i64) -> i64 {
    let exponent = u32::try_from(attempts.clamp(1, 12) - 1).unwrap_or_default();
    2_i64.pow(exponent).min(MAX_PAUSE_S)
}
