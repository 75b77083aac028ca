//! The status list credential (Bitstring Status List 1.0, section 2.2).

use serde_json::{Value, json};

use super::{Bitstring, Entry, StatusError};
use crate::json::set;
use crate::vcdm::{CONTEXT, Credential, DateTimeStamp};

/// What a list credential says beside the statuses.
#[derive(Clone, Debug)]
pub struct ListOptions<'a> {
    /// `id`: the URL under which it is published.
    pub id: &'a str,
    /// `issuer`.
    pub issuer: &'a str,
    /// `statusPurpose`.
    pub purpose: &'a str,
    /// `validFrom`.
    pub valid_from: Option<DateTimeStamp>,
    /// `validUntil`.
    pub valid_until: Option<DateTimeStamp>,
    /// `ttl` in milliseconds: how long it may be cached.
    pub ttl_ms: Option<u64>,
}

/// The credential of a list, to be secured as any other.
#[must_use]
pub fn list_credential(options: &ListOptions<'_>, list: &Bitstring) -> Value {
    let mut subject = json!({
        "id": format!("{}#list", options.id),
        "type": "BitstringStatusList",
        "statusPurpose": options.purpose,
        "encodedList": list.encode(),
    });
    if let Some(ttl) = options.ttl_ms {
        set(&mut subject, "ttl", ttl.into());
    }
    let mut credential = json!({
        "@context": [CONTEXT],
        "id": options.id,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": options.issuer,
    });
    if let Some(stamp) = &options.valid_from {
        set(&mut credential, "validFrom", stamp.as_str().into());
    }
    if let Some(stamp) = &options.valid_until {
        set(&mut credential, "validUntil", stamp.as_str().into());
    }
    set(&mut credential, "credentialSubject", subject);
    credential
}

/// A list credential of the right form; that it is verified is the caller's to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusListCredential {
    purposes: Vec<String>,
    encoded: String,
    ttl_ms: Option<u64>,
}

impl StatusListCredential {
    /// Reads the list of a credential.
    ///
    /// # Errors
    /// [`StatusError::Malformed`].
    pub fn read(credential: &Credential) -> Result<Self, StatusError> {
        let is_list = |name: &String| name == "BitstringStatusListCredential";
        if !credential.types().iter().any(is_list) {
            return Err(StatusError::Malformed("type"));
        }
        let mut subjects = credential.subjects();
        let (Some(subject), None) = (subjects.next(), subjects.next()) else {
            return Err(StatusError::Malformed("credentialSubject"));
        };
        if !has_type(subject.get("type")) {
            return Err(StatusError::Malformed("credentialSubject.type"));
        }
        let encoded = subject.get("encodedList").and_then(Value::as_str);
        Ok(Self {
            purposes: purposes(subject.get("statusPurpose"))?,
            encoded: encoded
                .ok_or(StatusError::Malformed("encodedList"))?
                .to_owned(),
            ttl_ms: ttl(subject.get("ttl"))?,
        })
    }

    /// How long it may be cached, in milliseconds, by its own word.
    #[must_use]
    pub const fn ttl_ms(&self) -> Option<u64> {
        self.ttl_ms
    }

    /// The status of an entry in this list.
    ///
    /// # Errors
    /// [`StatusError::Purpose`], those of [`Bitstring::decode`], [`StatusError::OutOfRange`].
    pub fn status(&self, entry: &Entry) -> Result<u8, StatusError> {
        // Section 3.2, step 7.
        if !self.purposes.contains(&entry.purpose) {
            return Err(StatusError::Purpose);
        }
        Bitstring::decode(&self.encoded, entry.size)?.get(entry.index)
    }
}

fn has_type(value: Option<&Value>) -> bool {
    const NAME: &str = "BitstringStatusList";
    match value {
        Some(Value::String(name)) => name == NAME,
        Some(Value::Array(names)) => names.iter().any(|name| name == NAME),
        _ => false,
    }
}

/// Section 2.2: one or more purposes.
fn purposes(value: Option<&Value>) -> Result<Vec<String>, StatusError> {
    let items = match value {
        Some(Value::Array(items)) if !items.is_empty() => items.as_slice(),
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        _ => return Err(StatusError::Malformed("statusPurpose")),
    };
    let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
    texts
        .collect::<Option<_>>()
        .ok_or(StatusError::Malformed("statusPurpose"))
}

/// Section 2.2: milliseconds.
fn ttl(value: Option<&Value>) -> Result<Option<u64>, StatusError> {
    match value {
        None => Ok(None),
        Some(value) => value
            .as_u64()
            .map(Some)
            .ok_or(StatusError::Malformed("ttl")),
    }
}
