//! What a person agreed to: the names of the facts, never their values.

use vouchsafe_credentials::time::UnixTime;

use super::ids::{ClientId, ConsentId, SecretDigest, SessionId, SubjectId, TransactionId};
use super::notice::Record;

/// Before the claim name of an attribute of the account: a card may say a fact of the same name.
const OF_ACCOUNT: &str = "attribute:";

/// How a consent names an attribute of the account, by its claim.
#[must_use]
pub fn of_account(claim: &str) -> String {
    format!("{OF_ACCOUNT}{claim}")
}

/// The claim of an attribute of the account, if that is what a consent names.
#[must_use]
pub fn account_claim(name: &str) -> Option<&str> {
    name.strip_prefix(OF_ACCOUNT)
}

/// A consent to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConsent {
    /// Number of the receipt.
    pub id: ConsentId,
    /// Digest of the token that lets the wallet withdraw it.
    pub token: SecretDigest,
    /// The login.
    pub transaction: TransactionId,
    /// What they agreed to.
    pub record: Record,
}

/// A recorded consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Number of the receipt.
    pub id: ConsentId,
    /// Who received the facts.
    pub client: ClientId,
    /// The account, once the login was finished; `None` for a guest.
    pub subject: Option<SubjectId>,
    /// The session that rests on it, once the login was finished.
    pub session: Option<SessionId>,
    /// Names of the facts.
    pub claims: Vec<String>,
    /// Why, in the words that the person read.
    pub purpose: String,
    /// Whether the application may go on while the person is away.
    pub offline: bool,
    /// When.
    pub given_at: UnixTime,
    /// When it was withdrawn, ran out, was replaced or revoked.
    pub over_at: Option<UnixTime>,
    /// The question or step that asked; consents of an earlier version do not say it, and have no
    /// receipt.
    pub about: Option<String>,
}

/// What becomes of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The person agreed.
    Given,
    /// They took it back.
    Withdrawn,
    /// Its time was over.
    Expired,
    /// They agreed again, to the same application for the same purpose.
    Replaced,
    /// The application was removed.
    Revoked,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Given,
        Self::Withdrawn,
        Self::Expired,
        Self::Replaced,
        Self::Revoked,
    ];

    /// Name in the database and on pages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// An event in the life of a consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The consent.
    pub consent: ConsentId,
    /// What became of it.
    pub state: State,
    /// When.
    pub at: UnixTime,
}
