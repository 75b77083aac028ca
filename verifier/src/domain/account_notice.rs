//! What people are told about their account.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;

use super::ids::{ClientId, SubjectId};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The rules refused a login.
    Refused,
    /// A step of a login says that the person is to know of it.
    Step,
    /// Older sessions ended with it.
    Ended,
    /// A run waits, and can be stopped.
    Waiting,
    /// An authenticator app was added on the account page.
    AuthenticatorAdded,
    /// It was removed there.
    AuthenticatorRemoved,
}

impl NoticeKind {
    /// Name in the database and of the texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Step => "step",
            Self::Ended => "ended",
            Self::Waiting => "waiting",
            Self::AuthenticatorAdded => "authenticator_added",
            Self::AuthenticatorRemoved => "authenticator_removed",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Refused,
            Self::Step,
            Self::Ended,
            Self::Waiting,
            Self::AuthenticatorAdded,
            Self::AuthenticatorRemoved,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// Whose account.
    pub subject: SubjectId,
    /// What happened.
    pub kind: NoticeKind,
    /// At which application.
    pub client: ClientId,
    /// The reference of the login.
    pub reference: String,
    /// When.
    pub told_at: UnixTime,
}
