//! What a credential says, in a form that can be shown to a person and given to a script.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json::parse_object;
use vouchsafe_credentials::mdoc::{DeviceResponse, IssuerSigned};
use vouchsafe_credentials::sd_jwt::{self, SdJwt};

use super::format::Input;
use super::mdoc;
use super::verify::is_presentation;

/// What is inside. Nothing here says that it is true.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What kind of thing, by its name in the field.
    pub format: String,
    /// What it is.
    pub kinds: Vec<String>,
    /// Who says so.
    pub issuer: Option<String>,
    /// Who shows it, of a presentation.
    pub presenter: Option<String>,
    /// From when.
    pub from: Option<String>,
    /// Until when.
    pub until: Option<String>,
    /// What it tells: a path and a value.
    pub shown: Vec<Fact>,
    /// How many further facts are inside and not told.
    pub hidden: usize,
    /// Whether it can be withdrawn.
    pub can_be_withdrawn: bool,
    /// Whether only the person who has the key can show it.
    pub bound_to_key: bool,
}

/// One fact.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// Names from the outside in.
    pub name: String,
    /// The value.
    pub value: String,
    /// Whether the holder could have left it out.
    pub optional: bool,
}

/// Explains.
pub fn explain(input: &Input) -> Result<Explanation> {
    match input {
        Input::Document(document) if is_presentation(document) => {
            Ok(document_of(document, "ldp_vp", &[]))
        }
        Input::Document(document) => Ok(document_of(document, "ldp_vc", &[])),
        Input::Envelope(envelope) => {
            let name = envelope.kind().typ();
            if envelope.kind().is_binary() {
                let message = vouchsafe_credentials::cose::Sign1::parse(envelope.content())?;
                let payload = message
                    .payload_unverified()
                    .context("the envelope is empty")?;
                let document = Value::Object(parse_object(payload)?);
                return Ok(document_of(&document, name, &[]));
            }
            let text = std::str::from_utf8(envelope.content())?;
            let (claims, disclosed, hidden) = token(text)?;
            let mut explanation = document_of(&Value::Object(claims), name, &disclosed);
            explanation.hidden = hidden;
            Ok(explanation)
        }
        Input::SdJwtVc(text) => sd_jwt_vc(text),
        Input::Mdoc(bytes) => mdoc::explain(&IssuerSigned::parse(bytes)?),
        Input::DeviceResponse(bytes) => {
            let response = DeviceResponse::parse(bytes)?;
            let [document] = response.documents.as_slice() else {
                bail!("not exactly one document");
            };
            mdoc::explain(&document.issuer_signed)
        }
    }
}

/// Claims of a JWT or SD-JWT, the names of what was disclosed, and how much stays hidden.
fn token(text: &str) -> Result<(Map<String, Value>, Vec<String>, usize)> {
    let signed = text.split('~').next().unwrap_or_default();
    let payload = signed
        .split('.')
        .nth(1)
        .context("the token has no payload")?;
    let claims = parse_object(&b64url_decode(payload)?)?;
    if !text.contains('~') {
        return Ok((claims, Vec::new(), 0));
    }
    let parts = SdJwt::parse(text)?;
    let digests = digests(&Value::Object(claims.clone()));
    let processed = sd_jwt::process(claims, parts.disclosures())?;
    let disclosed = processed.disclosed.iter();
    let names: Vec<String> = disclosed.map(|one| dotted(&one.path.to_json())).collect();
    let inner = digests_in_disclosures(parts.disclosures());
    // Some of the digests may be decoys: "up to" is what can be said.
    let hidden = (digests + inner).saturating_sub(names.len());
    Ok((processed.claims, names, hidden))
}

fn digests(value: &Value) -> usize {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match (name.as_str(), value) {
                ("_sd", Value::Array(items)) => items.len(),
                ("...", Value::String(_)) => 1,
                _ => digests(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(digests).sum(),
        _ => 0,
    }
}

fn digests_in_disclosures(disclosures: &[&str]) -> usize {
    let read = |text: &&str| {
        let bytes = b64url_decode(text).ok()?;
        vouchsafe_credentials::json::parse_strict(&bytes).ok()
    };
    disclosures
        .iter()
        .filter_map(read)
        .map(|value| digests(&value))
        .sum()
}

fn dotted(path: &Value) -> String {
    let names = path.as_array().map(Vec::as_slice).unwrap_or_default();
    let name = |part: &Value| match part {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    names.iter().map(name).collect::<Vec<_>>().join(".")
}

fn document_of(document: &Value, format: &str, disclosed: &[String]) -> Explanation {
    let text = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let named = |name: &str| match document.get(name)? {
        Value::String(id) => Some(id.clone()),
        other => other.get("id").and_then(Value::as_str).map(str::to_owned),
    };
    let mut shown = Vec::new();
    for name in ["credentialSubject", "verifiableCredential"] {
        if let Some(value) = document.get(name) {
            facts(name, value, disclosed, &mut shown);
        }
    }
    let proof = document.get("proof");
    let suite = proof
        .and_then(|proof| proof.get("cryptosuite"))
        .and_then(Value::as_str);
    Explanation {
        format: suite.map_or_else(|| format.to_owned(), |suite| format!("{format}, {suite}")),
        kinds: kinds(document),
        issuer: named("issuer"),
        presenter: named("holder"),
        from: text("validFrom").or_else(|| text("issuanceDate")),
        until: text("validUntil").or_else(|| text("expirationDate")),
        shown,
        hidden: 0,
        can_be_withdrawn: document.get("credentialStatus").is_some(),
        bound_to_key: document.get("cnf").is_some(),
    }
}

fn kinds(document: &Value) -> Vec<String> {
    let items = match document.get("type") {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let names = items.iter().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

/// Every leaf below a value, in order.
pub fn facts(name: &str, value: &Value, disclosed: &[String], out: &mut Vec<Fact>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                facts(&format!("{name}.{key}"), value, disclosed, out);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                facts(&format!("{name}.{at}"), value, disclosed, out);
            }
        }
        leaf => {
            let below = |path: &String| {
                name == path
                    || name
                        .strip_prefix(path)
                        .is_some_and(|rest| rest.starts_with('.'))
            };
            out.push(Fact {
                name: name.to_owned(),
                value: match leaf {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                },
                optional: disclosed.iter().any(below),
            });
        }
    }
}

/// Claims of an SD-JWT VC that are about the token, not about a person.
const REGISTERED: [&str; 9] = [
    "iss",
    "iat",
    "nbf",
    "exp",
    "vct",
    "vct#integrity",
    "cnf",
    "status",
    "_sd_alg",
];

fn sd_jwt_vc(text: &str) -> Result<Explanation> {
    let (claims, disclosed, hidden) = token(text)?;
    let moment = |name: &str| {
        let seconds = claims.get(name).and_then(Value::as_i64)?;
        Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
    };
    let mut shown = Vec::new();
    for (name, value) in &claims {
        if !REGISTERED.contains(&name.as_str()) {
            facts(name, value, &disclosed, &mut shown);
        }
    }
    let string = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Explanation {
        format: "dc+sd-jwt".to_owned(),
        kinds: string("vct").into_iter().collect(),
        issuer: string("iss"),
        presenter: None,
        from: moment("nbf").or_else(|| moment("iat")),
        until: moment("exp"),
        shown,
        hidden,
        can_be_withdrawn: claims.contains_key("status"),
        bound_to_key: claims.contains_key("cnf"),
    })
}
