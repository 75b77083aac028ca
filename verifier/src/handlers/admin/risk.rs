//! How unusual logins looked, and what another threshold would have meant.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::{bars, open, share, show, typed};
use crate::app::App;
use crate::numbers::judged::{self, Judged};
use crate::numbers::scores::{CLASSES, edge};
use crate::risk::levels::WARM_UP;

/// Where it is.
pub const RISK: &str = "/admin/risk";
/// The threshold that is tried.
const THRESHOLD: &str = "threshold";
/// The greatest that is taken.
const MOST: f64 = 1e9;

/// The page.
pub async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let own = [THRESHOLD];
    let opened = match open(&app, &headers, query.as_deref(), (RISK, &own)).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let judged = judged::judged(&app, &opened.asked).await;
    let tried = opened.text(THRESHOLD);
    let context = judged.map(|judged| all(&app, &judged, tried));
    show(&app, &headers, &opened, "risk", context.map_err(Into::into))
}

fn all(app: &App, judged: &Judged, tried: Option<&str>) -> Value {
    let settings = app.settings.risk.as_ref();
    let all: i64 = judged.levels.iter().map(|(_, n)| n).sum();
    let levels = bars(&judged.levels).into_iter().map(|mut bar| {
        bar["share"] = json!(share(bar["n"].as_i64().unwrap_or_default(), all));
        bar
    });
    let reasons = judged.reasons.iter();
    let reasons = reasons.map(|(code, n)| json!({ "code": code, "n": n, "share": share(*n, all) }));
    let scores = judged.scores.iter();
    // What lies beyond is in the first class or in the last.
    let scores = scores.map(|(class, n)| {
        let from = (class > CLASSES.start()).then(|| shown(edge(*class)));
        let to = (class < CLASSES.end()).then(|| shown(edge(*class + 1)));
        json!({ "from": from, "to": to, "n": n })
    });
    let decades: Vec<(String, i64)> = (-4..=4)
        .map(|power| {
            let of_it = |(class, _): &&(i32, i64)| (power * 10..power * 10 + 10).contains(class);
            let n = judged.scores.iter().filter(of_it).map(|(_, n)| n).sum();
            (shown(edge(power * 10)), n)
        })
        .collect();
    let thresholds = settings.and_then(|settings| settings.thresholds);
    json!({
        "configured": settings.is_some(),
        "ask_again_at": settings.map(|settings| settings.ask_again_at.name()),
        "thresholds": thresholds.map(|levels| json!({
            "medium": levels.medium, "high": levels.high, "critical": levels.critical,
        })),
        "logins": judged.counted,
        "warm_up": WARM_UP,
        "warming": judged.counted < i64::try_from(WARM_UP).unwrap_or(i64::MAX),
        "judged": all,
        "asked_again": judged.asked_again,
        "levels": levels.collect::<Vec<_>>(),
        "reasons": reasons.collect::<Vec<_>>(),
        "bars": bars(&decades),
        "scores": scores.collect::<Vec<_>>(),
        "tried": tried,
        "what_if": tried.map(|tried| what_if(judged, tried)),
    })
}

/// What a threshold would have meant; `wrong` where it is none.
fn what_if(judged: &Judged, tried: &str) -> Value {
    let threshold = typed(tried, MOST);
    let Some(threshold) = threshold.filter(|one| *one > 0.0) else {
        return json!({ "wrong": true });
    };
    let tried = judged.at_least(threshold);
    json!({
        "wrong": false,
        "edge": tried.edge.map(shown),
        "n": tried.n,
        "among": tried.among,
        "share": share(tried.n, tried.among),
    })
}

/// A score with so many digits that an edge typed in again is that edge, and could be no thousand.
fn shown(score: f64) -> String {
    match score {
        ..0.01 => format!("{score:.8}"),
        0.01..1.0 => format!("{score:.6}"),
        1.0..100.0 => format!("{score:.4}"),
        100.0..1000.0 => format!("{score:.2}"),
        _ => format!("{score:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::scores::above;

    #[test]
    fn an_edge_that_was_printed_and_typed_in_again_is_the_edge() {
        for class in CLASSES {
            let printed = shown(edge(class));
            let again = typed(&printed, MOST).and_then(above);
            assert_eq!(again, Some(class), "{printed}");
        }
    }
}
