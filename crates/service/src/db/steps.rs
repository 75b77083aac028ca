//! Work on very many rows, a bounded part in each transaction.

use super::{Db, DbError, Tx};

/// Rows that one step touches at most. On SQLite all writers wait for it, and what takes longer
/// than a unit of work may is undone.
pub const STEP: u16 = 500;

impl Db {
    /// Repeats a unit of work that touches [`STEP`] rows at most and says how many, each time in a
    /// transaction of its own, until it finds fewer. How many there were.
    pub async fn write_in_steps<F>(&self, work: F) -> Result<u64, DbError>
    where
        F: AsyncFn(&mut Tx) -> Result<u64, DbError> + Clone + Send + 'static,
    {
        let mut total = 0;
        loop {
            let touched = self.write(work.clone()).await?;
            total += touched;
            if touched < u64::from(STEP) {
                return Ok(total);
            }
        }
    }
}

/// The text that deletes rows of a table by a condition over `$1`, [`STEP`] of them at most, which
/// is bound as `$2`. They are chosen by their key and asked again, in case another process was faster.
#[macro_export]
macro_rules! delete_step {
    ($table:literal, $key:literal, $condition:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ",
            $condition,
            " AND (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $condition,
            " LIMIT $2)"
        )
    };
}
