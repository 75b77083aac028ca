//! What a person agreed to: the names of the facts, never their values.

use vouchsafe_credentials::time::UnixTime;

use super::ids::{ClientId, ConsentId, SecretDigest, SessionId, SubjectId, TransactionId};

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

/// A consent to be recorded when a wallet's answer is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConsent {
    /// Number of the receipt.
    pub id: ConsentId,
    /// Digest of the token that lets the wallet withdraw it.
    pub token: SecretDigest,
    /// The login.
    pub transaction: TransactionId,
    /// Who receives the facts.
    pub client: ClientId,
    /// Names of the facts.
    pub claims: Vec<String>,
    /// Why, in the words that the person read.
    pub purpose: String,
    /// Whether the application may go on while the person is away.
    pub offline: bool,
    /// When.
    pub given_at: UnixTime,
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
    /// When it was taken back.
    pub withdrawn_at: Option<UnixTime>,
}
