//! Operators, their roles and sessions.

use std::fmt;

use sha2::{Digest, Sha256};
use vouchsafe_credentials::{
    encoding::{b64url, b64url_decode_array},
    random::{Rng, token},
    time::UnixTime,
};

use super::{IDLE_S, RECENT_S};
use crate::db::DbError;
use crate::webauthn::WebauthnError;

/// How the audit log begins the name of an operator who acts.
pub(super) const ACTOR: &str = "operator:";
/// Longest name of an operator, in characters.
const MAX_NAME: usize = 80;

/// Id of an operator: a hyphenated lower-case UUID.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OperatorId(String);

impl OperatorId {
    /// Accepts the canonical form of a UUID and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let id = uuid::Uuid::parse_str(text).ok()?;
        (id.hyphenated().to_string() == text).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorId({})", self.0)
    }
}

/// What an operator may do. Each role may do all that the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Make offers, suspend, resume and revoke.
    Operator,
    /// Manage operators.
    Admin,
}

impl Role {
    /// All roles, the weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The name in the database, on the command line and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its id; the audit log calls it `operator:<id>`.
    pub id: OperatorId,
    /// What colleagues call the person. No two have the same.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were invited first.
    pub created_at: UnixTime,
    /// Since when they may not sign in.
    pub disabled_at: Option<UnixTime>,
}

impl Operator {
    /// Who acts, in the words of the audit log.
    pub fn actor(&self) -> String {
        format!("{ACTOR}{}", self.id)
    }
}

/// A name as people write it: trimmed, without control characters and without characters that
/// nobody sees, so that no two names look the same by their help.
pub(super) fn name(text: &str) -> Result<String, OperatorError> {
    let name = text.trim();
    let fits = !name.is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(is_unseen);
    fits.then(|| name.to_owned()).ok_or(OperatorError::Name)
}

/// Control characters, format characters (Unicode category Cf), line separators, fillers and
/// variation selectors.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its id here.
    pub id: String,
    /// When it was added.
    pub created_at: UnixTime,
    /// When it last signed somebody in.
    pub used_at: Option<UnixTime>,
    /// Whether it may exist on several devices of the person.
    pub backup_eligible: bool,
}

/// An account at an OpenID Provider that signs an operator in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The issuer identifier of the provider.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// When it was tied to the operator.
    pub created_at: UnixTime,
}

/// What signs an operator in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaysIn {
    /// How many passkeys.
    pub passkeys: i64,
    /// Accounts, oldest first.
    pub accounts: Vec<Account>,
}

/// How somebody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// With a passkey.
    Passkey,
    /// With the link of an invitation, where there are no passkeys.
    Link,
    /// At an OpenID Provider.
    Upstream,
}

impl Method {
    /// The name in the database and in the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Link => "link",
            Self::Upstream => "upstream",
        }
    }
}

/// An operator who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id of the row.
    pub id: String,
    /// Who.
    pub operator: Operator,
    /// When they proved who they are: with the sign-in here, or before it at an OpenID Provider.
    pub signed_in_at: UnixTime,
    /// When the session was last used, to the minute.
    pub seen_at: UnixTime,
}

impl Session {
    /// Whether that was a moment ago, as for what is most dangerous.
    pub fn is_recent(&self, now: UnixTime) -> bool {
        now < self.signed_in_at.plus(RECENT_S)
    }

    pub(super) fn is_idle(&self, now: UnixTime) -> bool {
        now >= self.seen_at.plus(IDLE_S)
    }
}

/// The secret in the cookie of a session. `Debug` hides it.
#[derive(Clone)]
pub struct SessionSecret(zeroize::Zeroizing<String>);

impl SessionSecret {
    pub(super) fn generate(rng: &dyn Rng) -> Self {
        Self(zeroize::Zeroizing::new(token(rng)))
    }

    /// A secret that came back in a cookie.
    pub fn parse(text: &str) -> Option<Self> {
        b64url_decode_array::<32>(text).ok()?;
        Some(Self(zeroize::Zeroizing::new(text.to_owned())))
    }

    /// The value of the cookie.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> String {
        b64url(&Sha256::digest(
            [b"vouchsafe operator session ", self.0.as_bytes()].concat(),
        ))
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret(…)")
    }
}

/// A link for one person, to be handed over. `Debug` hides the secret.
pub struct Invitation {
    /// Who is invited.
    pub operator: Operator,
    pub(super) secret: zeroize::Zeroizing<String>,
}

impl Invitation {
    /// The secret at the end of the link.
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invitation({:?})", self.operator.id)
    }
}

/// Why something does not work.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The link was used, is too old, or never was.
    #[error("the link does not work (any more)")]
    Link,
    /// There is no such operator, passkey or session for this caller.
    #[error("there is no such operator or passkey")]
    Unknown,
    /// Who acts may not do this (any more).
    #[error("whoever acts may not do this")]
    Forbidden,
    /// The operator may not sign in.
    #[error("the operator is disabled")]
    Disabled,
    /// Not a name.
    #[error("a name has 1 to 80 characters that can be seen")]
    Name,
    /// Somebody has this name.
    #[error("there is an operator of this name")]
    NameTaken,
    /// Nobody could sign in with this account any more.
    #[error("the last passkey stays")]
    LastPasskey,
    /// There is no room for another passkey.
    #[error("an operator has {max} passkeys at most", max = super::MAX_PASSKEYS)]
    TooManyPasskeys,
    /// Nobody could manage operators any more.
    #[error("the last admin stays")]
    LastAdmin,
    /// The device has a passkey for this site.
    #[error("this passkey is registered already")]
    PasskeyTaken,
    /// The identity belongs to another operator.
    #[error("this identity belongs to another operator")]
    IdentityTaken,
    /// Nobody here has this identity.
    #[error("no operator has this identity")]
    Stranger,
    /// There are no passkeys at this address, or nothing but passkeys.
    #[error("operators do not sign in this way at this address")]
    Way,
    /// The passkey's answer is refused.
    #[error("the passkey's answer is refused")]
    Webauthn(#[from] WebauthnError),
    /// The database.
    #[error("the database failed")]
    Db(#[from] DbError),
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn roles_are_ordered() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn names_are_for_people() {
        for good in ["Zoë", "李清照", "O’Neill", "مريم"] {
            assert_eq!(name(good).ok().as_deref(), Some(good));
        }
        assert_eq!(name(" Ada Lovelace ").ok().as_deref(), Some("Ada Lovelace"));
        for bad in [
            "",
            "  ",
            "a\nb",
            &"x".repeat(81),
            "Ada\u{200b}",
            "A\u{202e}da",
            "Ada\u{2066}",
            "\u{3164}",
            "Ad\u{ad}a",
            "Ada\u{fe0f}",
            "Ada\u{e0041}",
        ] {
            assert!(matches!(name(bad), Err(OperatorError::Name)), "{bad}");
        }
    }
}
