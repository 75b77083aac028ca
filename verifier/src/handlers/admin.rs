//! `/admin`: pages with the numbers, for whoever has a key for them. They need no script.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::api_keys;

use super::{PathText, form, owned};
use crate::access::Scope;
use crate::app::App;
use crate::cookies::Cookie;
use crate::journey;
use crate::numbers::ask::{Asked, By, Group, Numbers, ask};
use crate::numbers::tiles::{Tile, Unit};
use crate::reply::{see_other, with_cookie};
use crate::store::StoreError;
use crate::views;

/// The overview.
pub const OVERVIEW: &str = "/admin";
/// A key is shown here.
pub const SIGN_IN: &str = "/admin/sign-in";
/// And put away.
pub const SIGN_OUT: &str = "/admin/sign-out";
/// A journey.
pub const JOURNEY: &str = "/admin/journeys/{journey}";
/// Its picture.
pub const PICTURE: &str = "/admin/journeys/{journey}/picture";

/// What forms of somebody without a cookie are bound to.
const NOBODY: &str = "numbers";
/// A browser is trusted with a key for a working day.
const LIVES_S: i64 = 8 * 3600;
/// Heights of bars.
const HIGHEST: i64 = 110;
/// Tiles of the pages, and whether they stand large above the rest.
const SHOWN: [(&str, bool); 8] = [
    ("registrations", true),
    ("success_rate", true),
    ("time_to_login_p50", true),
    ("step_up_rate", true),
    ("credential_acceptance", true),
    ("sessions_active", true),
    ("registration_conversion", false),
    ("abandonment", false),
];

/// The cookie of a browser whose key opens the numbers. It is asked each time: a key that was revoked
/// opens nothing.
async fn opened(app: &App, headers: &HeaderMap) -> Result<Option<String>, StoreError> {
    let Some(cookie) = Cookie::Numbers.read(app, headers) else {
        return Ok(None);
    };
    let Some((key, until)) = app.cookies.open_text::<(String, i64)>(&[PLACE], &cookie) else {
        return Ok(None);
    };
    let good = app.now() < UnixTime(until) && may(app, &key).await?;
    Ok(good.then_some(cookie))
}

/// Where the cookie is sealed for.
const PLACE: &str = "numbers";

async fn may(app: &App, key: &str) -> Result<bool, StoreError> {
    let key = api_keys::authenticate(&app.db, key, app.now()).await?;
    Ok(key.is_some_and(|key| key.may(Scope::Numbers.as_str())))
}

fn door(app: &App, headers: &HeaderMap, wrong: bool) -> Response {
    let status = if wrong {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::OK
    };
    let context = json!({ "wrong": wrong, "csrf": app.csrf.token(NOBODY) });
    let locale = views::browser_locale(headers);
    views::page(app, status, "numbers/sign_in", locale, context)
}

/// Somebody shows a key.
pub async fn sign_in(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(form) = form::own(&app, &headers, &body, NOBODY) else {
        return owned::foreign(&app, &headers);
    };
    let key = form.get("key").unwrap_or_default().trim();
    match may(&app, key).await {
        Ok(true) => {}
        Ok(false) => return door(&app, &headers, true),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    let sealed = (key, app.now().plus(LIVES_S).0);
    match app.cookies.seal_text(&[PLACE], &sealed) {
        Ok(value) => with_cookie(see_other(OVERVIEW), Cookie::Numbers.set(&app, &value)),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

/// Puts it away.
pub async fn sign_out(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let cookie = Cookie::Numbers.read(&app, &headers).unwrap_or_default();
    if form::own(&app, &headers, &body, &cookie).is_none() {
        return owned::foreign(&app, &headers);
    }
    with_cookie(see_other(OVERVIEW), Cookie::Numbers.remove(&app))
}

/// The numbers of everything.
pub async fn overview(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = async {
        let Some(cookie) = opened(&app, &headers).await? else {
            return Ok(door(&app, &headers, false));
        };
        let Ok(asked) = Asked::parse(query.as_deref().unwrap_or_default(), app.now()) else {
            return Ok(see_other(OVERVIEW));
        };
        let days = ask(&app, &asked.clone().grouped(Some(By::Day))).await?;
        let stages = ask(&app, &asked.grouped(Some(By::Stage))).await?;
        let context = all(&app, &cookie, &days, &stages);
        let locale = views::browser_locale(&headers);
        Ok::<_, StoreError>(views::page(
            &app,
            StatusCode::OK,
            "numbers/overview",
            locale,
            context,
        ))
    };
    match shown.await {
        Ok(response) => response,
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

fn all(app: &App, cookie: &str, days: &Numbers, stages: &Numbers) -> Value {
    let set = app.journeys.current();
    let journeys: Vec<_> = set.all().map(|one| one.journey.id.clone()).collect();
    let succeeded = |group: &Group| number(&group.tiles, "success_rate").map_or(0, |one| one.of);
    let most = days.groups.iter().map(succeeded).max().unwrap_or(0).max(1);
    let bars = days.groups.iter().zip(0..).map(|(group, place)| {
        let n = succeeded(group);
        let height = n * HIGHEST / most;
        json!({ "day": group.name, "n": n, "x": place * 10, "y": 120 - height, "height": height })
    });
    let stages = stages.groups.iter().map(|group| {
        let text = |id: &str| number(&group.tiles, id).and_then(text);
        json!({ "name": group.name, "success": text("success_rate"), "abandonment": text("abandonment") })
    });
    json!({
        "since": days.since,
        "until": days.until,
        "tiles": shown(&days.tiles),
        "bars": bars.collect::<Vec<_>>(),
        "width": days.groups.len() * 10,
        "stages": stages.collect::<Vec<_>>(),
        "journeys": journeys,
        "csrf": app.csrf.token(cookie),
    })
}

/// The numbers of a journey and of its steps.
pub async fn of_journey(
    State(app): State<App>,
    headers: HeaderMap,
    path: PathText,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = async {
        let known = path.ok().map(|path| path.0);
        let set = app.journeys.current();
        let known = known.filter(|id| set.all().any(|one| one.journey.id == *id));
        if opened(&app, &headers).await?.is_none() {
            return Ok(door(&app, &headers, false));
        }
        let Some(id) = known else {
            return Ok(owned::refused(&app, &headers));
        };
        let query = query.unwrap_or_default();
        let Ok(asked) = Asked::parse(&format!("{query}&journey={id}"), app.now()) else {
            return Ok(see_other(OVERVIEW));
        };
        let numbers = ask(&app, &asked).await?;
        let context = steps(&id, &numbers);
        let locale = views::browser_locale(&headers);
        Ok::<_, StoreError>(views::page(
            &app,
            StatusCode::OK,
            "numbers/journey",
            locale,
            context,
        ))
    };
    match shown.await {
        Ok(response) => response,
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
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
    json!({
        "journey": journey,
        "since": numbers.since,
        "until": numbers.until,
        "tiles": shown(&numbers.tiles),
        "steps": steps.collect::<Vec<_>>(),
        "drawn": true,
    })
}

/// The picture of a journey.
pub async fn picture(State(app): State<App>, headers: HeaderMap, path: PathText) -> Response {
    match opened(&app, &headers).await {
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

fn number<'a>(tiles: &'a [Tile], id: &str) -> Option<&'a Tile> {
    tiles.iter().find(|tile| tile.id == id)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A number as text; nothing where there is none, and of seconds, which have words.
fn text(tile: &Tile) -> Option<String> {
    match tile.unit {
        Unit::Count => Some(tile.of.to_string()),
        Unit::Ratio => tile.value.map(percent),
        Unit::Seconds => None,
    }
}

fn shown(tiles: &[Tile]) -> Vec<Value> {
    let known = SHOWN.iter();
    let known = known.filter_map(|(id, large)| number(tiles, id).zip(Some(large)));
    known
        .map(|(tile, large)| {
            let seconds = tile.value.filter(|_| tile.unit == Unit::Seconds);
            json!({
                "id": tile.id,
                "shown": large,
                "text": text(tile),
                "line": tile.among.map(|among| format!("{} ÷ {among}", tile.of)),
                "seconds": seconds.map(|seconds| seconds.round() as i64),
            })
        })
        .collect()
}
