//! A form for the claims of a type, and what was typed into it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;
use vouchsafe_credentials::credential_type::{
    ClaimKind, ClaimProblems, ClaimSpec, CredentialType, Expected,
};
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials::sd_jwt::{ClaimPath, PathElement};
use vouchsafe_service::http::{ParamError, Params};

use crate::table;

/// How a claim is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// One value.
    Value(ClaimKind),
    /// An array of values, one on each line.
    Lines(ClaimKind),
    /// JSON: what no simple field holds.
    Json,
}

impl Input {
    const fn name(self) -> &'static str {
        match self {
            Self::Value(ClaimKind::Boolean) => "boolean",
            Self::Value(ClaimKind::Date) => "date",
            Self::Value(ClaimKind::Integer) => "integer",
            Self::Value(ClaimKind::Number) => "number",
            Self::Value(ClaimKind::Country) => "country",
            Self::Value(ClaimKind::Bytes | ClaimKind::Picture) => "long",
            Self::Value(ClaimKind::String | ClaimKind::Object | ClaimKind::Array) => "text",
            Self::Lines(_) => "lines",
            Self::Json => "json",
        }
    }
}

/// A field of the form.
#[derive(Debug)]
struct Field<'t> {
    name: String,
    spec: &'t ClaimSpec,
    path: Vec<String>,
    input: Input,
}

/// Problems by the name of their field; the empty name is the form as a whole.
pub type Problems = BTreeMap<String, &'static str>;

/// The fields of a type: a field for each claim outside of arrays, and one for each array.
fn fields(kind: &CredentialType) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    for (number, spec) in kind.claims.iter().enumerate() {
        let Some(path) = table::keys(spec.path.elements()) else {
            continue;
        };
        let input = match spec.kind {
            ClaimKind::Object => continue,
            ClaimKind::Array => element(kind, spec),
            other => Input::Value(other),
        };
        fields.push(Field {
            name: format!("claim-{number}"),
            spec,
            path,
            input,
        });
    }
    fields
}

/// What the elements of an array are.
fn element(kind: &CredentialType, array: &ClaimSpec) -> Input {
    let above = array.path.elements();
    let inside = kind.claims.iter().filter(|one| {
        let path = one.path.elements();
        path.len() > above.len() && path.starts_with(above)
    });
    let inside: Vec<&ClaimSpec> = inside.collect();
    match inside.as_slice() {
        [one]
            if one.path.elements().len() == above.len() + 1
                && !matches!(one.kind, ClaimKind::Object | ClaimKind::Array) =>
        {
            Input::Lines(one.kind)
        }
        _ => Input::Json,
    }
}

/// The fields as a template shows them, with what was typed before.
pub fn shown(
    kind: &CredentialType,
    locale: &str,
    typed: &Params,
    problems: &Problems,
) -> Vec<Value> {
    let one = |field: &Field<'_>| {
        let group = field
            .path
            .len()
            .checked_sub(2)
            .map(|_| group(kind, field, locale));
        json!({
            "name": field.name,
            "label": field.spec.display.name(locale),
            "group": group,
            "input": field.input.name(),
            "required": kind.is_mandatory(field.spec),
            "value": typed.get(&field.name).unwrap_or_default(),
            "problem": problems.get(&field.name),
        })
    };
    fields(kind).iter().map(one).collect()
}

/// The name of the object that a field stands in.
fn group(kind: &CredentialType, field: &Field<'_>, locale: &str) -> String {
    let above = &field.spec.path.elements()[..field.path.len() - 1];
    let object = kind.claims.iter().find(|one| one.path.elements() == above);
    object.map_or_else(
        || field.path[..field.path.len() - 1].join("."),
        |object| object.display.name(locale).to_owned(),
    )
}

/// The claims that were typed, or what is wrong with them. An empty field is a claim that is not
/// there.
pub fn read(kind: &CredentialType, typed: &Params) -> Result<Map<String, Value>, Problems> {
    let (mut claims, mut problems) = (Map::new(), Problems::new());
    for field in fields(kind) {
        let text = typed.get(&field.name).unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        match value(field.input, text) {
            Ok(value) => table::put(&mut claims, &field.path, value),
            Err(code) => {
                problems.insert(field.name, code);
            }
        }
    }
    match problems.is_empty() {
        true => Ok(claims),
        false => Err(problems),
    }
}

fn value(input: Input, text: &str) -> Result<Value, &'static str> {
    match input {
        Input::Value(kind) => table::value(kind, text).map_err(|_| code(Expected::Kind(kind))),
        Input::Lines(kind) => {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let values = lines.map(|line| table::value(kind, line));
            let values = values.collect::<Result<Vec<_>, _>>();
            values
                .map(Value::Array)
                .map_err(|_| code(Expected::Kind(kind)))
        }
        Input::Json => parse_strict(text.as_bytes()).map_err(|_| "json"),
    }
}

/// Claims as they would be typed: [`read`] reads the same again.
pub fn written(kind: &CredentialType, claims: &Map<String, Value>) -> Result<Params, ParamError> {
    let mut form = Serializer::new(String::new());
    for field in fields(kind) {
        if let Some(value) = at(claims, &field.path) {
            form.append_pair(&field.name, &text(field.input, value));
        }
    }
    Params::parse(form.finish().as_bytes())
}

fn at<'c>(claims: &'c Map<String, Value>, path: &[String]) -> Option<&'c Value> {
    let (first, rest) = path.split_first()?;
    let inside = claims.get(first)?;
    match rest {
        [] => Some(inside),
        rest => at(inside.as_object()?, rest),
    }
}

fn text(input: Input, value: &Value) -> String {
    match (input, value) {
        (Input::Value(_), Value::String(text)) => text.clone(),
        (Input::Lines(_), Value::Array(lines)) => {
            let lines = lines.iter().map(|line| match line {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        (_, other) => other.to_string(),
    }
}

/// Where the type refuses claims, by field.
pub fn problems(kind: &CredentialType, refused: &ClaimProblems) -> Problems {
    let fields = fields(kind);
    let place = |path: &ClaimPath| {
        let path = path.elements();
        let fits = |field: &&Field<'_>| path.starts_with(&elements(&field.path));
        let longest = fields
            .iter()
            .filter(fits)
            .max_by_key(|field| field.path.len());
        longest.map(|field| field.name.clone()).unwrap_or_else(|| {
            // An object that is missing: the first field of it.
            let inside = fields
                .iter()
                .find(|field| elements(&field.path).starts_with(path));
            inside.map(|field| field.name.clone()).unwrap_or_default()
        })
    };
    let refused = refused.0.iter();
    refused
        .map(|problem| (place(&problem.path), code(problem.expected)))
        .collect()
}

fn elements(path: &[String]) -> Vec<PathElement> {
    path.iter().cloned().map(PathElement::Key).collect()
}

/// The name of a text of the catalogue.
fn code(expected: Expected) -> &'static str {
    match expected.code() {
        known @ ("string" | "boolean" | "integer" | "number" | "date" | "country" | "bytes"
        | "picture" | "object" | "array" | "present" | "filled" | "absent" | "element") => known,
        _ => "element",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Params {
        Params::parse(text.as_bytes()).unwrap()
    }

    fn kind(text: &str) -> CredentialType {
        CredentialType::from_toml(text).unwrap()
    }

    #[test]
    fn a_membership_is_typed() {
        let kind = kind(include_str!(
            "../../../specs/credential-types/membership.toml"
        ));
        let form = typed("claim-0=M-1&claim-1=gold&claim-2=&claim-3=2027-12-31");
        let claims = read(&kind, &form).unwrap();
        assert_eq!(
            Value::from(claims),
            json!({ "member_id": "M-1", "tier": "gold", "valid_until": "2027-12-31" })
        );
        let claims = read(&kind, &typed("claim-3=tomorrow")).unwrap();
        let refused = kind.prepare(claims).unwrap_err();
        let problems = problems(&kind, &refused);
        let expected = [
            ("claim-0", "present"),
            ("claim-1", "present"),
            ("claim-3", "date"),
        ];
        let expected = expected.map(|(name, code)| (name.to_owned(), code));
        assert_eq!(problems, Problems::from(expected));
    }

    #[test]
    fn every_type_of_ours_has_a_form_whose_problems_have_a_place() {
        for text in [
            include_str!("../../../specs/credential-types/age.toml"),
            include_str!("../../../specs/credential-types/mdl.toml"),
            include_str!("../../../specs/credential-types/membership.toml"),
            include_str!("../../../specs/credential-types/pid.toml"),
        ] {
            let kind = kind(text);
            assert!(!fields(&kind).is_empty(), "{}", kind.id);
            assert!(fields(&kind).len() < 60, "{}", kind.id);
            let Err(refused) = kind.prepare(Map::new()) else {
                continue;
            };
            for (name, code) in problems(&kind, &refused) {
                assert!(name.starts_with("claim-"), "{}: {code}", kind.id);
            }
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let claims = [
            (r#"["name"]"#, "string"),
            (r#"["age"]"#, "integer"),
            (r#"["adult"]"#, "boolean"),
            (r#"["home"]"#, "object"),
            (r#"["home", "country"]"#, "country"),
            (r#"["tags"]"#, "array"),
            (r#"["tags", "[]"]"#, "string"),
            (r#"["cars"]"#, "array"),
            (r#"["cars", "[]"]"#, "object"),
            (r#"["cars", "[]", "plate"]"#, "string"),
        ];
        let claims = claims.map(|(path, kind)| {
            format!(
                "[[claim]]\npath = {path}\ntype = \"{kind}\"\nsd = \"never\"\n\
                 required = false\ndisplay = {{ en = \"x\" }}\n"
            )
        });
        let kind = kind(&format!(
            "id = \"t\"\nvct = \"urn:example:t\"\nformat = \"dc+sd-jwt\"\nvalidity_days = 1\n\
             status = true\nkey_binding = true\n[display.en]\nname = \"T\"\n{}",
            claims.concat()
        ));
        let claims = json!({
            "name": "Zoë & <Ada> + 1%", "age": 7, "adult": false, "home": { "country": "DE" },
            "tags": ["a b", "c"], "cars": [{ "plate": "X=1&y" }],
        });
        let claims = claims.as_object().unwrap();
        assert_eq!(
            &read(&kind, &written(&kind, claims).unwrap()).unwrap(),
            claims
        );
        let less = json!({ "age": 7 });
        let less = less.as_object().unwrap();
        assert_eq!(&read(&kind, &written(&kind, less).unwrap()).unwrap(), less);
    }

    #[test]
    fn values_are_what_the_type_says() {
        assert_eq!(
            value(Input::Value(ClaimKind::Boolean), "true"),
            Ok(json!(true))
        );
        assert_eq!(
            value(Input::Lines(ClaimKind::Integer), "1\n\n2"),
            Ok(json!([1, 2]))
        );
        assert_eq!(
            value(Input::Lines(ClaimKind::Integer), "1\nx"),
            Err("integer")
        );
        assert_eq!(value(Input::Json, "[{\"a\":1}]"), Ok(json!([{ "a": 1 }])));
        assert_eq!(value(Input::Json, "{\"a\":1,\"a\":2}"), Err("json"));
    }
}
