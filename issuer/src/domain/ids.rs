//! Identifiers. Time-ordered UUIDs, so that an index grows at its end.

use std::fmt;

/// A text that is not one of our identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct IdError;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Accepts a hyphenated lower-case UUID and nothing else.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let id = uuid::Uuid::parse_str(text).map_err(|_| IdError)?;
                let canonical = id.hyphenated().to_string();
                if canonical == text { Ok(Self(canonical)) } else { Err(IdError) }
            }

            /// Takes a UUID that was just made.
            pub fn new(id: uuid::Uuid) -> Self {
                Self(id.hyphenated().to_string())
            }

            /// The text form, as it goes to the wire and the database.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

identifier!(
    /// An offer that an organisation prepared.
    OfferId
);
identifier!(
    /// The offers of one table.
    BatchId
);
identifier!(
    /// One issued credential.
    CredentialId
);
identifier!(
    /// Our own id of a subject record of the organisation.
    RecordId
);
identifier!(
    /// A status list.
    StatusListId
);
identifier!(
    /// A change of many credentials.
    StatusJobId
);
identifier!(
    /// An endpoint of webhooks, or a message to one.
    WebhookId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_392_only_the_canonical_form_is_an_identifier() {
        let good = "0190a6f0-0000-7000-8000-000000000001";
        assert_eq!(OfferId::parse(good).unwrap().as_str(), good);
        for bad in [
            "",
            "1",
            "0190A6F0-0000-7000-8000-000000000001",
            "{0190a6f0-0000-7000-8000-000000000001}",
            "0190a6f0000070008000000000000001",
            "0190a6f0-0000-7000-8000-000000000001'--",
            "../0190a6f0-0000-7000-8000-000000000001",
        ] {
            assert_eq!(OfferId::parse(bad), Err(IdError), "{bad}");
        }
    }
}
