//! What leads to an account.

use vouchsafe_credentials::time::UnixTime;

use super::ids::MeansId;

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeansKind {
    /// A card in a wallet.
    Credential,
    /// A passkey.
    Passkey,
    /// An account at another provider.
    Upstream,
}

impl MeansKind {
    /// Name in the database and of the texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Passkey => "passkey",
            Self::Upstream => "upstream",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Credential, Self::Passkey, Self::Upstream]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A way to an account. What it says of the person is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    /// Its id.
    pub id: MeansId,
    /// What kind of thing it is.
    pub kind: MeansKind,
    /// The validated issuer, or the provider.
    pub issuer: String,
    /// Type of a card.
    pub credential_type: String,
    /// When it was linked.
    pub created_at: UnixTime,
}

/// What became of linking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// It leads to the account from now on.
    New,
    /// It did before.
    Already,
    /// It leads to another account: nothing has changed.
    Elsewhere,
    /// As many lead to the account as may: nothing has changed.
    TooMany,
}
