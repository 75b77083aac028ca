//! From claims to facts with names: what a card says.

use serde_json::Value;

use super::CardFormat;
use crate::display::CardDisplay;
use crate::text::PlainText;

/// Claims that serve the format, not the person.
const TECHNICAL: [&str; 10] = [
    "iss",
    "iat",
    "nbf",
    "exp",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "cnf",
    "status",
    "_sd_alg",
];

/// Places and values of the facts in a set of claims, in the card's order.
pub(crate) struct Facts<'v>(pub(crate) Vec<(Vec<Value>, &'v Value)>);

impl<'v> Facts<'v> {
    /// The value at a place.
    pub(crate) fn get(&self, path: &[Value]) -> Option<&'v Value> {
        self.0
            .iter()
            .find(|(place, _)| place == path)
            .map(|(_, value)| *value)
    }

    /// Names and values in one of the preferred languages.
    pub(crate) fn labelled(
        &self,
        display: &CardDisplay,
        locales: &[&str],
    ) -> impl Iterator<Item = (PlainText, &'v Value)> {
        self.0
            .iter()
            .map(|(path, value)| (display.label(path, locales), *value))
    }
}

/// Every fact in the claims, without those that serve the format. The elements of an mdoc are all
/// facts: its namespaces are the issuer's to name, and none of them is left out.
pub(crate) fn facts_of<'v>(
    claims: &'v Value,
    format: CardFormat,
    display: &CardDisplay,
) -> Facts<'v> {
    let mut facts = Vec::new();
    let technical: &[&str] = match format {
        CardFormat::SdJwtVc => &TECHNICAL,
        CardFormat::Mdoc => &[],
    };
    let members = claims.as_object().into_iter().flatten();
    for (name, value) in members.filter(|(name, _)| !technical.contains(&name.as_str())) {
        collect(value, &mut vec![Value::from(name.as_str())], &mut facts);
    }
    let rank = |path: &[Value]| {
        let known = display.claims.iter();
        known
            .clone()
            .position(|claim| path.starts_with(&claim.path))
            .unwrap_or(known.len())
    };
    facts.sort_by_key(|(path, _)| rank(path));
    Facts(facts)
}

fn collect<'v>(value: &'v Value, path: &mut Vec<Value>, facts: &mut Vec<(Vec<Value>, &'v Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                path.push(Value::from(name.as_str()));
                collect(member, path, facts);
                path.pop();
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (position, item) in items.iter().enumerate() {
                path.push(Value::from(position));
                collect(item, path, facts);
                path.pop();
            }
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => facts.push((path.clone(), value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn display() -> CardDisplay {
        CardDisplay::new(vec![], vec![], None, None, vec![])
    }

    #[test]
    fn facts_are_leaves_without_technical_claims() {
        let claims = json!({
            "iss": "https://i.example", "exp": 1, "cnf": {"jwk": {}}, "status": {},
            "age_equal_or_over": {"18": true, "21": false},
            "nationalities": ["AT", "DE"],
            "degrees": [{"type": "BSc"}],
        });
        let facts = facts_of(&claims, CardFormat::SdJwtVc, &display());
        let places: Vec<Value> = facts.0.iter().map(|(path, _)| json!(path)).collect();
        assert_eq!(
            places,
            [
                json!(["age_equal_or_over", "18"]),
                json!(["age_equal_or_over", "21"]),
                json!(["nationalities"]),
                json!(["degrees", 0, "type"]),
            ]
        );
    }

    #[test]
    fn cat_442_no_namespace_of_an_mdoc_is_hidden() {
        let claims = json!({ "iss": { "cnf": 1 }, "status": { "family_name": "Alice" } });
        let facts = facts_of(&claims, CardFormat::Mdoc, &display());
        let places: Vec<Value> = facts.0.iter().map(|(path, _)| json!(path)).collect();
        assert_eq!(
            places,
            [json!(["iss", "cnf"]), json!(["status", "family_name"])]
        );
    }
}
