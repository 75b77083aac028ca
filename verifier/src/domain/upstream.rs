//! A person whom another OpenID Provider vouched for in a run.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;

use super::transaction::{BindingKey, Evidence};

/// What accounts at other providers are kept under, where cards have their trust framework.
pub const FRAMEWORK: &str = "oidc";

/// A provider vouched for somebody, and everything about it was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// Who it is there: the issuer, and a keyed hash of its `sub`.
    pub key: BindingKey,
    /// It led to an account when it came.
    pub known: bool,
    /// The step, as sessions remember it.
    pub question: String,
    /// When the person signed in there, as far as the provider says so; else a day ago, or of somebody new
    /// when they came back.
    pub at: UnixTime,
}

impl Vouched {
    /// To whom it leads: the account that it is linked with, or a new one.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        Evidence::IssuerScoped(self.key.clone())
    }
}
