//! An issued credential as the issuer remembers it: never what it says.

use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::notification::Event;

use super::ids::{CredentialId, OfferId, RecordId, StatusJobId, StatusListId};

/// The status of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialStatus {
    /// Good.
    Valid,
    /// Not good for now.
    Suspended,
    /// Not good any more. There is no way back.
    Revoked,
    /// Ended by the organisation before its signed end.
    Expired,
    /// Replaced by another credential of the same record.
    Superseded,
}

impl CredentialStatus {
    /// The name in the database and in the administration API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }

    /// Whether nothing leads away from it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Valid | Self::Suspended => false,
            Self::Revoked | Self::Expired | Self::Superseded => true,
        }
    }

    /// The status with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "valid" => Some(Self::Valid),
            "suspended" => Some(Self::Suspended),
            "revoked" => Some(Self::Revoked),
            "expired" => Some(Self::Expired),
            "superseded" => Some(Self::Superseded),
            _ => None,
        }
    }
}

/// What an operator can do to a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Valid to suspended.
    Suspend,
    /// Suspended to valid.
    Resume,
    /// Valid or suspended to revoked.
    Revoke,
    /// Valid or suspended to expired.
    Expire,
    /// Valid or suspended to superseded.
    Supersede,
}

/// A change that the present status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {} credential cannot change this way", .0.as_str())]
pub struct ChangeError(pub CredentialStatus);

impl Change {
    /// The status that it leads to.
    pub const fn target(self) -> CredentialStatus {
        match self {
            Self::Suspend => CredentialStatus::Suspended,
            Self::Resume => CredentialStatus::Valid,
            Self::Revoke => CredentialStatus::Revoked,
            Self::Expire => CredentialStatus::Expired,
            Self::Supersede => CredentialStatus::Superseded,
        }
    }

    /// The statuses that it leads away from.
    pub const fn sources(self) -> &'static [CredentialStatus] {
        match self {
            Self::Suspend => &[CredentialStatus::Valid],
            Self::Resume => &[CredentialStatus::Suspended],
            Self::Revoke | Self::Expire | Self::Supersede => {
                &[CredentialStatus::Valid, CredentialStatus::Suspended]
            }
        }
    }

    /// The status after the change, if the present one allows it.
    pub fn apply(self, present: CredentialStatus) -> Result<CredentialStatus, ChangeError> {
        if self.sources().contains(&present) {
            Ok(self.target())
        } else {
            Err(ChangeError(present))
        }
    }

    /// Whether it is for good: it cannot undo what somebody else did.
    pub const fn is_final(self) -> bool {
        self.target().is_final()
    }
}

/// An issued credential.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Its id in the administration API. It is not in the credential.
    pub id: CredentialId,
    /// The offer it came from.
    pub offer: OfferId,
    /// The subject record it is about.
    pub record: RecordId,
    /// The id of the credential type.
    pub credential_type: String,
    /// How it is encoded and signed.
    pub format: Format,
    /// RFC 7638 thumbprint of the key it is bound to.
    pub holder_key: String,
    /// Its place in the status lists.
    pub place: StatusPlace,
    /// Its status.
    pub status: CredentialStatus,
    /// Counts status changes; the ETag of the resource.
    pub version: i64,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// When it ends.
    pub expires_at: UnixTime,
    /// When its status last changed.
    pub status_changed_at: UnixTime,
    /// Names the response that it went out with; nothing for credentials of older releases.
    pub notification_id: Option<String>,
    /// What the wallet last said it did with it.
    pub event: Option<WalletEvent>,
    /// Which redemption of the offer brought it.
    pub family: Option<String>,
    /// When it will be ended by the organisation, where that was said ahead.
    pub ends_at: Option<UnixTime>,
    /// What replaced it.
    pub superseded_by: Option<CredentialId>,
    /// The job that changed its status last.
    pub job: Option<StatusJobId>,
}

impl Credential {
    /// Whether a new offer may be made in its place. What was taken from a person is not given
    /// back this way, and what was replaced is not replaced twice.
    pub fn check_renewable(&self) -> Result<(), ChangeError> {
        match (self.status, &self.superseded_by) {
            (CredentialStatus::Valid | CredentialStatus::Expired, None) => Ok(()),
            (status, _) => Err(ChangeError(status)),
        }
    }
}

/// What a wallet said it did with a credential (OpenID4VCI 1.0, section 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletEvent {
    /// What.
    pub event: Event,
    /// When we heard of it.
    pub at: UnixTime,
}

/// A place in a status list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusPlace {
    /// The list.
    pub list: StatusListId,
    /// The index in it.
    pub idx: i64,
}

#[cfg(test)]
mod tests {
    use super::CredentialStatus::{Expired, Revoked, Superseded, Suspended, Valid};
    use super::*;

    const CHANGES: [Change; 5] = [
        Change::Suspend,
        Change::Resume,
        Change::Revoke,
        Change::Expire,
        Change::Supersede,
    ];

    #[test]
    fn cat_227_what_is_final_is_final() {
        for change in CHANGES {
            for end in [Revoked, Expired, Superseded] {
                assert_eq!(change.apply(end), Err(ChangeError(end)));
            }
        }
    }

    #[test]
    fn names_come_back() {
        for status in [Valid, Suspended, Revoked, Expired, Superseded] {
            assert_eq!(CredentialStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(CredentialStatus::parse("Valid"), None);
    }

    #[test]
    fn changes_follow_the_table() {
        assert_eq!(Change::Suspend.apply(Valid), Ok(Suspended));
        assert_eq!(
            Change::Suspend.apply(Suspended),
            Err(ChangeError(Suspended))
        );
        assert_eq!(Change::Resume.apply(Suspended), Ok(Valid));
        assert_eq!(Change::Resume.apply(Valid), Err(ChangeError(Valid)));
        assert_eq!(Change::Revoke.apply(Valid), Ok(Revoked));
        assert_eq!(Change::Revoke.apply(Suspended), Ok(Revoked));
        for from in [Valid, Suspended] {
            assert_eq!(Change::Expire.apply(from), Ok(Expired));
            assert_eq!(Change::Supersede.apply(from), Ok(Superseded));
        }
    }
}
