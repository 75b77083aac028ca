//! What the REST interface shows.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use vouchsafe_credentials::time::UnixTime;

use crate::domain::reason::Failure;
use crate::domain::verification::{Outcome, ShownClaim, ShownCredential, Status, Verification};

/// Where a verification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusView {
    /// No wallet has seen the question.
    Pending,
    /// A wallet has it; or it has answered, and the browser is on its way back to `return_url`.
    Scanned,
    /// The result is there.
    Verified,
    /// The person said no.
    Declined,
    /// The answer did not do; `reason` says why.
    Failed,
    /// Nobody answered in time. Where the browser did not come back in time, there is nothing any more.
    Expired,
}

impl From<Status> for StatusView {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Scanned => Self::Scanned,
            Status::Verified => Self::Verified,
            Status::Declined => Self::Declined,
            Status::Failed => Self::Failed,
            Status::Expired => Self::Expired,
        }
    }
}

/// Why a verification did not succeed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReasonView {
    /// A stable code.
    #[schema(example = "status_revoked")]
    code: String,
    /// The kind of reason, for a page of yours: `declined`, `no-card`, `revoked`, `suspended`, `expired`,
    /// `issuer`, `type`, `status` (it could not be asked) or `not-proven`.
    #[schema(example = "revoked")]
    kind: &'static str,
}

impl From<&Failure> for ReasonView {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code().to_owned(),
            kind: failure.explanation().key(),
        }
    }
}

/// A verification.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VerificationView {
    /// Its id. Keep it to yourself: it is not in the QR code.
    id: String,
    /// Where it stands.
    status: StatusView,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonView>,
    /// The question, if it is one of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "age")]
    query: Option<String>,
    /// When it was asked.
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when a wallet may answer.
    #[schema(format = DateTime)]
    expires_at: String,
    /// What was proved, for a while after it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<ResultView>,
}

/// What was proved: what was asked for and disclosed, and nothing else.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ResultView {
    /// Claims by the names of the question. Empty for a question of your own.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    claims: Map<String, Value>,
    /// The credentials that were shown.
    credentials: Vec<CredentialView>,
    /// When it was accepted.
    #[schema(format = DateTime)]
    verified_at: String,
}

/// A credential that was shown. Its holder proved possession of its key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CredentialView {
    /// `id` of the Credential Query that it answers.
    #[schema(example = "proof")]
    id: String,
    /// Its format.
    #[schema(example = "dc+sd-jwt")]
    format: String,
    /// Its type.
    #[schema(example = "urn:vouchsafe:age:1")]
    r#type: String,
    /// The trusted issuer that stands behind it.
    #[schema(example = "https://club.example")]
    issuer: String,
    /// How that was established: `x509`, `iaca` or `did`.
    #[schema(example = "x509")]
    framework: String,
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Whether its status is published; it was valid then.
    status_checked: bool,
    /// Its claims.
    claims: Vec<ClaimView>,
}

/// A claim and where it stands in the credential.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClaimView {
    /// Names and positions.
    path: Vec<Value>,
    /// Its value.
    value: Value,
}

impl VerificationView {
    /// As it stands now.
    pub fn new(verification: &Verification, now: UnixTime) -> Self {
        let asked = verification.asked();
        let (reason, result) = match verification {
            Verification::Pending(_) | Verification::Answered(_) => (None, None),
            Verification::Verified(verified) => (None, Some(ResultView::from(&*verified.outcome))),
            Verification::Failed(failed) => (Some(ReasonView::from(&failed.failure)), None),
        };
        Self {
            id: asked.id.as_str().to_owned(),
            status: verification.status(now).into(),
            reason,
            query: asked.query.as_ref().map(|query| query.as_str().to_owned()),
            created_at: rfc3339(asked.created_at),
            expires_at: rfc3339(asked.expires_at),
            result,
        }
    }
}

impl From<&Outcome> for ResultView {
    fn from(outcome: &Outcome) -> Self {
        let Outcome {
            claims,
            credentials,
            verified_at,
        } = outcome;
        Self {
            claims: claims.clone(),
            credentials: credentials.iter().map(CredentialView::from).collect(),
            verified_at: rfc3339(*verified_at),
        }
    }
}

impl From<&ShownCredential> for CredentialView {
    fn from(shown: &ShownCredential) -> Self {
        let ShownCredential {
            query,
            format,
            credential_type,
            issuer,
            framework,
            expires_at,
            status_checked,
            claims,
        } = shown;
        let claim = |ShownClaim { path, value }: &ShownClaim| ClaimView {
            path: path.clone(),
            value: value.clone(),
        };
        Self {
            id: query.clone(),
            format: format.clone(),
            r#type: credential_type.clone(),
            issuer: issuer.clone(),
            framework: framework.clone(),
            expires_at: expires_at.map(rfc3339),
            status_checked: *status_checked,
            claims: claims.iter().map(claim).collect(),
        }
    }
}

/// A time as RFC 3339 in UTC; times that no calendar knows stay numbers.
pub(super) fn rfc3339(time: UnixTime) -> String {
    jiff::Timestamp::from_second(time.0)
        .map_or_else(|_| time.0.to_string(), |stamp| stamp.to_string())
}
