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
    // Issuers shuffle what they hide, so the order of members is another in each copy of a card.
    facts.sort_by_cached_key(|(path, _)| (rank(path, display), place(path)));
    Facts(facts)
}

/// Where the issuer lists the claim at this place, or the nearest one around it.
fn rank(path: &[Value], display: &CardDisplay) -> usize {
    let listed = display.claims.iter().enumerate();
    let around = listed.filter(|(_, claim)| path.starts_with(&claim.path));
    let nearest = around.max_by_key(|(_, claim)| claim.path.len());
    nearest.map_or(display.claims.len(), |(position, _)| position)
}

/// A place as one can sort by it: names by their letters, elements by their position.
fn place(path: &[Value]) -> Vec<(u64, String)> {
    let parts = path.iter().map(|part| match part {
        Value::String(name) => (0, name.clone()),
        other => (other.as_u64().unwrap_or_default(), String::new()),
    });
    parts.collect()
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
    fn the_order_of_members_does_not_matter() {
        let texts = [
            r#"{"z": {"b": 1, "a": 2}, "list": [[1], [2], {"d": 3, "c": 4}], "a": 5}"#,
            r#"{"a": 5, "list": [[1], [2], {"c": 4, "d": 3}], "z": {"a": 2, "b": 1}}"#,
        ];
        let claims = texts.map(|text| serde_json::from_str::<Value>(text).unwrap());
        let [one, other] = [&claims[0], &claims[1]]
            .map(|claims| facts_of(claims, CardFormat::SdJwtVc, &display()).0);
        assert_eq!(one, other);
        assert_eq!(one.len(), 7);
        assert_eq!(one[0].0, [json!("a")]);
        assert_eq!(one[1].0, [json!("list"), json!(0)]);
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
                json!(["degrees", 0, "type"]),
                json!(["nationalities"]),
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
