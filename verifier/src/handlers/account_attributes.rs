//! `POST /account/attributes/{name}` and `POST /account/attributes/{name}/remove`: what the person
//! says about themselves, corrects, and takes back.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_pages::Locale;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::ClientAddress;

use super::account_change::{own_form, person};
use super::account_means::{may_change, stale};
use super::{account, owned};
use crate::app::App;
use crate::config::Attribute;
use crate::domain::attribute::{Kind, Known, Source, Wrong};
use crate::domain::ids::SubjectId;
use crate::reply::see_other;
use crate::store::{StoreError, attributes, subjects};
use crate::views;

/// The field of a form with an attribute.
pub(super) const VALUE: &str = "value";

/// What was typed and is not taken.
#[derive(Clone)]
pub(super) struct Problem {
    /// Name of the attribute.
    pub name: String,
    /// What was typed, for the same field again.
    pub typed: String,
    /// Why.
    pub wrong: Wrong,
}

/// Keeps what the person says, if they agree on this very page.
pub async fn keep(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(owner) => owner.and_then(|owner| owner.subject),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let form = own_form(&app, &headers, &body);
    let (Some(subject), Some(form), Some(attribute)) = (owner, form, app.settings.attribute(&name))
    else {
        return owned::foreign(&app, &headers);
    };
    // What only a card may say.
    if !attribute.typed {
        return owned::refused(&app, &headers);
    }
    let typed = form.get(VALUE).unwrap_or_default();
    let value = match attribute.kind.typed(typed) {
        Ok(_) if form.get("agree") != Some("yes") => Err(Wrong::NotAgreed),
        value => value,
    };
    let value = match value {
        Ok(value) => value,
        Err(wrong) => {
            let typed = typed.to_owned();
            let problem = Problem { name, typed, wrong };
            return account::show(&app, &headers, Some(problem)).await;
        }
    };
    let known = said(&app, attribute, value, views::browser_locale(&headers));
    match store(&app, subject, known).await {
        Ok(()) => see_other("/account"),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

/// What the person says now.
pub(super) fn said(app: &App, attribute: &Attribute, value: Value, locale: Locale) -> Known {
    let now = app.now();
    Known {
        name: attribute.name.clone(),
        value,
        source: Source::Said,
        assurance: None,
        verified_at: now,
        purpose: attribute.purpose.for_locale(locale.tag()).to_owned(),
        agreed_at: now,
        expires_at: now.plus(attribute.keep_s),
        consent: None,
        not_for: Vec::new(),
    }
}

async fn store(app: &App, subject: SubjectId, known: Known) -> Result<(), StoreError> {
    let (parts, now) = (app.clone(), app.now());
    app.db
        .write(async move |tx| {
            if subjects::hold(tx, &subject).await? {
                let not_for = attributes::not_for(tx, &parts.vault, &subject, &known.name).await?;
                let known = Known {
                    not_for,
                    ..known.clone()
                };
                let new = attributes::seal(&parts.vault, parts.rng.as_ref(), &known)?;
                attributes::put(tx, &subject, &new, now).await?;
            }
            Ok::<_, StoreError>(())
        })
        .await
}

/// Deletes what is known. What a card said cannot be typed again: as for a card itself, a stolen session
/// must not take it away.
pub async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(owner) => owner.and_then(|owner| Some((owner.subject.clone()?, owner))),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let Some((subject, session)) = owner else {
        return owned::foreign(&app, &headers);
    };
    let may = async {
        let shown = attributes::is_shown(&app.db, &subject, &name).await?;
        Ok::<_, StoreError>(!shown || may_change(&app, &headers, address, &session).await?)
    };
    match may.await {
        Ok(true) => {}
        Ok(false) => return stale(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    match delete(&app, subject, name).await {
        Ok(()) => see_other("/account"),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

async fn delete(app: &App, subject: SubjectId, name: String) -> Result<(), StoreError> {
    let (parts, now) = (app.clone(), app.now());
    app.db
        .write(async move |tx| {
            if subjects::hold(tx, &subject).await?
                && attributes::remove(tx, &subject, &name).await?
            {
                let event = Event {
                    at: now,
                    actor: format!("subject:{}", subject.as_str()),
                    action: "attribute.remove",
                    target: name.clone(),
                    detail: String::new(),
                };
                audit::append(tx, &parts.audit_key, &event).await?;
            }
            Ok::<_, DbError>(())
        })
        .await?;
    Ok(())
}

/// What the account page shows of each attribute: those that are configured, and those that were.
/// `names` are those of all that is kept, whether it can be read or not.
pub(super) fn rows(
    app: &App,
    (known, names): (&[Known], &[String]),
    locale: &str,
    problem: Option<&Problem>,
) -> Vec<Value> {
    let unread = unread(known, names);
    let configured = app.settings.attributes().iter();
    let configured = configured.filter(|attribute| !unread.contains(&attribute.name.as_str()));
    let mut rows: Vec<Value> = configured
        .map(|attribute| {
            let found = known.iter().find(|one| one.name == attribute.name);
            let problem = problem.filter(|problem| problem.name == attribute.name);
            row(attribute, found, locale, problem)
        })
        .collect();
    let gone = known
        .iter()
        .filter(|one| app.settings.attribute(&one.name).is_none());
    rows.extend(gone.map(|one| {
        json!({
            "name": one.name, "label": one.name.replace('_', " "), "known": true,
            "source": one.source.name(), "agreed_at": one.agreed_at.seconds(),
            "expires_at": one.expires_at.seconds(), "purpose": one.purpose,
            "shown": one.value.as_str().unwrap_or_default(), "yes_no": one.value.as_bool().is_some(),
            "yes": one.value == Value::Bool(true),
            "remove_link": format!("/account/attributes/{}/remove", one.name),
        })
    }));
    rows.extend(unread.into_iter().map(|name| {
        let attribute = app.settings.attribute(name);
        let label = attribute.map(|attribute| attribute.label.for_locale(locale).to_owned());
        json!({
            "label": label.unwrap_or_else(|| name.replace('_', " ")),
            "known": false, "unreadable": true,
            "remove_link": format!("/account/attributes/{name}/remove"),
        })
    }));
    rows
}

/// Names of what is kept and cannot be read.
pub(super) fn unread<'n>(known: &[Known], names: &'n [String]) -> Vec<&'n str> {
    let names = names.iter().map(String::as_str);
    names
        .filter(|name| !known.iter().any(|one| one.name == *name))
        .collect()
}

fn row(
    attribute: &Attribute,
    known: Option<&Known>,
    locale: &str,
    problem: Option<&Problem>,
) -> Value {
    let value = known.map(|known| &known.value);
    let typed = match (problem, value) {
        (Some(problem), _) => problem.typed.clone(),
        (None, Some(Value::Bool(yes))) => if *yes { "yes" } else { "no" }.to_owned(),
        (None, value) => value.and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    let source = known.map(|known| known.source);
    let mine = source.is_none_or(|source| source == Source::Said);
    let name = &attribute.name;
    let more = json!({
        "known": known.is_some(),
        "source": source.map(Source::name),
        "assurance": known.and_then(|known| known.assurance.as_deref()),
        "agreed_at": known.map(|known| known.agreed_at.seconds()),
        "expires_at": known.map(|known| known.expires_at.seconds()),
        "purpose": known.map_or_else(|| attribute.purpose.for_locale(locale), |known| &known.purpose),
        "shown": value.map(|value| attribute.shown(value, locale)),
        "yes_no": value.is_some_and(Value::is_boolean),
        "yes": value == Some(&Value::Bool(true)),
        "save_link": (mine && attribute.typed).then(|| format!("/account/attributes/{name}")),
        "remove_link": known.map(|_| format!("/account/attributes/{name}/remove")),
    });
    let id = format!("attribute-{name}");
    views::with(
        field(
            attribute,
            (&id, VALUE),
            locale,
            &typed,
            problem.map(|one| one.wrong),
        ),
        more,
    )
}

/// One field with which an attribute is asked for.
pub(super) fn field(
    attribute: &Attribute,
    (id, field): (&str, &str),
    locale: &str,
    typed: &str,
    wrong: Option<Wrong>,
) -> Value {
    let options: Vec<Value> = match &attribute.kind {
        Kind::Choice { options } => {
            let shown = |option: &String| {
                let label = attribute.shown(&Value::from(option.as_str()), locale);
                json!({ "value": option, "label": label, "chosen": option == typed })
            };
            options.iter().map(shown).collect()
        }
        Kind::Text { .. } | Kind::Bool | Kind::Date { .. } => Vec::new(),
    };
    let (longest, first, last) = match &attribute.kind {
        Kind::Text { longest } => (Some(*longest), None, None),
        Kind::Date { first, last } => (None, first.as_deref(), last.as_deref()),
        Kind::Choice { .. } | Kind::Bool => (None, None, None),
    };
    json!({
        "name": attribute.name,
        "id": id,
        "field": field,
        "label": attribute.label.for_locale(locale),
        "kind": attribute.kind.name(),
        "options": options,
        "longest": longest,
        "first": first,
        "last": last,
        "typed": typed,
        "wrong": wrong.map(Wrong::key),
        "purpose": attribute.purpose.for_locale(locale),
        "keep_days": attribute.keep_s / 86_400,
    })
}

/// The status of the page after what was typed.
pub(super) fn status(problem: Option<&Problem>) -> StatusCode {
    problem.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY)
}
