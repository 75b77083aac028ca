//! Between "valid" and "accepted": the status.

use super::{Elements, MdocError, MsoStatus, Validity};
use crate::Verified;
use crate::crypto::PublicKey;
use crate::sd_jwt_vc::IssuerIdentity;
use crate::status_list::{StatusError, VerifiedIdentifierList, VerifiedStatusList};
use crate::time::UnixTime;

/// A presented mdoc that passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct Mdoc {
    /// The validated issuer.
    pub issuer: IssuerIdentity,
    /// `docType`
    pub doctype: String,
    /// `validityInfo`
    pub validity: Validity,
    /// The key that authenticated the presentation.
    pub device_key: PublicKey,
    /// `status`
    pub status: Option<MsoStatus>,
    /// Elements that the issuer signed, as disclosed.
    pub elements: Elements,
    /// Elements that the device signed and was authorized to.
    pub device_elements: Elements,
}

/// An mdoc that is valid but for its status. It is not to be believed yet: it gives what is needed
/// to get the list, and what to compare with a question first.
#[derive(Debug)]
#[must_use = "an mdoc is accepted only after its status is settled"]
pub struct StatusOwed {
    mdoc: Mdoc,
}

impl StatusOwed {
    pub(super) const fn new(mdoc: Mdoc) -> Self {
        Self { mdoc }
    }

    /// Where the status stands; `None` when the document has none and the policy allows that.
    #[must_use]
    pub const fn status(&self) -> Option<&MsoStatus> {
        self.mdoc.status.as_ref()
    }

    /// The validated issuer, who decides which lists count.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerIdentity {
        &self.mdoc.issuer
    }

    /// What it says while its status is not known: to compare it with what was asked for, so that
    /// for a document that is refused in any case no list is fetched. Nothing of it is told or kept.
    #[must_use]
    pub const fn unsettled(&self) -> &Mdoc {
        &self.mdoc
    }

    /// Settles the status with every list that [`status`](Self::status) names.
    ///
    /// # Errors
    /// [`MdocError::Status`] unless each list is given, the status is `VALID` and the identifier
    /// is not listed.
    pub fn settle(
        self,
        list: Option<&VerifiedStatusList>,
        identifiers: Option<&VerifiedIdentifierList>,
        now: UnixTime,
    ) -> Result<Verified<Mdoc>, MdocError> {
        self.check_given(list, identifiers, now)?;
        if let Some(status) = self.status() {
            let missing = (status.status_list.is_some() && list.is_none())
                || (status.identifier_list.is_some() && identifiers.is_none());
            if missing {
                return Err(StatusError::NotChecked.into());
            }
        }
        Ok(Verified::new(self.mdoc))
    }

    /// As [`Self::settle`], for verifiers whose policy is that one list speaks for both: where
    /// [`status`](Self::status) names two, one is enough, and each that is given must agree.
    ///
    /// # Errors
    /// [`MdocError::Status`] unless the status is `VALID` and the identifier is not listed.
    pub fn settle_by_one(
        self,
        list: Option<&VerifiedStatusList>,
        identifiers: Option<&VerifiedIdentifierList>,
        now: UnixTime,
    ) -> Result<Verified<Mdoc>, MdocError> {
        self.check_given(list, identifiers, now)?;
        Ok(Verified::new(self.mdoc))
    }

    /// What is given must be for this document and say that it is valid; with a status, something
    /// must be given.
    fn check_given(
        &self,
        list: Option<&VerifiedStatusList>,
        identifiers: Option<&VerifiedIdentifierList>,
        now: UnixTime,
    ) -> Result<(), MdocError> {
        let none = MsoStatus::default();
        let status = self.status().unwrap_or(&none);
        if let Some(list) = list {
            let reference = status.status_list.as_ref().ok_or(StatusError::WrongList)?;
            if list.issuer() != self.issuer() {
                return Err(StatusError::WrongList.into());
            }
            list.status(reference, now)?.require_valid()?;
        }
        if let Some(identifiers) = identifiers {
            let reference = status.identifier_list.as_ref();
            let reference = reference.ok_or(StatusError::WrongList)?;
            if identifiers.issuer() != self.issuer() {
                return Err(StatusError::WrongList.into());
            }
            identifiers.require_not_listed(reference, now)?;
        }
        if self.status().is_some() && list.is_none() && identifiers.is_none() {
            return Err(StatusError::NotChecked.into());
        }
        Ok(())
    }
}
