//! Status lists of the VC API, as far as a restore concerns them.

use vouchsafe_service::db::{DbError, Tx, each, execute};
use vouchsafe_service::id::Ids;

/// Opens the next list of every issuer and purpose: what was put into the last one after the copy
/// was taken is not known any more, so it takes nothing new. How many there are.
pub async fn open_next(tx: &mut Tx, ids: &Ids) -> Result<u64, DbError> {
    let last = each!(tx, c => sqlx::query_as::<_, (String, String, i64, i64)>(
        "SELECT issuer, purpose, seq, size FROM vc_status_list AS list WHERE seq =
            (SELECT MAX(seq) FROM vc_status_list AS other
             WHERE other.issuer = list.issuer AND other.purpose = list.purpose)")
        .fetch_all(c).await)?;
    let opened = last.len() as u64;
    for (issuer, purpose, seq, size) in last {
        execute!(
            tx,
            sqlx::query(
                "INSERT INTO vc_status_list (id, issuer, purpose, seq, size)
                 VALUES ($1, $2, $3, $4, $5)"
            )
            .bind(ids.next_text())
            .bind(issuer)
            .bind(purpose)
            .bind(seq + 1)
            .bind(size)
        )?;
    }
    Ok(opened)
}
