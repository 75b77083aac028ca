//! One database layer for SQLite and PostgreSQL. See `specs/decisions/0001-database-layer.md`.
//!
//! A repository is a set of functions that run one SQL text through [`each!`]:
//!
//! ```ignore
//! pub async fn find(db: &Db, id: &OfferId) -> Result<Option<Offer>, DbError> {
//!     each!(db, p => sqlx::query_as::<_, OfferRow>("SELECT id, state FROM offer WHERE id = $1")
//!         .bind(id.as_str()).fetch_optional(p).await)?
//!         .map(Offer::try_from).transpose()
//! }
//!
//! pub async fn insert(tx: &mut Tx, offer: &Offer) -> Result<(), DbError> {
//!     execute!(tx, sqlx::query("INSERT INTO offer (id, state) VALUES ($1, $2)")
//!         .bind(offer.id.as_str()).bind(offer.state.as_str()))?;
//!     Ok(())
//! }
//!
//! db.write(async move |tx| {
//!     offers::insert(tx, &offer).await?;
//!     audit::append(tx, &event).await
//! }).await?;
//! ```
//!
//! What works unchanged on both: `$1` placeholders, `RETURNING`, `ON CONFLICT`, the types
//! BIGINT, TEXT, BYTEA, BOOLEAN, and `#[derive(sqlx::FromRow)]`. Times are BIGINT seconds.

mod alone;
mod error;
mod migrate;
mod open;
mod place;
mod postgres;
mod queue;
mod sqlite;
mod steps;
pub mod tables;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;
mod write;

pub use alone::{Alone, without_log};
pub use error::{DbError, RowError, Table};
pub use migrate::{Migration, Migrations};
pub use open::{DatabaseKind, Db, unfinished};
pub use place::{DatabasePlace, sqlite_address, sqlite_file};
pub use steps::STEP;
pub use write::{Tx, WriteFailure};

/// The driver that a statement of [`each!`](crate::each) goes to.
#[derive(Debug)]
pub enum Each<S, P> {
    /// SQLite.
    Sqlite(S),
    /// PostgreSQL.
    Postgres(P),
}

/// Runs the same statement on whichever database is configured.
///
/// The first argument is a [`Db`] (a read from the pool) or a `&mut` [`Tx`] (inside
/// [`Db::write`]); the body is an expression of type `Result<_, sqlx::Error>`, compiled once for
/// each driver. The result is a `Result<_, DbError>`.
#[macro_export]
macro_rules! each {
    ($db:expr, $connection:ident => $body:expr) => {
        match $db.each() {
            $crate::db::Each::Sqlite($connection) => $body.map_err($crate::db::DbError::from),
            $crate::db::Each::Postgres($connection) => $body.map_err($crate::db::DbError::from),
        }
    };
}

/// Runs a statement that gives no rows, and says how many rows it touched: `Result<u64, DbError>`.
///
/// `execute!(tx, sqlx::query("DELETE FROM offer WHERE id = $1").bind(id))`
#[macro_export]
macro_rules! execute {
    ($db:expr, $query:expr) => {
        $crate::each!($db, connection => $query
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
    };
}

pub use crate::{delete_step, each, execute};
