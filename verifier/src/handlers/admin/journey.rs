//! The numbers of a journey and of its steps, and its picture.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::overview::OVERVIEW;
use super::{door, open, percent, show, shown};
use crate::app::App;
use crate::handlers::{PathText, owned};
use crate::journey;
use crate::numbers::ask::{Numbers, ask};

/// A journey.
pub const JOURNEY: &str = "/admin/journeys/{journey}";
/// Its picture.
pub const PICTURE: &str = "/admin/journeys/{journey}/picture";

/// Tiles of the page.
const SHOWN: [&str; 7] = [
    "registrations",
    "success_rate",
    "time_to_login_p50",
    "step_up_rate",
    "credential_acceptance",
    "registration_conversion",
    "abandonment",
];

/// The page.
pub async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    path: PathText,
    RawQuery(query): RawQuery,
) -> Response {
    let opened = match open(&app, &headers, query.as_deref(), (OVERVIEW, &[])).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let known = path.ok().map(|path| path.0);
    let set = app.journeys.current();
    let known = known.filter(|id| set.all().any(|one| one.journey.id == *id));
    let Some(id) = known else {
        return owned::refused(&app, &headers);
    };
    let numbers = ask(&app, &opened.asked.clone().of_journey(&id)).await;
    let context = numbers.map(|numbers| steps(&id, &numbers));
    show(
        &app,
        &headers,
        &opened,
        "journey",
        context.map_err(Into::into),
    )
}

fn steps(journey: &str, numbers: &Numbers) -> Value {
    let steps = numbers.steps.iter().map(|step| {
        let well = ["ok", "reused"]
            .iter()
            .filter_map(|one| step.finished.get(*one));
        json!({
            "step": step.step,
            "entered": step.entered,
            "well": well.sum::<i64>(),
            "lost": step.drop_off.map(percent),
            "median": step.median_s,
        })
    });
    let mut tiles = shown(&numbers.tiles, |id| SHOWN.contains(&id));
    tiles.retain(|tile| tile["shown"] == true);
    json!({
        "journey": journey,
        "tiles": tiles,
        "steps": steps.collect::<Vec<_>>(),
        "drawn": true,
    })
}

/// The picture of a journey.
pub async fn picture(State(app): State<App>, headers: HeaderMap, path: PathText) -> Response {
    match door::opened(&app, &headers).await {
        Ok(Some(_)) => {}
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    let set = app.journeys.current();
    let id = path.ok().map(|path| path.0).unwrap_or_default();
    let found = set.all().find(|one| one.journey.id == id);
    let Some(found) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = HeaderValue::from_static("image/svg+xml");
    let fresh = HeaderValue::from_static("no-store");
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, fresh)];
    (headers, journey::draw(&found.journey)).into_response()
}
