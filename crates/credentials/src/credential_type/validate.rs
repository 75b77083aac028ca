//! Claims that fit a type.

use std::fmt;

use serde_json::{Map, Value};
use thiserror::Error;

use super::{ClaimKind, CredentialType};
use crate::sd_jwt::{ClaimPath, Frame};

/// Claims that fit their type, ready to be issued.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The claims.
    pub claims: Map<String, Value>,
    /// Which of them are hidden.
    pub frame: Frame,
}

/// What a claim should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A value of this kind.
    Kind(ClaimKind),
    /// A value: the claim is required.
    Present,
    /// Nothing: the type has no such claim.
    Absent,
}

/// One claim that does not fit. Holds no claim value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimProblem {
    /// Where.
    pub path: ClaimPath,
    /// What should be there.
    pub expected: Expected,
}

/// All claims that do not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ClaimProblems(pub Vec<ClaimProblem>);

impl fmt::Display for ClaimProblems {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        unimplemented!()
    }
}

impl CredentialType {
    /// Checks claims against the type and says how to hide them.
    ///
    /// # Errors
    /// Every claim that does not fit.
    pub fn prepare(&self, _claims: Map<String, Value>) -> Result<Prepared, ClaimProblems> {
        unimplemented!()
    }
}
