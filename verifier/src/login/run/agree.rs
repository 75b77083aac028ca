//! The step `consent`: the person is asked at its place whether the application may learn what the
//! journey tells. Whoever has agreed to exactly this is not asked again.

use super::{RunError, complete, follow, share};
use crate::app::Parts;
use crate::config::Client;
use crate::domain::consent::NewConsent;
use crate::domain::ids::{ConsentId, Secret};
use crate::domain::notice::{How, Notice, Record};
use crate::domain::run::Agreed;
use crate::domain::transaction::Login;
use crate::journey::{Outcome, Step, StepResult};
use crate::journeys::Loaded;
use crate::login::{asking, notice};
use crate::store::{StoreError, consents};

/// What the person is asked at a step.
#[must_use]
pub fn notice(
    app: &Parts,
    login: &Login,
    (loaded, step): (&Loaded, &Step),
    client: &Client,
) -> Notice {
    let about = about(loaded, step);
    if follow::follows(login) {
        return share::notice(app, login, about, client);
    }
    let locale = &login.request.locale;
    let mut names = login.request.facts.names();
    names.extend(loaded.journey.claim_names());
    let asked = app.settings.query(&login.request.query);
    let first = loaded.first_question().map(|one| &one.query);
    let question = first.or(asked);
    let of_account = question.map(|query| asking::attributes(&login.request, query));
    let of_account = of_account.unwrap_or_default();
    let names = names
        .into_iter()
        .chain(of_account.iter().map(String::as_str));
    let facts = names.map(|name| notice::fact(app, name, locale));
    let purpose = question.map(|query| &query.purpose);
    let purpose = purpose.map_or_else(
        || client.name_in(locale),
        |purpose| purpose.for_locale(locale),
    );
    notice::base(
        app,
        login,
        client,
        (about, purpose.to_owned()),
        facts.collect(),
    )
}

/// Whether the step has nothing to ask: the person has agreed to exactly this, or nothing would be told.
pub(super) async fn stands(
    app: &Parts,
    login: &mut Login,
    (loaded, step): (&Loaded, &Step),
) -> Result<bool, RunError> {
    let client = app.asker(&login.request).await?.ok_or(RunError::Gone)?;
    let notice = notice(app, login, (loaded, step), &client);
    if follow::follows(login) && notice.facts.is_empty() {
        return Ok(true);
    }
    let Some(agreed) = before(app, login, &notice).await? else {
        if follow::follows(login) {
            share::withhold(app, login, &notice)?;
        }
        return Ok(false);
    };
    put(app, login, &notice, agreed)?;
    Ok(true)
}

/// The consent that holds for exactly this, if the person has given it and does not want to be asked.
async fn before(app: &Parts, login: &Login, notice: &Notice) -> Result<Option<Agreed>, RunError> {
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let asked = login.request.asked.as_ref();
    // OpenID Connect Core 1.0, section 3.1.2.1: `prompt=consent` asks again.
    let again = asked.is_some_and(|asked| asked.prompt.iter().any(|prompt| prompt == "consent"));
    let Some(subject) = run.pinned.as_ref().filter(|_| !again) else {
        return Ok(None);
    };
    let (about, hash) = (notice.about.as_str(), notice.hash());
    let same = (&notice.client, about, hash.as_str());
    let Some(found) = consents::holds(&app.db, subject, same, app.now()).await? else {
        return Ok(None);
    };
    // What somebody changed in the database is no consent.
    let record = consents::record(&app.db, &app.vault, &found).await?;
    Ok(record.map(|record| Agreed {
        id: found.id,
        until: record.expires_at,
        external_id: record.notice.external_id,
        record: None,
    }))
}

/// What was agreed to at a step before it is put anew does not answer it.
pub(super) fn forget(login: &mut Login, (loaded, step): (&Loaded, &Step)) {
    let about = about(loaded, step);
    let follows = follow::follows(login);
    let Some(run) = login.run.as_deref_mut() else {
        return;
    };
    match follows {
        // What the login rests on is settled.
        true => run.said.shared.retain(|one| one.about != about),
        false => run.agreed = None,
    }
}

fn about(loaded: &Loaded, step: &Step) -> String {
    format!("{}/{}", loaded.journey.id, step.id)
}

fn put(app: &Parts, login: &mut Login, notice: &Notice, agreed: Agreed) -> Result<(), RunError> {
    if follow::follows(login) {
        return share::put(app, login, notice, agreed);
    }
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.agreed = Some(agreed);
    Ok(())
}

/// The person said yes to what they were told.
pub fn agreed(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    notice: &Notice,
) -> Result<(), RunError> {
    let now = app.now();
    let until = notice.ends(now);
    let agreed = Agreed {
        id: ConsentId::random(app.rng.as_ref()),
        until,
        external_id: notice.external_id,
        record: Some(Record {
            claims: notice.facts.iter().map(|fact| fact.name.clone()).collect(),
            notice: notice.clone(),
            how: How::Page,
            given_at: now,
            expires_at: until,
        }),
    };
    put(app, login, notice, agreed)?;
    let (outcome, proof) = (Outcome::Ok, None);
    complete(app, login, loaded, StepResult { outcome, proof })?;
    Ok(())
}

/// What is written of it with the login: of the step that the login rests on, and of those that follow.
pub(super) fn sealed(app: &Parts, login: &Login) -> Result<Vec<consents::Sealed>, StoreError> {
    let Some(run) = login.run.as_deref() else {
        return Ok(Vec::new());
    };
    let shared = run.said.shared.iter().map(|one| &one.agreed);
    let given = run.agreed.iter().chain(shared);
    given
        .filter_map(|one| Some((&one.id, one.record.as_ref()?)))
        .map(|(id, record)| {
            let new = NewConsent {
                id: id.clone(),
                // No wallet holds it: it is withdrawn on the account page, or with the card of its login.
                token: Secret::random(app.rng.as_ref()).digest(),
                transaction: login.id.clone(),
                record: record.clone(),
            };
            consents::seal(&app.vault, new)
        })
        .collect()
}
