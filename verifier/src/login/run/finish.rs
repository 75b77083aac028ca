//! The end of a run that is a login: whose it is, its session, the authorization code, in one
//! transaction. Level and methods are what the run computed.

mod agreed;
mod tapped;
mod told;
mod vouched;

use std::sync::Arc;

use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::amr::{Amr, Done as Method, reached};
use vouchsafe_protocol::oidc::subject::{guest_sub, pairwise_sub};
use vouchsafe_service::db::Tx;

use super::settle::{Done, Row, Was, Written};
use super::{Beside, RunError, agree, count, say, taps};
use crate::app::App;
use crate::config::Client;
use crate::domain::ids::{QueryId, SessionId, SubjectId};
use crate::domain::passkey::{DONE, Tapped};
use crate::domain::reason::Failure;
use crate::domain::request::{LoginRequest, OPENID};
use crate::domain::run::{Run, Shown};
use crate::domain::session::{Authentication, Session};
use crate::domain::transaction::{self, Login, Transaction};
use crate::journey;
use crate::login::code::issue_code;
use crate::login::finish::{Account, FinishError, Finished, open_session, sealed};
use crate::login::passkey::{self, Standing};
use crate::login::{known, resolve};
use crate::numbers::tell::{self, End};
use crate::store::risk::NewLogin;
use crate::store::{consents, presence, risk, sessions};

/// Finishes a run in the browser that began it.
pub(super) async fn finish(
    app: &App,
    (from, mut login): (Was, Login),
    done: journey::Login,
    current: Option<Session>,
) -> Result<Done, FinishError> {
    let client = app.asker(&login.request).await?;
    let client = client.ok_or(FinishError::ClientGone)?;
    // What followed has a text of its own, which says nothing about the login.
    let loaded = super::text(app, &login).await.map_err(over)?;
    let loaded = loaded.as_ref();
    let seen = sealed(app, login.place.seen.as_ref())?;
    let run = login.run.as_deref().cloned();
    let run = run.ok_or(FinishError::AlreadyOver)?;
    let passkey = match login.passkey.clone() {
        // The card that was shown stands for itself.
        Some(tapped) if run.person().is_some() || run.upstream.is_some() => Some((tapped, None)),
        Some(tapped) => {
            let standing = taps::standing(app, loaded, &tapped).await;
            Some((tapped, standing.map_err(over)?))
        }
        None => None,
    };
    let claims = super::claims(app, &login, loaded);
    // Of a run that was over at once nobody saw the reference.
    let waited = !matches!(from, Was::New(_));
    let trace = count::ended(app, &login, "success").filter(|_| waited);
    let beside = Beside::at_end(app, &mut login, trace).await?;
    let finished = Transaction::Finished(transaction::Finished {
        login: login.clone(),
    });
    let row = Arc::new(Row::next(app, loaded, from, &finished, beside)?);
    let records = agree::sealed(app, &login)?;
    let agreed = !records.is_empty();
    let work = Work {
        app: Arc::clone(app),
        row: Arc::clone(&row),
        request: login.request.clone(),
        began: login.started_at,
        records,
        withheld: loaded.asks_consent() && run.agreed.is_none(),
        passkey,
        run,
        done,
        claims,
        client,
        current,
        seen,
    };
    let finished = app.db.write(async move |tx| work.run(tx).await).await?;
    let finished = match finished {
        Ended::Finished(finished) => finished,
        // Nothing was written.
        Ended::TooMany(wait) => return Ok(Done::TooMany(wait)),
    };
    row.note(app, &login);
    let end = End {
        channel: None,
        account: Some(finished.account),
        sub: finished.sub.clone(),
    };
    tell::over(app, &login, "success", &end);
    if agreed {
        tell::consent(app, &login, "granted");
    }
    app.changes.announce(&login.id);
    Ok(Done::Finished(Box::new(finished)))
}

fn over(error: RunError) -> FinishError {
    match error {
        RunError::Store(error) => FinishError::Store(error),
        RunError::Gone | RunError::Instance(_) => FinishError::AlreadyOver,
    }
}

enum Ended {
    Finished(Finished),
    TooMany(i64),
}

struct Work {
    app: App,
    row: Arc<Row>,
    request: LoginRequest,
    began: UnixTime,
    /// What is recorded of steps that asked for consent.
    records: Vec<consents::Sealed>,
    /// The journey asks for consent, and nobody gave it: nothing is told but who it is.
    withheld: bool,
    passkey: Option<(Tapped, Option<Standing>)>,
    run: Run,
    done: journey::Login,
    claims: Map<String, Value>,
    client: Arc<Client>,
    current: Option<Session>,
    seen: Option<NewLogin>,
}

impl Work {
    async fn run(&self, tx: &mut Tx) -> Result<Ended, FinishError> {
        match self.row.put(tx, self.app.now()).await? {
            Written::Yes => {}
            Written::Lost => return Err(FinishError::AlreadyOver),
            Written::TooMany(wait) => return Ok(Ended::TooMany(wait)),
        }
        let run = &self.run;
        let finished = match (run.person(), &run.upstream, &run.pinned) {
            (Some(person), _, _) => self.of_person(tx, person).await?,
            (None, Some(vouched), _) => self.of_vouched(tx, vouched).await?,
            (None, None, Some(pinned)) => match &self.passkey {
                Some((tapped, standing)) => self.of_passkey(tx, tapped, standing.as_ref()).await?,
                None => self.of_session(tx, pinned).await?,
            },
            // A code proves nothing about whose login it is: nobody in particular shows a card.
            (None, None, None) if run.shown.is_empty() => {
                return Err(FinishError::Failed(Failure::not_authenticated()));
            }
            (None, None, None) => self.of_guest(tx).await?,
        };
        Ok(Ended::Finished(finished))
    }

    /// The code of this run, as a method.
    fn code(&self) -> Option<Method> {
        self.run.coded.as_ref().map(|_| Method::OneTimeCode)
    }

    /// A card leads to the account.
    async fn of_person(&self, tx: &mut Tx, person: &Shown) -> Result<Finished, FinishError> {
        let Self {
            app, request, run, ..
        } = self;
        let (subject, account) = resolve::account(tx, app, &person.answer.evidence).await?;
        // Two first logins at once may have made two people of one.
        if run.pinned.is_some() && run.pinned != subject {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        self.agreed(tx, subject.as_ref()).await?;
        // A passkey that was removed meanwhile counts for nothing beside the card either.
        if let Some((tapped, _)) = &self.passkey
            && !passkey::still_leads(tx, tapped).await?
        {
            return Err(FinishError::Failed(Failure::unmatched()));
        }
        self.session_holds(tx).await?;
        for shown in &run.shown {
            let query = QueryId::from_text(shown.question.clone());
            let shown = (&query, &shown.answer);
            passkey::note_cards(tx, app, subject.as_ref(), shown).await?;
        }
        let linked = self.link(tx, subject.as_ref()).await?;
        self.keep(tx, subject.as_ref()).await?;
        let owner = subject.clone();
        let fresh = self.fresh(subject, QueryId::from_text(person.question.clone()));
        let current = self.current.as_ref();
        let (session, cookie) = open_session(tx, app, request, current, fresh).await?;
        let finished = self.tell(tx, session, cookie).await?;
        if let Some(means) = &linked {
            self.note_link(tx, means, owner.as_ref()).await?;
        }
        Ok(Finished {
            account,
            ..finished
        })
    }

    /// A session that stood for a step counts for nothing once it has ended.
    async fn session_holds(&self, tx: &mut Tx) -> Result<(), FinishError> {
        let session = self.run.session.as_ref();
        let Some(session) = session.filter(|_| self.run.instance.used_session()) else {
            return Ok(());
        };
        // Held until the end: nobody ends it between this look and the session that follows it.
        match sessions::hold(tx, session, self.app.now()).await? {
            Some(_) => Ok(()),
            None => Err(FinishError::Failed(Failure::other_account())),
        }
    }

    /// Nobody in particular showed a card.
    async fn of_guest(&self, tx: &mut Tx) -> Result<Finished, FinishError> {
        self.agreed(tx, None).await?;
        let fresh = self.fresh(None, self.request.query.clone());
        sessions::insert(tx, &fresh, None, self.app.now()).await?;
        self.tell(tx, fresh, None).await
    }

    /// The session stands for every step. No card was shown: where no step asked for consent, nothing was
    /// agreed to, and the application learns who it is and nothing else.
    async fn of_session(&self, tx: &mut Tx, pinned: &SubjectId) -> Result<Finished, FinishError> {
        let Self { app, run, .. } = self;
        let mine = |session: &&Session| {
            session.subject.as_ref() == Some(pinned) && Some(&session.id) == run.session.as_ref()
        };
        let session = self.current.as_ref().filter(mine);
        let session = session.ok_or_else(|| FinishError::Failed(Failure::other_account()))?;
        if !known::hold(tx, pinned).await? {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        self.agreed(tx, Some(pinned)).await?;
        self.rest(tx, &session.id).await?;
        if sessions::hold(tx, &session.id, app.now()).await?.is_none() {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        let session = Session {
            authentication: self.authentication(),
            ..session.clone()
        };
        let told = self.agreed_to(&session);
        let request = LoginRequest {
            scope: self.scope(|scope| scope == OPENID),
            ..self.request.clone()
        };
        let sub = pairwise_sub(&app.pairwise_key, &self.client.sector, pinned);
        if !request.expects(&sub) {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        let told = self.told_about(tx, Some(pinned), told).await?;
        say::keep(tx, app, run, Some(pinned)).await?;
        let called = Some(sub.clone());
        let code = issue_code(tx, app, &request, &session, sub, told).await?;
        if let Some(seen) = &self.seen {
            risk::insert_if_new(tx, pinned, seen, app.now()).await?;
        }
        Ok(Finished {
            code: Some(code),
            cookie: None,
            account: Account::Known,
            sub: called,
        })
    }

    /// What the application gets of a login with cards.
    async fn tell(
        &self,
        tx: &mut Tx,
        session: Session,
        cookie: Option<crate::domain::ids::Secret>,
    ) -> Result<Finished, FinishError> {
        let Self {
            app, request, run, ..
        } = self;
        let subject = session.subject.as_ref();
        let sub = match subject {
            Some(subject) => pairwise_sub(&app.pairwise_key, &self.client.sector, subject),
            None => guest_sub(app.rng.as_ref()),
        };
        if !request.expects(&sub) {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        self.rest(tx, &session.id).await?;
        for shown in &run.shown {
            let answer = &shown.answer;
            consents::rest(tx, &answer.consent, &session.id).await?;
            sessions::put_cards(tx, &session.id, &answer.cards, answer.answered_at).await?;
        }
        let told = self.told_about(tx, subject, self.told()).await?;
        let request = LoginRequest {
            scope: self.granted(),
            ..request.clone()
        };
        say::keep(tx, app, run, subject).await?;
        let called = Some(sub.clone());
        let code = issue_code(tx, app, &request, &session, sub, told).await?;
        if let Some(subject) = subject {
            presence::came(tx, subject, app.now()).await?;
        }
        if let (Some(subject), Some(seen)) = (subject, &self.seen) {
            risk::insert(tx, subject, seen, app.now()).await?;
        }
        Ok(Finished {
            code: Some(code),
            cookie,
            account: Account::Nobody,
            sub: called,
        })
    }

    fn fresh(&self, subject: Option<SubjectId>, query: QueryId) -> Session {
        let app = &self.app;
        let longest = app.now().plus(app.settings.session_max_age_s);
        let ends = self.told().cards_end;
        Session {
            id: SessionId::random(app.rng.as_ref()),
            subject,
            authentication: self.authentication(),
            query,
            expires_at: ends.map_or(longest, |end| end.min(longest)),
        }
    }

    /// Whether more counted than a passkey, another provider, a code of this run and the risk.
    fn beyond_its_own(&self) -> bool {
        let mut own = Vec::new();
        own.extend(self.passkey.as_ref().map(|_| DONE));
        own.extend(self.run.upstream.as_ref().map(|_| Method::Upstream));
        own.extend(self.code());
        let methods = Amr::compute(&own);
        let more = |method: &String| method != "rba" && !methods.iter().any(|one| one == method);
        reached(&own).is_none_or(|acr| acr.as_str() != self.done.acr)
            || self.done.amr.iter().any(more)
    }

    fn authentication(&self) -> Authentication {
        let now = self.app.now();
        let shown = self.run.last().map(|answer| answer.answered_at);
        let of_session = self.run.facts.session.as_ref();
        // The age is that of the time at which it was looked at.
        let at = UnixTime(self.run.facts.now);
        let of_session = of_session.map(|session| at.plus(-session.age_s));
        let tapped = self.passkey.as_ref().map(|(tapped, _)| tapped.at);
        let vouched = self.run.upstream.as_ref().map(|vouched| vouched.at);
        let tapped = tapped.into_iter().chain(vouched).min();
        // Beside a session that counted, the login is as old as that.
        let older = of_session.filter(|_| self.beyond_its_own());
        let tapped = tapped.map(|at| older.map_or(at, |older| at.min(older)));
        let mut amr = self.done.amr.clone();
        // A session did not count because of the risk.
        if self.request.risk.is_some() && !amr.iter().any(|method| method == "rba") {
            amr.push("rba".to_owned());
            amr.sort();
        }
        Authentication {
            auth_time: shown.or(tapped).or(of_session).unwrap_or(now),
            acr: self.done.acr.clone(),
            amr,
        }
    }
}
