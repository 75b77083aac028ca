//! Between "valid" and "accepted": the status.

use serde_json::{Map, Value};

use super::{IssuerIdentity, RegisteredClaims, VcError};
use crate::Verified;
use crate::sd_jwt::DisclosedClaim;
use crate::status_list::{StatusError, StatusRef, VerifiedStatusList};
use crate::time::UnixTime;

/// Which credentials must have a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusPolicy {
    /// A status is checked when the credential has one.
    #[default]
    WhenPresent,
    /// A credential without a status is refused.
    Required,
}

/// A presented credential that passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct SdJwtVc {
    /// The validated issuer.
    pub issuer: IssuerIdentity,
    /// The registered claims.
    pub registered: RegisteredClaims,
    /// All claims, registered ones included, as disclosed.
    pub claims: Map<String, Value>,
    /// What was disclosed.
    pub disclosed: Vec<DisclosedClaim>,
    /// Whether a Key Binding JWT was checked.
    pub holder_bound: bool,
}

/// A credential that is valid but for its status. It is not to be believed yet:
/// it gives what is needed to get the status list, and what to compare with a question first.
#[derive(Debug)]
#[must_use = "a credential is accepted only after its status is settled"]
pub struct StatusOwed {
    credential: SdJwtVc,
}

impl StatusOwed {
    pub(super) fn new(credential: SdJwtVc) -> Self {
        Self { credential }
    }

    /// Where the status stands; `None` when the credential has none and the
    /// policy allows that.
    #[must_use]
    pub fn status_ref(&self) -> Option<&StatusRef> {
        self.credential.registered.status.as_ref()
    }

    /// The validated issuer, who decides which status lists count.
    #[must_use]
    pub fn issuer(&self) -> &IssuerIdentity {
        &self.credential.issuer
    }

    /// What it says while its status is not known: to compare it with what was asked for, so that
    /// for a card that is refused in any case no list is fetched. Nothing of it is told or kept.
    #[must_use]
    pub fn unsettled(&self) -> &SdJwtVc {
        &self.credential
    }

    /// Settles the status with the list that [`status_ref`](Self::status_ref)
    /// names. `list` is `None` only where `status_ref` is.
    ///
    /// # Errors
    /// [`VcError::Status`] unless the status is `VALID`.
    pub fn settle(
        self,
        list: Option<&VerifiedStatusList>,
        now: UnixTime,
    ) -> Result<Verified<SdJwtVc>, VcError> {
        match (self.status_ref(), list) {
            (None, None) => {}
            (None, Some(_)) => return Err(StatusError::WrongList.into()),
            (Some(_), None) => return Err(StatusError::NotChecked.into()),
            (Some(reference), Some(list)) => {
                if list.issuer() != self.issuer() {
                    return Err(StatusError::WrongList.into());
                }
                list.status(reference, now)?.require_valid()?;
            }
        }
        Ok(Verified::new(self.credential))
    }
}
