//! Sessions: who is logged in, how, and on which cards it rests.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::time::UnixTime;

use super::ids::{ClientId, QueryId, SessionId, Sid, SubjectId};

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The person logged out, here or through an application.
    LoggedOut,
    /// A card behind it was revoked.
    Revoked,
    /// A card was taken from the account.
    MeansRemoved,
    /// The account was deleted.
    AccountDeleted,
    /// A card behind it was suspended.
    Suspended,
    /// The status of a card could not be learned for too long.
    StatusUnknown,
    /// A consent behind it was withdrawn.
    ConsentWithdrawn,
    /// The time of a consent behind it was over.
    ConsentExpired,
    /// Another account logged in on the same browser.
    Replaced,
    /// A code or a refresh token came twice.
    TokenReused,
    /// The application gave its refresh token up.
    GivenUp,
    /// The application was removed.
    ClientRemoved,
    /// Somebody who runs the service ended it.
    Administrator,
    /// A step of a journey ended it, as after a recovery.
    Journey,
    /// The database was restored, or came from an export.
    Restored,
}

impl EndReason {
    /// Stable code for the database and the log.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Revoked => "credential_revoked",
            Self::MeansRemoved => "means_removed",
            Self::AccountDeleted => "account_deleted",
            Self::Suspended => "credential_suspended",
            Self::StatusUnknown => "status_unknown",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::ConsentExpired => "consent_expired",
            Self::Replaced => "replaced",
            Self::TokenReused => "token_reused",
            Self::GivenUp => "given_up",
            Self::ClientRemoved => "client_removed",
            Self::Administrator => "ended_by_administrator",
            Self::Journey => "journey",
            Self::Restored => "restored",
        }
    }
}

/// A card behind a session: enough to ask for its status again, nothing more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRef {
    /// The validated identity of its issuer.
    pub issuer: IssuerIdentity,
    /// Its `vct`.
    pub credential_type: String,
    /// Where its status is published.
    pub status: Option<StatusPointer>,
    /// When it ends; answers of an earlier version do not say it.
    #[serde(default)]
    pub expires_at: Option<UnixTime>,
}

/// A place in a status list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPointer {
    /// Address of the list.
    pub uri: String,
    /// Index in it.
    pub idx: u64,
}

/// How somebody was authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// When the card was shown.
    pub auth_time: UnixTime,
    /// Level reached, one of the ladder.
    pub acr: String,
    /// Methods.
    pub amr: Vec<String>,
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The account; `None` for a guest.
    pub subject: Option<SubjectId>,
    /// How.
    pub authentication: Authentication,
    /// The question that was answered last. The session answers no other one.
    pub query: QueryId,
    /// When it ends at the latest.
    pub expires_at: UnixTime,
}

/// An application within a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionClient {
    /// What the application calls the session.
    pub sid: Sid,
    /// The session.
    pub session: SessionId,
    /// The application.
    pub client: ClientId,
    /// What the application calls the person.
    pub sub: String,
}
