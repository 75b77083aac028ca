//! What became of consents, of everybody together.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::{open, share, show};
use crate::app::App;
use crate::numbers::OTHER;
use crate::numbers::agreed::{Agreed, agreed};

/// Where it is.
pub const CONSENTS: &str = "/admin/consents";

/// The page.
pub async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let opened = match open(&app, &headers, query.as_deref(), (CONSENTS, &[])).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let context = agreed(&app, &opened.asked).await;
    let context = context.map(|found| all(&app, &found, opened.locale.tag()));
    show(
        &app,
        &headers,
        &opened,
        "consents",
        context.map_err(Into::into),
    )
}

fn all(app: &App, found: &BTreeMap<String, Agreed>, locale: &str) -> Value {
    let known = app.settings.clients().iter();
    let known = known.map(|client| (client.id.as_str(), client.name_in(locale)));
    let rows = known.chain([(OTHER, "")]).map(|(id, name)| {
        let agreed = found.get(id).copied().unwrap_or_default();
        row(id, name, agreed)
    });
    let mut sum = Agreed::default();
    for one in found.values() {
        sum.add(*one);
    }
    json!({ "clients": rows.collect::<Vec<_>>(), "sum": row("", "", sum) })
}

fn row(id: &str, name: &str, agreed: Agreed) -> Value {
    let Agreed {
        granted,
        denied,
        withdrawn,
        expired,
        holding,
    } = agreed;
    json!({
        "id": id,
        "name": name,
        "granted": granted,
        "denied": denied,
        "withdrawn": withdrawn,
        "expired": expired,
        "holding": holding,
        "opt_in": share(granted, granted + denied),
        "left": share(withdrawn, granted),
    })
}
