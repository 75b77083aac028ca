//! What is written with a turn of a run: its trace where it is over, and what its steps tell and end.
//! It happens if the turn is written, and else not at all.

use serde_json::{Value, json};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::pushed;

use crate::app::{App, Parts};
use crate::domain::account_notice::{Notice, NoticeKind};
use crate::domain::ids::{MeansId, SessionId, SubjectId, TransactionId};
use crate::domain::reason::Failure;
use crate::domain::run::Effect;
use crate::domain::session::EndReason;
use crate::domain::transaction::Login;
use crate::journeys::told::{self, Message};
use crate::login::accept::log_id;
use crate::login::end;
use crate::login::run::newkey::Registers;
use crate::login::run::settle::Stop;
use crate::store::journey_holds::{self, Hold};
use crate::store::journeys::Trace;
use crate::store::{
    StoreError, authenticators, journeys, notices, refresh_grants, sessions, subjects,
};

/// The event of a step that tells its person on all channels.
const NOTIFY: &str = "journey.notify";

/// What is written with a turn.
#[derive(Debug, Default)]
pub struct Beside {
    trace: Option<Trace>,
    /// Whose account it is that is told of something.
    subject: Option<SubjectId>,
    notices: Vec<Notice>,
    messages: Vec<Message>,
    ends: Option<Ends>,
    /// The session that alone says whose account it is: nothing is told or ended once it is over.
    rests_on: Option<SessionId>,
    holds: Option<Hold>,
    resumes: Option<TransactionId>,
    closes: Option<TransactionId>,
    registers: Option<Registers>,
    /// The app whose code the run counts, and whose it must still be.
    coded: Option<(SubjectId, MeansId)>,
    /// The pushed request that is used up, because the run begins to wait.
    spends: Option<String>,
}

/// What ends.
#[derive(Debug)]
struct Ends {
    app: App,
    login: TransactionId,
    subject: SubjectId,
    /// The session that the run itself rests on.
    but: Option<SessionId>,
    /// What began before the run.
    before: UnixTime,
    /// The passkey that was made in the run.
    keeps: Option<MeansId>,
    what: Vec<String>,
}

impl Beside {
    /// Takes what the steps of this turn did.
    pub(super) async fn of(
        app: &Parts,
        login: &mut Login,
        trace: Option<Trace>,
    ) -> Result<Self, StoreError> {
        let Some(run) = login.run.as_deref_mut() else {
            return Ok(Self::default());
        };
        let effects = run.take_effects();
        let begins = run.waiting.as_mut().filter(|waiting| waiting.begins);
        let until = begins.map(|waiting| {
            waiting.begins = false;
            waiting.until
        });
        let hold = until
            .zip(run.pinned.clone())
            .map(|(ends_at, subject)| Hold {
                login: login.id.clone(),
                subject,
                client: login.request.client.clone(),
                ends_at,
            });
        // RFC 9126, sections 2.2 and 7.3: a pushed request lives for minutes and brings one code. That is the one
        // of the run that waits.
        let spends = until.and_then(|_| login.request.pushed.take());
        login.request.spent |= spends.is_some();
        let resumes = std::mem::take(&mut run.resumes);
        let closes = std::mem::take(&mut run.closes);
        let mut beside = Self {
            trace,
            holds: hold,
            resumes: resumes.then(|| login.id.clone()),
            closes: closes.then(|| login.id.clone()),
            spends,
            ..Self::default()
        };
        if effects.is_empty() || run.pinned.is_none() {
            return Ok(beside);
        }
        beside.subject.clone_from(&run.pinned);
        beside.rests_on = run.rests_on().cloned();
        let sub = sub(app, login).await?;
        for effect in &effects {
            beside.notices.extend(notice(app, login, effect));
            let data = data(app, login, effect, sub.as_deref());
            let named = effect.emit.iter().map(String::as_str);
            let events = named.chain(effect.all_channels.then_some(NOTIFY));
            beside
                .messages
                .extend(events.filter_map(|event| told::message(app, event, data.clone())));
        }
        Ok(beside)
    }

    /// The same, with what ends.
    pub(super) async fn with_ends(
        app: &App,
        login: &mut Login,
        trace: Option<Trace>,
    ) -> Result<Self, StoreError> {
        let ends = ends(app, login);
        let takes_app = ends.as_ref().is_some_and(Ends::ends_passkeys);
        let coded = takes_app.then(|| coded(login, true)).flatten();
        Ok(Self {
            ends,
            coded,
            ..Self::of(app, login, trace).await?
        })
    }

    /// The same at the end of a login, with the passkey that was made in it.
    pub(super) async fn at_end(
        app: &App,
        login: &mut Login,
        trace: Option<Trace>,
    ) -> Result<Self, StoreError> {
        let registers = Registers::of(app, login);
        let beside = Self::with_ends(app, login, trace).await?;
        let coded = beside.coded.clone().or_else(|| coded(login, false));
        Ok(Self {
            registers,
            coded,
            ..beside
        })
    }

    /// Whether anything but a trace is written.
    pub(super) fn matters(login: &Login) -> bool {
        let run = login.run.as_deref();
        run.is_some_and(|run| !run.effects.is_empty())
    }

    /// Whether the turn may be written: a run that waited goes on once, and not after it was cancelled; one that
    /// begins to wait uses its pushed request up. Of several that end the means of one account each comes after
    /// the other. It comes after the row of the login, as everything that is held here.
    pub(super) async fn may(&self, tx: &mut Tx, now: UnixTime) -> Result<(), Stop> {
        if let Some(ends) = &self.ends {
            subjects::hold(tx, &ends.subject).await?;
        }
        // A code counts as long as the app is that of the account: whoever removed it may have lost it. The
        // account is held, as whoever removes it does.
        if let Some((subject, app)) = &self.coded
            && !(subjects::hold(tx, subject).await?
                && authenticators::is_of(tx, app, subject).await?)
        {
            return Err(Stop::Refused(Failure::unmatched()));
        }
        if let Some(registers) = &self.registers {
            let goes = self.ends.as_ref().is_some_and(Ends::ends_passkeys);
            if let Some(why) = registers.refused(tx, (goes, now)).await? {
                return Err(Stop::Refused(why));
            }
        }
        if let Some(spends) = &self.spends {
            // The account first, as everywhere.
            if let Some(subject) = &self.subject {
                subjects::hold(tx, subject).await?;
            }
            if !pushed::use_up(tx, spends, now).await? {
                return Err(Stop::Refused(Failure::request_used()));
            }
        }
        match &self.resumes {
            Some(login) if !journey_holds::resume(tx, login, now).await? => Err(Stop::Lost),
            _ => Ok(()),
        }
    }

    /// Writes it.
    pub async fn put(&self, tx: &mut Tx, now: UnixTime) -> Result<(), DbError> {
        if let Some(trace) = &self.trace {
            journeys::insert_trace(tx, trace).await?;
        }
        // The account first, as everywhere; of one that was deleted nothing is written any more.
        if let Some(subject) = &self.subject
            && !subjects::hold(tx, subject).await?
        {
            return Ok(());
        }
        if let Some(registers) = &self.registers {
            registers.put(tx, now).await?;
        }
        if let Some(ends) = &self.ends {
            ends.hold(tx, now).await?;
        }
        if let Some(session) = &self.rests_on
            && sessions::hold(tx, session, now).await?.is_none()
        {
            return Ok(());
        }
        if let Some(login) = &self.closes {
            journey_holds::remove(tx, login).await?;
        }
        if let Some(hold) = &self.holds {
            journey_holds::put(tx, hold).await?;
        }
        for notice in &self.notices {
            notices::insert(tx, notice).await?;
        }
        for message in &self.messages {
            message.publish(tx, now).await?;
        }
        if let Some(ends) = &self.ends {
            ends.put(tx, now).await?;
        }
        match &self.registers {
            Some(registers) => registers.audit(tx, now).await,
            None => Ok(()),
        }
    }
}

fn notice(app: &Parts, login: &Login, effect: &Effect) -> Option<Notice> {
    let run = login.run.as_deref()?;
    let subject = run.pinned.clone().filter(|_| effect.tells_person)?;
    Some(Notice {
        id: app.ids.next_text(),
        subject,
        kind: effect.kind,
        client: login.request.client.clone(),
        reference: log_id(&login.id).to_owned(),
        told_at: app.now(),
    })
}

async fn sub(app: &Parts, login: &Login) -> Result<Option<String>, StoreError> {
    let tells = app.settings.told.as_ref().is_some_and(|hook| hook.subject);
    let run = login.run.as_deref();
    let Some(pinned) = run.and_then(|run| run.pinned.as_ref()).filter(|_| tells) else {
        return Ok(None);
    };
    let client = app.asker(&login.request).await?;
    Ok(client.map(|client| pairwise_sub(&app.pairwise_key, &client.sector, pinned)))
}

fn data(app: &Parts, login: &Login, effect: &Effect, sub: Option<&str>) -> Value {
    let journey = login.run.as_deref().map(|run| run.instance.journey());
    let mut data = json!({
        "journey": journey, "step": effect.step, "reference": log_id(&login.id),
        "kind": effect.kind,
    });
    let Value::Object(members) = &mut data else {
        return data;
    };
    if let Some(sub) = sub {
        members.insert("sub".to_owned(), json!(sub));
    }
    if let Some(until) = effect.until {
        members.insert("ends_at".to_owned(), json!(until.0));
        // Whoever follows it must log in to the account: nothing in it is a secret.
        let link = app.url("/account").to_string();
        members.insert("cancel_link".to_owned(), json!(link));
    }
    data
}

/// The app whose code counts. `settles`: this turn takes it away, so it is not looked for again.
fn coded(login: &mut Login, settles: bool) -> Option<(SubjectId, MeansId)> {
    let run = login.run.as_deref_mut()?;
    let subject = run.pinned.clone()?;
    let coded = run.coded.as_mut().filter(|coded| !coded.settled)?;
    coded.settled = settles;
    Some((subject, coded.authenticator.clone()))
}

fn ends(app: &App, login: &Login) -> Option<Ends> {
    // While a passkey waits to be written nothing ends for it.
    let run = login.run.as_deref().filter(|run| run.fresh.is_none())?;
    let effects = run.effects.iter();
    let what: Vec<String> = effects.flat_map(|effect| effect.revoke.clone()).collect();
    let subject = run.pinned.clone().filter(|_| !what.is_empty())?;
    Some(Ends {
        app: App::clone(app),
        login: login.id.clone(),
        subject,
        but: run.session.clone(),
        before: login.started_at,
        keeps: run.registered.clone(),
        what,
    })
}

impl Ends {
    fn ends_passkeys(&self) -> bool {
        self.what.iter().any(|one| one == "old_passkeys")
    }

    /// Holds every session of the account, in one order for everybody.
    async fn hold(&self, tx: &mut Tx, now: UnixTime) -> Result<(), DbError> {
        let nobody = SessionId::from_text("");
        for session in sessions::others_of(tx, &self.subject, &nobody).await? {
            sessions::hold(tx, &session, now).await?;
        }
        Ok(())
    }

    async fn put(&self, tx: &mut Tx, now: UnixTime) -> Result<(), DbError> {
        let wants = |name: &str| self.what.iter().any(|one| one == name);
        let nobody = SessionId::from_text("");
        let but = self.but.as_ref().unwrap_or(&nobody);
        // They are held: what was redeemed in one of them before is there, and no grant begins behind our back.
        let away = refresh_grants::of_subject(tx, &self.subject).await?;
        let mut ending = Vec::new();
        if wants("sessions") {
            ending = sessions::others_of(tx, &self.subject, but).await?;
            ending.retain(|session| !away.contains(session));
        }
        if wants("refresh_tokens") {
            ending.extend(away);
        }
        for session in ending {
            let (settings, rng) = (&self.app.settings, self.app.rng.as_ref());
            end::end_in(tx, settings, rng, &session, EndReason::Journey, now).await?;
        }
        if self.ends_passkeys() {
            let keeps = (self.keeps.as_ref(), self.before);
            subjects::remove_passkeys(tx, &self.subject, keeps).await?;
        }
        // What somebody else began with them does not outlive them.
        if wants("sessions") || self.ends_passkeys() {
            journey_holds::cancel_others(tx, &self.subject, &self.login, now).await?;
        }
        Ok(())
    }
}

/// What a step that tells somebody leaves to be written.
pub(super) fn effect(
    step: &str,
    (kind, notify): (NoticeKind, &[String]),
    (revoke, emit): (&[String], &[String]),
) -> Effect {
    let events = emit
        .iter()
        .filter_map(|event| event.strip_prefix("webhook:"));
    Effect {
        step: step.to_owned(),
        kind,
        tells_person: !notify.is_empty() || !revoke.is_empty(),
        all_channels: notify.iter().any(|channel| channel == "all_channels"),
        revoke: revoke.to_vec(),
        emit: events.map(str::to_owned).collect(),
        until: None,
    }
}
