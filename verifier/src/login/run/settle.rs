//! What came of a turn is written: the run waits, or it is over. Of two writers at once one wins.

use std::sync::Arc;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};

use super::{Arrived, Beside, RunError, count, finish};
use crate::app::{App, Parts};
use crate::domain::ids::{DeviceGrantId, TransactionId};
use crate::domain::reason::Failure;
use crate::domain::run::Run;
use crate::domain::session::Session;
use crate::domain::transaction::{Failed, Login, Pending, Transaction};
use crate::journey::Outcome;
use crate::journeys::Loaded;
use crate::login::LOGIN_S;
use crate::login::finish::{FinishError, Finished};
use crate::login::start::BEGUN_AT_ONCE;
use crate::numbers::tell::{self, End};
use crate::store::journeys::{self, NewText};
use crate::store::transactions::{self, Sealed};
use crate::store::{StoreError, device_grants, requests};

/// Where a turn began.
#[derive(Debug, Clone)]
pub enum Was {
    /// The run is new; a device may wait for it.
    New(Option<DeviceGrantId>),
    /// It waited for a wallet or a page.
    Pending,
    /// A wallet had answered.
    Answered,
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// The login waits; its page shows for what.
    Page(TransactionId),
    /// It is over, for this reason.
    Refused(TransactionId, Failure),
    /// It is over: somebody is logged in.
    Finished(Box<Finished>),
    /// This browser has begun too many; seconds until it may begin the next.
    TooMany(i64),
    /// Somebody else was faster.
    Lost(TransactionId),
}

/// What is written of a turn.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) from: Was,
    pub(super) sealed: Sealed,
    pub(super) texts: Vec<NewText>,
    pub(super) beside: Beside,
    pub(super) login: TransactionId,
}

/// What became of writing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    Lost,
    TooMany(i64),
}

/// Why nothing of a turn is written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// Somebody else was faster.
    #[error("the turn was lost")]
    Lost,
    /// The login must end without success.
    #[error("the turn is refused")]
    Refused(Failure),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Stop> for FinishError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Lost => Self::AlreadyOver,
            Stop::Refused(failure) => Self::Failed(failure),
            Stop::Db(error) => error.into(),
        }
    }
}

impl Row {
    /// The row of the next turn.
    pub(super) fn next(
        app: &Parts,
        loaded: &Loaded,
        from: Was,
        transaction: &Transaction,
        beside: Beside,
    ) -> Result<Self, StoreError> {
        let login = transaction.login().id.clone();
        let mut texts = Vec::new();
        let sealed = match from {
            Was::New(_) => {
                texts.extend(app.journeys.to_note(loaded, app.now()));
                transactions::seal(&app.vault, transaction)?
            }
            Was::Pending | Was::Answered => transactions::seal_next(&app.vault, transaction)?,
        };
        // What follows belongs to its own text.
        let run = transaction.login().run.as_deref();
        if let Some(run) = run.filter(|run| run.main.is_some()) {
            let now = app.now();
            texts.extend(app.journeys.to_note_hash(run.instance.hash(), now));
        }
        Ok(Self {
            from,
            sealed,
            texts,
            beside,
            login,
        })
    }

    /// Writes it. What is not written is rolled back whole.
    pub(super) async fn put(&self, tx: &mut Tx, now: UnixTime) -> Result<Written, Stop> {
        let from = match &self.from {
            Was::New(device) => {
                if let Some(device) = device {
                    if !device_grants::claim(tx, device, now).await? {
                        return Err(Stop::Lost);
                    }
                } else {
                    let (begun, first_ends) = transactions::begun(tx, &self.sealed, now).await?;
                    if begun >= BEGUN_AT_ONCE {
                        let wait = first_ends.map_or(LOGIN_S, |end| end.since(now).max(1));
                        return Ok(Written::TooMany(wait));
                    }
                }
                transactions::insert(tx, &self.sealed, now).await?;
                None
            }
            Was::Pending => Some("pending"),
            Was::Answered => Some("answered"),
        };
        for text in &self.texts {
            journeys::note(tx, text, now).await?;
        }
        if let Some(from) = from {
            if !transactions::advance(tx, from, &self.sealed, now).await? {
                return Err(Stop::Lost);
            }
            requests::end(tx, &self.login).await?;
        }
        self.beside.may(tx, now).await?;
        self.beside.put(tx, now).await?;
        Ok(Written::Yes)
    }

    /// What is remembered and counted once it is written.
    pub(super) fn note(&self, app: &Parts, login: &Login) {
        if let Was::New(_) = self.from {
            tell::started(app, login);
        }
        for text in &self.texts {
            app.journeys.noted(&text.hash, app.now());
        }
    }
}

/// Writes what came of a turn. `current` is the session of the browser, if it has one.
pub async fn settle(
    app: &App,
    loaded: &Arc<Loaded>,
    (from, mut login): (Was, Login),
    arrived: Arrived,
    current: Option<Session>,
) -> Result<Done, FinishError> {
    if let (Was::Pending | Was::Answered, Some(run)) = (&from, login.run.as_deref_mut()) {
        run.turn += 1;
    }
    match arrived {
        Arrived::Page | Arrived::Browser => wait(app, loaded, from, login).await,
        Arrived::Refused(failure) => refuse(app, loaded, (from, login), failure).await,
        Arrived::Login(done) => {
            let mut again = (from.clone(), login.clone());
            // What a login that failed would have told and ended is not told and does not end.
            if let Some(run) = again.1.run.as_deref_mut() {
                run.effects.clear();
                run.abandon();
            }
            match finish::finish(app, (from, login), done, current).await {
                Err(FinishError::Failed(failure)) => refuse(app, loaded, again, failure).await,
                Err(FinishError::AlreadyOver) => Ok(Done::Lost(again.1.id)),
                other => other,
            }
        }
    }
}

async fn wait(
    app: &App,
    loaded: &Loaded,
    from: Was,
    mut login: Login,
) -> Result<Done, FinishError> {
    let before = login.clone();
    login.place.step_up_told = login.place.step_up.is_some();
    if let Some(run) = login.run.as_deref_mut() {
        waits(run, app.now());
    }
    let id = login.id.clone();
    let beside = Beside::with_ends(app, &mut login, None).await?;
    let pending = Transaction::Pending(Pending { login });
    let row = Row::next(app, loaded, from.clone(), &pending, beside)?;
    let (row, written) = match write(app, row).await {
        Err(Stop::Refused(failure)) => {
            return refuse(app, loaded, (from, undone(before)), failure).await;
        }
        written => written?,
    };
    if written == Written::Yes {
        row.note(app, &before);
        tell::steps(app, &before);
    }
    app.changes.announce(&id);
    Ok(match written {
        Written::Yes => Done::Page(id),
        Written::Lost => Done::Lost(id),
        Written::TooMany(wait) => Done::TooMany(wait),
    })
}

/// The login of a turn that is not written: nobody is told of its steps, and it does not wait.
fn undone(mut login: Login) -> Login {
    if let Some(run) = login.run.as_deref_mut() {
        run.effects.clear();
        run.waiting = None;
    }
    login
}

/// What was counted of a run is not counted again, and the step that it waits for begins.
fn waits(run: &mut Run, now: UnixTime) {
    let lines = run.instance.trace().len();
    if lines != run.counted {
        run.since = now.0;
    }
    run.counted = lines;
}

async fn refuse(
    app: &App,
    loaded: &Loaded,
    (from, mut login): (Was, Login),
    failure: Failure,
) -> Result<Done, FinishError> {
    let id = login.id.clone();
    // Who is refused leaves no passkey behind.
    if let Some(run) = login.run.as_deref_mut() {
        run.abandon();
    }
    // Nobody sees a page of it, so nothing is kept: any site can send silent requests without end.
    let matters = Beside::matters(&login);
    if matches!(from, Was::New(None)) && is_silent(&login) && !matters {
        tell::started(app, &login);
        tell::over(app, &login, failure.code(), &End::default());
        return Ok(Done::Refused(id, failure));
    }
    let trace = count::ended(app, &login, failure.code());
    let beside = Beside::with_ends(app, &mut login, trace).await?;
    let failed = Transaction::Failed(Failed {
        login: login.clone(),
        failure: failure.clone(),
    });
    let row = Row::next(app, loaded, from, &failed, beside)?;
    let (row, written) = write(app, row).await?;
    if written == Written::Yes {
        row.note(app, &login);
        tell::over(app, &login, failure.code(), &End::default());
    }
    app.changes.announce(&id);
    Ok(match written {
        Written::Yes => Done::Refused(id, failure),
        Written::Lost => Done::Lost(id),
        Written::TooMany(wait) => Done::TooMany(wait),
    })
}

/// `prompt=none`: nothing may be shown (OpenID Connect Core 1.0, section 3.1.2.1).
fn is_silent(login: &Login) -> bool {
    let asked = login.request.asked.as_ref();
    asked.is_some_and(|asked| asked.prompt.iter().any(|prompt| prompt == "none"))
}

async fn write(app: &App, row: Row) -> Result<(Arc<Row>, Written), Stop> {
    let row = Arc::new(row);
    let (again, now) = (Arc::clone(&row), app.now());
    let write = async move |tx: &mut Tx| again.put(tx, now).await;
    match app.db.write(write).await {
        Ok(written) => Ok((row, written)),
        Err(Stop::Lost) => Ok((row, Written::Lost)),
        Err(stop) => Err(stop),
    }
}

/// What comes of a card that was refused while no browser is there.
#[derive(Debug)]
pub struct Turn {
    /// What is written.
    pub transaction: Transaction,
    /// What is written with it.
    pub beside: Beside,
    /// What is counted once it is written.
    pub counted: Counted,
}

/// What is counted of a turn.
#[derive(Debug)]
pub struct Counted {
    login: Login,
    /// How the run ended, where it did.
    code: Option<String>,
}

impl Counted {
    /// It was written.
    pub fn note(&self, app: &Parts) {
        match &self.code {
            Some(code) => tell::over(app, &self.login, code, &End::default()),
            None => tell::steps(app, &self.login),
        }
    }
}

/// The step ended otherwise than well, and the browser is not here: the run is over, or waits for its
/// browser.
pub async fn refused(
    app: &Parts,
    login: &mut Login,
    outcome: Outcome,
    why: Failure,
) -> Result<Turn, RunError> {
    let loaded = super::text(app, login).await?;
    super::failed(app, login, &loaded, outcome, why)?;
    let arrived = super::drive(app, login, &loaded, None).await?;
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.turn += 1;
    if let Arrived::Refused(_) = arrived {
        run.abandon();
    }
    let before = login.clone();
    if let Arrived::Refused(failure) = arrived {
        let code = Some(failure.code().to_owned());
        let trace = count::ended(app, login, failure.code());
        let beside = Beside::of(app, login, trace).await?;
        return Ok(Turn {
            beside,
            transaction: Transaction::Failed(Failed {
                login: login.clone(),
                failure,
            }),
            counted: Counted {
                login: before,
                code,
            },
        });
    }
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    waits(run, app.now());
    Ok(Turn {
        beside: Beside::of(app, login, None).await?,
        transaction: Transaction::Pending(Pending {
            login: login.clone(),
        }),
        counted: Counted {
            login: before,
            code: None,
        },
    })
}
