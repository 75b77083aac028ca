//! Failures of the database, by what the caller can do about them.

use std::fmt::Display;

/// Why a statement or a transaction failed.
///
/// None of the texts contains a bound value or a row.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique or primary key constraint refused the row.
    #[error("the row already exists")]
    Duplicate,
    /// Another constraint (foreign key, check, not null) refused the row.
    #[error("a constraint of the table refused the row")]
    Constraint,
    /// The database kept aborting the transaction in favour of others.
    #[error("the transaction was aborted in favour of another one")]
    Serialization(#[source] sqlx::Error),
    /// No connection, no space, or the database is busy or gone: try again later.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The transaction was not committed, and nothing of it remains.
    #[error("the transaction could not be committed")]
    NotCommitted,
    /// The outcome of the commit is unknown: the connection broke before the answer.
    #[error("the connection broke during the commit; its outcome is unknown")]
    UnknownOutcome,
    /// The work took too long or panicked and was rolled back.
    #[error("the work inside the transaction did not finish")]
    Unfinished,
    /// The database layer was shut down.
    #[error("the database is closed")]
    Closed,
    /// A stored row does not parse.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The file of a SQLite database is damaged, or is none.
    #[error(
        "the file of the database is damaged, or is no SQLite database: a copy has to be restored"
    )]
    Damaged,
    /// Everything else, a wrong SQL text above all.
    #[error("the statement failed")]
    Statement(#[source] sqlx::Error),
    /// A migration that ran before has another text now.
    #[error("migration {component} {version} was changed after it ran")]
    MigrationChanged {
        /// The component that owns the migration.
        component: String,
        /// Its number.
        version: i64,
    },
    /// The database was written by a newer version of the program.
    #[error("the database has migration {component} {version}, which this program does not know")]
    MigrationUnknown {
        /// The component that owns the migration.
        component: String,
        /// Its number.
        version: i64,
    },
    /// The address of the database is not one that is supported.
    #[error("the database address must begin with sqlite: or postgres://")]
    Address,
}

impl DbError {
    /// Stable code for logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Constraint => "constraint",
            Self::Serialization(_) => "serialization",
            Self::Unavailable(_) => "unavailable",
            Self::NotCommitted => "not_committed",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Unfinished => "unfinished",
            Self::Closed => "closed",
            Self::Row(_) => "row",
            Self::Damaged => "damaged",
            Self::Statement(_) => "statement",
            Self::MigrationChanged { .. } => "migration_changed",
            Self::MigrationUnknown { .. } => "migration_unknown",
            Self::Address => "address",
        }
    }

    /// Whether the same request may succeed a little later (HTTP 503 with `Retry-After`).
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Serialization(_)
            | Self::Unavailable(_)
            | Self::NotCommitted
            | Self::UnknownOutcome
            | Self::Unfinished
            | Self::Closed => true,
            Self::Duplicate
            | Self::Constraint
            | Self::Row(_)
            | Self::Damaged
            | Self::Statement(_)
            | Self::MigrationChanged { .. }
            | Self::MigrationUnknown { .. }
            | Self::Address => false,
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                // A proxy or a server on its way down hangs up instead of answering the first
                // question, and that is read as a wrong answer.
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
                _ => Self::Statement(error),
            };
        };
        match database.kind() {
            ErrorKind::UniqueViolation => return Self::Duplicate,
            ErrorKind::ForeignKeyViolation
            | ErrorKind::NotNullViolation
            | ErrorKind::CheckViolation => return Self::Constraint,
            _ => {}
        }
        match database.code().as_deref() {
            // PostgreSQL: serialization_failure, deadlock_detected.
            Some("40001" | "40P01") => Self::Serialization(error),
            Some(code) if is_damage(code) => Self::Damaged,
            Some(code) if is_unavailable(code) => Self::Unavailable(error),
            _ => Self::Statement(error),
        }
    }
}

/// SQLite's primary codes CORRUPT 11 and NOTADB 26; PostgreSQL's codes have five characters.
fn is_damage(code: &str) -> bool {
    code.len() < 5 && matches!(code.parse::<u32>().map(|number| number & 0xff), Ok(11 | 26))
}

/// PostgreSQL classes 08 (connection), 53 (resources), 57P (shutdown), 58 (I/O); SQLite's
/// primary codes BUSY 5, LOCKED 6, NOMEM 7, READONLY 8, IOERR 10, FULL 13, CANTOPEN 14, of which
/// the extended codes keep the low byte.
fn is_unavailable(code: &str) -> bool {
    if code.len() == 5 {
        return code.starts_with("08")
            || code.starts_with("53")
            || code.starts_with("57P")
            || code.starts_with("58")
            // 55P03 lock_not_available, 57014 query_canceled (statement timeout)
            || code == "55P03"
            || code == "57014";
    }
    matches!(
        code.parse::<u32>().map(|number| number & 0xff),
        Ok(5 | 6 | 7 | 8 | 10 | 13 | 14)
    )
}

/// A row that the program did not write, or a bug: names the place, never the value.
#[derive(Debug, thiserror::Error)]
#[error("impossible value in {table}.{column}: {reason}")]
pub struct RowError {
    table: &'static str,
    column: &'static str,
    reason: String,
}

/// Names a table, to report impossible values of its columns.
#[derive(Debug, Clone, Copy)]
pub struct Table(
    /// Name of the table.
    pub &'static str,
);

impl Table {
    /// The error for a column of this table. `reason` must not contain the value.
    pub fn invalid(self, column: &'static str, reason: impl Display) -> RowError {
        RowError {
            table: self.0,
            column,
            reason: reason.to_string(),
        }
    }
}
