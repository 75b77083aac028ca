//! What logins are worth, by numbers that somebody types in: the arithmetic is printed, and nothing is
//! stored or assumed.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Opened, number, open, show, typed};
use crate::app::App;
use crate::numbers::ask::{Numbers, ask};

/// Where it is.
pub const RETURNS: &str = "/admin/returns";
/// What is typed in: people a month who come to register, how many in a hundred registered before, what a
/// registration brings, calls a month that the help desk no longer has, what a call costs, and what the
/// service costs a month.
const INPUTS: [&str; 6] = ["visits", "before", "margin", "calls", "call_cost", "cost"];
/// The greatest number that is taken.
const MOST: f64 = 1e9;

/// The page.
pub async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let opened = match open(&app, &headers, query.as_deref(), (RETURNS, &INPUTS)).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let numbers = ask(&app, &opened.asked).await;
    let context = numbers.map(|numbers| all(&opened, &numbers));
    show(
        &app,
        &headers,
        &opened,
        "returns",
        context.map_err(Into::into),
    )
}

fn all(opened: &Opened, numbers: &Numbers) -> Value {
    let inputs = INPUTS.map(|name| {
        let text = opened.text(name);
        let most = if name == "before" { 100.0 } else { MOST };
        let wrong = text.is_some_and(|text| typed(text, most).is_none());
        json!({ "name": name, "value": text, "wrong": wrong, "most": most })
    });
    let input = |name: &str| {
        let most = if name == "before" { 100.0 } else { MOST };
        opened.text(name).and_then(|text| typed(text, most))
    };
    let registered = number(&numbers.tiles, "registrations").map_or(0, |tile| tile.of);
    let conversion = number(&numbers.tiles, "registration_conversion").and_then(|tile| tile.value);
    json!({ "inputs": inputs, "sums": sums(&input, registered, conversion) })
}

/// The sums whose numbers are there, each as it is computed: what is printed rounded is rounded first.
fn sums(
    input: &impl Fn(&str) -> Option<f64>,
    registered: i64,
    conversion: Option<f64>,
) -> Vec<Value> {
    #[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
    let registered = registered as f64;
    let mut sums = Vec::new();
    let mut say = |name: &str, line: String, result: f64| {
        let result = cents(result);
        sums.push(json!({ "name": name, "line": minus(&format!("{line} = {result:.2}")) }));
        result
    };
    if let Some(margin) = input("margin") {
        let line = format!("{registered} × {margin}");
        say("registrations", line, registered * margin);
    }
    let gained = match (
        input("visits"),
        input("before"),
        input("margin"),
        conversion,
    ) {
        (Some(visits), Some(before), Some(margin), Some(now)) => {
            let now = rounded(now * 100.0, 10.0);
            let line = format!("{visits} × ({now:.1} % − {before} %) × {margin}");
            Some(say(
                "conversion",
                line,
                visits * (now - before) / 100.0 * margin,
            ))
        }
        _ => None,
    };
    let saved = input("calls").zip(input("call_cost"));
    let saved = saved.map(|(calls, cost)| say("calls", format!("{calls} × {cost}"), calls * cost));
    if let Some(cost) = input("cost").map(cents)
        && (gained.is_some() || saved.is_some())
    {
        let parts: Vec<_> = [gained, saved].into_iter().flatten().collect();
        let benefit: f64 = parts.iter().sum();
        let parts = parts.iter().map(|part| format!("{part:.2}"));
        let line = parts.collect::<Vec<_>>().join(" + ");
        let left = say("left", format!("{line} − {cost:.2}"), benefit - cost);
        if cost > 0.0 {
            say("per_cost", format!("{left:.2} ÷ {cost:.2}"), left / cost);
        }
    }
    sums
}

fn cents(amount: f64) -> f64 {
    rounded(amount, 100.0)
}

/// Halves go up as on paper: 5.015 is 5.02, although the nearest number to it that a machine has is less.
fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts * (1.0 + 1e-12)).round() / parts
}

/// With the sign of a minus, not that of a hyphen.
fn minus(line: &str) -> String {
    line.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_typed_with_a_point_or_a_comma_and_nothing_else_is_one() {
        assert_eq!(typed("12,5", MOST), Some(12.5));
        assert_eq!(typed("0", MOST), Some(0.0));
        assert_eq!(typed("0,125", MOST), Some(0.125));
        assert_eq!(typed("1.2589", MOST), Some(1.2589));
        for wrong in [
            "-1", "1e3", "NaN", "inf", "1 000", "1.000,5", "1,000", "12.500", "", ".",
        ] {
            assert_eq!(typed(wrong, MOST), None, "{wrong}");
        }
        assert_eq!(typed("100.1", 100.0), None);
    }

    #[test]
    fn sums_are_printed_as_they_are_computed() {
        let input = |name: &str| match name {
            "visits" => Some(1000.0),
            "before" => Some(60.0),
            "margin" => Some(12.5),
            "calls" => Some(40.0),
            "call_cost" => Some(8.0),
            "cost" => Some(500.0),
            _ => None,
        };
        let sums = sums(&input, 163, Some(0.815));
        let lines: Vec<_> = sums
            .iter()
            .map(|sum| sum["line"].as_str().unwrap())
            .collect();
        assert_eq!(
            lines,
            [
                "163 × 12.5 = 2037.50",
                "1000 × (81.5 % − 60 %) × 12.5 = 2687.50",
                "40 × 8 = 320.00",
                "2687.50 + 320.00 − 500.00 = 2507.50",
                "2507.50 ÷ 500.00 = 5.02",
            ]
        );
        assert!(super::sums(&|_| None, 163, Some(0.815)).is_empty());
    }

    #[test]
    fn what_is_printed_rounded_is_what_is_reckoned_with() {
        let input = |name: &str| match name {
            "visits" => Some(10_000.0),
            "before" => Some(60.0),
            "margin" => Some(1.0),
            "cost" => Some(10.004),
            _ => None,
        };
        let sums = sums(&input, 2, Some(2.0 / 3.0));
        let lines = sums.iter().map(|sum| sum["line"].as_str().unwrap());
        assert_eq!(
            lines.collect::<Vec<_>>(),
            [
                "2 × 1 = 2.00",
                "10000 × (66.7 % − 60 %) × 1 = 670.00",
                "670.00 − 10.00 = 660.00",
                "660.00 ÷ 10.00 = 66.00",
            ]
        );
    }
}
