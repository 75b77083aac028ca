//! What must be beside what is read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::expected::Expected;

/// A number as it must be and as it is read; one of them is missing where only one side knows it.
#[derive(Debug)]
pub struct Line {
    name: String,
    expected: Option<Expected>,
    read: Option<Expected>,
}

impl Line {
    fn is_right(&self) -> bool {
        match (&self.expected, &self.read) {
            (Some(expected), Some(read)) => {
                let value = match (expected.value, read.value) {
                    // JSON may lose the last bit.
                    (Some(one), Some(other)) => (one - other).abs() < 1e-9,
                    (one, other) => one == other,
                };
                value && expected.of == read.of && expected.among == read.among
            }
            _ => false,
        }
    }
}

/// Compares every number that either side has.
pub fn lines(expected: &BTreeMap<&'static str, Expected>, read: &Value) -> Vec<Line> {
    let tiles = read["tiles"].as_array().cloned().unwrap_or_default();
    let mut lines: Vec<Line> = tiles
        .iter()
        .map(|tile| {
            let name = tile["id"].as_str().unwrap_or_default();
            Line {
                name: name.to_owned(),
                expected: expected.get(name).cloned(),
                read: tile["of"].as_i64().map(|of| Expected {
                    value: tile["value"].as_f64(),
                    of,
                    among: tile["among"].as_i64(),
                }),
            }
        })
        .collect();
    for (name, number) in expected {
        if !lines.iter().any(|line| line.name == *name) {
            lines.push(Line {
                name: (*name).to_owned(),
                expected: Some(number.clone()),
                read: None,
            });
        }
    }
    lines
}

/// The names of those that differ.
pub fn differing(lines: &[Line]) -> Vec<&str> {
    let wrong = lines.iter().filter(|line| !line.is_right());
    wrong.map(|line| line.name.as_str()).collect()
}

/// Prints them.
#[expect(clippy::print_stdout, reason = "the numbers are this command's result")]
pub fn print(lines: &[Line], json: bool) {
    for line in lines {
        if json {
            let side = |side: &Option<Expected>| {
                let side = side.as_ref();
                side.map(|n| json!({ "value": n.value, "of": n.of, "among": n.among }))
            };
            let (expected, read) = (side(&line.expected), side(&line.read));
            let object = json!({ "number": line.name, "ok": line.is_right(), "expected": expected, "read": read });
            println!("{object}");
        } else {
            let (expected, read) = (text(line.expected.as_ref()), text(line.read.as_ref()));
            let verdict = if line.is_right() { "" } else { "  DIFFERS" };
            println!("{:<26} {expected:>22} {read:>22}{verdict}", line.name);
        }
    }
}

fn text(number: Option<&Expected>) -> String {
    let Some(Expected { value, of, among }) = number else {
        return "missing".to_owned();
    };
    let value = value.map_or("nothing".to_owned(), |value| match among {
        Some(_) => format!("{value:.4}"),
        None => format!("{value}"),
    });
    match among {
        Some(among) => format!("{value} ({of}/{among})"),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_differs_is_missing_or_is_too_much_is_named() {
        let number = |of: i64, among: i64| Expected {
            value: Some(0.5),
            of,
            among: Some(among),
        };
        let expected = BTreeMap::from([
            ("a", number(1, 2)),
            ("b", number(1, 2)),
            ("c", number(1, 2)),
        ]);
        let read = json!({ "tiles": [
            { "id": "a", "value": 0.5, "of": 1, "among": 2 },
            { "id": "b", "value": 0.5, "of": 2, "among": 4 },
            { "id": "d", "value": null, "of": 0, "among": null },
        ]});
        let compared = lines(&expected, &read);
        assert_eq!(differing(&compared), ["b", "d", "c"]);
        assert_eq!(differing(&lines(&expected, &Value::Null)).len(), 3);
    }
}
