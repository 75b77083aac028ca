//! The cards behind live sessions, as the watcher of their status needs them.

use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

/// A status list on which live sessions rest.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct WatchedList {
    /// The validated identity of the issuer of the cards.
    pub issuer: String,
    /// Address of the list.
    pub status_uri: String,
}

impl WatchedList {
    /// The issuer's identity.
    pub fn identity(&self) -> Result<IssuerIdentity, DbError> {
        serde_json::from_str(&self.issuer).map_err(|_| {
            Table("session_credentials")
                .invalid("issuer", "not an identity")
                .into()
        })
    }
}

/// Every status list on which a live session rests.
pub async fn watched_lists(db: &Db, now: UnixTime) -> Result<Vec<WatchedList>, DbError> {
    each!(db, p => sqlx::query_as::<_, WatchedList>(
        "SELECT DISTINCT k.issuer, k.status_uri FROM session_credentials k \
         JOIN login_sessions s ON s.id = k.session_id WHERE s.ended_at IS NULL AND s.expires_at > $1")
        .bind(now.0).fetch_all(p).await)
}

/// A card of a live session on a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct WatchedCard {
    /// The session.
    pub session_id: String,
    /// Its index.
    pub status_idx: i64,
    /// When its status was last known to be good.
    pub checked_at: i64,
}

/// The cards of live sessions on a list.
pub async fn watched_cards(
    db: &Db,
    list: &WatchedList,
    now: UnixTime,
) -> Result<Vec<WatchedCard>, DbError> {
    each!(db, p => sqlx::query_as::<_, WatchedCard>(
        "SELECT k.session_id, k.status_idx, k.checked_at FROM session_credentials k \
         JOIN login_sessions s ON s.id = k.session_id \
         WHERE k.status_uri = $1 AND k.issuer = $2 AND s.ended_at IS NULL AND s.expires_at > $3")
        .bind(list.status_uri.as_str()).bind(list.issuer.as_str()).bind(now.0).fetch_all(p).await)
}

/// Notes that the status of every card on a list was good at `now`.
pub async fn mark_checked(tx: &mut Tx, list: &WatchedList, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE session_credentials SET checked_at = $1 WHERE status_uri = $2 AND issuer = $3"
        )
        .bind(now.0)
        .bind(list.status_uri.as_str())
        .bind(list.issuer.as_str())
    )?;
    Ok(())
}
