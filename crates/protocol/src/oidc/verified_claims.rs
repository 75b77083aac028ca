//! `verified_claims` (OpenID Connect for Identity Assurance 1.0): what is asked for, and what of the
//! data at hand may be said. It is said as it was asked for, or it is not said; nothing here is an error
//! but a request that cannot be read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use super::claims_request::{ClaimWish, MAX_CLAIMS};

/// Most elements in one array of wishes.
const MAX_WISHES: usize = 8;
/// Deepest nesting of `verification`.
const MAX_DEPTH: usize = 8;
/// Members that demand something of a value (section "Defining further constraints").
const CONSTRAINTS: [&str; 3] = ["value", "values", "max_age"];

/// One element that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedWish {
    /// What is asked of the verification, in the form of the request.
    pub verification: Map<String, Value>,
    /// The claims that are asked for.
    pub claims: Vec<ClaimWish>,
}

/// The request is not of the form that the specification gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed verified_claims")]
pub struct Malformed;

/// Something that was demanded does not hold.
struct Unmet;

/// What is known of some claims.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// How they were verified, in the form of the response (OpenID Identity Assurance Schema
    /// Definition 1.0); `trust_framework` is in it.
    pub verification: &'a Map<String, Value>,
    /// `time` of it.
    pub time: Option<UnixTime>,
    /// The claims.
    pub claims: &'a Map<String, Value>,
}

/// Reads the member: one object, or several that are answered each by itself.
///
/// # Errors
/// [`Malformed`].
pub fn parse(wishes: &Value) -> Result<Vec<VerifiedWish>, Malformed> {
    match wishes {
        Value::Object(wish) => Ok(vec![VerifiedWish::parse(wish)?]),
        Value::Array(wishes) if !wishes.is_empty() && wishes.len() <= MAX_WISHES => wishes
            .iter()
            .map(|wish| VerifiedWish::parse(wish.as_object().ok_or(Malformed)?))
            .collect(),
        _ => Err(Malformed),
    }
}

impl VerifiedWish {
    fn parse(wish: &Map<String, Value>) -> Result<Self, Malformed> {
        let member = |name: &str| wish.get(name).and_then(Value::as_object).ok_or(Malformed);
        let (verification, claims) = (member("verification")?, member("claims")?);
        if claims.len() > MAX_CLAIMS || depth(verification.values()) > MAX_DEPTH {
            return Err(Malformed);
        }
        // Without a trust framework nothing that is said means anything.
        let framework = verification.get("trust_framework").ok_or(Malformed)?;
        if !(framework.is_null() || framework.is_object()) {
            return Err(Malformed);
        }
        match verification.get("evidence") {
            None | Some(Value::Null) => {}
            Some(Value::Array(entries)) if !entries.is_empty() && entries.len() <= MAX_WISHES => {
                entries.iter().try_for_each(evidence)?;
            }
            Some(_) => return Err(Malformed),
        }
        let claims = claims.iter();
        let claims = claims.map(|(name, wish)| ClaimWish::parse(name, wish).map_err(|_| Malformed));
        Ok(Self {
            verification: verification.clone(),
            claims: claims.collect::<Result<_, _>>()?,
        })
    }

    /// What may be said, or nothing.
    #[must_use]
    pub fn fulfil(&self, known: Known<'_>, now: UnixTime) -> Option<Value> {
        let mut said = Map::new();
        for (name, wish) in &self.verification {
            let value = match name.as_str() {
                "time" => of_time(wish, known, now),
                name => of_part(name, wish, known.verification),
            };
            // "Data not matching requirements": of the verification, nothing is said at all.
            if let Some(value) = value.ok()? {
                said.insert(name.clone(), value);
            }
        }
        // "Omitting elements": what is required and missing takes its parent with it.
        said.get("trust_framework")?;
        let mut claims = Map::new();
        for wish in &self.claims {
            // Of a claim, the claim alone is left out.
            let value = known.claims.get(&wish.name);
            let value = value.filter(|value| wish.values.is_empty() || wish.values.contains(value));
            if let Some(value) = value {
                claims.insert(wish.name.clone(), value.clone());
            }
        }
        if claims.is_empty() {
            return None;
        }
        let parts = [("verification", said), ("claims", claims)];
        let parts = parts.map(|(name, part)| (name.to_owned(), Value::Object(part)));
        Some(Value::Object(parts.into_iter().collect()))
    }
}

impl VerifiedWish {
    /// Whether it may be fulfilled where this, and perhaps a `time`, is known of the verification: what
    /// cannot be told need not be asked.
    #[must_use]
    pub fn may_hold(&self, verification: &Map<String, Value>) -> bool {
        let parts = self.verification.iter().filter(|(name, _)| *name != "time");
        let mut parts = parts.map(|(name, wish)| of_part(name, wish, verification));
        parts.all(|part| part.is_ok())
    }
}

fn of_part(
    name: &str,
    wish: &Value,
    verification: &Map<String, Value>,
) -> Result<Option<Value>, Unmet> {
    match name {
        "evidence" => of_evidence(wish, verification.get(name)),
        _ => of_element(wish, verification.get(name)),
    }
}

/// "The RP shall specify this type by including the `type` field including a suitable `value`";
/// `values` shall not be used there.
fn evidence(entry: &Value) -> Result<(), Malformed> {
    let kind = entry.get("type").ok_or(Malformed)?;
    let named = kind.get("value").is_some_and(Value::is_string);
    (named && kind.get("values").is_none())
        .then_some(())
        .ok_or(Malformed)
}

fn depth<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    let each = values.map(|value| match value {
        Value::Object(members) => 1 + depth(members.values()),
        Value::Array(items) => 1 + depth(items.iter()),
        _ => 1,
    });
    each.max().unwrap_or_default()
}

/// Whether something in a wish is demanded, however deep.
fn demands(wish: &Value) -> bool {
    match wish {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| CONSTRAINTS.contains(&name.as_str()) || demands(value)),
        Value::Array(items) => items.iter().any(demands),
        _ => false,
    }
}

/// One element, as far as it is asked for.
fn of_element(wish: &Value, known: Option<&Value>) -> Result<Option<Value>, Unmet> {
    match (wish, known) {
        // What is not known meets nothing.
        (wish, None) if demands(wish) => Err(Unmet),
        (_, None) => Ok(None),
        // A demand on what has parts, or is a list, is one that nothing here meets.
        (Value::Object(wishes), Some(Value::Object(_) | Value::Array(_)))
            if CONSTRAINTS.iter().any(|name| wishes.contains_key(*name)) =>
        {
            Err(Unmet)
        }
        // Of an element with parts, the parts are asked for ("one step deeper").
        (Value::Object(wishes), Some(Value::Object(known))) => {
            let mut said = Map::new();
            for (name, wish) in wishes {
                if let Some(value) = of_element(wish, known.get(name))? {
                    said.insert(name.clone(), value);
                }
            }
            Ok((!said.is_empty()).then_some(Value::Object(said)))
        }
        (Value::Null, Some(Value::Object(_) | Value::Array(_))) => Ok(None),
        (Value::Null, Some(known)) => Ok(Some(known.clone())),
        (Value::Object(wish), Some(known)) => holds(wish, known).map(|()| Some(known.clone())),
        (wish, Some(_)) if demands(wish) => Err(Unmet),
        (_, Some(_)) => Ok(None),
    }
}

/// `value` and `values` of a single value. It has no age.
fn holds(wish: &Map<String, Value>, known: &Value) -> Result<(), Unmet> {
    let one = wish.get("value").is_none_or(|value| value == known);
    let several = wish.get("values").is_none_or(|values| {
        let values = values.as_array();
        values.is_some_and(|values| values.contains(known))
    });
    let fits = one && several && !wish.contains_key("max_age");
    fits.then_some(()).ok_or(Unmet)
}

/// `time`, with `max_age`.
fn of_time(wish: &Value, known: Known<'_>, now: UnixTime) -> Result<Option<Value>, Unmet> {
    let Some(most) = wish.get("max_age") else {
        return of_element(wish, known.verification.get("time"));
    };
    let most = most.as_i64().filter(|most| *most >= 0).ok_or(Unmet)?;
    let time = known.time.ok_or(Unmet)?;
    if now.since(time) > most {
        return Err(Unmet);
    }
    let mut rest = wish.clone();
    if let Value::Object(rest) = &mut rest {
        rest.remove("max_age");
    }
    match rest.as_object().is_some_and(Map::is_empty) {
        true => of_element(&Value::Null, known.verification.get("time")),
        false => of_element(&rest, known.verification.get("time")),
    }
}

/// Entries of the request are filters, one of which must fit, and templates of the answer.
fn of_evidence(wish: &Value, known: Option<&Value>) -> Result<Option<Value>, Unmet> {
    let Some(entries) = wish.as_array() else {
        return Ok(None);
    };
    let known = known.and_then(Value::as_array);
    let said: Vec<Value> = (known.into_iter().flatten())
        .filter_map(|item| {
            let mut fitting = entries.iter();
            fitting.find_map(|entry| of_element(entry, Some(item)).ok().flatten())
        })
        .collect();
    match said.is_empty() {
        true => Err(Unmet),
        false => Ok(Some(said.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn wishes(text: &Value) -> Result<Vec<VerifiedWish>, Malformed> {
        parse(text)
    }

    fn answer(wish: &Value) -> Option<Value> {
        let verification = json!({
            "trust_framework": "eidas", "assurance_level": "high", "time": "2027-01-14T08:00:00Z",
            "evidence": [{
                "type": "electronic_record",
                "record": { "type": "population_register", "source": { "name": "Registry", "country_code": "DEU" } }
            }]
        });
        let claims = json!({ "given_name": "Ada", "age": 40 });
        let known = Known {
            verification: verification.as_object().unwrap(),
            time: Some(NOW.plus(-86_400)),
            claims: claims.as_object().unwrap(),
        };
        wishes(wish).unwrap()[0].fulfil(known, NOW)
    }

    fn verification(of: &Value) -> Option<Value> {
        let mut asked = json!({ "verification": of, "claims": { "given_name": null } });
        let framework = asked["verification"].as_object_mut().unwrap();
        framework.entry("trust_framework").or_insert(Value::Null);
        answer(&asked).map(|said| said["verification"].clone())
    }

    #[test]
    fn ida_requests_that_cannot_be_read() {
        let claims = json!({ "given_name": null });
        let framework = json!({ "trust_framework": null });
        let with = |evidence: Value| json!({ "verification": { "trust_framework": null, "evidence": evidence }, "claims": claims });
        for wish in [
            json!(null),
            json!("x"),
            json!([]),
            json!([1]),
            json!({ "claims": claims }),
            json!({ "verification": framework }),
            json!({ "verification": {}, "claims": claims }),
            json!({ "verification": { "trust_framework": "eidas" }, "claims": claims }),
            json!({ "verification": framework, "claims": { "given_name": 1 } }),
            json!({ "verification": framework, "claims": { "given_name": { "values": [] } } }),
            with(json!([])),
            with(json!({})),
            with(json!([{}])),
            with(json!([{ "type": null }])),
            with(json!([{ "type": { "values": ["document"] } }])),
            with(json!([{ "type": { "value": "document", "values": ["document"] } }])),
            json!(vec![
                json!({ "verification": framework, "claims": claims });
                9
            ]),
        ] {
            assert_eq!(wishes(&wish), Err(Malformed), "{wish}");
        }
        let mut deep = Value::Null;
        for _ in 0..12 {
            deep = json!({ "x": deep });
        }
        let wish =
            json!({ "verification": { "trust_framework": null, "x": deep }, "claims": claims });
        assert_eq!(wishes(&wish), Err(Malformed));
    }

    #[test]
    fn ida_what_is_not_met_takes_the_whole_element_with_it() {
        for unmet in [
            json!({ "trust_framework": { "value": "gold" } }),
            json!({ "trust_framework": { "values": ["gold", "silver"] } }),
            json!({ "trust_framework": { "values": "eidas" } }),
            json!({ "assurance_level": { "value": "substantial" } }),
            json!({ "assurance_level": { "max_age": 1 } }),
            json!({ "assurance_process": { "policy": { "value": "x" } } }),
            json!({ "verification_process": { "value": "x" } }),
            json!({ "time": { "max_age": 86_399 } }),
            json!({ "time": { "max_age": "86400" } }),
            json!({ "time": { "max_age": -1 } }),
            json!({ "time": { "value": "2026-01-01T00:00:00Z" } }),
            json!({ "time": { "max_age": 86_400, "value": "x" } }),
            json!({ "evidence": [{ "type": { "value": "document" } }] }),
            json!({ "evidence": [{ "type": { "value": "electronic_record" }, "record": { "type": { "value": "x" } } }] }),
            json!({ "evidence": [{ "type": { "value": "electronic_record" }, "check_details": [{ "check_method": { "value": "x" } }] }] }),
            json!({ "evidence": [{ "type": { "value": "electronic_record" }, "time": { "max_age": 1 } }] }),
            // A demand on what has parts.
            json!({ "evidence": [{ "type": { "value": "electronic_record" }, "record": { "value": "x" } }] }),
            json!({ "evidence": [{ "type": { "value": "electronic_record" }, "record": { "type": null, "max_age": 1 } }] }),
        ] {
            assert_eq!(verification(&unmet), None, "{unmet}");
        }
    }

    #[test]
    fn ida_what_is_asked_for_is_said_and_nothing_else() {
        for (asked, said) in [
            (json!({}), json!({ "trust_framework": "eidas" })),
            (
                json!({ "trust_framework": { "values": ["gold", "eidas"] }, "assurance_level": { "essential": true } }),
                json!({ "trust_framework": "eidas", "assurance_level": "high" }),
            ),
            (
                json!({ "time": { "max_age": 86_400 }, "verification_process": null, "assurance_process": { "policy": null } }),
                json!({ "trust_framework": "eidas", "time": "2027-01-14T08:00:00Z" }),
            ),
            (
                json!({ "evidence": [{ "type": { "value": "document" } }, { "type": { "value": "electronic_record" }, "time": null, "record": { "type": null } }] }),
                json!({ "trust_framework": "eidas", "evidence": [{ "type": "electronic_record", "record": { "type": "population_register" } }] }),
            ),
            (
                json!({ "evidence": [{ "type": { "value": "electronic_record" }, "record": null }] }),
                json!({ "trust_framework": "eidas", "evidence": [{ "type": "electronic_record" }] }),
            ),
            (
                json!({ "evidence": [{ "type": { "value": "electronic_record" }, "record": { "source": { "country_code": { "values": ["DEU", "FRA"] } } } }] }),
                json!({ "trust_framework": "eidas", "evidence": [{ "type": "electronic_record", "record": { "source": { "country_code": "DEU" } } }] }),
            ),
        ] {
            assert_eq!(verification(&asked), Some(said), "{asked}");
        }
    }

    #[test]
    fn ida_claims_are_left_out_one_by_one_and_never_all() {
        let claims = |of: Value| {
            let framework = json!({ "trust_framework": null });
            answer(&json!({ "verification": framework, "claims": of }))
                .map(|said| said["claims"].clone())
        };
        assert_eq!(
            claims(
                json!({ "given_name": null, "family_name": { "essential": true }, "age": { "value": 41 } })
            ),
            Some(json!({ "given_name": "Ada" }))
        );
        assert_eq!(
            claims(json!({ "age": { "values": [40, 41] } })),
            Some(json!({ "age": 40 }))
        );
        assert_eq!(
            claims(json!({ "family_name": { "essential": true } })),
            None
        );
        assert_eq!(claims(json!({})), None);
    }
}
