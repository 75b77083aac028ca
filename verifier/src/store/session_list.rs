//! Live sessions, as administrators look for them.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, each};

/// Which sessions are looked for. An empty text says nothing.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of an account.
    pub account: String,
    /// In which an application takes part.
    pub client: String,
    /// In which that application calls the person so.
    pub sub: String,
}

/// A live session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// The account; a guest has none.
    pub subject_id: Option<String>,
    /// When somebody was authenticated.
    pub auth_time: i64,
    /// The level reached.
    pub acr: String,
    /// Methods, with spaces between them.
    pub amr: String,
    /// The question that was answered last.
    pub query_id: String,
    /// When it ends at the latest.
    pub expires_at: i64,
}

const OF_CLIENT: &str = "SELECT id, subject_id, auth_time, acr, amr, query_id, expires_at FROM login_sessions \
     WHERE id > $1 AND ended_at IS NULL AND expires_at > $2 AND ($3 = '' OR subject_id = $3) AND id IN (\
         SELECT session_id FROM session_clients WHERE client_id = $4 AND ($5 = '' OR sub = $5) \
         UNION SELECT session_id FROM refresh_grants WHERE client_id = $4 AND ($5 = '' OR sub = $5)) \
     ORDER BY id LIMIT $6";

const OF_ACCOUNT: &str = "SELECT id, subject_id, auth_time, acr, amr, query_id, expires_at FROM login_sessions \
     WHERE id > $1 AND ended_at IS NULL AND expires_at > $2 AND subject_id = $3 ORDER BY id LIMIT $4";

/// Live sessions with an id behind `after`, in the order of their ids: of an application, or of an account.
pub async fn page(
    db: &Db,
    wanted: &Wanted,
    (after, limit): (&str, i64),
    now: UnixTime,
) -> Result<Vec<Listed>, DbError> {
    let Wanted {
        account,
        client,
        sub,
    } = wanted;
    if client.is_empty() {
        return each!(db, p => sqlx::query_as::<_, Listed>(OF_ACCOUNT)
            .bind(after).bind(now.0).bind(account.as_str()).bind(limit).fetch_all(p).await);
    }
    each!(db, p => sqlx::query_as::<_, Listed>(OF_CLIENT)
        .bind(after).bind(now.0).bind(account.as_str()).bind(client.as_str()).bind(sub.as_str()).bind(limit)
        .fetch_all(p).await)
}
