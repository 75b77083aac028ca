//! Poll-based delivery (RFC 8936): the application asks, and says what it has.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use vouchsafe_protocol::ssf::UNUSABLE;
use vouchsafe_protocol::ssf::poll::{PollRequest, PollResponse};
use vouchsafe_protocol::ssf::stream::{Delivery, StreamRefused};

use super::manage::{self, ManageError};
use super::{DELIVERED, signed};
use crate::app::App;
use crate::config::Client;
use crate::store::stream_events::{self, Waiting};
use crate::views::chain;

/// An application that waits is answered after so long, with nothing (RFC 8936, section 2.2): less than
/// a service takes to end what is under way when it stops.
const PATIENCE: Duration = Duration::from_secs(8);
/// Meanwhile the database is asked so often.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Takes back what the application has, and gives what there is.
pub async fn poll(
    app: &App,
    client: &Client,
    id: &str,
    request: PollRequest,
) -> Result<PollResponse, ManageError> {
    let stream = manage::read(app, client, id).await?;
    if stream.delivery != Delivery::Poll {
        return Err(StreamRefused::Method.into());
    }
    let PollRequest {
        most,
        at_once,
        taken,
        failed,
    } = request;
    note(client, &failed);
    let failed = failed.into_iter().map(|(jti, _)| jti).collect();
    take(app, id, failed, "refused").await?;
    take(app, id, taken, "delivered").await?;
    if most == 0 {
        let more = !stream_events::oldest(&app.db, id, 1).await?.is_empty();
        return Ok(PollResponse {
            sets: BTreeMap::new(),
            more,
        });
    }
    // One question waits for a stream; others are answered with what there is.
    let waits = match at_once {
        true => None,
        false => app.polling.serve(id),
    };
    let until = Instant::now() + PATIENCE;
    loop {
        let found = stream_events::oldest(&app.db, id, most + 1).await?;
        if !found.is_empty() || waits.is_none() || Instant::now() >= until {
            return Ok(answer(app, client, &found, most).await);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// The codes are the application's texts: one that is none of ours is not repeated.
fn note(client: &Client, failed: &[(String, String)]) {
    if let Some((_, code)) = failed.first() {
        let code = UNUSABLE.into_iter().find(|known| known == code);
        let events = failed.len();
        tracing::warn!(client = %client.id, code, events, "an application cannot use security events");
    }
}

async fn take(
    app: &App,
    stream: &str,
    ids: Vec<String>,
    outcome: &'static str,
) -> Result<(), ManageError> {
    if ids.is_empty() {
        return Ok(());
    }
    let stream = stream.to_owned();
    let removed = app
        .db
        .write(async move |tx| stream_events::remove(tx, &stream, &ids).await)
        .await?;
    metrics::counter!(DELIVERED, "outcome" => outcome).increment(removed);
    Ok(())
}

async fn answer(app: &App, client: &Client, found: &[Waiting], most: u32) -> PollResponse {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut sets = BTreeMap::new();
    for waiting in found.iter().take(most) {
        match signed(app, &client.id, waiting) {
            Ok(token) => {
                sets.insert(waiting.id.clone(), token);
            }
            Err(error) => tracing::error!(error = %chain(&error), "security event not signed"),
        }
        // A hundred signatures must not hold up everybody else.
        tokio::task::yield_now().await;
    }
    PollResponse {
        sets,
        more: found.len() > most,
    }
}
