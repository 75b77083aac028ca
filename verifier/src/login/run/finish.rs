//! The end of a run that is a login: whose it is, its session, the authorization code, in one
//! transaction. Level and methods are what the run computed.

mod agreed;
mod tapped;

use std::sync::Arc;

use serde_json::{Map, Value};
use vouchsafe_protocol::oidc::amr::{Amr, reached};
use vouchsafe_protocol::oidc::subject::{guest_sub, pairwise_sub};
use vouchsafe_service::db::Tx;

use super::settle::{Done, Row, Was, Written};
use super::{Beside, RunError, agree, count, taps};
use crate::app::App;
use crate::config::Client;
use crate::domain::ids::{QueryId, SessionId, SubjectId};
use crate::domain::passkey::{DONE, Tapped};
use crate::domain::reason::Failure;
use crate::domain::request::{Fact, Facts, LoginRequest, OFFLINE_ACCESS, OPENID};
use crate::domain::run::{Run, Shown};
use crate::domain::session::{Authentication, Session};
use crate::domain::transaction::{self, Login, Transaction};
use crate::journey;
use crate::journeys::{Bindings, Loaded};
use crate::login::code::{Told, cards_end, issue_code};
use crate::login::finish::{Account, FinishError, Finished, open_session, sealed, told_of};
use crate::login::passkey::{self, Standing};
use crate::login::resolve;
use crate::numbers::tell::{self, End};
use crate::store::risk::NewLogin;
use crate::store::{consents, risk, sessions, subjects};

/// Finishes a run in the browser that began it.
pub(super) async fn finish(
    app: &App,
    loaded: &Loaded,
    (from, mut login): (Was, Login),
    done: journey::Login,
    current: Option<Session>,
) -> Result<Done, FinishError> {
    let client = app.asker(&login.request).await?;
    let client = client.ok_or(FinishError::ClientGone)?;
    let seen = sealed(app, login.place.seen.as_ref())?;
    let run = login.run.as_deref().cloned();
    let run = run.ok_or(FinishError::AlreadyOver)?;
    let bindings = Bindings(&app.binding_key);
    let passkey = match login.passkey.clone() {
        // The card that was shown stands for itself.
        Some(tapped) if run.person().is_some() => Some((tapped, None)),
        Some(tapped) => {
            let standing = taps::standing(app, loaded, &tapped).await;
            let standing = standing.map_err(|error| match error {
                RunError::Store(error) => FinishError::Store(error),
                RunError::Gone | RunError::Instance(_) => FinishError::AlreadyOver,
            })?;
            Some((tapped, standing))
        }
        None => None,
    };
    let claims = (run.instance).claims(&loaded.journey, &run.facts, &bindings);
    // Of a run that was over at once nobody saw the reference.
    let waited = !matches!(from, Was::New(_));
    let trace = count::ended(app, &login, "success").filter(|_| waited);
    let beside = Beside::with_ends(app, &mut login, trace).await?;
    let finished = Transaction::Finished(transaction::Finished {
        login: login.clone(),
    });
    let row = Arc::new(Row::next(app, loaded, from, &finished, beside)?);
    let work = Work {
        app: Arc::clone(app),
        row: Arc::clone(&row),
        request: login.request.clone(),
        record: agree::sealed(app, &login)?,
        withheld: loaded.asks_consent() && run.agreed.is_none(),
        passkey,
        run,
        done,
        claims: claims.unwrap_or_default(),
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
    app.changes.announce(&login.id);
    Ok(Done::Finished(Box::new(finished)))
}

enum Ended {
    Finished(Finished),
    TooMany(i64),
}

struct Work {
    app: App,
    row: Arc<Row>,
    request: LoginRequest,
    /// What is recorded of a step that asked for consent.
    record: Option<consents::Sealed>,
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
        let finished = match (self.run.person(), &self.run.pinned) {
            (Some(person), _) => self.of_person(tx, person).await?,
            (None, Some(pinned)) => match &self.passkey {
                Some((tapped, standing)) => self.of_passkey(tx, tapped, standing.as_ref()).await?,
                None => self.of_session(tx, pinned).await?,
            },
            // A code proves nothing about whose login it is: nobody in particular shows a card.
            (None, None) if self.run.shown.is_empty() => {
                return Err(FinishError::Failed(Failure::not_authenticated()));
            }
            (None, None) => self.of_guest(tx).await?,
        };
        Ok(Ended::Finished(finished))
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
        if let Some(subject) = &subject {
            subjects::hold(tx, subject).await?;
        }
        self.agreed(tx, subject.as_ref()).await?;
        // A passkey that was removed meanwhile counts for nothing beside the card either.
        if let Some((tapped, _)) = &self.passkey
            && !passkey::still_leads(tx, tapped).await?
        {
            return Err(FinishError::Failed(Failure::unmatched()));
        }
        for shown in &run.shown {
            let query = QueryId::from_text(shown.question.clone());
            let shown = (&query, &shown.answer);
            passkey::note_cards(tx, app, subject.as_ref(), shown).await?;
        }
        let fresh = self.fresh(subject, QueryId::from_text(person.question.clone()));
        let current = self.current.as_ref();
        let (session, cookie) = open_session(tx, app, request, current, fresh).await?;
        let finished = self.tell(tx, session, cookie).await?;
        Ok(Finished {
            account,
            ..finished
        })
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
        subjects::hold(tx, pinned).await?;
        self.agreed(tx, Some(pinned)).await?;
        self.rest(tx, &session.id).await?;
        if !sessions::is_live(tx, &session.id, app.now()).await? {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        let session = Session {
            authentication: self.authentication(),
            ..session.clone()
        };
        let told = self.agreed_to(&session);
        let request = LoginRequest {
            scope: OPENID.to_owned(),
            ..self.request.clone()
        };
        let sub = pairwise_sub(&app.pairwise_key, &self.client.sector, pinned);
        if !request.expects(&sub) {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        let named = Some(pinned).filter(|_| self.names_account());
        let told = told_of(tx, app, &self.client, named, told).await?;
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
        let named = subject.filter(|_| self.names_account());
        let told = told_of(tx, app, &self.client, named, self.told()).await?;
        let request = LoginRequest {
            scope: self.granted(),
            ..request.clone()
        };
        let called = Some(sub.clone());
        let code = issue_code(tx, app, &request, &session, sub, told).await?;
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

    /// The scope of a login with cards: that of a question which was not answered in this run is not
    /// granted, and the application hears so (RFC 6749, sections 3.3 and 5.1).
    fn granted(&self) -> String {
        let Self { request, run, .. } = self;
        if self.withheld {
            return OPENID.to_owned();
        }
        let answered = |shown: &Shown| shown.question == request.query.as_str();
        if run.shown.iter().any(answered) {
            return request.scope.clone();
        }
        let mut scope: Vec<&str> = request.scope.split(' ').collect();
        scope.retain(|scope| [OPENID, OFFLINE_ACCESS].contains(scope));
        scope.join(" ")
    }

    /// Whether the person was told that the application learns the organisation's own id of the account.
    /// A session that stands for every step of a journey without consent tells it as without a journey.
    fn names_account(&self) -> bool {
        let mut cards = self.run.shown.iter();
        match &self.run.agreed {
            Some(agreed) => agreed.external_id,
            None if self.run.shown.is_empty() => !self.withheld,
            None => !self.withheld && cards.any(|shown| shown.answer.external_id),
        }
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

    /// Whether more counted than a passkey and the risk.
    fn beyond_the_tap(&self) -> bool {
        let tap = [DONE];
        let of_tap = Amr::compute(&tap);
        let more = |method: &String| method != "rba" && !of_tap.iter().any(|one| one == method);
        reached(&tap).is_none_or(|acr| acr.as_str() != self.done.acr)
            || self.done.amr.iter().any(more)
    }

    fn authentication(&self) -> Authentication {
        let now = self.app.now();
        let shown = self.run.last().map(|answer| answer.answered_at);
        let of_session = self.run.facts.session.as_ref();
        let of_session = of_session.map(|session| now.plus(-session.age_s));
        let tapped = self.passkey.as_ref().map(|(tapped, _)| tapped.at);
        // Beside a session that counted, the login is as old as that.
        let older = of_session.filter(|_| self.beyond_the_tap());
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

    fn told(&self) -> Told {
        let Facts { userinfo, id_token } = &self.request.facts;
        let mut all = Map::new();
        for shown in &self.run.shown {
            all.extend(shown.answer.claims.clone());
        }
        let mut id_token_claims = Fact::choose(id_token, &all);
        let mut userinfo_claims = Fact::choose(userinfo, &all);
        id_token_claims.extend(self.claims.clone());
        userinfo_claims.extend(self.claims.clone());
        let ends = self.run.shown.iter();
        let ends = ends.filter_map(|shown| cards_end(&shown.answer));
        let agreed = self.run.agreed.iter().filter_map(|agreed| agreed.until);
        let cards_end = ends.chain(agreed).min();
        // Each was for the one transaction of the request.
        let mut approved = self.run.shown.iter().rev();
        let approved = approved.find_map(|shown| shown.answer.approved.clone());
        if self.withheld {
            return Told {
                approved,
                cards_end,
                ..Told::default()
            };
        }
        Told {
            id_token_claims,
            userinfo_claims,
            approved,
            cards_end,
        }
    }
}
