//! The step `consent`: the person is asked at its place whether the application may learn what the
//! journey tells. Whoever has agreed to exactly this is not asked again.

use super::{RunError, complete};
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
    let about = format!("{}/{}", loaded.journey.id, step.id);
    notice::base(
        app,
        login,
        client,
        (about, purpose.to_owned()),
        facts.collect(),
    )
}

/// The consent that holds for exactly this, if the person has given it and does not want to be asked.
pub(super) async fn before(
    app: &Parts,
    login: &Login,
    (loaded, step): (&Loaded, &Step),
) -> Result<Option<Agreed>, RunError> {
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let asked = login.request.asked.as_ref();
    // OpenID Connect Core 1.0, section 3.1.2.1: `prompt=consent` asks again.
    let again = asked.is_some_and(|asked| asked.prompt.iter().any(|prompt| prompt == "consent"));
    let Some(subject) = run.pinned.as_ref().filter(|_| !again) else {
        return Ok(None);
    };
    let client = app.asker(&login.request).await?.ok_or(RunError::Gone)?;
    let notice = notice(app, login, (loaded, step), &client);
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

/// The person said yes to what they were told.
pub fn agreed(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    notice: Notice,
) -> Result<(), RunError> {
    let now = app.now();
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    let until = notice.ends(now);
    run.agreed = Some(Agreed {
        id: ConsentId::random(app.rng.as_ref()),
        until,
        external_id: notice.external_id,
        record: Some(Record {
            claims: notice.facts.iter().map(|fact| fact.name.clone()).collect(),
            notice,
            how: How::Page,
            given_at: now,
            expires_at: until,
        }),
    });
    let (outcome, proof) = (Outcome::Ok, None);
    complete(app, login, loaded, StepResult { outcome, proof })?;
    Ok(())
}

/// What is written of it with the login.
pub(super) fn sealed(app: &Parts, login: &Login) -> Result<Option<consents::Sealed>, StoreError> {
    let agreed = login.run.as_deref().and_then(|run| run.agreed.as_ref());
    let Some((id, record)) = agreed.and_then(|one| Some((&one.id, one.record.as_ref()?))) else {
        return Ok(None);
    };
    let new = NewConsent {
        id: id.clone(),
        // No wallet holds it: it is withdrawn on the account page, or with the card of its login.
        token: Secret::random(app.rng.as_ref()).digest(),
        transaction: login.id.clone(),
        record: record.clone(),
    };
    consents::seal(&app.vault, new).map(Some)
}
