//! What a template gets to see.

use minijinja::Value;
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::Value as Json;

/// The context of a page, value by value. A crate elsewhere in the program may turn on the
/// feature `arbitrary_precision` of `serde_json` (`ssi` does): its numbers then serialize as a
/// structure of its own that only `serde_json` reads back, so everything goes through it first.
pub fn plain(context: impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(context).map(value).map_err(unreadable)
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(truth),
        Json::Number(number) => self::number(&number),
        Json::String(text) => Value::from(text),
        Json::Array(items) => items.into_iter().map(value).collect(),
        Json::Object(members) => {
            let pairs = members.into_iter();
            Value::from_pairs(pairs.map(|(name, member)| (name, value(member))))
        }
    }
}

fn number(number: &serde_json::Number) -> Value {
    if let Some(number) = number.as_i64() {
        return Value::from(number);
    }
    if let Some(number) = number.as_u64() {
        return Value::from(number);
    }
    // A number that no double holds is shown as it is written.
    match number.as_f64().filter(|number| number.is_finite()) {
        Some(number) => Value::from(number),
        None => Value::from(number.to_string()),
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(
        ErrorKind::BadSerialization,
        "the context of a page cannot be read",
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use minijinja::Environment;
    use serde_json::json;

    use super::*;

    fn rendered(template: &str, context: impl Serialize) -> String {
        let context = plain(context).unwrap();
        Environment::new().render_str(template, context).unwrap()
    }

    /// Fails without [`plain`] where `serde_json` has `arbitrary_precision`:
    /// `cargo test -p vouchsafe-pages --features serde_json/arbitrary_precision`.
    #[test]
    fn numbers_are_numbers_whatever_features_serde_json_has() {
        let context = json!({
            "count": 3, "less": -7, "large": u64::MAX, "part": 1.5, "list": [1, {"n": 2}],
        });
        for (template, expected) in [
            (
                "{{ count }} {{ less }} {{ large }}",
                "3 -7 18446744073709551615",
            ),
            ("{{ part }} {{ count + part }}", "1.5 4.5"),
            ("{{ count > 2 and less < 0 }}", "True"),
            ("{{ count is integer }} {{ part is float }}", "True True"),
            ("{% for n in list %}{{ n.n or n }},{% endfor %}", "1,2,"),
            ("{{ range(count)|join }}", "012"),
        ] {
            assert_eq!(rendered(template, &context), expected, "{template}");
        }
    }

    /// As pages are filled: a structure with a value of `serde_json` in it, flattened or not.
    #[test]
    fn numbers_in_structures_too() {
        #[derive(Serialize)]
        struct Page {
            seconds: i64,
            facts: BTreeMap<&'static str, Json>,
            #[serde(flatten)]
            rest: Json,
            nothing: Option<u8>,
        }
        let page = Page {
            seconds: 60,
            facts: BTreeMap::from([("age", json!(18))]),
            rest: json!({"height": 170, "weight": 70.5}),
            nothing: None,
        };
        let template =
            "{{ seconds }} {{ facts.age }} {{ height }} {{ weight }} {{ nothing is none }}";
        assert_eq!(rendered(template, page), "60 18 170 70.5 True");
    }

    #[test]
    fn texts_are_still_escaped() {
        let mut environment = Environment::new();
        environment.add_template("page.html", "{{ text }}").unwrap();
        let context = plain(json!({"text": "<b>&"})).unwrap();
        let page = environment.get_template("page.html").unwrap();
        assert_eq!(page.render(context).unwrap(), "&lt;b&gt;&amp;");
    }
}
