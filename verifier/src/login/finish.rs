//! The end of a successful login: subject, session, authorization code, in one transaction.

mod failed;

use std::sync::Arc;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::subject::{guest_sub, pairwise_sub};
use vouchsafe_service::db::{DbError, Tx};

use super::code::{Told, acr_permits, authentication, cards_end, issue_code, still_counts};
use super::{end, known, passkey, presented, resolve, verified};
use crate::app::{App, Parts};
use crate::config::Client;
use crate::domain::ids::{Secret, SessionId, SubjectId};
use crate::domain::passkey::Tapped;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::request::{Fact, Facts, LoginRequest};
use crate::domain::session::{Authentication, EndReason, Session};
use crate::domain::transaction::{Answer, Answered, Transaction, VerifiedAnswer};
use crate::journeys;
use crate::numbers::tell::{self, End};
use crate::risk::Seen;
use crate::store::risk::NewLogin;
use crate::store::transactions::Sealed;
use crate::store::{
    StoreError, account_bindings, accounts, consents, presence, risk, sessions, transactions,
};

pub use failed::fail;

/// The claim that says what the organisation calls an account.
const EXTERNAL_ID: &str = "external_id";

/// What the browser takes with it.
#[derive(Debug)]
pub struct Finished {
    /// Authorization code for the application. `None`: a card was added to an account, and no
    /// application is told anything.
    pub code: Option<Secret>,
    /// New session cookie; `None` for a guest and for a device.
    pub cookie: Option<Secret>,
    /// Whose login it was.
    pub account: Account,
    /// What the application calls the person.
    pub sub: Option<String>,
}

/// Whether a login made its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// It did.
    New,
    /// It was there before.
    Known,
    /// A guest has none.
    Nobody,
}

/// Why a login cannot be finished.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// It was finished before, by another request of the same browser.
    #[error("the login was finished before")]
    AlreadyOver,
    /// It must end without success.
    #[error("the login must not be finished")]
    Failed(Failure),
    /// The application is no longer configured.
    #[error("the application is no longer configured")]
    ClientGone,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for FinishError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// Finishes an answered login in the browser that started it. `current` is that browser's
/// session, if it has one.
pub async fn finish(
    app: &App,
    answered: Answered,
    current: Option<Session>,
) -> Result<Finished, FinishError> {
    let client = app.asker(&answered.login.request).await?;
    let client = client.ok_or(FinishError::ClientGone)?;
    let tapped = answered.login.passkey.as_ref();
    let authentication = authentication(&answered.login.request, &answered.answer, tapped);
    if !acr_permits(&answered.login.request, &authentication) {
        return fail(
            app,
            answered,
            Failure::new("unmet_authentication_requirements", Explanation::NotProven),
        )
        .await;
    }
    let seen = sealed(app, answered.login.place.seen.as_ref())?;
    let again = answered.clone();
    let (finished, answer) = answered.finish();
    let row = transactions::seal(&app.vault, &Transaction::Finished(finished.clone()))?;
    let work = Work {
        app: Arc::clone(app),
        row,
        request: finished.login.request,
        passkey: finished.login.passkey,
        answer,
        client,
        authentication,
        current,
        seen,
    };
    let outcome = app.db.write(async move |tx| work.run(tx).await).await;
    match outcome {
        Ok(done) => {
            let end = End {
                channel: Some(again.answer.channel.name()),
                account: Some(done.account),
                sub: done.sub.clone(),
            };
            tell::over(app, &again.login, "success", &end);
            app.changes.announce(&again.login.id);
            Ok(done)
        }
        Err(FinishError::Failed(failure)) => fail(app, again, failure).await,
        Err(error) => Err(error),
    }
}

/// A session answers by itself (single sign-on): only the subject goes to the application.
pub async fn from_session(
    app: &App,
    request: LoginRequest,
    session: Session,
    seen: Option<Seen>,
) -> Result<Secret, FinishError> {
    let seen = sealed(app, seen.as_ref())?;
    let asked = request.clone();
    let client = app.client(&request.client).await?;
    let client = client.ok_or(FinishError::ClientGone)?;
    let parts = Arc::clone(app);
    let session = Session {
        authentication: still_counts(session.authentication, app.now()),
        ..session
    };
    let code = app
        .db
        .write(async move |tx| {
            let subject = session.subject.clone().ok_or(FinishError::AlreadyOver)?;
            if !known::hold(tx, &subject).await? {
                return Err(FinishError::AlreadyOver);
            }
            if !sessions::is_live(tx, &session.id, parts.now()).await? {
                return Err(FinishError::AlreadyOver);
            }
            let sub = pairwise_sub(&parts.pairwise_key, &client.sector, &subject);
            // No card was shown; what comes of the session ends with it at the latest.
            let told = Told {
                cards_end: Some(session.expires_at),
                ..Told::default()
            };
            let asked = (client.as_ref(), &request);
            let told = told_of(tx, &parts, asked, (Some(&subject), true), told).await?;
            let code = issue_code(tx, &parts, &request, &session, sub, told).await?;
            if let Some(seen) = &seen {
                risk::insert_if_new(tx, &subject, seen, parts.now()).await?;
            }
            Ok(code)
        })
        .await?;
    tell::by_session(app, &asked);
    Ok(code)
}

/// What the application is told, and the organisation's own id of the account where it may have that.
pub(super) async fn told_of(
    tx: &mut Tx,
    app: &Parts,
    (client, request): (&Client, &LoginRequest),
    (subject, names_account): (Option<&SubjectId>, bool),
    mut told: Told,
) -> Result<Told, FinishError> {
    known::of_login(tx, app, request, subject, &mut told).await?;
    let subject = subject.filter(|_| names_account && client.external_id);
    if let Some(subject) = subject
        && let Some(id) = accounts::external_id(tx, &app.vault, subject).await?
    {
        told.userinfo_claims
            .insert(EXTERNAL_ID.to_owned(), id.into());
    }
    Ok(told)
}

/// What was seen of a login, ready to be counted.
pub(super) fn sealed(app: &Parts, seen: Option<&Seen>) -> Result<Option<NewLogin>, StoreError> {
    seen.map(|seen| risk::seal(&app.vault, app.ids.next().to_string(), seen))
        .transpose()
}

/// A login that succeeded counts for what is usual; a guest's is nobody's.
async fn count(
    tx: &mut Tx,
    subject: Option<&SubjectId>,
    seen: Option<&NewLogin>,
    now: UnixTime,
) -> Result<(), DbError> {
    let Some(subject) = subject else {
        return Ok(());
    };
    presence::came(tx, subject, now).await?;
    match seen {
        Some(seen) => risk::insert(tx, subject, seen, now).await,
        None => Ok(()),
    }
}

struct Work {
    app: App,
    row: Sealed,
    request: LoginRequest,
    passkey: Option<Tapped>,
    answer: Answer,
    client: Arc<Client>,
    authentication: Authentication,
    current: Option<Session>,
    seen: Option<NewLogin>,
}

impl Work {
    async fn run(&self, tx: &mut Tx) -> Result<Finished, FinishError> {
        let Self {
            app,
            row,
            request,
            passkey: tapped,
            answer,
            client,
            authentication: _,
            current: _,
            seen,
        } = self;
        if !transactions::advance(tx, "answered", row, app.now()).await? {
            return Err(FinishError::AlreadyOver);
        }
        if let Some(linking) = request.linking() {
            let current = self.current.as_ref();
            resolve::link(tx, app, linking, current, &answer.evidence).await?;
            return Ok(Finished {
                code: None,
                cookie: None,
                account: Account::Known,
                sub: None,
            });
        }
        let (subject, account) = resolve::account(tx, app, &answer.evidence).await?;
        // Whose passkey it was is who shows the card (login.md, section 2, point 5).
        let other = |tapped: &Tapped| Some(&tapped.subject) != subject.as_ref();
        if tapped.as_ref().is_some_and(other) {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        if let Some(tapped) = tapped
            && !passkey::still_leads(tx, tapped).await?
        {
            return Err(FinishError::Failed(Failure::unmatched()));
        }
        let question = request.answers();
        passkey::note_cards(tx, app, subject.as_ref(), (&question, answer)).await?;
        let sub = match &subject {
            Some(subject) => pairwise_sub(&app.pairwise_key, &client.sector, subject),
            None => guest_sub(app.rng.as_ref()),
        };
        // OpenID Connect Core 1.0, section 3.1.2.1, `id_token_hint`: this person or nobody.
        if !request.expects(&sub) {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        // The account is held; what was agreed to comes next, then the session.
        if !consents::attach(tx, &app.vault, &answer.consent, subject.as_ref(), app.now()).await? {
            return Err(FinishError::Failed(Failure::withdrawn()));
        }
        if let Some(subject) = &subject {
            let agreed = (&request.client, request.query.as_str());
            let bound = journeys::kept(&app.binding_key, subject, &answer.bound);
            account_bindings::put(tx, subject, agreed, &bound, app.now()).await?;
        }
        let (session, cookie) = self.session(tx, subject).await?;
        consents::rest(tx, &answer.consent, &session.id).await?;
        sessions::put_cards(tx, &session.id, &answer.cards, answer.answered_at).await?;
        // The account is called only what was told when they agreed.
        let whose = (session.subject.as_ref(), answer.external_id);
        let asked = (client.as_ref(), request);
        let told = told_of(tx, app, asked, whose, self.told()).await?;
        let called = Some(sub.clone());
        let code = issue_code(tx, app, request, &session, sub, told).await?;
        count(tx, session.subject.as_ref(), seen.as_ref(), app.now()).await?;
        Ok(Finished {
            code: Some(code),
            cookie,
            account,
            sub: called,
        })
    }

    /// The session of this login. A guest's has no cookie; a person's gets a new one at every
    /// login (catalogue 365).
    async fn session(
        &self,
        tx: &mut Tx,
        subject: Option<SubjectId>,
    ) -> Result<(Session, Option<Secret>), FinishError> {
        let app = &self.app;
        let now = app.now();
        // A session lasts no longer than the cards that it rests on.
        let longest = now.plus(app.settings.session_max_age_s);
        let expires_at = cards_end(&self.answer).map_or(longest, |end| end.min(longest));
        let fresh = Session {
            id: SessionId::random(app.rng.as_ref()),
            subject,
            authentication: self.authentication.clone(),
            query: self.request.answers(),
            expires_at,
        };
        open_session(tx, app, &self.request, self.current.as_ref(), fresh).await
    }

    fn told(&self) -> Told {
        let Facts { userinfo, id_token } = &self.request.facts;
        let mut userinfo_claims = Fact::choose(userinfo, &self.answer.claims);
        let mut id_token_claims = Fact::choose(id_token, &self.answer.claims);
        let of_cards = presented::claim(&self.request, &self.answer.presented);
        userinfo_claims.extend(of_cards.userinfo);
        id_token_claims.extend(of_cards.id_token);
        let VerifiedAnswer { userinfo, id_token } = self.answer.verified.clone();
        userinfo_claims.extend(verified::claim(userinfo));
        id_token_claims.extend(verified::claim(id_token));
        Told {
            id_token_claims,
            userinfo_claims,
            approved: self.answer.approved.clone(),
            cards_end: cards_end(&self.answer),
            ..Told::default()
        }
    }
}

/// Opens the session of a login, or renews that of the same person. One of somebody else is an error
/// unless the application lets people switch. `current` is that of the browser, if it has one.
pub(super) async fn open_session(
    tx: &mut Tx,
    app: &Parts,
    request: &LoginRequest,
    current: Option<&Session>,
    fresh: Session,
) -> Result<(Session, Option<Secret>), FinishError> {
    let (now, subject) = (app.now(), &fresh.subject);
    // Nor has that of a device: the browser here is not where the person is logged in.
    if subject.is_none() || request.device().is_some() {
        sessions::insert(tx, &fresh, None, now).await?;
        return Ok((fresh, None));
    }
    let cookie = Secret::random(app.rng.as_ref());
    if let Some(current) = current.filter(|current| current.subject.is_some()) {
        if current.subject == *subject {
            let renewed = Session {
                id: current.id.clone(),
                ..fresh.clone()
            };
            if sessions::renew(tx, &renewed, &cookie.digest()).await? {
                return Ok((renewed, Some(cookie)));
            }
        } else if request.may_switch_account {
            let (settings, rng) = (&app.settings, app.rng.as_ref());
            end::end_in(tx, settings, rng, &current.id, EndReason::Replaced, now).await?;
        } else {
            // login.md, section 2, point 5: an error, never a silent switch.
            return Err(FinishError::Failed(Failure::other_account()));
        }
    }
    sessions::insert(tx, &fresh, Some(&cookie.digest()), now).await?;
    Ok((fresh, Some(cookie)))
}
