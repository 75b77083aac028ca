//! A passkey that said whose login it is.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::amr::Done;
use vouchsafe_service::webauthn::NewPasskey;

use super::ids::{MeansId, SubjectId};

/// A passkey was used, and everything about it was verified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tapped {
    /// The passkey.
    pub means: MeansId,
    /// Whose it is.
    #[serde(with = "account")]
    pub subject: SubjectId,
    /// When.
    pub at: UnixTime,
}

/// What a passkey shows of how somebody was authenticated: nothing attests where its key lies, and the
/// device verified the person.
pub const DONE: Done = Done::Passkey {
    hardware_key: false,
    user_verified: true,
};

/// An account as text.
mod account {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

    use super::SubjectId;

    pub(super) fn serialize<S: Serializer>(
        subject: &SubjectId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        subject.as_str().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<SubjectId, D::Error> {
        let text = String::deserialize(source)?;
        SubjectId::parse(&text).map_err(de::Error::custom)
    }
}

/// A passkey that was made, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fresh {
    /// Its id among what leads to the account.
    pub means: MeansId,
    /// What it is verified with.
    pub passkey: NewPasskey,
    /// The site that it was made for.
    pub site: String,
    /// Hash of the credential id.
    pub mac: String,
    /// What its owner calls it, sealed.
    pub name: Vec<u8>,
}
