//! The numbers of each application.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::{number, open, seconds, show, text};
use crate::app::App;
use crate::numbers::OTHER;
use crate::numbers::ask::{By, Numbers, ask};

/// Where it is.
pub const CLIENTS: &str = "/admin/clients";

/// The page.
pub async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let opened = match open(&app, &headers, query.as_deref(), (CLIENTS, &[])).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let numbers = ask(&app, &opened.asked.clone().grouped(Some(By::Client))).await;
    let context = numbers.map(|numbers| all(&app, &numbers, opened.locale.tag()));
    show(
        &app,
        &headers,
        &opened,
        "clients",
        context.map_err(Into::into),
    )
}

/// Those of the configuration, whether anything was counted or not, and then the rest.
fn all(app: &App, numbers: &Numbers, locale: &str) -> Value {
    let known = app.settings.clients().iter();
    let known = known.map(|client| (client.id.as_str(), client.name_in(locale)));
    let rows = known.chain([(OTHER, "")]).map(|(id, name)| {
        let group = numbers.groups.iter().find(|group| group.name == id);
        let tile = |id: &str| group.and_then(|group| number(&group.tiles, id));
        let shown = |id: &str| tile(id).and_then(text);
        json!({
            "id": id,
            "name": name,
            "logins": tile("success_rate").map_or(0, |tile| tile.of),
            "registrations": tile("registrations").map_or(0, |tile| tile.of),
            "success": shown("success_rate"),
            "abandonment": shown("abandonment"),
            "seconds": tile("time_to_login_p50").and_then(seconds),
            "opt_in": shown("consent_opt_in"),
        })
    });
    json!({ "clients": rows.collect::<Vec<_>>() })
}
