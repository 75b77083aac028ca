//! Poll-based delivery (RFC 8936).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use vouchsafe_credentials::json::parse_object;

/// Tokens of one answer at most.
pub const MOST_EVENTS: u32 = 100;
/// Acknowledgements and errors of one request at most.
const MOST_NAMED: usize = 1000;
/// Longest name of a token.
const LONGEST_ID: usize = 128;

/// A request that cannot be read (RFC 8936, section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the poll request is malformed")]
pub struct PollMalformed;

/// What a receiver asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollRequest {
    /// Tokens at most; 0 only acknowledges.
    pub most: u32,
    /// Whether to answer at once although there is nothing.
    pub at_once: bool,
    /// `jti` of tokens that it has.
    pub taken: Vec<String>,
    /// `jti` of tokens that it cannot use, and why: a code of RFC 8935, section 2.4, or another.
    pub failed: Vec<(String, String)>,
}

impl PollRequest {
    /// Reads the body. Members of other specifications are ignored.
    ///
    /// # Errors
    /// [`PollMalformed`].
    pub fn parse(body: &[u8]) -> Result<Self, PollMalformed> {
        let object = parse_object(body).map_err(|_| PollMalformed)?;
        let most = match object.get("maxEvents") {
            None => MOST_EVENTS,
            Some(value) => {
                let most = value.as_u64().ok_or(PollMalformed)?;
                u32::try_from(most).unwrap_or(MOST_EVENTS).min(MOST_EVENTS)
            }
        };
        let at_once = match object.get("returnImmediately") {
            None => false,
            Some(value) => value.as_bool().ok_or(PollMalformed)?,
        };
        Ok(Self {
            most,
            at_once,
            taken: taken(&object)?,
            failed: failed(&object)?,
        })
    }
}

fn taken(object: &Map<String, Value>) -> Result<Vec<String>, PollMalformed> {
    let Some(value) = object.get("ack") else {
        return Ok(Vec::new());
    };
    let names = value.as_array().ok_or(PollMalformed)?;
    if names.len() > MOST_NAMED {
        return Err(PollMalformed);
    }
    names
        .iter()
        .map(|name| name.as_str().and_then(id).ok_or(PollMalformed))
        .collect()
}

fn failed(object: &Map<String, Value>) -> Result<Vec<(String, String)>, PollMalformed> {
    let Some(value) = object.get("setErrs") else {
        return Ok(Vec::new());
    };
    let errors = value.as_object().ok_or(PollMalformed)?;
    if errors.len() > MOST_NAMED {
        return Err(PollMalformed);
    }
    errors
        .iter()
        .map(|(name, error)| {
            let code = error.get("err").and_then(Value::as_str).and_then(id);
            Ok((id(name).ok_or(PollMalformed)?, code.ok_or(PollMalformed)?))
        })
        .collect()
}

fn id(text: &str) -> Option<String> {
    let shaped = !text.is_empty() && text.len() <= LONGEST_ID && !text.contains('\0');
    shaped.then(|| text.to_owned())
}

/// The answer (RFC 8936, section 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PollResponse {
    /// Tokens by their `jti`.
    pub sets: BTreeMap<String, String>,
    /// Whether there are more.
    #[serde(rename = "moreAvailable")]
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_8936_an_empty_object_asks_for_what_there_is() {
        let request = PollRequest::parse(b"{}").unwrap();
        assert_eq!(
            (request.most, request.at_once, request.taken.len()),
            (100, false, 0)
        );
    }

    #[test]
    fn rfc_8936_acknowledgements_and_errors() {
        let request = PollRequest::parse(
            br#"{"maxEvents": 0, "returnImmediately": true, "ack": ["a", "b"],
                "setErrs": {"c": {"err": "invalid_audience", "description": "of another"}}, "other": 1}"#,
        )
        .unwrap();
        assert_eq!((request.most, request.at_once), (0, true));
        assert_eq!(request.taken, ["a", "b"]);
        assert_eq!(
            request.failed,
            [("c".to_owned(), "invalid_audience".to_owned())]
        );
        let many = PollRequest::parse(br#"{"maxEvents": 99999999999}"#).unwrap();
        assert_eq!(many.most, MOST_EVENTS);
    }

    #[test]
    fn malformed_requests_are_refused() {
        let long = format!(r#"{{"ack": ["{}"]}}"#, "x".repeat(129));
        let many = format!(r#"{{"ack": [{}"a"]}}"#, "\"a\",".repeat(1000));
        for body in [
            "",
            "[]",
            "null",
            r#"{"maxEvents": -1}"#,
            r#"{"maxEvents": "5"}"#,
            r#"{"returnImmediately": "true"}"#,
            r#"{"ack": "a"}"#,
            r#"{"ack": [1]}"#,
            r#"{"ack": [""]}"#,
            r#"{"setErrs": {"a": {}}}"#,
            r#"{"setErrs": {"a": "invalid_key"}}"#,
            r#"{"ack": ["\u0000"]}"#,
            r#"{"ack": [], "ack": []}"#,
            &long,
            &many,
        ] {
            assert_eq!(
                PollRequest::parse(body.as_bytes()),
                Err(PollMalformed),
                "{body}"
            );
        }
    }
}
