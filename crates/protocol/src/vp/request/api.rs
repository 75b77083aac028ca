//! The wallet's side of the Digital Credentials API: a request, and the origin that the browser
//! says it comes from (OpenID4VP 1.0, appendix A; HAIP 1.0, section 5.2).

use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::VerifiedCertificate;

use super::parse::{WalletPolicy, authenticate};
use super::question::{Question, check_audience, check_kind, check_times};
use super::{MAX_BYTES, RequestError};
use crate::vp::api::{Origin, Protocol};
use crate::vp::client_id::ClientId;
use crate::vp::dcql::DcqlQuery;
use crate::vp::metadata::ClientMetadata;
use crate::vp::values::{LocalizedText, Nonce};

/// A request over the Digital Credentials API whose parameters were checked, and where it is
/// signed also the signature, the client and the origin.
#[derive(Clone, Debug)]
pub struct ApiRequest {
    origin: Origin,
    protocol: Protocol,
    certificate: Option<VerifiedCertificate>,
    question: Question,
}

impl ApiRequest {
    /// Whose page asks; the audience of the presentation.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How the request came; the answer goes back under the same name.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The verified certificate of the verifier; `None`: the request is not signed, and nobody but
    /// the browser says who asks.
    pub fn certificate(&self) -> Option<&VerifiedCertificate> {
        self.certificate.as_ref()
    }

    /// Binds the presentation to this request.
    pub fn nonce(&self) -> &Nonce {
        &self.question.nonce
    }

    /// What is asked for.
    pub fn query(&self) -> &DcqlQuery {
        &self.question.query
    }

    /// How to encrypt the response, and what the verifier reads.
    pub fn metadata(&self) -> &ClientMetadata {
        &self.question.metadata
    }

    /// How the asking service calls itself; not attested by anyone.
    pub fn client_name(&self) -> Option<&LocalizedText> {
        self.question.about.client_name.as_ref()
    }

    /// Why the verifier asks, in its own words; not attested by anyone.
    pub fn purpose(&self) -> Option<&LocalizedText> {
        self.question.about.purpose.as_ref()
    }

    /// When the request ends, if it says so.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.question.expires_at
    }

    pub(in crate::vp) fn question(&self) -> &Question {
        &self.question
    }
}

/// Checks `data` of a request that the browser passed on under `protocol` for a page of `origin`.
///
/// # Errors
/// [`RequestError`] with the first rule broken. Its
/// [`error_code`](RequestError::error_code) may go back to the page.
pub fn verify_api_request(
    protocol: &str,
    data: &Value,
    origin: &Origin,
    policy: &WalletPolicy<'_>,
) -> Result<ApiRequest, RequestError> {
    let protocol = Protocol::from_name(protocol).ok_or(RequestError::Protocol)?;
    let data = data.as_object().ok_or(RequestError::Parameter("data"))?;
    let (certificate, question) = match protocol {
        Protocol::Unsigned => (None, unsigned(data)?),
        Protocol::Signed => signed(data, origin, policy)?,
    };
    Ok(ApiRequest {
        origin: origin.clone(),
        protocol,
        certificate,
        question,
    })
}

/// Appendix A.2: `client_id` and `expected_origins` of an unsigned request are ignored, as every
/// parameter is that is not for the API.
fn unsigned(data: &Map<String, Value>) -> Result<Question, RequestError> {
    let size: usize = data.values().map(size).sum();
    if size > MAX_BYTES {
        return Err(RequestError::TooLarge);
    }
    // Appendix A.3.1: no request object, whose claims would be others than these members.
    if data.contains_key("request") {
        return Err(RequestError::Parameter("request"));
    }
    check_kind(data, "dc_api.jwt")?;
    Question::read(data, None)
}

/// Appendix A.3.2.1.
fn signed(
    data: &Map<String, Value>,
    origin: &Origin,
    policy: &WalletPolicy<'_>,
) -> Result<(Option<VerifiedCertificate>, Question), RequestError> {
    let compact = data.get("request").and_then(Value::as_str);
    let compact = compact.ok_or(RequestError::Parameter("request"))?;
    let (certificate, claims) = authenticate(compact, policy)?;
    // Appendix A.2: "The `client_id` parameter MUST be present in signed requests".
    let client_id = claims.get("client_id").and_then(Value::as_str);
    let client_id = client_id.ok_or(RequestError::Parameter("client_id"))?;
    ClientId::parse(client_id)
        .and_then(|client| client.belongs_to(&certificate, &origin.host_name()))
        .map_err(RequestError::ClientId)?;
    check_origin(&claims, origin)?;
    // The requests of appendix A.3 have no `aud`; one that is there counts.
    if claims.contains_key("aud") {
        check_audience(&claims)?;
    }
    let expires_at = check_times(&claims, policy.now)?;
    check_kind(&claims, "dc_api.jwt")?;
    Ok((Some(certificate), Question::read(&claims, expires_at)?))
}

/// Appendix A.2: "using simple string comparison, without any prior processing or interpretation
/// […] to detect replay of the request from a malicious Verifier".
fn check_origin(claims: &Map<String, Value>, origin: &Origin) -> Result<(), RequestError> {
    let expected = claims.get("expected_origins").and_then(Value::as_array);
    let expected = expected.ok_or(RequestError::Parameter("expected_origins"))?;
    // "A non-empty array of strings."
    if expected.is_empty() || !expected.iter().all(Value::is_string) {
        return Err(RequestError::Parameter("expected_origins"));
    }
    let named = expected
        .iter()
        .any(|entry| entry.as_str() == Some(origin.as_str()));
    if named {
        Ok(())
    } else {
        Err(RequestError::Origin)
    }
}

/// About so many bytes of text.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size(item) + 2).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| name.len() + size(member) + 4)
            .sum(),
    }
}
