//! `BitstringStatusListEntry` (Bitstring Status List 1.0, section 2.1).

use serde_json::{Map, Value, json};

use super::StatusError;
use crate::json::set;
use crate::vcdm::is_url;

/// The type of an entry.
pub const ENTRY_TYPE: &str = "BitstringStatusListEntry";

/// Where the status of a credential stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `statusPurpose`: `revocation`, `suspension`, `refresh`, `message` or another.
    pub purpose: String,
    /// `statusListIndex`.
    pub index: u64,
    /// `statusListCredential`: the URL of the list.
    pub list: String,
    /// `statusSize`: bits of the status, 1 to 8.
    pub size: u8,
    /// `statusMessage`: what each value means, in the order of the values; empty when absent.
    pub messages: Vec<String>,
}

impl Entry {
    /// An entry with one bit.
    #[must_use]
    pub fn new(purpose: impl Into<String>, list: impl Into<String>, index: u64) -> Self {
        Self {
            purpose: purpose.into(),
            index,
            list: list.into(),
            size: 1,
            messages: Vec::new(),
        }
    }

    /// Reads an entry of `credentialStatus`.
    ///
    /// # Errors
    /// [`StatusError::Unsupported`] for another type, [`StatusError::Malformed`].
    pub fn parse(value: &Value) -> Result<Self, StatusError> {
        let members = value
            .as_object()
            .ok_or(StatusError::Malformed("credentialStatus"))?;
        if !has_type(members) {
            return Err(StatusError::Unsupported);
        }
        let text = |name: &'static str| {
            let text = members.get(name).and_then(Value::as_str);
            text.ok_or(StatusError::Malformed(name))
        };
        let list = text("statusListCredential")?;
        if !is_url(list) {
            return Err(StatusError::Malformed("statusListCredential"));
        }
        // Section 2.1: the id, if there is one, is not the URL of the list.
        match members.get("id") {
            None => {}
            Some(Value::String(id)) if is_url(id) && id != list => {}
            Some(_) => return Err(StatusError::Malformed("id")),
        }
        check_reference(members)?;
        let purpose = text("statusPurpose")?;
        let size = size(members)?;
        let messages = messages(members, size)?;
        // Section 2.1: the purpose `message` has messages.
        if purpose.is_empty() || purpose == "message" && messages.is_empty() {
            return Err(StatusError::Malformed("statusPurpose"));
        }
        Ok(Self {
            purpose: purpose.to_owned(),
            index: index(text("statusListIndex")?)?,
            list: list.to_owned(),
            size,
            messages,
        })
    }

    /// The entry as `credentialStatus` or one of its items.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "id": format!("{}#{}", self.list, self.index),
            "type": ENTRY_TYPE,
            "statusPurpose": self.purpose,
            "statusListIndex": self.index.to_string(),
            "statusListCredential": self.list,
        });
        if self.size > 1 {
            set(&mut value, "statusSize", self.size.into());
        }
        if !self.messages.is_empty() {
            let messages = self.messages.iter().enumerate();
            let messages = messages
                .map(|(status, message)| json!({"status": format!("0x{status:x}"), "message": message}))
                .collect();
            set(&mut value, "statusMessage", messages);
        }
        value
    }
}

fn has_type(members: &Map<String, Value>) -> bool {
    match members.get("type") {
        Some(Value::String(name)) => name == ENTRY_TYPE,
        Some(Value::Array(names)) => names.iter().any(|name| name == ENTRY_TYPE),
        _ => false,
    }
}

/// Section 2.1: an integer of any size, at least 0, as a string in base 10. One text for
/// one number; what does not fit 64 bits lies beyond every list.
fn index(text: &str) -> Result<u64, StatusError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || text.len() > 1 && text.starts_with('0') {
        return Err(StatusError::Malformed("statusListIndex"));
    }
    text.parse().map_err(|_| StatusError::OutOfRange)
}

/// Section 2.1: an integer greater than zero, 1 when absent. More than 8 bits are not supported.
fn size(members: &Map<String, Value>) -> Result<u8, StatusError> {
    let malformed = StatusError::Malformed("statusSize");
    match members.get("statusSize") {
        None => Ok(1),
        Some(value) => match value.as_u64() {
            Some(size @ 1..=8) => u8::try_from(size).map_err(|_| malformed),
            Some(0) | None => Err(malformed),
            Some(_) => Err(StatusError::Unsupported),
        },
    }
}

/// Section 2.1: one message for every value, required beyond one bit.
fn messages(members: &Map<String, Value>, size: u8) -> Result<Vec<String>, StatusError> {
    const NAME: &str = "statusMessage";
    let malformed = || StatusError::Malformed(NAME);
    let values = 1_usize << size;
    let items = match members.get(NAME) {
        None if size == 1 => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        _ => return Err(malformed()),
    };
    // Each value once: as many messages as values, no more and no fewer.
    let mut messages = vec![None; values];
    for item in items {
        let text = |name: &str| item.get(name).and_then(Value::as_str).ok_or_else(malformed);
        let status = text("status")?.strip_prefix("0x").ok_or_else(malformed)?;
        let hex = (1..=2).contains(&status.len()) && status.bytes().all(|b| b.is_ascii_hexdigit());
        let status = usize::from_str_radix(status, 16).map_err(|_| malformed())?;
        let place = messages.get_mut(status).ok_or_else(malformed)?;
        if !hex || place.is_some() {
            return Err(malformed());
        }
        *place = Some(text("message")?.to_owned());
    }
    messages
        .into_iter()
        .collect::<Option<_>>()
        .ok_or_else(malformed)
}

/// Section 2.1: a URL or a list of URLs. Never fetched.
fn check_reference(members: &Map<String, Value>) -> Result<(), StatusError> {
    let url = |value: &Value| value.as_str().is_some_and(is_url);
    let fine = match members.get("statusReference") {
        None => true,
        Some(Value::Array(items)) => !items.is_empty() && items.iter().all(url),
        Some(one) => url(one),
    };
    fine.then_some(())
        .ok_or(StatusError::Malformed("statusReference"))
}
