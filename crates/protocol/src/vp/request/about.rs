//! What the verifier says of itself and of its question: an entry of `verifier_info` (OpenID4VP 1.0,
//! section 5.1). Nobody attests it. Of `client_metadata` the same section says that wallets ignore
//! members it does not name, so these texts do not stand there.

use serde_json::{Map, Value, json};

use crate::vp::values::LocalizedText;

/// `format` of the entry; its `data` has `client_name` and `purpose`, each with translations
/// (`purpose#de`).
const FORMAT: &str = "urn:vouchsafe:verifier-info:1";
/// Most entries that are looked at.
const MAX_ENTRIES: usize = 16;

/// What a verifier says in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// How the asking service is called.
    pub(super) client_name: Option<LocalizedText>,
    /// Why it asks.
    pub(super) purpose: Option<LocalizedText>,
}

/// The value of `verifier_info`; `None`: there is nothing to say, and an empty list is not allowed.
pub(in crate::vp) fn write(
    client_name: Option<&LocalizedText>,
    purpose: Option<&LocalizedText>,
) -> Option<Value> {
    let mut data = Map::new();
    for (name, text) in [("client_name", client_name), ("purpose", purpose)] {
        if let Some(text) = text {
            text.write(name, &mut data);
        }
    }
    (!data.is_empty()).then(|| json!([{ "format": FORMAT, "data": data }]))
}

/// Reads the entry. Section 5.1: the wallet ignores formats that it does not know; what has another
/// shape says nothing either, because nothing depends on it.
pub(super) fn read(verifier_info: Option<&Value>) -> About {
    let entries = verifier_info.and_then(Value::as_array);
    let ours = entries
        .into_iter()
        .flatten()
        .take(MAX_ENTRIES)
        .find(|entry| entry["format"] == FORMAT);
    match ours.and_then(|entry| entry["data"].as_object()) {
        None => About::default(),
        Some(data) => About {
            client_name: LocalizedText::read("client_name", data),
            purpose: LocalizedText::read("purpose", data),
        },
    }
}
