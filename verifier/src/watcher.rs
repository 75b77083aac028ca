//! Zero trust while a session lives: the status of the cards behind it is asked again and again,
//! and a revoked or suspended card ends the session (catalogue 346).

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use vouchsafe_credentials::status_list::{Status, StatusRef};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::{pushed, webhooks};

use crate::app::App;
use crate::consents;
use crate::domain::ids::SessionId;
use crate::domain::session::EndReason;
use crate::journeys::KEEP_TEXTS_S;
use crate::login::{end, run};
use crate::numbers::tell;
use crate::signals;
use crate::store::watched::{self, WatchedCard, WatchedList};
use crate::store::{
    account_cards, accounts, attributes, authenticators, clients, device_grants, failures,
    journey_calls, journey_holds, journey_starts, journeys, managed_clients, notices, numbers,
    passkeys, presence, receiver_tokens, requests, satisfaction, sessions, stream_events, tokens,
    transactions, verifications,
};

/// Lists that are asked for at once.
const AT_ONCE: usize = 16;
/// A good status is written down at most so often, so that a quiet service writes little.
const NOTE_EVERY_S: i64 = 60;
/// Logins stay readable so long after their end, for the page that explains them.
const KEEP_LOGINS_S: i64 = 600;
/// What people were told is kept for six months.
const KEEP_NOTICES_S: i64 = 183 * 86_400;
/// What runs asked others is kept for a day: longer than a run that does not wait.
const KEEP_CALLS_S: i64 = 86_400;
/// Refusals are kept at least so many days, and longer where a journey leaves people alone for longer.
const KEEP_REFUSALS_DAYS: u32 = 30;
/// Security events that nobody takes are kept for a week.
const KEEP_EVENTS_S: i64 = 7 * 86_400;
/// Wrong codes of an account are counted for a month.
const KEEP_GUESSES_S: i64 = 30 * 86_400;
/// Counts are kept for two years and a month.
const KEEP_NUMBERS_S: i64 = 761 * 86_400;
/// References of logins that failed: anybody can make as many as they like.
const KEEP_FAILURES: i64 = 10_000;

/// Looks at every list behind a live session once.
pub async fn run_once(app: App) -> Result<(), DbError> {
    let now = app.now();
    let lists = watched::watched_lists(&app.db, now).await?;
    // Many at once: a host that is silent must not keep the revoked cards of others alive.
    let checks = lists
        .into_iter()
        .map(|list| check_list(Arc::clone(&app), list));
    let outcomes: Vec<_> = stream::iter(checks)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    // A gauge takes a float; nobody has 2^53 sessions.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    metrics::gauge!("vouchsafe_sessions_active")
        .set(sessions::count_live(&app.db, now).await? as f64);
    outcomes.into_iter().collect()
}

async fn check_list(app: App, list: WatchedList) -> Result<(), DbError> {
    let now = app.now();
    let cards = watched::watched_cards(&app.db, &list, now).await?;
    let issuer = list.identity()?;
    let probe = StatusRef {
        uri: list.status_uri.clone(),
        idx: 0,
    };
    let fresh = app.statuses.fresh(&probe, &issuer).await;
    let mut all_good = true;
    for card in &cards {
        let verdict = match &fresh {
            Ok(fresh) => {
                let idx = u64::try_from(card.status_idx).unwrap_or(u64::MAX);
                let reference = StatusRef {
                    uri: list.status_uri.clone(),
                    idx,
                };
                verdict(fresh.status(&reference, now).ok())
            }
            Err(_) => unknown(&app, card, now),
        };
        if let Some(reason) = verdict {
            all_good = false;
            end::end(
                &app,
                &SessionId::from_text(card.session_id.as_str()),
                reason,
            )
            .await?;
        }
    }
    let due = cards
        .iter()
        .any(|card| now.since(UnixTime(card.checked_at)) >= NOTE_EVERY_S);
    if fresh.is_ok() && all_good && due {
        app.db
            .write(async move |tx| watched::mark_checked(tx, &list, now).await)
            .await?;
    }
    if let Err(error) = fresh {
        tracing::warn!(error = %crate::views::chain(&error), "status list not available");
    }
    Ok(())
}

/// What a status means for a session; only "valid" lets it live.
fn verdict(status: Option<Status>) -> Option<EndReason> {
    match status {
        Some(Status::Valid) => None,
        Some(Status::Invalid) => Some(EndReason::Revoked),
        Some(Status::Suspended) => Some(EndReason::Suspended),
        Some(Status::Other(_)) | None => Some(EndReason::StatusUnknown),
    }
}

/// A list that cannot be had does not end sessions at once, but not knowing has a limit.
fn unknown(app: &App, card: &WatchedCard, now: UnixTime) -> Option<EndReason> {
    let silent = now.since(UnixTime(card.checked_at)) >= app.settings.session_grace_s;
    silent.then_some(EndReason::StatusUnknown)
}

/// Deletes what people said when its days are over, and what they refused when no journey leaves them
/// alone for it any more.
async fn forget_attributes(app: &App, now: UnixTime) -> Result<(), DbError> {
    app.db
        .write_in_steps(async move |tx| attributes::purge(tx, now).await)
        .await?;
    let set = app.journeys.current();
    let asks = set.all().flat_map(|loaded| loaded.asks());
    let longest = asks.map(|ask| ask.cooldown_days).max().unwrap_or_default();
    let days = i64::from(longest.max(KEEP_REFUSALS_DAYS));
    let refused = now.plus(-days * 86_400);
    app.db
        .write_in_steps(async move |tx| attributes::purge_refusals(tx, refused).await)
        .await
        .map(drop)
}

/// Deletes counts after two years, events after the days that are configured, and why logins failed
/// after a week, as their traces.
async fn forget_numbers(app: &App, now: UnixTime) -> Result<(), DbError> {
    let counted = now.plus(-KEEP_NUMBERS_S);
    app.db
        .write_in_steps(async move |tx| numbers::purge(tx, counted).await)
        .await?;
    let events = app.settings.events.as_ref();
    let days = events.and_then(|events| events.database_days);
    let told = now.plus(-days.unwrap_or(1) * 86_400);
    app.db
        .write_in_steps(async move |tx| numbers::purge_events(tx, told).await)
        .await?;
    let failed = now.plus(-KEEP_EVENTS_S);
    app.db
        .write_in_steps(async move |tx| failures::purge(tx, failed).await)
        .await?;
    let often = async |tx: &mut Tx| failures::cap(tx, KEEP_FAILURES).await;
    app.db.write_in_steps(often).await?;
    app.db
        .write_in_steps(async move |tx| satisfaction::purge(tx, now).await)
        .await?;
    app.db
        .write_in_steps(async move |tx| presence::forget(tx, now).await)
        .await
        .map(drop)
}

/// Deletes what is over: claims with their tokens at once, logins after a while.
pub async fn purge(app: App) -> Result<(), DbError> {
    let now = app.now();
    let before = now.plus(-KEEP_LOGINS_S);
    // Where passkeys are off, nothing stands for a card.
    let passkeys_on = app.settings.passkeys.as_ref();
    let cards_before = passkeys_on.map(|on| now.plus(-on.card_max_age_s));
    let abandoned = app
        .db
        .write(async move |tx| {
            tokens::purge(tx, now).await?;
            pushed::purge(tx, now).await?;
            clients::purge_tokens(tx, now).await?;
            managed_clients::purge(tx, now).await?;
            requests::purge(tx, before).await?;
            let abandoned = transactions::purge(tx, before).await?;
            sessions::purge(tx, before).await?;
            accounts::purge(tx, now).await?;
            passkeys::purge(tx, now).await?;
            account_cards::purge(tx, cards_before).await?;
            journeys::purge_texts(tx, now.plus(-KEEP_TEXTS_S)).await?;
            Ok::<_, DbError>(abandoned)
        })
        .await?;
    // They are gone: whatever fails from here on, they were counted.
    for left in &abandoned {
        tell::abandoned(&app, left);
    }
    if let Some(registration) = &app.settings.registration {
        let unused = now.plus(-registration.unused_open_s);
        app.db
            .write_in_steps(async move |tx| clients::purge_unused(tx, unused, now).await)
            .await?;
    }
    forget_attributes(&app, now).await?;
    forget_numbers(&app, now).await?;
    let old = now.plus(-KEEP_EVENTS_S);
    app.db
        .write_in_steps(async move |tx| journeys::purge_traces(tx, old).await)
        .await?;
    let asked = now.plus(-KEEP_CALLS_S);
    app.db
        .write(async move |tx| {
            journey_starts::purge(tx, now).await?;
            journey_holds::purge(tx, now.plus(-run::RESUME_S)).await?;
            notices::purge(tx, now.plus(-KEEP_NOTICES_S)).await?;
            journey_calls::purge(tx, asked).await
        })
        .await?;
    let guessed = now.plus(-KEEP_GUESSES_S);
    app.db
        .write_in_steps(async move |tx| authenticators::purge(tx, guessed).await)
        .await?;
    app.db
        .write_in_steps(async move |tx| webhooks::purge(tx, now).await)
        .await?;
    // Whoever asks decides how many rows there are.
    app.db
        .write_in_steps(async move |tx| verifications::purge(tx, now).await)
        .await?;
    app.db
        .write_in_steps(async move |tx| device_grants::purge(tx, before).await)
        .await?;
    app.db
        .write_in_steps(async move |tx| device_grants::purge_tries(tx, now).await)
        .await?;
    app.db
        .write_in_steps(async move |tx| receiver_tokens::purge(tx, now).await)
        .await?;
    let old = now.plus(-KEEP_EVENTS_S);
    app.db
        .write_in_steps(async move |tx| stream_events::purge(tx, old).await)
        .await?;
    consents::purge(&app).await?;
    signals::forget(&app).await?;
    Ok(())
}
