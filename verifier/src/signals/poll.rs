//! Poll-based delivery (RFC 8936): the application asks, and says what it has.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use vouchsafe_protocol::ssf::poll::{PollRequest, PollResponse};
use vouchsafe_protocol::ssf::stream::{Delivery, StreamRefused, StreamStatus};

use super::manage::{self, ManageError};
use super::signed;
use crate::app::App;
use crate::config::Client;
use crate::store::stream_events;
use crate::store::streams::Stream;
use crate::views::chain;

/// An application that waits is answered after so long, with nothing (RFC 8936, section 2.4).
const PATIENCE: Duration = Duration::from_secs(20);
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
    for (jti, code) in &request.failed {
        // The code is the application's text: it is not repeated where it is none of ours.
        let known = [
            "invalid_request",
            "invalid_key",
            "invalid_issuer",
            "invalid_audience",
        ];
        let code = known.into_iter().find(|known| known == code);
        tracing::warn!(client = %client.id, code, "an application cannot use a security event");
        metrics::counter!("vouchsafe_sets_delivered_total", "outcome" => "refused").increment(1);
        take(app, &stream, jti.clone()).await?;
    }
    for jti in &request.taken {
        metrics::counter!("vouchsafe_sets_delivered_total", "outcome" => "delivered").increment(1);
        take(app, &stream, jti.clone()).await?;
    }
    if request.most == 0 {
        let more = !waiting(app, &stream, 1).await?.is_empty();
        return Ok(PollResponse {
            sets: BTreeMap::new(),
            more,
        });
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let found = waiting(app, &stream, request.most + 1).await?;
        if !found.is_empty() || request.at_once || Instant::now() >= until {
            return answer(app, found, request.most);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn take(app: &App, stream: &Stream, jti: String) -> Result<(), ManageError> {
    let stream = stream.id.clone();
    app.db
        .write(async move |tx| stream_events::remove(tx, &stream, &jti).await)
        .await?;
    Ok(())
}

/// Section 8.1.2.1 of the framework: what is paused is held.
async fn waiting(
    app: &App,
    stream: &Stream,
    most: u32,
) -> Result<Vec<stream_events::Waiting>, ManageError> {
    match stream.status {
        StreamStatus::Enabled => Ok(stream_events::oldest(&app.db, &stream.id, most).await?),
        StreamStatus::Paused | StreamStatus::Disabled => Ok(Vec::new()),
    }
}

fn answer(
    app: &App,
    found: Vec<stream_events::Waiting>,
    most: u32,
) -> Result<PollResponse, ManageError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let more = found.len() > most;
    let mut sets = BTreeMap::new();
    for waiting in found.iter().take(most) {
        match signed(app, waiting) {
            Ok(token) => {
                sets.insert(waiting.id.clone(), token);
            }
            Err(error) => tracing::error!(error = %chain(&error), "security event not signed"),
        }
    }
    Ok(PollResponse { sets, more })
}
