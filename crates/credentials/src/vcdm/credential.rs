//! Credentials and presentations.

use serde_json::Value;

use crate::problem::Problem;

/// Why a document is not a credential or presentation of VCDM 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VcdmError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// The first `@context` is the one of version 1.1.
    #[error("a document of data model 1.1, which is not supported")]
    Version1,
    /// A property is missing.
    #[error("the property `{0}` is missing")]
    Missing(&'static str),
    /// A property has a value that it must not have.
    #[error("the property `{0}` is malformed")]
    Malformed(&'static str),
}

impl VcdmError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAnObject => "vcdm_not_an_object",
            Self::Version1 => "vcdm_version_1",
            Self::Missing(_) => "vcdm_missing",
            Self::Malformed(_) => "vcdm_malformed",
        }
    }

    /// VCDM 2.0, section 7.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        match self {
            Self::NotAnObject => Problem::Parsing,
            Self::Version1 | Self::Missing(_) | Self::Malformed(_) => Problem::MalformedValue,
        }
    }
}

/// A well-formed credential, without its proofs.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential(Value);

impl Credential {
    /// Reads a credential; `proof` may be there.
    ///
    /// # Errors
    /// [`VcdmError`].
    #[expect(clippy::unimplemented, reason = "the shape first")]
    pub fn parse(_document: &Value) -> Result<Self, VcdmError> {
        unimplemented!()
    }

    /// The document, `proof` among its members where it has one.
    #[must_use]
    pub const fn as_json(&self) -> &Value {
        &self.0
    }
}

/// A well-formed presentation.
#[derive(Clone, Debug, PartialEq)]
pub struct Presentation(Value);

impl Presentation {
    /// Reads a presentation; `proof` may be there.
    ///
    /// # Errors
    /// [`VcdmError`].
    #[expect(clippy::unimplemented, reason = "the shape first")]
    pub fn parse(_document: &Value) -> Result<Self, VcdmError> {
        unimplemented!()
    }

    /// The document, `proof` among its members where it has one.
    #[must_use]
    pub const fn as_json(&self) -> &Value {
        &self.0
    }
}
