//! Copies of a SQLite database, made while a service runs and put in the place of a lost one.
//!
//! A copy is marked, so that it is not served before what was good for a while has ended in it; the
//! mark is the service's. PostgreSQL has tools of its own.

use std::path::{Path, PathBuf};

use crate::db::{DatabaseKind, Db, DbError, sqlite_address, unfinished};
use crate::keys::SymmetricKey;
use crate::portable::write_private;

/// What SQLite keeps beside a database. Left by one that was lost, it is taken for the new one's:
/// what a log holds is written into whatever file has the name.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why a copy was not made or not put to use.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// A file cannot be read or written.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// PostgreSQL has tools of its own.
    #[error("PostgreSQL is copied with pg_dump and restored with pg_restore")]
    Postgres,
}

fn file(path: &Path, problem: impl std::fmt::Display) -> CopyError {
    CopyError::File {
        path: path.to_owned(),
        problem: problem.to_string(),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Nothing has this name, and nothing is left of a database that had it.
fn free(path: &Path) -> Result<(), CopyError> {
    for rest in std::iter::once("").chain(BESIDE) {
        let there = beside(path, rest);
        if std::fs::symlink_metadata(&there).is_ok() {
            return Err(file(&there, "exists already: move it away"));
        }
    }
    Ok(())
}

/// The address of a database in a file.
pub fn address(path: &Path) -> Result<String, CopyError> {
    sqlite_address(path).ok_or_else(|| file(path, "cannot be the name of a database"))
}

/// Makes sure that a copy of this database can have this name.
pub fn can_copy(db: &Db, output: &Path) -> Result<(), CopyError> {
    if db.kind() != DatabaseKind::Sqlite {
        return Err(CopyError::Postgres);
    }
    free(output)?;
    free(&unfinished(output))
}

/// Puts the copy `input` under the name `target`, as a whole and marked as a copy: whatever happens
/// next, it is not served before it was made fit for use. `check` looks at it first, brings it up to
/// date, and may refuse it.
pub async fn place<E: From<CopyError>>(
    input: &Path,
    target: &Path,
    mark: &'static str,
    check: impl AsyncFnOnce(&Db) -> Result<(), E>,
) -> Result<(), E> {
    let draft = beside(target, ".new");
    for new in [target, &unfinished(target), &draft] {
        free(new)?;
    }
    for rest in ["-wal", "-journal"] {
        let log = beside(input, rest);
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            let problem = "has changes that are not in the copy: use one of `backup`";
            return Err(file(&log, problem).into());
        }
    }
    let made = placed(input, &draft, target, mark, check).await;
    for rest in std::iter::once("").chain(BESIDE) {
        let _ = std::fs::remove_file(beside(&draft, rest));
    }
    made
}

async fn placed<E: From<CopyError>>(
    input: &Path,
    draft: &Path,
    target: &Path,
    mark: &'static str,
    check: impl AsyncFnOnce(&Db) -> Result<(), E>,
) -> Result<(), E> {
    let copy = std::fs::read(input).map_err(|error| file(input, error))?;
    if !copy.starts_with(b"SQLite format 3\0") {
        return Err(file(input, "is no copy of a SQLite database").into());
    }
    write_private(draft, &copy).map_err(|error| file(draft, error))?;
    let db = Db::open(&address(draft)?).await.map_err(CopyError::from)?;
    let checked = check(&db).await;
    let copied = match checked {
        Ok(()) => db.copy_to(target, mark).await.map_err(CopyError::from),
        Err(error) => {
            db.close().await;
            return Err(error);
        }
    };
    db.close().await;
    Ok(copied?)
}

/// What was drawn when the database was restored last.
#[derive(Debug, Clone)]
pub struct Epoch(Option<String>);

impl Epoch {
    /// The epoch that began with this salt; without one, the database was never restored.
    pub fn of(salt: Option<String>) -> Self {
        Self(salt)
    }

    /// The key of this epoch: what was made under the key of another one is not good any more.
    pub fn key(&self, key: SymmetricKey) -> SymmetricKey {
        match &self.0 {
            None => key,
            Some(salt) => key.child(&format!("epoch {salt}")),
        }
    }
}
