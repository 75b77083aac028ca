//! A type of credential.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use super::card::Card;
use super::formats::{MdocFormat, W3cFormat};
use super::shape::Shape;
use crate::sd_jwt::{ClaimPath, Frame};

/// How a claim or a type is called, per locale (BCP 47 tag to text).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Display {
    /// Name per locale; `en` is always there.
    pub names: BTreeMap<String, String>,
    /// Description per locale; may be empty.
    pub descriptions: BTreeMap<String, String>,
}

impl Display {
    /// The name in `locale` (`de-AT` falls back to `de`, then to `en`).
    #[must_use]
    pub fn name(&self, locale: &str) -> &str {
        lookup(&self.names, locale).unwrap_or_default()
    }

    /// The description in `locale`, with the same fallback.
    #[must_use]
    pub fn description(&self, locale: &str) -> Option<&str> {
        lookup(&self.descriptions, locale)
    }
}

fn lookup<'t>(texts: &'t BTreeMap<String, String>, locale: &str) -> Option<&'t str> {
    let language = locale.split('-').next().unwrap_or(locale);
    [locale, language, "en"]
        .into_iter()
        .find_map(|tag| texts.get(tag))
        .map(String::as_str)
}

/// JSON type of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// A string.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number between -(2^53 - 1) and 2^53 - 1.
    Integer,
    /// A number.
    Number,
    /// A string `YYYY-MM-DD` that is a day of the calendar.
    Date,
    /// A string of two capital letters: a country (ISO 3166-1 alpha-2).
    Country,
    /// Bytes: base64url without padding; a byte string in an mdoc.
    Bytes,
    /// A picture: a `data:` URL of a JPEG; its bytes in an mdoc.
    Picture,
    /// An object; its members are claims of their own.
    Object,
    /// An array; its elements are claims of their own (`"[]"` in the path).
    Array,
}

impl ClaimKind {
    /// The name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Date => "date",
            Self::Country => "country",
            Self::Bytes => "bytes",
            Self::Picture => "picture",
            Self::Object => "object",
            Self::Array => "array",
        }
    }
}

/// Whether the person can withhold a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosability {
    /// `sd = "always"`: always hidden, disclosed by choice.
    Always,
    /// `sd = "never"`: always visible.
    Never,
}

/// One claim of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimSpec {
    /// Where it stands.
    pub path: ClaimPath,
    /// Its JSON type.
    pub kind: ClaimKind,
    /// Whether it can be withheld.
    pub sd: Disclosability,
    /// Whether every credential (every parent object) has it.
    pub required: bool,
    /// Whether an array has at least one element.
    pub filled: bool,
    /// How it is called.
    pub display: Display,
}

/// A type of credential.
#[derive(Debug, Clone)]
pub struct CredentialType {
    /// Short name, also the credential configuration id.
    pub id: String,
    /// `vct`
    pub vct: String,
    /// `dc+sd-jwt`
    pub format: String,
    /// How it is called.
    pub display: Display,
    /// How a wallet draws its card.
    pub card: Card,
    /// Its claims, in the order of the file.
    pub claims: Vec<ClaimSpec>,
    /// How long a credential is valid, in seconds.
    pub validity_s: i64,
    /// Whether credentials have a status.
    pub status: bool,
    /// Whether credentials are bound to the holder's key.
    pub key_binding: bool,
    /// Which claims are hidden; shared by all credentials of the type.
    pub(super) frame: Arc<Frame>,
    /// The claims as a tree, to check values against.
    pub(super) shape: Shape,
    /// The type as mdoc.
    pub(super) mdoc: Option<MdocFormat>,
    /// The type in the W3C data model.
    pub(super) w3c: Option<W3cFormat>,
}

/// Why a file is not a credential type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TypeError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1 in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl TypeError {
    /// An error at a byte offset of `text`.
    pub(super) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }
}
