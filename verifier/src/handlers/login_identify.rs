//! `POST /login/{transaction}/identify`: the person says whose account it is, before the card proves
//! it. Whatever they say, the next page is the same.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::login_page::LoginPageError;
use super::owned::{self, Owned};
use super::{form, login_events, login_passkey, login_run};
use crate::accounts::identifier_mac;
use crate::app::App;
use crate::domain::request::LoginRequest;
use crate::domain::transaction::{Login, Pending, Transaction};
use crate::login::ask;
use crate::reply::see_other;
use crate::store::{StoreError, transactions};
use crate::views;

/// Keeps a keyed hash of what was typed; the text itself is kept nowhere.
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
    let Transaction::Pending(pending) = &owned.transaction else {
        return see_other(&format!("/login/{id}"));
    };
    if form.get("skip").is_some() && pending.login.run.is_some() {
        return login_run::skipped(&app, &headers, pending.login.clone()).await;
    }
    let typed = form.get("identifier").unwrap_or_default();
    let Some(mac) = identifier_mac(&app.binding_key, typed) else {
        let page = page(&app, &pending.login, &owned, Said::new(true, false)).await;
        return page.unwrap_or_else(|error| error.show(&app, &headers));
    };
    if pending.login.run.is_some() {
        return login_run::identified(&app, &headers, pending.login.clone(), mac).await;
    }
    match keep(&app, pending.login.clone(), mac).await {
        Ok(()) => see_other(&format!("/login/{id}")),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

async fn keep(app: &App, login: Login, mac: String) -> Result<(), StoreError> {
    let login = Login {
        request: LoginRequest {
            asserted: Some(mac),
            ..login.request
        },
        ..login
    };
    let row = transactions::seal(&app.vault, &Transaction::Pending(Pending { login }))?;
    let now = app.now();
    // Where a wallet has answered meanwhile, nothing changes.
    app.db
        .write(async move |tx| transactions::advance(tx, "pending", &row, now).await)
        .await?;
    Ok(())
}

/// What the page says of what came before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    /// Nothing was typed that could be an account.
    wrong: bool,
    /// A passkey was refused.
    refused: bool,
}

impl Said {
    /// Both.
    pub(super) const fn new(wrong: bool, refused: bool) -> Self {
        Self { wrong, refused }
    }
}

/// The page with the field, and with the button for a passkey where one may say who it is.
pub(super) async fn page(
    app: &App,
    login: &Login,
    owned: &Owned,
    said: Said,
) -> Result<Response, LoginPageError> {
    let Said { wrong, refused } = said;
    let asking = ask::query_of(app, login).await?;
    let passkey = login_passkey::is_offered(app, login, owned).await?;
    // What is typed means something where a card proves it.
    let typed = asking.query.subject.is_asserted();
    let more = json!({
        "identify_link": format!("/login/{}/identify", login.id),
        "cancel_link": format!("/login/{}/cancel", login.id),
        "csrf": app.csrf.token(&owned.cookie),
        "wrong": wrong,
        "typed": typed,
    });
    let view = login_events::View::Choose.name();
    let asked = (owned.client.as_ref(), asking.query.as_ref());
    let context = views::with(views::asked(login, asked, (view, "pending")), more);
    let context = match passkey {
        true => views::with(context, login_passkey::context(app, login, owned, refused)),
        false => context,
    };
    let locale = views::login_locale(login);
    Ok(views::page(
        app,
        StatusCode::OK,
        "verifier/identify",
        locale,
        context,
    ))
}
