//! Credential types: what a type of credential contains and how it is shown.
//!
//! One TOML file per type, see `specs/credential-types/`:
//!
//! ```toml
//! id = "library-card"                 # also the credential configuration id
//! vct = "urn:example:library-card:1"
//! format = "dc+sd-jwt"
//! validity_days = 365
//! status = true                       # each credential has an entry in a status list
//! key_binding = true                  # bound to a key of the holder
//! decoys = 0                          # decoy digests per object with hidden members, may be left out
//!
//! [display.en]                        # at least `en`; all texts in the same languages
//! name = "Library card"
//! description = "Borrow books"
//!
//! [[claim]]
//! path = ["branches", "[]"]           # member names; "[]" is every element of an array
//! type = "string"                     # string, boolean, integer, number, date, country, bytes, picture, object, array
//! sd = "always"                       # always: the person may withhold it; never: always visible
//! required = false                    # may be left out
//! filled = false                      # an array may be empty; true: it has at least one element
//! display = { en = "Branch" }
//! ```

mod binary;
mod card;
pub(crate) mod date;
mod file;
mod format;
mod formats;
mod metadata;
mod read;
mod shape;
mod validate;

pub use card::{Card, Picture};
pub use file::{ClaimKind, ClaimSpec, CredentialType, Disclosability, Display, TypeError};
pub use format::Format;
pub use formats::{MdocFormat, W3cFormat, W3cInput};
pub use validate::{ClaimProblem, ClaimProblems, Expected, Prepared};

#[cfg(test)]
mod tests;
