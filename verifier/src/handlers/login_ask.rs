//! `POST /login/{transaction}/ask`: what the person says about themselves, takes from a wallet, or
//! does not want to say. The login that is settled goes on in each case.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::login_events::{View, watched};
use super::login_page::LoginPageError;
use super::owned::{self, Owned};
use super::{account_attributes, form, login_run};
use crate::app::App;
use crate::domain::transaction::{Channel, Login, Pending, Transaction};
use crate::journey::StepKind;
use crate::journeys::Loaded;
use crate::login::run::{self, Due, Heard, Refused};
use crate::login::{ask, link};
use crate::reply::see_other;
use crate::views;

/// Takes the form of the page.
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owned = match owned::find(&app, &headers, &id).await {
        Ok(owned) => owned,
        Err(error) => return error.show(&app, &headers),
    };
    let Some(form) = form::own(&app, &headers, &body, &owned.cookie) else {
        return owned::refused(&app, &headers);
    };
    let page = format!("/login/{id}");
    let Transaction::Pending(Pending { login }) = &owned.transaction else {
        return see_other(&page);
    };
    // A form of an earlier turn says nothing about what is asked now.
    // A login without a journey asks nothing.
    let Some(run) = login.run.as_deref() else {
        return see_other(&page);
    };
    if form.get("turn") != Some(run.turn.to_string().as_str()) {
        return see_other(&page);
    }
    let heard = if form.get("skip").is_some() {
        Heard::Skipped
    } else if let Some(name) = form.get("wallet") {
        Heard::Wallet(name)
    } else if let Some(keep) = form.get("card") {
        Heard::Card {
            keep: keep == "keep",
        }
    } else {
        Heard::Typed {
            value: Box::new(|name: &str| form.get(&format!("value-{name}"))),
            agreed: form.get("agree") == Some("yes"),
        }
    };
    match login_run::heard(&app, &headers, login.clone(), heard).await {
        Ok(response) => response,
        Err(wrong) => {
            let shown = async {
                let loaded = run::text(&app, login).await?;
                form_page(&app, login, &loaded, &owned, &wrong)
            };
            let page: Result<Response, LoginPageError> = shown.await;
            page.unwrap_or_else(|error| error.show(&app, &headers))
        }
    }
}

/// The page of the step: the question, the wallet, or what a card says.
pub(super) async fn page(
    app: &App,
    login: &Login,
    loaded: &Loaded,
    owned: &Owned,
) -> Result<Response, LoginPageError> {
    let said = login.run.as_deref().map(|run| &run.said);
    if said.is_some_and(|said| said.asking.is_some()) {
        return wallet_page(app, login, owned).await;
    }
    form_page(app, login, loaded, owned, &[])
}

fn form_page(
    app: &App,
    login: &Login,
    loaded: &Loaded,
    owned: &Owned,
    wrong: &[Refused],
) -> Result<Response, LoginPageError> {
    let locale = login.request.locale.as_str();
    let due = run::due(app, login, loaded);
    let fields: Vec<Value> = due.iter().map(|due| field(due, locale, wrong)).collect();
    let step = run::at(login, loaded).map(|step| &step.kind);
    let first = matches!(step, Some(StepKind::Ask(ask)) if ask.prefer_credential)
        && due.iter().any(|due| due.field.query.is_some());
    let run = login.run.as_deref();
    let offered = run.and_then(|run| run.said.offered.as_ref());
    let offered = offered.and_then(|known| {
        let attribute = app.settings.attribute(&known.name)?;
        Some(json!({
            "label": attribute.label.for_locale(locale),
            "shown": attribute.shown(&known.value, locale),
            "yes_no": known.value.is_boolean(),
            "yes": known.value == Value::Bool(true),
            "assurance": known.assurance,
            "purpose": known.purpose,
            "keep_days": attribute.keep_s / 86_400,
        }))
    });
    let context = json!({
        "app": owned.client.name_in(locale),
        "csrf": app.csrf.token(&owned.cookie),
        "turn": run.map(|run| run.turn.to_string()),
        "ask_link": format!("/login/{}/ask", login.id),
        "ask_fields": fields,
        "typed": due.iter().any(|due| due.attribute.typed),
        "card_first": first,
        "card_failed": run.is_some_and(|run| run.failure.is_some()),
        "offered": offered,
    });
    let status = match wrong.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let locale = views::login_locale(login);
    Ok(views::page(app, status, "verifier/ask", locale, context))
}

fn field(due: &Due<'_>, locale: &str, wrong: &[Refused]) -> Value {
    let Due { field, attribute } = due;
    let problem = wrong.iter().find(|one| one.name == attribute.name);
    let (id, name) = (
        format!("ask-{}", attribute.name),
        format!("value-{}", attribute.name),
    );
    let typed = problem.map_or("", |problem| problem.typed.as_str());
    let wrong = problem.map(|problem| problem.wrong);
    let mut shown = account_attributes::field(attribute, (&id, &name), locale, typed, wrong);
    // The file may offer fewer than the attribute has.
    if let (false, Some(options)) = (
        field.options.is_empty(),
        shown.get_mut("options").and_then(Value::as_array_mut),
    ) {
        options.retain(|option| {
            let value = option.get("value").and_then(Value::as_str);
            value.is_some_and(|value| field.options.iter().any(|one| one == value))
        });
    }
    let more = json!({ "card": field.query.is_some(), "only_card": !attribute.typed });
    views::with(shown, more)
}

/// The question to the wallet.
async fn wallet_page(app: &App, login: &Login, owned: &Owned) -> Result<Response, LoginPageError> {
    let asking = ask::query_of(app, login).await?;
    let question = ask::same_device(app, login).await?;
    let state = watched(app, &owned.transaction, View::Choose).await?;
    let locale = login.request.locale.as_str();
    let qr = ask::cross_device_allowed(&owned.client, &login.request) && asking.allows(Channel::Qr);
    let id = &login.id;
    let facts: Vec<&str> = asking
        .query
        .claims
        .iter()
        .filter(|claim| asking.facts.names().contains(claim.name.as_str()))
        .map(|claim| claim.label.for_locale(locale))
        .collect();
    let more = json!({
        "facts": facts,
        "wallet_link": link::wallet_link(app, &question, login).await?,
        "qr_link": qr.then(|| format!("/login/{id}/qr")),
        "cancel_link": format!("/login/{id}/cancel"),
        "csrf": app.csrf.token(&owned.cookie),
        "refresh": 5,
    });
    let asked = (owned.client.as_ref(), asking.query.as_ref());
    let context = views::with(
        views::asked(login, asked, (View::Choose.name(), &state)),
        more,
    );
    let locale = views::login_locale(login);
    let page = "verifier/ask_wallet";
    Ok(views::page(app, StatusCode::OK, page, locale, context))
}
