//! A question over REST as a machine of states, beside [`super::transaction`] and without anything
//! in common with it: a verification logs nobody in, and a login is no verification.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use vouchsafe_protocol::vp::values::LocalizedText;

use super::ids::{CallerId, QueryId, RequestId, VerificationId};
use super::reason::Failure;

/// What is known from the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Its id. Only who asked knows it.
    pub id: VerificationId,
    /// The id of the question, which stands in the QR code.
    pub request: RequestId,
    /// Who asked.
    pub caller: CallerId,
    /// The name of the question; none for one of the caller's own.
    pub query: Option<QueryId>,
    /// The question as the wallet gets it. It is judged by this, whatever the configuration says
    /// by then.
    pub dcql: DcqlQuery,
    /// Why it is asked, for the person.
    pub purpose: LocalizedText,
    /// Where the person's browser goes after an answer on the same device.
    pub return_url: Option<Url>,
    /// Whether all cards of the answer must be bound to one key.
    pub one_holder: bool,
    /// When it was asked.
    pub created_at: UnixTime,
    /// When it must be answered.
    pub expires_at: UnixTime,
}

/// What the answer proved: what was asked for and nothing else of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Claims by the names of the configuration; empty for a question of the caller's own.
    pub claims: Map<String, Value>,
    /// The credentials that were shown.
    pub credentials: Vec<ShownCredential>,
    /// When it was accepted.
    pub verified_at: UnixTime,
}

/// A credential that was shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownCredential {
    /// The Credential Query that it answers.
    pub query: String,
    /// Format of the credential.
    pub format: String,
    /// Its type.
    pub credential_type: String,
    /// The trusted issuer that stands behind it.
    pub issuer: String,
    /// How that was established: `x509`, `iaca` or `did`.
    pub framework: String,
    /// When it expires.
    pub expires_at: Option<UnixTime>,
    /// Whether its status is published, and was found valid.
    pub status_checked: bool,
    /// The claims that were asked for and disclosed.
    pub claims: Vec<ShownClaim>,
}

/// A claim and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownClaim {
    /// Path in the credential: names and positions.
    pub path: Vec<Value>,
    /// Its value.
    pub value: Value,
}

/// What only this service may know of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// `nonce` of the request.
    pub nonce: String,
    /// `state` of the request.
    pub state: String,
    /// Private key that opens the answer, base64url.
    pub agreement_key: String,
}

/// A verification at any moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Verification {
    /// The wallet has not answered.
    Pending(Pending),
    /// The answer was accepted; the browser has not come back to the caller.
    Answered(Answered),
    /// The caller may have the result.
    Verified(Verified),
    /// It ended without success.
    Failed(Failed),
}

/// Waiting for the wallet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The question.
    pub asked: Asked,
    /// Its secrets.
    pub secrets: Secrets,
    /// When a wallet first fetched it.
    pub fetched_at: Option<UnixTime>,
}

/// Waiting for the browser.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The question.
    pub asked: Asked,
    /// The answer.
    pub outcome: Box<Outcome>,
    /// Until when the browser may come back.
    pub until: UnixTime,
}

/// Over, with success.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The question.
    pub asked: Asked,
    /// The answer.
    pub outcome: Box<Outcome>,
}

/// Over, without success.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The question.
    pub asked: Asked,
    /// Why.
    pub failure: Failure,
}

/// Where a verification stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// No wallet has seen the question.
    Pending,
    /// A wallet has it; or it answered, and the browser is on its way back.
    Scanned,
    /// The result can be read.
    Verified,
    /// The person said no.
    Declined,
    /// The answer did not do.
    Failed,
    /// Its time is over.
    Expired,
}

impl Status {
    /// Whether nothing will follow.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Scanned => false,
            Self::Verified | Self::Declined | Self::Failed | Self::Expired => true,
        }
    }
}

impl Pending {
    /// The wallet's answer holds. Where the browser is to come back, the caller has nothing before
    /// it did (OpenID4VP 1.0, section 14, "Session Fixation": who answers must be who started).
    #[must_use]
    pub fn answer(self, outcome: Outcome, until: UnixTime) -> Verification {
        let (asked, outcome) = (self.asked, Box::new(outcome));
        match asked.return_url {
            Some(_) => Verification::Answered(Answered {
                asked,
                outcome,
                until,
            }),
            None => Verification::Verified(Verified { asked, outcome }),
        }
    }

    /// It does not, or there was none.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Failed {
        Failed {
            asked: self.asked,
            failure,
        }
    }
}

impl Answered {
    /// The browser is back where it started.
    #[must_use]
    pub fn redeem(self) -> Verified {
        Verified {
            asked: self.asked,
            outcome: self.outcome,
        }
    }
}

impl Verification {
    /// The question, whatever the state.
    #[must_use]
    pub fn asked(&self) -> &Asked {
        match self {
            Self::Pending(Pending { asked, .. })
            | Self::Answered(Answered { asked, .. })
            | Self::Verified(Verified { asked, .. })
            | Self::Failed(Failed { asked, .. }) => asked,
        }
    }

    /// Name in the database.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Answered(_) => "answered",
            Self::Verified(_) => "verified",
            Self::Failed(_) => "failed",
        }
    }

    /// Where it stands for its caller.
    #[must_use]
    pub fn status(&self, now: UnixTime) -> Status {
        match self {
            Self::Pending(pending) if now >= pending.asked.expires_at => Status::Expired,
            Self::Pending(pending) if pending.fetched_at.is_some() => Status::Scanned,
            Self::Pending(_) => Status::Pending,
            Self::Answered(answered) if now >= answered.until => Status::Expired,
            Self::Answered(_) => Status::Scanned,
            Self::Verified(_) => Status::Verified,
            Self::Failed(failed) if failed.failure == Failure::declined() => Status::Declined,
            Self::Failed(_) => Status::Failed,
        }
    }
}
