//! What a person is told before they agree. It is bound to the question when that is first put; an
//! answer to a question that would be put otherwise now is not taken, and the person is asked again.

use vouchsafe_pages::{Catalogue, FluentArgs, Locale};

use super::ask::{AskError, Asking, query_of};
use super::presented::PRESENTED;
use super::verified::VERIFIED;
use super::{evidence, run};
use crate::app::Parts;
use crate::config::{ClaimMapping, Client, controller_of};
use crate::domain::consent::account_claim;
use crate::domain::notice::{Notice, NoticeFact};
use crate::domain::transaction::Login;

/// What is told with the question of a login; nothing where the card is for nobody.
pub async fn of_question(
    app: &Parts,
    login: &Login,
    asking: &Asking<'_>,
) -> Result<Option<Notice>, AskError> {
    // What fills an attribute goes to the account alone.
    if login.request.linking().is_some() || run::from_wallet(app, login).is_some() {
        return Ok(None);
    }
    let client = app.asker(&login.request).await?.ok_or(AskError::Gone)?;
    Ok(Some(with(app, login, &client, asking)))
}

/// The same for a login that has just begun.
pub(super) async fn of_request(app: &Parts, login: &Login) -> Result<Option<Notice>, AskError> {
    let asking = query_of(app, login).await?;
    of_question(app, login, &asking).await
}

/// What is told with a question of this application.
pub fn with(app: &Parts, login: &Login, client: &Client, asking: &Asking<'_>) -> Notice {
    let query = asking.query.as_ref();
    let told = asking.facts.names();
    let locale = &login.request.locale;
    let mut facts: Vec<NoticeFact> = (query.claims.iter())
        .filter(|claim| told.contains(claim.name.as_str()))
        .map(|claim| NoticeFact {
            name: claim.name.clone(),
            label: claim.label.for_locale(locale).to_owned(),
        })
        .collect();
    let more = asking.told.iter();
    let more = more.filter(|name| !told.contains(name.as_str()));
    facts.extend(more.map(|name| fact(app, name, locale)));
    facts.extend(kept(login, asking));
    let about = query.id.as_str().to_owned();
    let purpose = query.purpose.for_locale(locale).to_owned();
    if !asking.later {
        return base(app, login, client, (about, purpose), facts);
    }
    // All of it is asked at a place of its own.
    Notice {
        external_id: false,
        away_days: None,
        ..base(app, login, client, (about, purpose), Vec::new())
    }
}

/// What is told, whoever asks for it.
pub(super) fn base(
    app: &Parts,
    login: &Login,
    client: &Client,
    (about, purpose): (String, String),
    facts: Vec<NoticeFact>,
) -> Notice {
    let locale = &login.request.locale;
    let settings = &app.settings;
    let away = login.request.offline();
    Notice {
        language: locale.clone(),
        client: client.id.clone(),
        app: client.name_in(locale).to_owned(),
        app_host: client.host.clone(),
        about,
        purpose,
        facts,
        external_id: client.external_id,
        away_days: away.then(|| days(settings.refresh.max_age_s)),
        controller: controller_of(settings, client, locale),
        recipients: client.consent.recipients.clone(),
        stays_days: client.consent.stays_days,
        expires_days: (client.consent.expires_days).or(settings.consents.expires_days),
    }
}

/// What the names of facts begin with that are kept here, as keyed hashes, and told nobody.
const KEPT: &str = "binding:";

/// What is kept with the account so that its person is known again.
fn kept(login: &Login, asking: &Asking<'_>) -> Vec<NoticeFact> {
    if !evidence::is_told(asking, login) {
        return Vec::new();
    }
    let locale = &login.request.locale;
    let fact = |one: &ClaimMapping| NoticeFact {
        name: kept_name(&one.name),
        label: kept_label(one.label.for_locale(locale), locale),
    };
    asking.query.bind.iter().map(fact).collect()
}

/// What the record of a consent calls what is kept.
pub(super) fn kept_name(name: &str) -> String {
    format!("{KEPT}{name}")
}

fn kept_label(label: &str, locale: &str) -> String {
    let locale = Locale::negotiate(Some(locale), None);
    let mut args = FluentArgs::new();
    args.set("fact", label);
    let texts = Catalogue::shared().ok();
    let text = texts.and_then(|texts| texts.text(locale, "verifier-kept-fact", Some(&args)));
    text.unwrap_or_else(|| label.to_owned())
}

/// What an application is told: as an attribute of the account or a question calls it, or by its name.
pub fn fact(app: &Parts, name: &str, locale: &str) -> NoticeFact {
    let of_account = account_claim(name);
    let mut attributes = app.settings.attributes().iter();
    let attribute = attributes.find(|one| Some(one.claim.as_str()) == of_account);
    let called = of_account.unwrap_or(name);
    let queries = app.settings.queries().iter();
    if let Some(kept) = name.strip_prefix(KEPT) {
        let mut bound = queries.flat_map(|query| &query.bind);
        let known = bound.find(|bound| bound.name == kept);
        let label = known.map(|bound| bound.label.for_locale(locale).to_owned());
        let label = label.unwrap_or_else(|| kept.replace('_', " "));
        return NoticeFact {
            name: name.to_owned(),
            label: kept_label(&label, locale),
        };
    }
    if let Some(label) = of_form(name, locale) {
        return NoticeFact {
            name: name.to_owned(),
            label,
        };
    }
    let mut claims = queries.flat_map(|query| &query.claims);
    let known = claims.find(|claim| claim.name == called);
    let label = attribute.map(|one| &one.label);
    let label = label.or(known.map(|claim| &claim.label));
    let label = label.map(|label| label.for_locale(locale).to_owned());
    NoticeFact {
        name: name.to_owned(),
        label: label.unwrap_or_else(|| called.replace('_', " ")),
    }
}

/// What a form says beside the facts in it.
fn of_form(name: &str, locale: &str) -> Option<String> {
    let key = match name {
        PRESENTED => "verifier-told-card",
        VERIFIED => "verifier-told-verified",
        _ => return None,
    };
    let locale = Locale::negotiate(Some(locale), None);
    let text = Catalogue::shared().ok()?.text(locale, key, None);
    Some(text.unwrap_or_else(|| name.replace('_', " ")))
}

/// Days that have begun.
fn days(seconds: i64) -> i64 {
    (seconds + 86_399) / 86_400
}
