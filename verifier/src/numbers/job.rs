//! What was counted and what happened goes where it is kept, every few seconds.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_service::db::DbError;

use super::counts::Key;
use super::events::{Event, EventSettings, dropped};
use crate::app::App;
use crate::store::numbers;
use crate::verification::webhook;

/// Events that are written at once.
const BATCH: usize = 500;

/// Batches of a run; what waits still waits for the next.
const BATCHES: usize = 20;
/// A file that takes longer is given up.
const FILE_WAIT: Duration = Duration::from_secs(10);

/// Writes everything that waits.
pub(crate) async fn run_once(app: App) -> Result<(), DbError> {
    let counts = write_counts(&app).await;
    write_events(&app).await?;
    counts
}

/// Writes what was counted. No event holds it up.
pub(crate) async fn counts(app: App) -> Result<(), DbError> {
    write_counts(&app).await
}

/// Writes events that wait.
pub(crate) async fn events(app: App) -> Result<(), DbError> {
    write_events(&app).await
}

async fn write_counts(app: &App) -> Result<(), DbError> {
    let taken = app.numbers.counts.take();
    if taken.is_empty() {
        return Ok(());
    }
    let rows: Arc<BTreeMap<Key, i64>> = Arc::new(taken);
    let again = Arc::clone(&rows);
    let written = (app.db)
        .write(async move |tx| numbers::add(tx, &again).await)
        .await;
    // Where nobody knows whether a commit happened, counting twice would be worse than not at all.
    if let Err(error) = &written
        && !matches!(error, DbError::UnknownOutcome | DbError::Unfinished)
    {
        app.numbers.counts.give_back((*rows).clone());
    }
    written
}

async fn write_events(app: &App) -> Result<(), DbError> {
    let Some(settings) = app.numbers.events.settings() else {
        return Ok(());
    };
    for _ in 0..BATCHES {
        let batch = app.numbers.events.take(BATCH);
        if batch.is_empty() {
            return Ok(());
        }
        let batch = Arc::new(batch);
        to_file(settings, &batch).await;
        to_database(app, settings, &batch).await;
    }
    Ok(())
}

async fn to_file(settings: &EventSettings, batch: &Arc<Vec<Event>>) {
    let Some((path, most)) = settings.file.clone() else {
        return;
    };
    let (lines, events) = (Arc::clone(batch), batch.len());
    let done = tokio::task::spawn_blocking(move || append(&path, most, &lines));
    let done = tokio::time::timeout(FILE_WAIT, done).await;
    if !matches!(done, Ok(Ok(Ok(())))) {
        tracing::warn!(events, "the file of events cannot be written");
        dropped("file", events);
    }
}

/// Opened anew each time: whoever renames the file needs no signal.
fn append(path: &Path, most: u64, batch: &[Event]) -> std::io::Result<()> {
    let mut text = String::new();
    for event in batch {
        text.push_str(&event.body.to_string());
        text.push('\n');
    }
    let mut file = open(path)?;
    let mut size = file.metadata()?.len();
    if size > 0 && size + text.len() as u64 > most {
        let mut older = path.as_os_str().to_owned();
        older.push(".1");
        std::fs::rename(path, PathBuf::from(older))?;
        file = open(path)?;
        size = file.metadata()?.len();
    }
    let written = file.write_all(text.as_bytes());
    if written.is_err() {
        // No half line: whoever reads it would stumble over it.
        file.set_len(size)?;
    }
    written
}

/// For the service alone, and for one process at a time: two that rename would lose a file.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(std::io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The table and the messages to the webhook are written in one transaction.
async fn to_database(app: &App, settings: &EventSettings, batch: &Arc<Vec<Event>>) {
    let table = settings.database_days.is_some();
    let endpoint = webhook::of_events(app, settings.webhook.as_ref());
    if !table && endpoint.is_none() {
        return;
    }
    let (events, now) = (Arc::clone(batch), app.now());
    let written = app.db.write(async move |tx| {
        if table {
            numbers::insert_events(tx, &events).await?;
        }
        if let Some(endpoint) = &endpoint {
            for event in events.iter() {
                endpoint.publish(tx, event, now).await?;
            }
        }
        Ok::<_, DbError>(())
    });
    if let Err(error) = written.await {
        tracing::warn!(events = batch.len(), error = %crate::views::chain(&error), "events are not kept");
        dropped("database", batch.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_credentials::time::UnixTime;

    #[test]
    fn a_file_that_grows_is_renamed_and_one_that_was_renamed_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let one = [Event {
            id: "1".to_owned(),
            kind: super::super::events::STEP,
            at: UnixTime(0),
            body: serde_json::json!({ "id": "1" }),
        }];
        let lines = |name: &str| {
            let text = std::fs::read_to_string(folder.path().join(name));
            text.unwrap_or_default().lines().count()
        };
        for _ in 0..3 {
            append(&path, 25, &one).unwrap();
        }
        assert_eq!((lines("events.jsonl"), lines("events.jsonl.1")), (1, 2));
        #[cfg(unix)]
        {
            let mode = std::fs::metadata(&path).unwrap().permissions();
            assert_eq!(
                std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
                0o600
            );
        }
        let other = open(&path).unwrap();
        assert!(append(&path, 25, &one).is_err(), "another process has it");
        drop(other);
        std::fs::rename(&path, folder.path().join("mine")).unwrap();
        append(&path, 25, &one).unwrap();
        assert_eq!((lines("events.jsonl"), lines("mine")), (1, 1));
    }
}
