//! A login that a journey leads, in the browser that began it: its pages, and the turns that people
//! make there.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::login_page::LoginPageError;
use super::owned::{self, Owned};
use super::{login_identify, login_number, login_page, login_wait};
use crate::app::App;
use crate::domain::reason::Failure;
use crate::domain::request::LoginRequest;
use crate::domain::session::Session;
use crate::domain::transaction::{Answered, Login, Pending, Transaction};
use crate::journey::{Outcome, StepKind};
use crate::journeys::Loaded;
use crate::login::ask::AskError;
use crate::login::finish::FinishError;
use crate::login::run::{self, Arrived, Done, RunError, Visit, Was};
use crate::reply::{error_of, see_other};
use crate::views::{self, PageFailure};

impl From<RunError> for LoginPageError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(error) => Self::Store(error),
            RunError::Gone | RunError::Instance(_) => Self::Ask(AskError::Gone),
        }
    }
}

/// What a run learns of the browser that goes on with it.
pub(super) fn visit(headers: &HeaderMap) -> Visit {
    let agent = headers.get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    Visit {
        agent: agent.map(str::to_owned),
        asks: None,
    }
}

/// The page of the step that waits, or what comes after it.
pub(super) async fn page(
    app: &App,
    headers: &HeaderMap,
    login: &Login,
    owned: &Owned,
) -> Result<Response, LoginPageError> {
    let loaded = run::text(app, login).await?;
    match run::at(login, &loaded).map(|step| &step.kind) {
        Some(StepKind::Wait { .. }) if waits(app, login) => Ok(login_wait::page(app, login, owned)),
        Some(StepKind::Wait { .. }) | None => {
            let turn = (Was::Pending, login.clone());
            Ok(respond(
                app,
                headers,
                &login.request,
                go_on(app, headers, &loaded, turn).await,
            )
            .await)
        }
        Some(StepKind::Identify { .. }) => login_identify::page(app, login, owned, false).await,
        Some(_) => login_page::choose(app, login, owned).await,
    }
}

/// Whether the run waits for a time that has not come.
fn waits(app: &App, login: &Login) -> bool {
    let waiting = login.run.as_deref().and_then(|run| run.waiting);
    waiting.is_some_and(|waiting| app.now() < waiting.until)
}

/// Why a turn is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum TurnError {
    /// The run does not go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The login cannot be finished.
    #[error(transparent)]
    Finish(#[from] FinishError),
}

async fn go_on(
    app: &App,
    headers: &HeaderMap,
    loaded: &Arc<Loaded>,
    (from, mut login): (Was, Login),
) -> Result<Done, TurnError> {
    let visit = Visit {
        asks: Some(App::clone(app)),
        ..visit(headers)
    };
    let arrived = run::drive(app, &mut login, loaded, Some(&visit)).await?;
    let current = session(app, headers).await?;
    Ok(run::settle(app, loaded, (from, login), arrived, current).await?)
}

async fn session(app: &App, headers: &HeaderMap) -> Result<Option<Session>, TurnError> {
    let found = owned::session(app, headers).await;
    found.map_err(|error| TurnError::Run(RunError::Store(error)))
}

/// What the browser gets after a turn.
pub(super) async fn respond(
    app: &App,
    headers: &HeaderMap,
    request: &LoginRequest,
    done: Result<Done, TurnError>,
) -> Response {
    match done {
        Ok(Done::Page(id) | Done::Refused(id, _) | Done::Lost(id)) => {
            see_other(&format!("/login/{id}"))
        }
        Ok(Done::Finished(finished)) => login_number::goes(app, request, *finished).await,
        Ok(Done::TooMany(wait)) => owned::too_many(app, headers, wait),
        Err(error) => error.show(app, headers),
    }
}

impl TurnError {
    /// The page for it.
    pub(super) fn show(self, app: &App, headers: &HeaderMap) -> Response {
        match self {
            Self::Run(RunError::Store(error)) | Self::Finish(FinishError::Store(error)) => {
                owned::store_failure(app, headers, &error)
            }
            Self::Run(error) => {
                PageFailure::server(views::browser_locale(headers), &error, false).show(app)
            }
            Self::Finish(_) => owned::refused(app, headers),
        }
    }
}

/// A wallet has answered and this browser is back.
pub(super) async fn answered(app: &App, headers: &HeaderMap, answered: Answered) -> Response {
    let Answered {
        mut login, answer, ..
    } = answered;
    let request = login.request.clone();
    let done = async {
        let loaded = run::text(app, &login).await?;
        run::answered(app, &mut login, &loaded, *answer).await?;
        go_on(app, headers, &loaded, (Was::Answered, login)).await
    };
    let done = done.await;
    respond(app, headers, &request, done).await
}

/// Somebody typed whose account it is.
pub(super) async fn identified(
    app: &App,
    headers: &HeaderMap,
    mut login: Login,
    mac: String,
) -> Response {
    let request = login.request.clone();
    let done = async {
        let loaded = run::text(app, &login).await?;
        let step = run::at(&login, &loaded);
        if step.is_some_and(|step| matches!(step.kind, StepKind::Identify { .. })) {
            run::identified(app, &mut login, &loaded, mac)?;
        } else {
            // The question itself asks for it.
            login.request.asserted = Some(mac);
        }
        go_on(app, headers, &loaded, (Was::Pending, login)).await
    };
    let done = done.await;
    respond(app, headers, &request, done).await
}

/// "Not now".
pub(super) async fn declined(
    app: &App,
    headers: &HeaderMap,
    transaction: &Transaction,
) -> Response {
    let (from, mut login) = match transaction {
        Transaction::Pending(Pending { login }) => (Was::Pending, login.clone()),
        Transaction::Answered(Answered { login, .. }) => (Was::Answered, login.clone()),
        Transaction::Finished(_) | Transaction::Failed(_) => {
            return see_other(&format!("/login/{}", transaction.login().id));
        }
    };
    let request = login.request.clone();
    let done = async {
        let loaded = run::text(app, &login).await?;
        let why = Failure::declined();
        if run::at(&login, &loaded).is_none() {
            // No page asks anything: the no is to the login as a whole, not to what runs by itself.
            let arrived = Arrived::Refused(why);
            return Ok(run::settle(app, &loaded, (from, login), arrived, None).await?);
        }
        run::failed(app, &mut login, &loaded, Outcome::Declined, why)?;
        go_on(app, headers, &loaded, (from, login)).await
    };
    match done.await {
        // Whoever says no needs no page that says so.
        Ok(Done::Refused(_, failure)) => {
            owned::leave(app, headers, &request, error_of(&failure)).await
        }
        done => respond(app, headers, &request, done).await,
    }
}
