//! Why a document is not one of VCDM 2.0.

use crate::problem::Problem;

/// Why a document is not a credential or presentation of VCDM 2.0. Names properties, never values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VcdmError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A document of version 1.1 where that version is not supported.
    #[error("a document of data model 1.1, which is not supported here")]
    Version1,
    /// A property of the other version of the data model.
    #[error("the property `{0}` belongs to another version of the data model")]
    OtherVersion(&'static str),
    /// A property that must be there is not.
    #[error("the property `{0}` is missing")]
    Missing(&'static str),
    /// A property has a value that its definition forbids.
    #[error("the property `{0}` is malformed")]
    Malformed(&'static str),
    /// `type` does not name the class that the document must have.
    #[error("the type is not the one expected")]
    WrongType,
    /// `validFrom` is later than `validUntil`.
    #[error("the validity period ends before it begins")]
    Period,
    /// An enveloped document where a plain one must be.
    #[error("an enveloped document where a plain one is expected")]
    Enveloped,
    /// More entries than are looked at.
    #[error("the property `{0}` has too many entries")]
    TooMany(&'static str),
}

impl VcdmError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAnObject => "vcdm_not_an_object",
            Self::Version1 => "vcdm_version_1",
            Self::OtherVersion(_) => "vcdm_other_version",
            Self::Missing(_) => "vcdm_missing",
            Self::Malformed(_) => "vcdm_malformed",
            Self::WrongType => "vcdm_wrong_type",
            Self::Period => "vcdm_period",
            Self::Enveloped => "vcdm_enveloped",
            Self::TooMany(_) => "vcdm_too_many",
        }
    }

    /// VCDM 2.0, section 7.1.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        match self {
            Self::NotAnObject => Problem::Parsing,
            Self::Version1
            | Self::OtherVersion(_)
            | Self::Missing(_)
            | Self::Malformed(_)
            | Self::WrongType
            | Self::Period
            | Self::Enveloped
            | Self::TooMany(_) => Problem::MalformedValue,
        }
    }
}
