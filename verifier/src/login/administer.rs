//! What those who run the service do about live sessions.

use vouchsafe_service::audit;
use vouchsafe_service::db::{DbError, Tx};

use super::end::end_in;
use crate::app::{App, Parts};
use crate::domain::ids::SessionId;
use crate::domain::session::{EndReason, SessionClient};
use crate::store::session_list::{self, Listed, Wanted};
use crate::store::sessions;

/// A live session and the applications in it.
#[derive(Debug, Clone)]
pub struct Live {
    /// The session.
    pub session: Listed,
    /// Who takes part.
    pub members: Vec<SessionClient>,
}

/// Live sessions behind an id, `limit` at most; whether there are more.
pub async fn list(
    app: &Parts,
    wanted: &Wanted,
    after: &str,
    limit: u32,
) -> Result<(Vec<Live>, bool), DbError> {
    let place = (after, i64::from(limit) + 1);
    let mut rows = session_list::page(&app.db, wanted, place, app.now()).await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let mut live = Vec::with_capacity(rows.len());
    for session in rows {
        let id = SessionId::from_text(session.id.as_str());
        let members = sessions::clients(&app.db, &id).await?;
        live.push(Live { session, members });
    }
    Ok((live, more))
}

/// Ends a session as any other ends: its tokens die, and its applications are told. `false` if there is no
/// such session that is live.
pub async fn end(app: &App, actor: &str, id: &SessionId) -> Result<bool, DbError> {
    let (parts, session, now) = (App::clone(app), id.clone(), app.now());
    let event = audit::Event {
        at: now,
        actor: actor.to_owned(),
        action: "session.end",
        target: id.as_str().to_owned(),
        detail: String::new(),
    };
    let reason = EndReason::Administrator;
    let ended = app
        .db
        .write(async move |tx: &mut Tx| {
            if !sessions::is_live(tx, &session, now).await? {
                return Ok(false);
            }
            let (settings, rng) = (&parts.settings, parts.rng.as_ref());
            if !end_in(tx, settings, rng, &session, reason, now).await? {
                return Ok(false);
            }
            audit::append(tx, &parts.audit_key, &event).await?;
            Ok::<_, DbError>(true)
        })
        .await?;
    if ended {
        tracing::info!(reason = reason.code(), "session ended");
    }
    Ok(ended)
}
