//! Credential types: what a type of credential contains and how it is shown.
//! One TOML file per type, see `specs/credential-types/`.

mod file;
mod validate;

pub use file::{ClaimKind, ClaimSpec, CredentialType, Disclosability, Display, TypeError};
pub use validate::{ClaimProblem, ClaimProblems, Expected, Prepared};
