//! The file that describes a type.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::sd_jwt::ClaimPath;

/// How a claim or a type is called, per locale (BCP 47 tag to text).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Display {
    /// Name per locale.
    pub names: BTreeMap<String, String>,
    /// Description per locale; may be empty.
    pub descriptions: BTreeMap<String, String>,
}

impl Display {
    /// The name in `locale` (`de-AT` falls back to `de`, then to `en`).
    #[must_use]
    pub fn name(&self, _locale: &str) -> &str {
        unimplemented!()
    }
}

/// JSON type of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    /// A string.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `YYYY-MM-DD`
    Date,
    /// An object; its members are claims of their own.
    Object,
    /// An array; its elements are claims of their own (`"[]"` in the path).
    Array,
}

/// Whether the person can withhold a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Whether every credential has it.
    pub required: bool,
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
    /// Its claims, in the order of the file.
    pub claims: Vec<ClaimSpec>,
    /// How long a credential is valid, in seconds.
    pub validity_s: i64,
    /// Whether credentials have a status.
    pub status: bool,
    /// Whether credentials are bound to the holder's key.
    pub key_binding: bool,
}

/// Why a file is not a credential type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TypeError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl CredentialType {
    /// Reads a file.
    ///
    /// # Errors
    /// [`TypeError`] with the place in the file.
    pub fn from_toml(_text: &str) -> Result<Self, TypeError> {
        unimplemented!()
    }
}
