//! The keys of the format: one table from which reading, hints, the JSON Schema and the
//! documentation come.

use serde_json::{Map, Value, json};

use super::model::{MOST_STEPS, Outcome};

/// What stands behind a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Cel,
    Switch,
    Number(i64, i64),
    OneOf(&'static [&'static str]),
    Several(&'static [&'static str]),
    Texts,
    Localized,
    Claims,
    Fields,
    Cases,
}

/// A key of a step.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub kinds: &'static [&'static str],
    pub shape: Shape,
    pub meaning: &'static str,
}

/// Every kind of step, and what it does.
pub(super) const KINDS: [(&str, &str); 16] = [
    (
        "identify",
        "finds out which account; goes on the same way whether or not it exists",
    ),
    ("present", "asks a wallet for cards"),
    ("passkey", "uses a passkey, or registers one"),
    ("totp", "asks for a one-time code of an authenticator"),
    ("upstream", "asks another OpenID Provider"),
    ("ask", "asks about the person, a little at a time"),
    ("consent", "asks for consent"),
    ("risk", "assesses the risk"),
    ("decide", "chooses the way by conditions"),
    ("webhook", "asks a service of the operator"),
    ("link", "links what was just proven with the account"),
    ("issue", "offers a credential"),
    ("notify", "tells somebody, ends sessions and keys"),
    ("wait", "waits"),
    ("deny", "ends without a login"),
    ("finish", "ends with a login"),
];

pub(super) const CHANNELS: &[&str] = &["dc_api", "same_device", "qr"];
pub(super) const ACCEPT: &[&str] = &["passkey_autofill", "username"];
pub(super) const SUBJECTS: &[&str] = &[
    "asserted_lookup",
    "issuer_scoped_claim",
    "session_binding",
    "guest",
];
pub(super) const STAGES: &[&str] = &["awareness", "consideration", "decision", "retention"];
pub(super) const REVOKE: &[&str] = &["sessions", "old_passkeys", "refresh_tokens"];
pub(super) const MEANS: &[&str] = &["credential", "passkey", "upstream"];
/// The default of `timeout_s` and its bounds.
pub(super) const TIMEOUT_S: (i64, i64, i64) = (300, 10, 3600);

macro_rules! key {
    ($name:literal, [$($kind:literal),+], $shape:expr, $meaning:literal) => {
        Key { name: $name, kinds: &[$($kind),+], shape: $shape, meaning: $meaning }
    };
}

/// The keys beside `id`, `kind`, `when` and `on`, which every step has.
pub(super) const KEYS: &[Key] = &[
    key!(
        "accept",
        ["identify"],
        Shape::Several(ACCEPT),
        "how people say who they are"
    ),
    key!(
        "query",
        ["present"],
        Shape::Text,
        "the name of a query of the configuration"
    ),
    key!(
        "dcql",
        ["present"],
        Shape::Text,
        "a DCQL query, verbatim JSON (OpenID4VP 1.0, section 6)"
    ),
    key!(
        "channels",
        ["present"],
        Shape::Several(CHANNELS),
        "how wallets are reached"
    ),
    key!(
        "purpose",
        ["present"],
        Shape::Localized,
        "why it is asked, by language tag; `en` is required"
    ),
    key!(
        "bind",
        ["present"],
        Shape::OneOf(&["current_user"]),
        "the card must be of the current person"
    ),
    key!(
        "check",
        ["present"],
        Shape::Cel,
        "what must hold for the verified claims"
    ),
    key!(
        "transaction_data",
        ["present"],
        Shape::Switch,
        "the transaction of the request is shown and signed"
    ),
    key!(
        "mode",
        ["passkey"],
        Shape::OneOf(&["use", "register"]),
        "whether a passkey is used or registered"
    ),
    key!(
        "providers",
        ["upstream"],
        Shape::Texts,
        "their names in the configuration; the person chooses one"
    ),
    key!(
        "max_fields",
        ["ask"],
        Shape::Number(1, 10),
        "so many at a time"
    ),
    key!(
        "prefer_credential",
        ["ask"],
        Shape::Switch,
        "a card is offered first"
    ),
    key!(
        "cooldown_days",
        ["ask"],
        Shape::Number(0, 3650),
        "who refuses is left alone so long"
    ),
    key!("field", ["ask"], Shape::Fields, "what is asked"),
    key!(
        "receipt",
        ["consent"],
        Shape::OneOf(&["iso27560"]),
        "the receipt that is made"
    ),
    key!("model", ["risk"], Shape::Text, "the model of risk"),
    key!(
        "case",
        ["decide"],
        Shape::Cases,
        "the first that holds wins; none: `on.ok`"
    ),
    key!(
        "url",
        ["webhook"],
        Shape::Text,
        "the address of the service, https"
    ),
    key!(
        "timeout_s",
        ["webhook"],
        Shape::Number(1, 3),
        "it answers within so many seconds"
    ),
    key!(
        "challenge",
        ["webhook"],
        Shape::OneOf(&["sms"]),
        "what its `ok` proves"
    ),
    key!("means", ["link"], Shape::OneOf(MEANS), "what is linked"),
    key!(
        "type",
        ["issue"],
        Shape::Text,
        "the type of the credential at the issuer"
    ),
    key!(
        "notify",
        ["notify", "wait", "deny"],
        Shape::Texts,
        "who is told: `user`, `all_channels`, `email`, …"
    ),
    key!("revoke", ["notify"], Shape::Several(REVOKE), "what ends"),
    key!(
        "emit",
        ["notify"],
        Shape::Texts,
        "events: `webhook:NAME`, `caep:NAME`"
    ),
    key!(
        "seconds",
        ["wait"],
        Shape::Number(1, 2_592_000),
        "how long it waits"
    ),
    key!(
        "cancel_link",
        ["wait"],
        Shape::Switch,
        "whoever is told can stop it"
    ),
    key!("code", ["deny"], Shape::Text, "the code of the refusal"),
    key!("show", ["deny"], Shape::Text, "what the person is shown"),
    key!(
        "claims",
        ["finish"],
        Shape::Claims,
        "what the application learns: names and CEL expressions"
    ),
];

/// The keys that a kind cannot do without.
pub(super) fn required(kind: &str) -> &'static [&'static str] {
    match kind {
        "identify" => &["accept"],
        "upstream" => &["providers"],
        "ask" => &["field"],
        "risk" => &["model"],
        "decide" => &["case"],
        "webhook" => &["url"],
        "link" => &["means"],
        "issue" => &["type"],
        "wait" => &["seconds"],
        "deny" => &["code"],
        _ => &[],
    }
}

/// The JSON Schema of the format (draft 2020-12).
#[must_use]
pub fn schema() -> Value {
    let steps: Vec<Value> = KINDS
        .iter()
        .map(|(kind, meaning)| step_schema(kind, meaning))
        .collect();
    let text = || json!({ "type": "string", "minLength": 1 });
    let texts = || json!({ "type": "array", "items": text() });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A journey of Vouchsafe",
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "version", "step"],
        "properties": {
            "id": { "type": "string", "pattern": NAME_PATTERN },
            "version": { "type": "integer", "minimum": 1 },
            "stage": { "enum": STAGES },
            "clients": texts(),
            "match": cel("for which requests of these applications"),
            "subject": { "enum": SUBJECTS },
            "after": texts(),
            "require_acr": { "enum": vouchsafe_protocol::oidc::acr::Acr::ALL.map(|acr| acr.as_str()) },
            "timeout_s": { "type": "integer", "minimum": TIMEOUT_S.1, "maximum": TIMEOUT_S.2, "default": TIMEOUT_S.0 },
            "limits": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "max_visits": { "type": "integer", "minimum": 1, "maximum": MOST_STEPS },
                    "per_account_per_day": { "type": "integer", "minimum": 1, "maximum": 1000 }
                }
            },
            "outcome": {
                "type": "object",
                "additionalProperties": {
                    "type": "object", "additionalProperties": false, "required": ["show"], "properties": { "show": text() }
                }
            },
            "step": { "type": "array", "minItems": 1, "maxItems": MOST_STEPS, "items": { "oneOf": steps } }
        }
    })
}

/// Names of journeys, steps and claims.
pub(super) const NAME_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_-]{0,63}$";

fn step_schema(kind: &str, meaning: &str) -> Value {
    let mut properties = Map::new();
    properties.insert(
        "id".to_owned(),
        json!({ "type": "string", "pattern": NAME_PATTERN }),
    );
    properties.insert("kind".to_owned(), json!({ "const": kind }));
    properties.insert("when".to_owned(), cel("the step runs if this holds"));
    let outcomes = Outcome::ALL.map(|outcome| {
        let target = json!({ "type": "string", "description": "a step, or `deny:CODE`" });
        (outcome.as_str().to_owned(), target)
    });
    properties.insert(
        "on".to_owned(),
        json!({ "type": "object", "additionalProperties": false, "properties": Map::from_iter(outcomes) }),
    );
    for key in KEYS.iter().filter(|key| key.kinds.contains(&kind)) {
        let mut shape = shape_schema(key.shape);
        shape["description"] = key.meaning.into();
        properties.insert(key.name.to_owned(), shape);
    }
    let mut needed = vec!["id", "kind"];
    needed.extend(required(kind));
    let mut schema = json!({
        "type": "object", "description": meaning, "additionalProperties": false,
        "required": needed, "properties": properties
    });
    if kind == "present" {
        schema["oneOf"] = json!([{ "required": ["query"] }, { "required": ["dcql"] }]);
    }
    schema
}

fn shape_schema(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string", "minLength": 1 }),
        Shape::Cel => cel(""),
        Shape::Switch => json!({ "type": "boolean" }),
        Shape::Number(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::OneOf(values) => json!({ "enum": values }),
        Shape::Several(values) => {
            json!({ "type": "array", "minItems": 1, "items": { "enum": values } })
        }
        Shape::Texts => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 } })
        }
        Shape::Localized => {
            json!({ "type": "object", "required": ["en"], "additionalProperties": { "type": "string" } })
        }
        Shape::Claims => json!({ "type": "object", "additionalProperties": cel("") }),
        Shape::Cases => json!({
            "type": "array", "minItems": 1,
            "items": {
                "type": "object", "additionalProperties": false, "required": ["when", "to"],
                "properties": { "when": cel(""), "to": { "type": "string" } }
            }
        }),
        Shape::Fields => json!({
            "type": "array", "minItems": 1,
            "items": {
                "type": "object", "additionalProperties": false, "required": ["name", "purpose"],
                "properties": {
                    "name": { "type": "string", "pattern": NAME_PATTERN }, "purpose": { "type": "string" },
                    "query": { "type": "string" }, "options": { "type": "array", "items": { "type": "string" } },
                    "optional": { "type": "boolean" }
                }
            }
        }),
    }
}

fn cel(meaning: &str) -> Value {
    let mut schema =
        json!({ "type": "string", "maxLength": super::cel::LONGEST, "$comment": "CEL" });
    if !meaning.is_empty() {
        schema["description"] = meaning.into();
    }
    schema
}
