//! Identifiers and secrets, each with a type of its own.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::random::{Rng, token};
use vouchsafe_protocol::oauth::device::UserCode;
pub use vouchsafe_protocol::oidc::subject::SubjectId;
use vouchsafe_service::keys::SymmetricKey;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A fresh random one (256 bits, base64url).
            #[must_use]
            pub fn random(rng: &dyn Rng) -> Self {
                Self(token(rng))
            }

            /// Takes a text that came from the database or the configuration, or that is about
            /// to be looked up in one of them.
            #[must_use]
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// One login of one browser at one application. Stands in the address of its pages.
    TransactionId
);
identifier!(
    /// One question to a wallet. Public: it stands in the QR code.
    RequestId
);
identifier!(
    /// A session of a person at this service. Administrators alone see it; it gives no right.
    SessionId
);
identifier!(
    /// A session as one application sees it (claim `sid`).
    Sid
);
identifier!(
    /// A consent, and the number of its receipt.
    ConsentId
);
identifier!(
    /// Something that leads to an account.
    MeansId
);
identifier!(
    /// What a device waits for.
    DeviceGrantId
);
identifier!(
    /// An application, as registered.
    ClientId
);
identifier!(
    /// A named question of the configuration.
    QueryId
);
identifier!(
    /// A question over REST. Only who asked knows it.
    VerificationId
);
identifier!(
    /// Who may ask over REST, as registered.
    CallerId
);

macro_rules! from_outside {
    ($name:ident) => {
        impl $name {
            /// Reads one that came from outside; `None` unless it has the shape of ours, so that
            /// nothing longer or stranger is looked up.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                is_token(text).then(|| Self(text.to_owned()))
            }
        }
    };
}

from_outside!(RequestId);
from_outside!(VerificationId);
from_outside!(SessionId);

/// Length of a token of [`vouchsafe_credentials::random::token`]: 32 bytes in base64url.
const TOKEN_LENGTH: usize = 43;

fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A random value that gives its bearer a right: a cookie, a code, an access token.
/// Only its digest is stored, and its text appears in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A fresh one (256 bits).
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self(token(rng))
    }

    /// Reads one that came from outside; `None` unless it has the shape of ours, so that nothing
    /// longer or stranger is hashed, looked up or used as a key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_token(text).then(|| Self(text.to_owned()))
    }

    /// What the database knows of it.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }

    /// The value itself, to hand it to its bearer.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Keeps the codes that people type: they have 34 bits, so that a plain hash would hide nothing
/// from whoever reads the database.
pub struct UserCodeKey(SymmetricKey);

impl UserCodeKey {
    /// Wraps a key.
    #[must_use]
    pub fn new(key: SymmetricKey) -> Self {
        Self(key)
    }

    /// HMAC-SHA-256 of a code.
    #[must_use]
    pub fn digest(&self, code: &UserCode) -> SecretDigest {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose())
            .expect("HMAC takes keys of every length");
        mac.update(code.letters().as_bytes());
        SecretDigest(b64url(&mac.finalize().into_bytes()))
    }
}

/// SHA-256 of a [`Secret`], or the HMAC of a code, base64url.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretDigest(String);

impl SecretDigest {
    fn of(value: &str) -> Self {
        Self(b64url(&Sha256::digest(value.as_bytes())))
    }

    /// Takes a digest from the database.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_another_shape_is_none() {
        for text in [
            "",
            "short",
            &"x".repeat(44),
            &format!("{}\u{e9}", "x".repeat(41)),
        ] {
            assert_eq!(Secret::parse(text), None, "{text:?}");
        }
        assert!(Secret::parse(&"x".repeat(43)).is_some());
    }

    #[test]
    fn cat_461_debug_output_hides_the_value() {
        let secret = Secret::parse(&"x".repeat(43)).unwrap();
        assert!(!format!("{secret:?}").contains("xxx"));
    }
}
