//! A login that a journey leads, in the browser that began it: its pages, and the turns that people
//! make there.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::login_identify::Said;
use super::login_page::LoginPageError;
use super::owned::{self, Owned};
use super::{
    login_agree, login_ask, login_code, login_identify, login_new_passkey, login_number,
    login_page, login_passkey, login_upstream, login_wait,
};
use crate::app::App;
use crate::domain::passkey::{Fresh, Tapped};
use crate::domain::reason::Failure;
use crate::domain::request::LoginRequest;
use crate::domain::session::Session;
use crate::domain::transaction::{Answered, Login, Pending, Transaction};
use crate::journey::{Outcome, Step, StepKind};
use crate::journeys::Loaded;
use crate::login::ask::AskError;
use crate::login::finish::FinishError;
use crate::login::passkey;
use crate::login::run::{self, Arrived, Done, Heard, Refused, RunError, Visit, Was};
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
    let step = run::at(login, &loaded).filter(|_| !run::follower_is_over(app, login));
    match step.map(|step| &step.kind) {
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
        Some(StepKind::Ask(_)) => login_ask::page(app, login, &loaded, owned).await,
        Some(StepKind::Consent { .. }) => login_agree::page(app, login, owned).await,
        Some(StepKind::Identify { .. }) => {
            login_identify::page(app, login, owned, Said::default()).await
        }
        Some(StepKind::Passkey { register: true }) => {
            Ok(login_new_passkey::page(app, login, owned, false))
        }
        Some(StepKind::Passkey { .. }) => login_passkey::page(app, login, owned, false).await,
        Some(StepKind::Totp) => Ok(login_code::page(app, login, owned, false)),
        Some(StepKind::Upstream { .. }) => login_upstream::page(app, login, &loaded, owned),
        Some(_) => login_page::choose(app, login, owned, false).await,
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

pub(super) async fn go_on(
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
        if !run::unasked(app, &login, &loaded) {
            run::answered(app, &mut login, &loaded, *answer).await?;
        }
        go_on(app, headers, &loaded, (Was::Answered, login)).await
    };
    let done = done.await;
    respond(app, headers, &request, done).await
}

/// Whether the page of a question asks whose account it is.
fn asks_who(login: &Login, loaded: &Loaded, step: &Step) -> bool {
    let question = loaded.question(&step.id);
    let run = login.run.as_deref();
    question.is_some_and(|question| question.query.subject.is_asserted())
        && login.request.asserted.is_none()
        && run.is_some_and(|run| run.pinned.is_none())
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
        } else if step.is_some_and(|step| asks_who(&login, &loaded, step)) {
            // The question itself asks for it.
            login.request.asserted = Some(mac);
        } else {
            return Ok(Done::Lost(login.id));
        }
        if let Some(run) = login.run.as_deref_mut() {
            run.typed = true;
        }
        go_on(app, headers, &loaded, (Was::Pending, login)).await
    };
    let done = done.await;
    respond(app, headers, &request, done).await
}

/// Somebody said yes to what they were told, if it is what they would be told now.
pub(super) async fn agreed(
    app: &App,
    headers: &HeaderMap,
    login: &Login,
    owned: &Owned,
    told: &str,
) -> Response {
    let (request, mut login) = (login.request.clone(), login.clone());
    let done = async {
        let loaded = run::text(app, &login).await?;
        let step = run::at(&login, &loaded);
        // A yes that comes too late after a login says nothing.
        let late = run::follower_is_over(app, &login);
        let step = step.filter(|step| !late && matches!(step.kind, StepKind::Consent { .. }));
        let notice = step.map(|step| run::notice(app, &login, (&loaded, step), &owned.client));
        let Some(notice) = notice.filter(|notice| notice.hash() == told) else {
            return Ok(Done::Page(login.id.clone()));
        };
        run::agreed(app, &mut login, &loaded, &notice)?;
        go_on(app, headers, &loaded, (Was::Pending, login)).await
    };
    let done = done.await;
    respond(app, headers, &request, done).await
}

/// Nobody says who they are: the card tells.
pub(super) async fn skipped(app: &App, headers: &HeaderMap, mut login: Login) -> Response {
    let request = login.request.clone();
    let done = async {
        let loaded = run::text(app, &login).await?;
        let step = run::at(&login, &loaded);
        if step.is_some_and(|step| matches!(step.kind, StepKind::Identify { .. })) {
            run::skipped(app, &mut login, &loaded)?;
        }
        go_on(app, headers, &loaded, (Was::Pending, login)).await
    };
    let done = done.await;
    respond(app, headers, &request, done).await
}

/// Whether the step that waits takes a passkey.
pub(super) async fn takes_passkey(
    app: &App,
    login: &Login,
    owned: &Owned,
) -> Result<bool, AskError> {
    let loaded = match run::text(app, login).await {
        Ok(loaded) => loaded,
        Err(RunError::Store(error)) => return Err(error.into()),
        Err(RunError::Gone | RunError::Instance(_)) => return Err(AskError::Gone),
    };
    Ok(passkey::offered_in_run(app, &owned.client, login, &loaded)
        && run::takes_passkey(login, &loaded))
}

/// Somebody's passkey was right.
pub(super) async fn tapped(
    app: &App,
    headers: &HeaderMap,
    mut login: Login,
    tapped: Tapped,
) -> Response {
    let request = login.request.clone();
    let done = async {
        let loaded = run::text(app, &login).await?;
        let visit = visit(headers);
        run::tapped(app, &mut login, &loaded, (tapped, &visit)).await?;
        go_on(app, headers, &loaded, (Was::Pending, login)).await
    };
    let done = done.await;
    respond(app, headers, &request, done).await
}

/// The device of the person made a passkey.
pub(super) async fn registered(
    app: &App,
    headers: &HeaderMap,
    mut login: Login,
    fresh: Fresh,
) -> Response {
    let request = login.request.clone();
    let done = async {
        let loaded = run::text(app, &login).await?;
        run::registered(app, &mut login, &loaded, fresh)?;
        go_on(app, headers, &loaded, (Was::Pending, login)).await
    };
    let done = done.await;
    respond(app, headers, &request, done).await
}

/// Somebody typed a code of their authenticator app; nothing where the page is shown once more.
pub(super) async fn coded(
    app: &App,
    headers: &HeaderMap,
    mut login: Login,
    typed: &str,
) -> Option<Response> {
    let request = login.request.clone();
    let done = async {
        let loaded = run::text(app, &login).await?;
        if !run::takes_code(&login, &loaded) {
            return Ok(Some(Done::Page(login.id.clone())));
        }
        if !run::coded(app, &mut login, &loaded, typed).await? {
            return Ok(None);
        }
        let done = go_on(app, headers, &loaded, (Was::Pending, login)).await;
        done.map(Some)
    };
    let done = done.await.transpose()?;
    Some(respond(app, headers, &request, done).await)
}

/// What the person did where they are asked about themselves; what is wrong with it where the page is
/// shown once more.
pub(super) async fn heard(
    app: &App,
    headers: &HeaderMap,
    mut login: Login,
    heard: Heard<'_>,
) -> Result<Response, Vec<Refused>> {
    let request = login.request.clone();
    let mut wrong = Vec::new();
    let done = async {
        let loaded = run::text(app, &login).await?;
        if !run::follower_is_over(app, &login)
            && let Err(refused) = run::hear(app, &mut login, &loaded, heard)?
        {
            wrong = refused;
            return Ok(Done::Page(login.id.clone()));
        }
        go_on(app, headers, &loaded, (Was::Pending, login)).await
    };
    let done = done.await;
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(respond(app, headers, &request, done).await)
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
        if run::unasked(app, &login, &loaded) {
            // A no to what follows takes no login back.
            return go_on(app, headers, &loaded, (from, login)).await;
        }
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
