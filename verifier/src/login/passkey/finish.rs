//! A login by passkey, without a journey: over at once where the passkey stands for the card, else the card
//! is asked of the same person.

use std::sync::Arc;

use vouchsafe_protocol::oidc::amr::{Amr, Done, reached};
use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::db::Tx;

use super::{Standing, put_cards, standing, still_stands};
use crate::app::{App, Parts};
use crate::config::Client;
use crate::domain::ids::SessionId;
use crate::domain::passkey::{DONE, Tapped};
use crate::domain::reason::Failure;
use crate::domain::request::{LoginRequest, StepUp};
use crate::domain::session::{Authentication, Session};
use crate::domain::transaction::{self, Failed, Login, Pending, Transaction};
use crate::login::accept::log_id;
use crate::login::code::{Told, cards_end_of, issue_code};
use crate::login::finish::{Account, FinishError, Finished, open_session, sealed, told_of};
use crate::login::known;
use crate::login::run;
use crate::numbers::tell::{self, End};
use crate::store::risk::NewLogin;
use crate::store::transactions::Sealed;
use crate::store::{StoreError, presence, requests, risk, transactions};

use super::PasskeyError;

/// What comes of a passkey.
#[derive(Debug)]
pub enum Came {
    /// Somebody is logged in.
    Finished(Finished),
    /// The card is asked, of the person whose passkey it was.
    Card,
    /// The login has failed; its page says why.
    Failed,
    /// It was over before.
    Over,
}

impl From<PasskeyError> for FinishError {
    fn from(error: PasskeyError) -> Self {
        match error {
            PasskeyError::Store(error) => Self::Store(error),
            // Nothing else comes of looking at what a passkey stands for.
            _ => Self::AlreadyOver,
        }
    }
}

/// Somebody's passkey was right. `agent` is the `User-Agent` of the browser, `current` its session.
pub async fn log_in(
    app: &App,
    mut login: Login,
    tapped: Tapped,
    agent: Option<&str>,
    current: Option<Session>,
) -> Result<Came, FinishError> {
    let query = login.request.query.clone();
    let stands = standing(app, &tapped.subject, |one| one == query.as_str()).await?;
    let signs = run::unusual(app, &mut login, &tapped.subject, agent).await?;
    let Some(stands) = stands.filter(|_| signs.is_none()) else {
        return ask_card(app, login, tapped, signs).await;
    };
    let client = app.asker(&login.request).await?;
    let client = client.ok_or(FinishError::ClientGone)?;
    let finished = Transaction::Finished(transaction::Finished {
        login: login.clone(),
    });
    let work = Work {
        app: Arc::clone(app),
        row: transactions::seal(&app.vault, &finished)?,
        request: login.request.clone(),
        login: login.clone(),
        client,
        tapped,
        stands,
        current,
        seen: sealed(app, login.place.seen.as_ref())?,
    };
    let id = login.id.clone();
    let came = match app.db.write(async move |tx| work.run(tx).await).await {
        Ok(finished) => {
            let end = End {
                channel: Some("passkey"),
                account: Some(finished.account),
                sub: finished.sub.clone(),
            };
            tell::over(app, &login, "success", &end);
            Came::Finished(finished)
        }
        Err(FinishError::AlreadyOver) => Came::Over,
        Err(FinishError::Failed(failure)) => {
            fail(app, login, failure).await?;
            Came::Failed
        }
        Err(error) => return Err(error),
    };
    app.changes.announce(&id);
    Ok(came)
}

/// The card is asked all the same: it leads to the person whose passkey it was, or nowhere.
async fn ask_card(
    app: &Parts,
    mut login: Login,
    tapped: Tapped,
    signs: Option<Vec<String>>,
) -> Result<Came, FinishError> {
    login.passkey = Some(tapped);
    login.request = LoginRequest {
        risk: signs,
        ..login.request
    };
    tracing::info!(
        login = log_id(&login.id),
        "a passkey does not stand: the card is asked"
    );
    // A login that is a step-up already is the same one, for the reason that it began with.
    let raised = login.place.step_up.is_none() && login.request.risk.is_some();
    if raised {
        login.place.step_up = Some(StepUp::Risk);
    }
    let told = login.clone();
    let row = transactions::seal(&app.vault, &Transaction::Pending(Pending { login }))?;
    let now = app.now();
    let pinned = app
        .db
        .write(async move |tx| transactions::advance(tx, "pending", &row, now).await)
        .await
        .map_err(StoreError::from)?;
    if pinned {
        tell::asked_again(app, &told, raised);
    }
    Ok(if pinned { Came::Card } else { Came::Over })
}

async fn fail(app: &Parts, login: Login, failure: Failure) -> Result<(), FinishError> {
    let (told, code) = (login.clone(), failure.code().to_owned());
    let row = transactions::seal(&app.vault, &Transaction::Failed(Failed { login, failure }))?;
    let now = app.now();
    let over = app
        .db
        .write(async move |tx| transactions::advance(tx, "pending", &row, now).await)
        .await
        .map_err(StoreError::from)?;
    if over {
        let end = End {
            channel: Some("passkey"),
            ..End::default()
        };
        tell::over(app, &told, &code, &end);
        tell::attempted(app, &told, ("passkey", "failure"), &code);
    }
    Ok(())
}

/// How somebody is authenticated by a passkey, and by what came beside it.
pub(in crate::login) fn authentication(tapped: &Tapped, beside: Option<Done>) -> Authentication {
    let mut done = vec![DONE];
    done.extend(beside);
    Authentication {
        auth_time: tapped.at,
        acr: reached(&done).map_or_else(String::new, |acr| acr.as_str().to_owned()),
        amr: Amr::compute(&done).iter().map(str::to_owned).collect(),
    }
}

struct Work {
    app: App,
    row: Sealed,
    request: LoginRequest,
    login: Login,
    client: Arc<Client>,
    tapped: Tapped,
    stands: Standing,
    current: Option<Session>,
    seen: Option<NewLogin>,
}

impl Work {
    async fn run(&self, tx: &mut Tx) -> Result<Finished, FinishError> {
        let Self {
            app,
            request,
            tapped,
            stands,
            ..
        } = self;
        let now = app.now();
        if !transactions::advance(tx, "pending", &self.row, now).await? {
            return Err(FinishError::AlreadyOver);
        }
        requests::end(tx, &self.login.id).await?;
        if !known::hold(tx, &tapped.subject).await? {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        if !still_stands(tx, tapped, stands).await? {
            return Err(FinishError::Failed(Failure::unmatched()));
        }
        let subject = &tapped.subject;
        let sub = pairwise_sub(&app.pairwise_key, &self.client.sector, subject);
        // OpenID Connect Core 1.0, section 3.1.2.1, `id_token_hint`: this person or nobody.
        if !request.expects(&sub) {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        let (current, fresh) = (self.current.as_ref(), self.fresh());
        let (session, cookie) = open_session(tx, app, request, current, fresh).await?;
        put_cards(tx, &session.id, stands, now).await?;
        let asked = (self.client.as_ref(), request);
        let told = Told {
            cards_end: Some(session.expires_at),
            ..Told::default()
        };
        let told = told_of(tx, app, asked, (Some(subject), true), told).await?;
        // No card was shown: the application learns who it is, and what rests on earlier consents.
        let request = LoginRequest {
            scope: known::kept_scope(app, &request.scope),
            ..request.clone()
        };
        let called = Some(sub.clone());
        let code = issue_code(tx, app, &request, &session, sub, told).await?;
        presence::came(tx, subject, now).await?;
        if let Some(seen) = &self.seen {
            risk::insert(tx, subject, seen, now).await?;
        }
        Ok(Finished {
            code: Some(code),
            cookie,
            account: Account::Known,
            sub: called,
        })
    }

    fn fresh(&self) -> Session {
        let app = &self.app;
        let longest = app.now().plus(app.settings.session_max_age_s);
        let ends = cards_end_of(&self.stands.cards, app.now());
        Session {
            id: SessionId::random(app.rng.as_ref()),
            subject: Some(self.tapped.subject.clone()),
            authentication: authentication(&self.tapped, None),
            query: self.stands.query.clone(),
            expires_at: ends.map_or(longest, |end| end.min(longest)),
        }
    }
}
