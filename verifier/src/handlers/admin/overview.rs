//! The numbers of everything.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::{bars, number, open, show, shown, succeeded, text};
use crate::app::App;
use crate::numbers::ask::{self, Group, Numbers};

/// Where it is.
pub const OVERVIEW: &str = "/admin";

/// Tiles that stand large above the rest.
const LARGE: [&str; 6] = [
    "registrations",
    "success_rate",
    "time_to_login_p50",
    "step_up_rate",
    "credential_acceptance",
    "sessions_active",
];

/// The page.
pub async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let opened = match open(&app, &headers, query.as_deref(), (OVERVIEW, &[])).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let context = ask::overview(&app, &opened.asked).await;
    let context = context.map(|(days, stages)| all(&app, &days, &stages));
    show(
        &app,
        &headers,
        &opened,
        "overview",
        context.map_err(Into::into),
    )
}

fn all(app: &App, days: &Numbers, stages: &[Group]) -> Value {
    let set = app.journeys.current();
    let journeys: Vec<_> = set.all().map(|one| one.journey.id.clone()).collect();
    let trend: Vec<_> = days
        .groups
        .iter()
        .map(|group| (group.name.clone(), succeeded(group)))
        .collect();
    let stages = stages.iter().map(|group| {
        let text = |id: &str| number(&group.tiles, id).and_then(text);
        json!({ "name": group.name, "success": text("success_rate"), "abandonment": text("abandonment") })
    });
    json!({
        "tiles": shown(&days.tiles, |id| LARGE.contains(&id)),
        "bars": bars(&trend),
        "width": days.groups.len() * 10,
        "stages": stages.collect::<Vec<_>>(),
        "journeys": journeys,
    })
}
