//! A login as a machine of states. A transition consumes the old state, so a login cannot be
//! answered or finished twice by mistake; that two processes do not do it at once is the
//! repository's part (one conditional update).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use super::approval::Approved;
use super::ids::{ConsentId, SecretDigest, TransactionId};
use super::means::MeansKind;
use super::passkey::Tapped;
use super::place::Place;
use super::reason::Failure;
use super::request::LoginRequest;
use super::run::Run;
use super::session::CardRef;
use super::upstream::FRAMEWORK;
use crate::journey::Card;
use crate::risk::Assessment;

/// How the question reaches the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A link on the same device.
    SameDevice,
    /// A QR code that another device scans.
    Qr,
    /// The Digital Credentials API of the browser that shows our page. A wallet on another device
    /// is one that the browser knows to be near.
    DcApi,
}

impl Channel {
    /// Name in the database, in metrics and in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SameDevice => "same_device",
            Self::Qr => "qr",
            Self::DcApi => "dc_api",
        }
    }

    /// Whether the wallet fetches the question by its address and posts the answer to another one.
    #[must_use]
    pub fn has_addresses(self) -> bool {
        match self {
            Self::SameDevice | Self::Qr => true,
            Self::DcApi => false,
        }
    }

    /// The channel of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::SameDevice, Self::Qr, Self::DcApi]
            .into_iter()
            .find(|channel| channel.name() == name)
    }
}

/// What is known from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// Its id.
    pub id: TransactionId,
    /// The cookie of the browser that started it.
    pub browser: SecretDigest,
    /// What the application asked for.
    pub request: LoginRequest,
    /// Where it was started.
    pub place: Place,
    /// When it was started.
    pub started_at: UnixTime,
    /// When it must be over.
    pub expires_at: UnixTime,
    /// The passkey that said whose login it is, where one did.
    #[serde(default)]
    pub passkey: Option<Tapped>,
    /// The journey that leads it, where one does.
    #[serde(default)]
    pub run: Option<Box<Run>>,
    /// How it was judged in this turn, and what was decided: counted once the turn is written.
    #[serde(skip)]
    pub judged: Vec<(Assessment, &'static str)>,
    /// Why passkeys that were right did not count in this turn of its run: counted as well.
    #[serde(skip)]
    pub missed: Vec<&'static str>,
}

/// Who the accepted card says it is: the input of the subject resolution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Nobody in particular.
    Guest,
    /// The bearer of a stable claim of a validated issuer; the first login makes the account.
    IssuerScoped(BindingKey),
    /// The bearer of a card that leads to an account, or to none.
    Bound(BindingKey),
    /// The bearer of a card who says whose account it leads to.
    Asserted {
        /// Keyed hash of what they say.
        identifier_mac: String,
        /// The card.
        key: BindingKey,
    },
}

/// Names a binding between a card and an account. The claim's value is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BindingKey {
    /// Trust framework that validated the issuer: `x509` or `did`; for an account at another provider
    /// [`FRAMEWORK`].
    pub framework: String,
    /// The validated identity of the issuer.
    pub issuer: String,
    /// Type of the credential.
    pub credential_type: String,
    /// HMAC of the stable claim.
    pub claim_mac: String,
}

impl BindingKey {
    /// What kind of thing it names.
    #[must_use]
    pub fn kind(&self) -> MeansKind {
        match self.framework.as_str() {
            FRAMEWORK => MeansKind::Upstream,
            _ => MeansKind::Credential,
        }
    }
}

/// A wallet's answer after every check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// How it came.
    pub channel: Channel,
    /// The number that ties both screens together (channel `qr`).
    pub number: Option<u8>,
    /// Whose card.
    pub evidence: Evidence,
    /// Claims for the application.
    pub claims: Map<String, Value>,
    /// The cards behind it.
    pub cards: Vec<CardRef>,
    /// The consent that was recorded with it.
    pub consent: ConsentId,
    /// When it was accepted.
    pub answered_at: UnixTime,
    /// When that consent ends by itself.
    #[serde(default)]
    pub consent_until: Option<UnixTime>,
    /// Whether it was told that the application learns the organisation's own id of the account.
    #[serde(default)]
    pub external_id: bool,
    /// The transaction that was approved with it.
    #[serde(default)]
    pub approved: Option<Approved>,
    /// Verified claims that the journey of the login may read, by the ids of their queries.
    #[serde(default)]
    pub cards_read: BTreeMap<String, Card>,
    /// `presented_credentials`.
    #[serde(default)]
    pub presented: Vec<Value>,
    /// `verified_claims`.
    #[serde(default)]
    pub verified: VerifiedAnswer,
    /// Keyed hashes of what is kept with the account, by the names of their bindings.
    #[serde(default)]
    pub bound: BTreeMap<String, String>,
}

/// Elements of `verified_claims`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VerifiedAnswer {
    /// For UserInfo.
    pub userinfo: Vec<Value>,
    /// For the ID token.
    pub id_token: Vec<Value>,
}

/// A login at any moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Transaction {
    /// The wallet has not answered.
    Pending(Pending),
    /// The wallet's answer was accepted; the browser has not come back.
    Answered(Answered),
    /// The application has its answer.
    Finished(Finished),
    /// It ended without success.
    Failed(Failed),
}

/// Waiting for the wallet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The login.
    pub login: Login,
}

/// Waiting for the browser.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The login.
    pub login: Login,
    /// The answer.
    pub answer: Box<Answer>,
    /// Numbers that may still be typed.
    pub tries_left: u8,
}

/// Over, with success.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The login.
    pub login: Login,
}

/// Over, without success.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The login.
    pub login: Login,
    /// Why.
    pub failure: Failure,
}

/// Numbers that may be typed.
pub const NUMBER_TRIES: u8 = 3;

impl Pending {
    /// The wallet's answer holds.
    #[must_use]
    pub fn answer(self, answer: Answer) -> Answered {
        Answered {
            login: self.login,
            answer: Box::new(answer),
            tries_left: NUMBER_TRIES,
        }
    }

    /// It does not, or there was none.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Failed {
        Failed {
            login: self.login,
            failure,
        }
    }
}

impl Answered {
    /// The browser is back: the application gets its answer.
    #[must_use]
    pub fn finish(self) -> (Finished, Answer) {
        (Finished { login: self.login }, *self.answer)
    }

    /// The browser is back, but the login must not go on.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Failed {
        Failed {
            login: self.login,
            failure,
        }
    }

    /// Whether `typed` is the number of the other screen.
    #[must_use]
    pub fn number_matches(&self, typed: &str) -> bool {
        self.answer
            .number
            .is_some_and(|number| typed.trim() == format!("{number:02}"))
    }
}

impl Transaction {
    /// The login, whatever its state.
    #[must_use]
    pub fn login(&self) -> &Login {
        match self {
            Self::Pending(Pending { login })
            | Self::Answered(Answered { login, .. })
            | Self::Finished(Finished { login })
            | Self::Failed(Failed { login, .. }) => login,
        }
    }

    /// Name in the database and on the pages that wait for a change.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Answered(_) => "answered",
            Self::Finished(_) => "finished",
            Self::Failed(_) => "failed",
        }
    }
}
