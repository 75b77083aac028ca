//! An `ask` step: what the person says about themselves. Nothing is written before the login is over,
//! and nothing that the person did not agree to on the page that asks.

use vouchsafe_service::db::Tx;

use super::shown::Who;
use super::{RunError, complete, share};
use crate::app::Parts;
use crate::config::{Attribute, FromCard};
use crate::domain::attribute::{Known, Source, Wrong};
use crate::domain::ids::SubjectId;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::run::{Run, Said};
use crate::domain::transaction::{Answer, Login};
use crate::journey::{Ask, Field, Outcome, StepKind, StepResult};
use crate::journeys::Loaded;
use crate::store::{StoreError, attributes};

/// A field that is asked for now.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    /// What the file says of it.
    pub field: &'a Field,
    /// What the configuration says of it.
    pub attribute: &'a Attribute,
}

/// What the step that waits asks for now; empty where it is no such step.
#[must_use]
pub fn due<'a>(app: &'a Parts, login: &Login, loaded: &'a Loaded) -> Vec<Due<'a>> {
    match super::at(login, loaded).map(|step| &step.kind) {
        Some(StepKind::Ask(ask)) => of_step(app, login, ask),
        _ => Vec::new(),
    }
}

/// What a step asks for: what is missing, was not refused lately and was not said in this run.
pub(super) fn of_step<'a>(app: &'a Parts, login: &Login, ask: &'a Ask) -> Vec<Due<'a>> {
    let Some(run) = login.run.as_deref() else {
        return Vec::new();
    };
    let user = &run.facts.user;
    let among = |names: &Option<Vec<String>>, name: &String| {
        names.as_ref().is_some_and(|names| names.contains(name))
    };
    let open = |field: &&Field| {
        among(&user.missing, &field.name)
            && !among(&user.refused, &field.name)
            && !run.said.refused.contains(&field.name)
            && !run.said.known.iter().any(|one| one.name == field.name)
    };
    let most = usize::try_from(ask.max_fields).unwrap_or(1);
    let fields = ask.fields.iter().filter(open).take(most);
    let with = |field: &'a Field| {
        let attribute = app.settings.attribute(&field.name)?;
        Some(Due { field, attribute })
    };
    fields.filter_map(with).collect()
}

/// What was typed into a field and is not taken.
#[derive(Clone)]
pub struct Refused {
    /// Name of the attribute.
    pub name: String,
    /// What was typed.
    pub typed: String,
    /// Why.
    pub wrong: Wrong,
}

/// Takes what was typed, all of it or nothing. What may be left out and was is not asked for again
/// for a while.
fn typed<'f>(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    (said, agreed): (impl Fn(&str) -> Option<&'f str>, bool),
) -> Result<Result<(), Vec<Refused>>, RunError> {
    let (mut known, mut refused, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for Due { field, attribute } in due(app, login, loaded) {
        let typed = said(&field.name).unwrap_or_default();
        // Beside it there may be a field that is typed.
        if typed.trim().is_empty() && !attribute.typed {
            continue;
        }
        if typed.trim().is_empty() && field.optional {
            refused.push(field.name.clone());
            continue;
        }
        let offered = |value: &str| {
            field.options.is_empty() || field.options.iter().any(|option| option == value)
        };
        let value = match attribute.kind.typed(typed) {
            _ if !attribute.typed => Err(Wrong::OnlyCard),
            Ok(value) if !value.as_str().is_none_or(offered) => Err(Wrong::NoOption),
            Ok(_) if !agreed => Err(Wrong::NotAgreed),
            value => value,
        };
        match value {
            Ok(value) => {
                let now = app.now();
                known.push(Known {
                    name: attribute.name.clone(),
                    value,
                    source: Source::Said,
                    assurance: None,
                    verified_at: now,
                    purpose: purpose(attribute, login),
                    agreed_at: now,
                    expires_at: now.plus(attribute.keep_s),
                    consent: None,
                    not_for: Vec::new(),
                });
            }
            Err(why) => wrong.push(Refused {
                name: field.name.clone(),
                typed: typed.to_owned(),
                wrong: why,
            }),
        }
    }
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    let outcome = match known.is_empty() {
        true => Outcome::Declined,
        false => Outcome::Ok,
    };
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.said.known.extend(known);
    run.said.refused.extend(refused);
    end(app, login, loaded, outcome)?;
    Ok(Ok(()))
}

/// What it is kept for, in the words that the person reads.
pub(super) fn purpose(attribute: &Attribute, login: &Login) -> String {
    let locale = &login.request.locale;
    attribute.purpose.for_locale(locale).to_owned()
}

/// The person does not want to say it: they are left alone for a while.
pub(super) fn declined(app: &Parts, login: &mut Login, loaded: &Loaded) {
    let names: Vec<String> = due(app, login, loaded)
        .into_iter()
        .map(|due| due.field.name.clone())
        .collect();
    if let Some(run) = login.run.as_deref_mut() {
        run.said.refused.extend(names);
    }
}

pub(super) fn end(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    outcome: Outcome,
) -> Result<(), RunError> {
    let proof = None;
    complete(app, login, loaded, StepResult { outcome, proof })?;
    if let Some(run) = login.run.as_deref_mut() {
        (run.said.asking, run.said.offered) = (None, None);
    }
    Ok(())
}

/// Writes what was said, once it is known who said it. Whoever calls holds the account.
pub(super) async fn keep(
    tx: &mut Tx,
    app: &Parts,
    run: &Run,
    subject: Option<&SubjectId>,
) -> Result<(), StoreError> {
    let Some(subject) = subject else {
        return Ok(());
    };
    let (Said { known, refused, .. }, now) = (&run.said, app.now());
    for one in known {
        let mut not_for = attributes::not_for(tx, &app.vault, subject, &one.name).await?;
        not_for.extend(run.said.not_for(&one.name, now));
        let one = Known {
            consent: share::of(tx, run, (subject, &one.name)).await?,
            not_for,
            ..one.clone()
        };
        let new = attributes::seal(&app.vault, app.rng.as_ref(), &one)?;
        attributes::put(tx, subject, &new, now).await?;
    }
    for name in refused {
        attributes::refuse(tx, subject, name, now).await?;
    }
    Ok(())
}

/// What stands in the field of an attribute.
pub type Fields<'f> = Box<dyn Fn(&str) -> Option<&'f str> + Send + Sync + 'f>;

/// What the person did on the page of the step.
pub enum Heard<'f> {
    /// They go on without.
    Skipped,
    /// They want to take it from a wallet.
    Wallet(&'f str),
    /// They say whether what a card says is kept.
    Card {
        /// It is kept.
        keep: bool,
    },
    /// They typed something.
    Typed {
        /// What stands in the field of an attribute.
        value: Fields<'f>,
        /// They agreed that it is kept.
        agreed: bool,
    },
}

/// Takes what the person did; what is wrong with it where nothing has changed.
pub fn hear(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    heard: Heard<'_>,
) -> Result<Result<(), Vec<Refused>>, RunError> {
    if due(app, login, loaded).is_empty() {
        return Ok(Ok(()));
    }
    match heard {
        Heard::Typed { value, agreed } => return typed(app, login, loaded, (value, agreed)),
        Heard::Skipped => {
            declined(app, login, loaded);
            end(app, login, loaded, Outcome::Declined)?;
        }
        Heard::Wallet(name) => {
            let due = due(app, login, loaded);
            let mut due = due.iter();
            let asked = due.any(|due| due.field.name == name && due.field.query.is_some());
            let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
            run.said.asking = asked.then(|| name.to_owned());
            run.failure = None;
        }
        Heard::Card { keep } => {
            let due = due(app, login, loaded);
            let names: Vec<String> = due.iter().map(|due| due.field.name.clone()).collect();
            let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
            match run.said.offered.take() {
                Some(known) if keep && names.contains(&known.name) => {
                    let agreed_at = app.now();
                    run.said.known.push(Known { agreed_at, ..known });
                    end(app, login, loaded, Outcome::Ok)?;
                }
                Some(_) => {
                    declined(app, login, loaded);
                    end(app, login, loaded, Outcome::Declined)?;
                }
                None => {}
            }
        }
    }
    Ok(Ok(()))
}

/// The attribute that a wallet is asked for, and the claim of its card.
#[must_use]
pub fn from_wallet<'a>(app: &'a Parts, login: &Login) -> Option<(&'a Attribute, &'a FromCard)> {
    let name = login.run.as_deref()?.said.asking.as_ref()?;
    let attribute = app.settings.attribute(name)?;
    Some((attribute, attribute.card.as_ref()?))
}

/// A wallet has answered. What its card says is shown to the person, who says whether it is kept.
pub(super) async fn shown(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    answer: Answer,
) -> Result<(), RunError> {
    let who = super::shown::who(app, login, &answer.evidence).await?;
    let taken = match who {
        Who::Wrong(why) => Err(why),
        Who::Nobody | Who::Known(_) | Who::New => said_by(app, login, loaded, &answer),
    };
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.said.asking = None;
    match taken {
        Ok(known) => (run.said.offered, run.failure) = (Some(known), None),
        Err(why) => run.failure = Some(why),
    }
    Ok(())
}

fn said_by(app: &Parts, login: &Login, loaded: &Loaded, answer: &Answer) -> Result<Known, Failure> {
    let unusable = || Failure::new("attribute_unusable", Explanation::NotProven);
    let (attribute, card) = from_wallet(app, login).ok_or_else(unusable)?;
    let due = due(app, login, loaded);
    let mut due = due.iter();
    let field = due.find(|due| due.field.name == attribute.name);
    let field = field.ok_or_else(unusable)?.field;
    let value = answer.claims.get(&card.claim).ok_or_else(unusable)?;
    let value = attribute.kind.taken(value).map_err(|_| unusable())?;
    let text = value.as_str();
    let offered = |text: &str| field.options.iter().any(|option| option == text);
    if !field.options.is_empty() && !text.is_some_and(offered) {
        return Err(unusable());
    }
    let query = app.settings.query(&card.query).ok_or_else(unusable)?;
    let mut mappings = query.claims.iter();
    let mapping = mappings.find(|mapping| mapping.name == card.claim);
    let mut brought = mapping.iter().flat_map(|mapping| &mapping.credentials);
    let issuer = brought.find_map(|id| Some(answer.cards_read.get(id)?.issuer.clone()));
    let now = app.now();
    Ok(Known {
        name: attribute.name.clone(),
        value,
        source: Source::Wallet,
        assurance: Some(issuer.ok_or_else(unusable)?),
        verified_at: answer.answered_at,
        purpose: purpose(attribute, login),
        agreed_at: now,
        expires_at: now.plus(attribute.keep_s),
        consent: None,
        not_for: Vec::new(),
    })
}

/// The wallet did not bring it: the person can still type it.
pub(super) fn not_brought(run: &mut Run, why: Failure) -> bool {
    if run.said.asking.take().is_none() {
        return false;
    }
    run.failure = Some(why);
    true
}
