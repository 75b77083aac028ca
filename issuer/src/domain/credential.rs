//! An issued credential as the issuer remembers it: never what it says.

use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::notification::Event;

use super::ids::{CredentialId, OfferId, RecordId, StatusListId};

/// The status of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialStatus {
    /// Good.
    Valid,
    /// Not good for now.
    Suspended,
    /// Not good any more. There is no way back.
    Revoked,
}

impl CredentialStatus {
    /// The name in the database and in the administration API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }

    /// The status with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "valid" => Some(Self::Valid),
            "suspended" => Some(Self::Suspended),
            "revoked" => Some(Self::Revoked),
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
}

/// A change that the present status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {} credential cannot change this way", .0.as_str())]
pub struct ChangeError(pub CredentialStatus);

impl Change {
    /// The status after the change, if the present one allows it.
    pub fn apply(self, present: CredentialStatus) -> Result<CredentialStatus, ChangeError> {
        match (self, present) {
            (Self::Suspend, CredentialStatus::Valid) => Ok(CredentialStatus::Suspended),
            (Self::Resume, CredentialStatus::Suspended) => Ok(CredentialStatus::Valid),
            (Self::Revoke, CredentialStatus::Valid | CredentialStatus::Suspended) => {
                Ok(CredentialStatus::Revoked)
            }
            (Self::Suspend, CredentialStatus::Suspended | CredentialStatus::Revoked)
            | (Self::Resume, CredentialStatus::Valid | CredentialStatus::Revoked)
            | (Self::Revoke, CredentialStatus::Revoked) => Err(ChangeError(present)),
        }
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
    use super::CredentialStatus::{Revoked, Suspended, Valid};
    use super::*;

    #[test]
    fn cat_227_revoked_is_terminal() {
        for change in [Change::Suspend, Change::Resume, Change::Revoke] {
            assert_eq!(change.apply(Revoked), Err(ChangeError(Revoked)));
        }
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
    }
}
