//! The step `consent` of a journey that follows a login: whether the application may learn what the
//! person said about themselves there. The login is settled, and what it tells is not asked again
//! (decision 0053).

use vouchsafe_service::db::{DbError, Tx};

use super::RunError;
use crate::app::Parts;
use crate::config::Client;
use crate::domain::attribute::Known;
use crate::domain::consent::of_account;
use crate::domain::ids::{ConsentId, SubjectId};
use crate::domain::notice::{Notice, NoticeFact};
use crate::domain::run::{Agreed, Run, Shared, Withheld};
use crate::domain::transaction::Login;
use crate::login::notice;
use crate::store::{StoreError, consents};

/// What the person is asked: what they said and what the application may learn of it.
pub(super) fn notice(app: &Parts, login: &Login, about: String, client: &Client) -> Notice {
    let locale = &login.request.locale;
    let run = login.run.as_deref();
    let said = run.map(|run| open(run, &about, client)).unwrap_or_default();
    let mut facts: Vec<NoticeFact> = Vec::new();
    let mut purposes: Vec<&str> = Vec::new();
    for known in said {
        let Some(attribute) = app.settings.attribute(&known.name) else {
            continue;
        };
        facts.push(notice::fact(app, &of_account(&attribute.claim), locale));
        if !purposes.contains(&known.purpose.as_str()) {
            purposes.push(&known.purpose);
        }
    }
    let purpose = purposes.join("; ");
    Notice {
        // What the login tells was agreed to before.
        external_id: false,
        away_days: None,
        ..notice::base(app, login, client, (about, purpose), facts)
    }
}

/// What was said, may be learned, and was asked at no other step.
fn open<'r>(run: &'r Run, about: &str, client: &Client) -> Vec<&'r Known> {
    let asked = |known: &Known| {
        let mut shared = run.said.shared.iter();
        shared.any(|one| one.about != about && one.attributes.contains(&known.name))
    };
    let known = run.said.known.iter();
    known
        .filter(|known| client.attributes.contains(&known.name) && !asked(known))
        .collect()
}

/// Names of what was said and a notice asks for.
fn named(app: &Parts, run: &Run, notice: &Notice) -> Vec<String> {
    let names = |known: &&Known| {
        let attribute = app.settings.attribute(&known.name);
        let claim = attribute.map(|attribute| of_account(&attribute.claim));
        let mut facts = notice.facts.iter();
        claim.is_some_and(|claim| facts.any(|fact| fact.name == claim))
    };
    let known = run.said.known.iter().filter(names);
    known.map(|known| known.name.clone()).collect()
}

/// Whether the application may learn it is asked now. However that ends but with a yes, it does not:
/// what was agreed to before is no yes to this.
pub(super) fn withhold(app: &Parts, login: &mut Login, notice: &Notice) -> Result<(), RunError> {
    let client = login.request.client.clone();
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    let names = named(app, run, notice);
    let withheld = &mut run.said.withheld;
    withheld.retain(|one| !names.contains(&one.attribute));
    withheld.extend(names.into_iter().map(|attribute| Withheld {
        attribute,
        client: client.clone(),
    }));
    Ok(())
}

/// Notes a yes to what a notice says.
pub(super) fn put(
    app: &Parts,
    login: &mut Login,
    notice: &Notice,
    agreed: Agreed,
) -> Result<(), RunError> {
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    let attributes = named(app, run, notice);
    let withheld = &mut run.said.withheld;
    withheld.retain(|one| !attributes.contains(&one.attribute));
    run.said.shared.push(Shared {
        about: notice.about.clone(),
        attributes,
        agreed,
    });
    Ok(())
}

/// Ties what was agreed to here to the account, which is held. What does not hold any more is no
/// consent, and takes no login back.
pub(super) async fn attach(
    tx: &mut Tx,
    app: &Parts,
    run: &Run,
    subject: Option<&SubjectId>,
) -> Result<(), StoreError> {
    for one in &run.said.shared {
        let id = &one.agreed.id;
        if !consents::attach(tx, &app.vault, id, subject, app.now()).await? {
            tracing::info!("what was agreed to after a login does not hold any more");
        }
    }
    Ok(())
}

/// The consent by which the application learns an attribute that was said in this run, if it holds.
pub(super) async fn of(
    tx: &mut Tx,
    run: &Run,
    (subject, attribute): (&SubjectId, &str),
) -> Result<Option<ConsentId>, DbError> {
    let Some(id) = run.said.consent(attribute) else {
        return Ok(None);
    };
    let consent = consents::find(tx, id).await?;
    let holds =
        consent.filter(|one| one.over_at.is_none() && one.subject.as_ref() == Some(subject));
    Ok(holds.map(|one| one.id))
}
