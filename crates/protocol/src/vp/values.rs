//! Small values that both sides exchange.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vouchsafe_credentials::random::{self, Rng};

/// Longest `nonce`, `state` or `wallet_nonce`, in bytes.
pub const MAX_VALUE_BYTES: usize = 512;

/// Longest text shown to a person, in bytes.
const MAX_TEXT_BYTES: usize = 512;

/// A value that is empty, too long or has other characters than `A-Z a-z 0-9 - . _ ~`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value must be 1 to 512 URL-safe characters")]
pub struct NotUrlSafe;

fn url_safe(text: &str) -> Result<String, NotUrlSafe> {
    let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    if text.is_empty() || text.len() > MAX_VALUE_BYTES || !text.bytes().all(legal) {
        return Err(NotUrlSafe);
    }
    Ok(text.to_owned())
}

/// `nonce` of a request: binds presentations to one transaction (OpenID4VP 1.0, section 5.2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Nonce(String);

/// `state` of a request: ties the response to the request (OpenID4VP 1.0, section 5.3).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct State(String);

macro_rules! url_safe_value {
    ($name:ident) => {
        impl $name {
            /// A fresh value of 256 bits.
            pub fn fresh(rng: &dyn Rng) -> Self {
                $name(random::token(rng))
            }

            /// Reads a value from a request or from a store.
            pub fn parse(text: &str) -> Result<Self, NotUrlSafe> {
                url_safe(text).map($name)
            }

            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Shows no part of the value.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}
url_safe_value!(Nonce);
url_safe_value!(State);

/// A text for persons, with translations. On the wire one member per language
/// (`client_name`, `client_name#de`: RFC 7591, section 2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalizedText {
    /// Shown where no translation fits.
    pub default: String,
    /// By language tag.
    pub translations: BTreeMap<String, String>,
}

impl LocalizedText {
    /// The text for a language tag such as `de` or `de-AT`.
    pub fn for_locale(&self, locale: &str) -> &str {
        let language = locale.split('-').next().unwrap_or(locale);
        self.translations
            .get(locale)
            .or_else(|| self.translations.get(language))
            .unwrap_or(&self.default)
    }

    /// Writes the members into `object`.
    pub(crate) fn write(&self, name: &str, object: &mut Map<String, Value>) {
        object.insert(name.to_owned(), Value::from(self.default.as_str()));
        for (tag, text) in &self.translations {
            object.insert(format!("{name}#{tag}"), Value::from(text.as_str()));
        }
    }

    /// Reads the members from `object`; what is not a short text is left out.
    pub(super) fn read(name: &str, object: &Map<String, Value>) -> Option<Self> {
        let text = |value: &Value| {
            let text = value.as_str()?;
            let showable = text.len() <= MAX_TEXT_BYTES && !text.chars().any(char::is_control);
            showable.then(|| text.to_owned())
        };
        let default = object.get(name).and_then(text)?;
        let prefix = format!("{name}#");
        let translations = object
            .iter()
            .filter_map(|(key, value)| {
                let tag = key.strip_prefix(&prefix)?;
                Some((tag.to_owned(), text(value)?))
            })
            .take(64)
            .collect();
        Some(LocalizedText {
            default,
            translations,
        })
    }
}
