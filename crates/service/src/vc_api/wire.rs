//! Request bodies (VCALM 1.0, sections 3.2 and 3.3). Unknown options are ignored, as the
//! specification extends them; unknown members beside them are not.

use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vouchsafe_credentials::encoding::b64url_decode;

use super::Refusal;
use crate::http::{ExtractError, StrictJson};

/// A JSON body; refusals are problem details.
pub(super) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body: Result<StrictJson<T>, ExtractError> =
            StrictJson::from_request(request, state).await;
        Ok(Self(body?.0))
    }
}

/// `POST /credentials/issue`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueRequest {
    pub credential: Value,
    #[serde(default)]
    pub options: IssueOptions,
}

/// VCALM 1.0, "IssueCredentialOptions", and `cryptosuite` to choose one of an identity's suites.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssueOptions {
    #[serde(default)]
    pub mandatory_pointers: Option<Vec<String>>,
    #[serde(default)]
    pub credential_id: Option<String>,
    #[serde(default)]
    pub cryptosuite: Option<String>,
}

/// `POST /credentials/verify`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct VerifyRequest {
    pub verifiable_credential: Value,
    #[serde(default)]
    pub options: VerifyOptions,
}

/// VCALM 1.0, "VerifyCredentialOptions"; `challenge`, `domain` and `presentationHeader` for proofs that are
/// bound to them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerifyOptions {
    #[serde(default)]
    pub return_credential: bool,
    #[serde(default)]
    pub challenge: Option<String>,
    #[serde(default)]
    pub domain: Option<String>,
    #[serde(default)]
    pub presentation_header: Option<Header>,
}

/// A presentation header of `bbs-2023`: bytes, in base64url without padding.
#[derive(Default)]
pub(super) struct Header(pub Vec<u8>);

/// The longest header, in bytes.
const MAX_HEADER: usize = 1024;

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = b64url_decode(&text).ok();
        let bytes = bytes.filter(|bytes| bytes.len() <= MAX_HEADER);
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not a short text in base64url"))
    }
}

/// `POST /credentials/derive`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DeriveRequest {
    pub verifiable_credential: Value,
    #[serde(default)]
    pub options: DeriveOptions,
}

/// VCALM 1.0, "DeriveCredentialOptions", and what a proof of `bbs-2023` is bound to.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeriveOptions {
    #[serde(default)]
    pub selective_pointers: Vec<String>,
    #[serde(default)]
    pub presentation_header: Header,
}

/// `POST /presentations/verify`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct VerifyPresentationRequest {
    pub verifiable_presentation: Value,
    #[serde(default)]
    pub options: VerifyPresentationOptions,
}

/// VCALM 1.0, "VerifyPresentationOptions", and what the credentials are bound to.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerifyPresentationOptions {
    #[serde(default)]
    pub challenge: Option<String>,
    #[serde(default)]
    pub domain: Option<String>,
    #[serde(default)]
    pub presentation_header: Option<Header>,
    #[serde(default)]
    pub return_presentation: bool,
}

/// `POST /credentials/status` (VCALM 1.0, "Update Status"), and `issuer`, as an id is its issuer's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StatusRequest {
    pub credential_id: String,
    /// Whose credential it is. May be left out where one identity alone has a status.
    #[serde(default)]
    pub issuer: Option<String>,
    pub credential_status: StatusChange,
    /// Whether the entry is set; a request without it sets it.
    #[serde(default = "set")]
    pub status: bool,
}

/// Which entry.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusChange {
    #[serde(rename = "type")]
    pub kind: String,
    pub status_purpose: String,
}

fn set() -> bool {
    true
}
