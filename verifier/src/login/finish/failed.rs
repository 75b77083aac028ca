//! The end of an answered login without success.

use vouchsafe_service::db::DbError;

use super::FinishError;
use crate::app::Parts;
use crate::domain::reason::Failure;
use crate::domain::transaction::{Answered, Login, Transaction};
use crate::journey::Outcome;
use crate::login::run::{self, RunError};
use crate::numbers::tell::{self, End};
use crate::store::{journeys, requests, transactions};

/// Ends an answered login without success.
pub async fn fail<T>(app: &Parts, answered: Answered, failure: Failure) -> Result<T, FinishError> {
    let run = answered.login.run.as_deref();
    if run.is_some_and(|run| run.main.is_some()) {
        return set_aside(app, answered.login, failure).await;
    }
    let id = answered.login.id.clone();
    let login = answered.login.clone();
    let channel = Some(answered.answer.channel.name());
    let trace = run::ended(app, &login, failure.code());
    let row = transactions::seal(
        &app.vault,
        &Transaction::Failed(answered.fail(failure.clone())),
    )?;
    let now = app.now();
    let over = app
        .db
        .write(async move |tx| {
            let over = transactions::advance(tx, "answered", &row, now).await?;
            if let Some(trace) = trace.as_ref().filter(|_| over) {
                journeys::insert_trace(tx, trace).await?;
            }
            Ok::<_, DbError>(over)
        })
        .await?;
    if over {
        let end = End {
            channel,
            ..End::default()
        };
        tell::over(app, &login, failure.code(), &end);
        tell::attempted(app, &login, ("vp", "failure"), failure.code());
    }
    app.changes.announce(&id);
    Err(FinishError::Failed(failure))
}

/// What was answered is a question after a login: the login is settled, and waits for its browser.
async fn set_aside<T>(app: &Parts, mut login: Login, failure: Failure) -> Result<T, FinishError> {
    let turn = match run::refused(app, &mut login, Outcome::Error, failure.clone()).await {
        Ok(turn) => turn,
        Err(RunError::Store(error)) => return Err(FinishError::Store(error)),
        // Nothing is written, and its page goes on without the question.
        Err(RunError::Gone | RunError::Instance(_)) => return Err(FinishError::Failed(failure)),
    };
    let run::Turn {
        transaction,
        beside,
        counted,
    } = turn;
    let row = transactions::seal_next(&app.vault, &transaction)?;
    let (id, now) = (login.id.clone(), app.now());
    let written = app
        .db
        .write(async move |tx| {
            let written = transactions::advance(tx, "answered", &row, now).await?;
            if written {
                requests::end(tx, &id).await?;
                beside.put(tx, now).await?;
            }
            Ok::<_, DbError>(written)
        })
        .await?;
    if written {
        counted.note(app);
    }
    app.changes.announce(&login.id);
    Err(FinishError::Failed(failure))
}
