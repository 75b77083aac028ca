//! Push-based delivery (RFC 8935): events go to the applications that want them sent, each stream in a
//! task of its own, so that a slow application keeps nobody else waiting.

use futures::future::join_all;
use tokio::task::JoinSet;
use vouchsafe_protocol::ssf::stream::{Delivery, StreamStatus};
use vouchsafe_service::tenant;

use super::{DELIVERED, signed};
use crate::app::App;
use crate::backchannel::pause;
use crate::outbound::Pushed;
use crate::store::stream_events::Waiting;
use crate::store::{StoreError, stream_events, streams};
use crate::views::chain;

/// Events to one application at the same time: as many as the fetcher lets to one host.
const AT_ONCE: i64 = 4;
/// An event that was taken comes back after so many seconds if the process dies meanwhile: more than
/// the fetcher allows for one request.
const RESERVED_S: i64 = 60;

/// Starts to send what is due, and waits for nobody.
pub async fn start(app: App) -> Result<(), StoreError> {
    due(&app).await?.detach_all();
    Ok(())
}

/// Sends what is due.
pub async fn run_once(app: App) -> Result<(), StoreError> {
    let mut tasks = due(&app).await?;
    while let Some(done) = tasks.join_next().await {
        // A task that panicked leaves its events to the next one.
        done.unwrap_or(Ok(()))?;
    }
    Ok(())
}

/// A task for each stream that something is due for and that nobody serves.
async fn due(app: &App) -> Result<JoinSet<Result<(), StoreError>>, StoreError> {
    let mut tasks = JoinSet::new();
    for stream in stream_events::due_streams(&app.db, app.now()).await? {
        if let Some(serving) = app.pushing.serve(&stream) {
            let app = App::clone(app);
            tasks.spawn(tenant::inherit(async move {
                let served = serve(&app, &stream).await;
                drop(serving);
                if let Err(error) = &served {
                    tracing::error!(error = %chain(error), "security events not sent");
                }
                served
            }));
        }
    }
    Ok(tasks)
}

/// Sends to one application until nothing is due for it.
async fn serve(app: &App, stream: &str) -> Result<(), StoreError> {
    loop {
        let (now, id) = (app.now(), stream.to_owned());
        let claimed = app
            .db
            .write(async move |tx| {
                stream_events::claim_due(tx, &id, now, now.plus(RESERVED_S), AT_ONCE).await
            })
            .await?;
        if claimed.is_empty() {
            return Ok(());
        }
        let sent = join_all(claimed.into_iter().map(|event| deliver(app, event))).await;
        sent.into_iter().collect::<Result<(), _>>()?;
    }
}

async fn deliver(app: &App, waiting: Waiting) -> Result<(), StoreError> {
    let outcome = match send(app, &waiting).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let error = chain(error.as_ref());
            tracing::warn!(stream = waiting.stream_id, error = %error, "security event not taken");
            "retry"
        }
    };
    metrics::counter!(DELIVERED, "outcome" => outcome).increment(1);
    let attempt = waiting.attempts;
    tracing::info!(
        stream = waiting.stream_id,
        outcome,
        attempt,
        "security event"
    );
    let again = app.now().plus(pause(attempt));
    app.db
        .write(async move |tx| match outcome {
            "retry" => stream_events::retry_at(tx, &waiting.id, again).await,
            _ => {
                let ids = [waiting.id.clone()];
                let removed = stream_events::remove(tx, &waiting.stream_id, &ids).await;
                removed.map(|_| ())
            }
        })
        .await?;
    Ok(())
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The stream was changed while the event was on its way: it waits for what comes now.
#[derive(Debug, thiserror::Error)]
#[error("the stream takes no events by push any more")]
struct Changed;

async fn send(app: &App, waiting: &Waiting) -> Result<&'static str, Failure> {
    let stream = streams::find(&app.db, &app.vault, &waiting.stream_id).await?;
    let Some(stream) = stream else {
        return Ok("given_up");
    };
    // Catalogue 388: an application that is not registered for events any more is told nothing.
    let client = app.settings.configured(&stream.client);
    if !client.is_some_and(|client| client.security_events) {
        return Ok("given_up");
    }
    // Shared Signals Framework 1.0, section 8.1.2.1: nothing is sent unless the stream is enabled.
    let (
        StreamStatus::Enabled,
        Delivery::Push {
            endpoint,
            authorization,
        },
    ) = (stream.status, &stream.delivery)
    else {
        return Err(Box::new(Changed));
    };
    let token = signed(app, &stream.client, waiting)?;
    let sent = app
        .outbound
        .security_event(endpoint, authorization.as_ref(), token);
    match sent.await? {
        Pushed::Taken => Ok("delivered"),
        Pushed::Refused(code) => {
            tracing::warn!(stream = waiting.stream_id, code, "security event refused");
            Ok("refused")
        }
    }
}
