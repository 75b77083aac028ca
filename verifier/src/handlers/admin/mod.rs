//! `/admin`: pages with the numbers, for whoever has a key for them. They need no script.
//!
//! A page is a file here with its path and its template under `crates/pages/templates/numbers`. It opens
//! with [`open`], which asks for the key, and is shown with [`show`].

pub mod audit;
pub mod clients;
pub mod consents;
pub mod door;
pub mod journey;
pub mod overview;
pub mod returns;
pub mod risk;

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use url::form_urlencoded::{Serializer, parse};
use vouchsafe_pages::Locale;

use super::owned;
use crate::app::App;
use crate::numbers::ask::{Asked, Group};
use crate::numbers::tiles::{Tile, Unit};
use crate::reply::see_other;
use crate::store::StoreError;
use crate::views;

/// What every page takes.
const DAYS: [&str; 2] = ["since", "until"];
/// Heights of bars.
const HIGHEST: i64 = 110;

/// A page that somebody with a key asks for.
struct Opened {
    cookie: String,
    asked: Asked,
    /// What the page asks beside the days.
    given: BTreeMap<String, String>,
    locale: Locale,
}

impl Opened {
    fn text(&self, name: &str) -> Option<&str> {
        let text = self.given.get(name).map(|text| text.trim());
        text.filter(|text| !text.is_empty())
    }
}

/// Asks for the key, and reads the parameters: the days, and `own` ones of the page at `path`. Those that
/// do not fit lead to the page without any.
async fn open(
    app: &App,
    headers: &HeaderMap,
    query: Option<&str>,
    (path, own): (&str, &[&str]),
) -> Result<Opened, Box<Response>> {
    let cookie = match door::opened(app, headers).await {
        Ok(Some(cookie)) => cookie,
        Ok(None) => return Err(Box::new(door::page(app, headers, false))),
        Err(error) => return Err(Box::new(owned::store_failure(app, headers, &error))),
    };
    let mut given = BTreeMap::new();
    let mut rest = Serializer::new(String::new());
    for (name, value) in parse(query.unwrap_or_default().as_bytes()) {
        if DAYS.contains(&&*name) {
            rest.append_pair(&name, &value);
        } else if !own.contains(&&*name) {
            // A page that is asked about a part would show zeros where there is nothing to show.
            return Err(Box::new(see_other(path)));
        } else if given
            .insert(name.into_owned(), value.into_owned())
            .is_some()
        {
            return Err(Box::new(see_other(path)));
        }
    }
    let asked = Asked::parse(&rest.finish(), app.now());
    let asked = asked.map_err(|_| Box::new(see_other(path)))?;
    Ok(Opened {
        cookie,
        asked,
        given,
        locale: views::browser_locale(headers),
    })
}

/// Shows a page with what every page says. `section` is its place among the others.
fn show(
    app: &App,
    headers: &HeaderMap,
    opened: &Opened,
    section: &str,
    context: Result<Value, StoreError>,
) -> Response {
    let mut context = match context {
        Ok(context) => context,
        Err(error) => return owned::store_failure(app, headers, &error),
    };
    let (since, until) = opened.asked.days();
    context["section"] = json!(section);
    context["since"] = json!(since);
    context["until"] = json!(until);
    context["csrf"] = json!(app.csrf.token(&opened.cookie));
    let name = format!("numbers/{section}");
    views::page(app, StatusCode::OK, &name, opened.locale, context)
}

fn number<'a>(tiles: &'a [Tile], id: &str) -> Option<&'a Tile> {
    tiles.iter().find(|tile| tile.id == id)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A share as text; nothing of nothing.
fn share(of: i64, among: i64) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
    (among > 0).then(|| percent(of as f64 / among as f64))
}

/// A number as text; nothing where there is none, and of seconds, which have words.
fn text(tile: &Tile) -> Option<String> {
    match tile.unit {
        Unit::Count => Some(tile.of.to_string()),
        Unit::Ratio => tile.value.map(percent),
        Unit::Seconds => None,
    }
}

/// Whole seconds of a tile that has them.
fn seconds(tile: &Tile) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "two hours at most")]
    let whole = |seconds: f64| seconds.round() as i64;
    let seconds = tile.value.filter(|_| tile.unit == Unit::Seconds);
    seconds.map(whole)
}

/// Tiles as pages show them; those that `large` says stand above the rest.
fn shown(tiles: &[Tile], large: impl Fn(&str) -> bool) -> Vec<Value> {
    let shown = tiles.iter().map(|tile| {
        json!({
            "id": tile.id,
            "shown": large(tile.id),
            "text": text(tile),
            "line": tile.among.map(|among| format!("{} ÷ {among}", tile.of)),
            "seconds": seconds(tile),
        })
    });
    shown.collect()
}

/// Bars of a chart: the greatest number is as high as the chart.
fn bars(numbers: &[(String, i64)]) -> Vec<Value> {
    let most = numbers.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let bars = numbers.iter().zip(0..).map(|((name, n), place)| {
        let height = n * HIGHEST / most;
        json!({ "name": name, "n": n, "x": place * 10, "y": 120 - height, "height": height })
    });
    bars.collect()
}

/// A number of a form, with a point or a comma. `1,000` may be one or a thousand, so it is none.
fn typed(text: &str, most: f64) -> Option<f64> {
    let digits = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let fits = text.len() <= 16 && text.chars().all(digits);
    let parts = text.split_once(['.', ',']);
    let thousands = parts
        .is_some_and(|(whole, rest)| rest.len() == 3 && !whole.trim_start_matches('0').is_empty());
    let fits = fits && !thousands;
    let number: f64 = text.replace(',', ".").parse().ok().filter(|_| fits)?;
    (0.0..=most).contains(&number).then_some(number)
}

fn succeeded(group: &Group) -> i64 {
    number(&group.tiles, "success_rate").map_or(0, |one| one.of)
}
