//! What wallets show to a run.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vouchsafe_credentials::sd_jwt_vc::IssuerAuthority;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::dcql::{ClaimPointer, PointerStep};
use vouchsafe_protocol::vp::verify::{VerifiedCredential, VerifiedPresentation};

use super::{RunError, complete_for, facts, say};
use crate::app::Parts;
use crate::domain::ids::SubjectId;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::run::Shown;
use crate::domain::transaction::{Answer, Channel, Evidence, Login};
use crate::journey::{self, Card, Outcome, Proof, StepKind, StepResult};
use crate::journeys::{self as files, Loaded};
use crate::login::resolve;

/// Whether the step that waits lets wallets be reached this way.
#[must_use]
pub fn allows(login: &Login, loaded: &Loaded, channel: Channel) -> bool {
    let channel = match channel {
        Channel::SameDevice => journey::Channel::SameDevice,
        Channel::Qr => journey::Channel::Qr,
        Channel::DcApi => journey::Channel::DcApi,
    };
    // RFC 10027: what is scanned can be relayed: no passkey is made of it, and nothing is linked with it.
    let links = login.run.as_deref().and_then(|run| run.upstream.as_ref());
    let links = links.is_some_and(|vouched| !vouched.known);
    if channel == journey::Channel::Qr && (links || loaded.journey.demands_passkey()) {
        return false;
    }
    super::at(login, loaded).is_some_and(|step| files::allows(step, channel))
}

/// The claims that a journey may read: those that were asked for.
#[must_use]
pub fn cards(presentation: &VerifiedPresentation, now: UnixTime) -> BTreeMap<String, Card> {
    let cards = presentation.credentials().iter();
    cards
        .map(|card| (card.query().as_str().to_owned(), read(card, now)))
        .collect()
}

fn read(card: &VerifiedCredential, now: UnixTime) -> Card {
    let mut claims = Map::new();
    for (pointer, value) in card.claims() {
        put(&mut claims, pointer, value);
    }
    let framework = match &card.issuer().authority {
        IssuerAuthority::X509 { .. } => "x509",
        IssuerAuthority::Iaca { .. } => "iaca",
        IssuerAuthority::Did(_) => "did",
    };
    Card {
        issuer: card.issuer().trusted.clone(),
        credential_type: card.credential_type().to_owned(),
        claims,
        trust_status: framework.to_owned(),
        holder_binding: card.holder_thumbprint().is_some(),
        age_s: card.issued_at().map(|at| now.since(at)),
    }
}

/// Puts a claim where its pointer says. An element of a list is left out: its place in the card says
/// nothing here.
fn put(claims: &mut Map<String, Value>, pointer: &ClaimPointer, value: &Value) {
    let mut keys = Vec::new();
    for step in pointer.steps() {
        match step {
            PointerStep::Key(key) => keys.push(key.as_str()),
            PointerStep::Index(_) => return,
        }
    }
    let Some((last, path)) = keys.split_last() else {
        return;
    };
    let mut at = claims;
    for key in path {
        let next = at
            .entry((*key).to_owned())
            .or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(next) = next else {
            return;
        };
        at = next;
    }
    at.insert((*last).to_owned(), value.clone());
}

/// To whom a card leads.
#[derive(Debug)]
pub enum Who {
    /// To nobody in particular.
    Nobody,
    /// To this account.
    Known(SubjectId),
    /// To the account that its first login makes.
    New,
    /// Not to whom it should.
    Wrong(Failure),
}

/// Looks up to whom a card leads, and whether that is who logs in here.
pub async fn who(app: &Parts, login: &Login, evidence: &Evidence) -> Result<Who, RunError> {
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let found = resolve::found(app, evidence).await?;
    let who = match (evidence, found) {
        (Evidence::Guest, _) => return Ok(Who::Nobody),
        (_, Some(subject)) => Who::Known(subject),
        (Evidence::IssuerScoped(_), None) => Who::New,
        (Evidence::Bound(_), None) => return Ok(Who::Wrong(Failure::unlinked())),
        (Evidence::Asserted { .. }, None) => return Ok(Who::Wrong(Failure::unmatched())),
    };
    // Login.md, section 2, point 5: another account's card is an error, never a switch.
    let other_card = |shown: &Shown| shown.answer.evidence != *evidence;
    let other = match (&who, &run.pinned) {
        (Who::Known(subject), Some(pinned)) => subject != pinned,
        (Who::New, Some(_)) => true,
        (Who::Known(_) | Who::New, None) => run.person().is_some_and(other_card),
        (Who::Nobody | Who::Wrong(_), _) => false,
    };
    Ok(match other {
        true => Who::Wrong(Failure::other_account()),
        false => who,
    })
}

/// Whether the check of the step holds for an answer, where nobody may learn from a refusal whose account
/// is there: it is looked at before the wallet hears anything. `kept` is of the account that is proven.
pub async fn would_pass(
    app: &Parts,
    login: &Login,
    answer: &Answer,
    (account, kept): (Option<SubjectId>, BTreeMap<String, String>),
) -> Result<bool, RunError> {
    let Some(run) = login.run.as_deref() else {
        return Ok(true);
    };
    let loaded = super::text(app, login).await?;
    let mut run = run.clone();
    if let Some(question) = super::at(login, &loaded).and_then(|step| loaded.question(&step.id)) {
        super::forget(&mut run, question);
    }
    run.at(app.now());
    run.facts.cred.extend(answer.cards_read.clone());
    run.facts.user.exists = true;
    run.facts.user.binding = kept;
    let bindings = files::Bindings(&app.binding_key, account.as_ref());
    Ok(run
        .instance
        .check_holds(&loaded.journey, &run.facts, &bindings))
}

/// A wallet's answer was accepted and its browser is back: the step ends.
pub async fn answered(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    answer: Answer,
) -> Result<(), RunError> {
    let step = super::at(login, loaded).ok_or(RunError::Gone)?;
    if matches!(step.kind, StepKind::Ask(_)) {
        return say::shown(app, login, loaded, answer).await;
    }
    let question = loaded.question(&step.id).ok_or(RunError::Gone)?;
    let who = who(app, login, &answer.evidence).await?;
    if let Who::Wrong(why) = who {
        let outcome = match why.code() {
            "other_account" => Outcome::Error,
            _ => Outcome::Invalid,
        };
        return super::failed(app, login, loaded, outcome, why);
    }
    let relayed = answer.channel == Channel::Qr || login.request.device().is_some();
    let user = match &who {
        Who::Known(subject) => Some(facts::user(app, Some(subject), loaded).await?),
        Who::Nobody | Who::New | Who::Wrong(_) => None,
    };
    let pinned = login.run.as_deref().and_then(|run| run.pinned.clone());
    let account = match &who {
        Who::Known(subject) => Some(subject.clone()),
        Who::Nobody | Who::New | Who::Wrong(_) => pinned,
    };
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    super::forget(run, question);
    let before = (run.facts.cred.clone(), run.facts.user.clone());
    run.facts.cred.extend(answer.cards_read.clone());
    // A check compares with what is kept of who the card leads to.
    if let Some(user) = user {
        run.facts.user = user;
    }
    // What a device shows can be relayed as a QR code can (RFC 8628, section 5.4; RFC 10027).
    let proof = Some(Proof::Presentation {
        cross_device: relayed,
        hardware_key: false,
        user_verified: false,
    });
    let outcome = Outcome::Ok;
    let result = StepResult { outcome, proof };
    let ended = complete_for(app, login, loaded, (result, account.as_ref()))?;
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    if ended != Outcome::Ok {
        (run.facts.cred, run.facts.user) = before;
        let hides = question.query.subject.is_asserted() && run.pinned.is_none();
        run.failure = Some(match hides {
            true => Failure::unmatched(),
            false => Failure::new("check", Explanation::NotProven),
        });
        return Ok(());
    }
    run.failure = None;
    run.shown.push(Shown {
        question: question.query.id.as_str().to_owned(),
        answer,
        emptied: false,
    });
    match who {
        Who::Known(subject) => facts::pin(app, login, subject, loaded).await,
        Who::New => {
            run.facts.user = facts::newcomer(app, loaded);
            Ok(())
        }
        Who::Nobody | Who::Wrong(_) => Ok(()),
    }
}
