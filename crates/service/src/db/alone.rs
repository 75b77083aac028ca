//! What stands in the file of a SQLite database without the log beside it.
//!
//! SQLite takes a log (`-wal`) for that of whatever file has the name, and writes what it holds into
//! that file: a copy that was put beside the log of a lost database is not the copy any more as soon
//! as it was opened.

use std::path::PathBuf;

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::{DbError, sqlite_file};

/// What a file says of itself while a log lies beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// The log.
    pub log: PathBuf,
    /// What the query gave in the file alone.
    pub number: i64,
}

/// Asks a file, without its log and without a change to either. `None`: there is no log with
/// anything in it, the address is that of a server, or the query has no answer in the file alone.
pub async fn without_log(url: &str, query: &'static str) -> Result<Option<Alone>, DbError> {
    let Some(file) = sqlite_file(url)? else {
        return Ok(None);
    };
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    let log = PathBuf::from(log);
    if !std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Ok(None);
    }
    let options = SqliteConnectOptions::new().filename(file);
    let Ok(mut alone) = options.read_only(true).immutable(true).connect().await else {
        return Ok(None);
    };
    // Of a database whose tables are all in the log still, nothing is known.
    let number = sqlx::query_scalar::<_, i64>(query).fetch_optional(&mut alone);
    let number = number.await.ok().flatten();
    let _ = alone.close().await;
    Ok(number.map(|number| Alone { log, number }))
}
