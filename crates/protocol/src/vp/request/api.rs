//! The wallet's side of the Digital Credentials API: a request, and the origin that the browser
//! says it comes from (OpenID4VP 1.0, appendix A; HAIP 1.0, section 5.2).

use serde_json::{Map, Value};
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::VerifiedCertificate;

use super::parse::WalletPolicy;
use super::party::{Parties, Requester, authenticate, claims_unverified};
use super::question::{Modes, Question, check_audience, check_kind, check_times};
use super::registration::Registration;
use super::{MAX_BYTES, RequestError, multi};
use crate::vp::api::{MULTI_SIGNED, Origin, Protocol};
use crate::vp::client_id::ClientId;
use crate::vp::dcql::DcqlQuery;
use crate::vp::metadata::ClientMetadata;
use crate::vp::transaction_data::TransactionData;
use crate::vp::values::{LocalizedText, Nonce};

/// A request over the Digital Credentials API whose parameters were checked, and where it is
/// signed also the signature, the client and the origin.
#[derive(Clone, Debug)]
pub struct ApiRequest {
    origin: Origin,
    protocol: &'static str,
    requester: Option<Requester>,
    question: Question,
}

impl ApiRequest {
    /// Whose page asks; the audience of the presentation.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The name of the exchange protocol by which the request came; the answer goes back under it.
    pub fn protocol(&self) -> &'static str {
        self.protocol
    }

    /// Who asks, as far as it was proven; `None`: the request is not signed, and nobody but the browser
    /// says who asks.
    pub fn requester(&self) -> Option<&Requester> {
        self.requester.as_ref()
    }

    /// The verified certificate of the verifier, where there is one.
    pub fn certificate(&self) -> Option<&VerifiedCertificate> {
        self.requester.as_ref().and_then(Requester::certificate)
    }

    /// Binds the presentation to this request.
    pub fn nonce(&self) -> &Nonce {
        &self.question.nonce
    }

    /// What is asked for.
    pub fn query(&self) -> &DcqlQuery {
        &self.question.query
    }

    /// What the person is asked to authorise. Whoever answers has shown it.
    pub fn transaction_data(&self) -> &[TransactionData] {
        &self.question.transaction_data
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

    /// What is known of the verifier's registration.
    pub fn registration(&self) -> &Registration {
        &self.question.registration
    }

    /// When the request ends, if it says so.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.question.expires_at
    }

    pub(in crate::vp) fn question(&self) -> &Question {
        &self.question
    }
}

/// Checks `data` of a request that the browser passed on under `protocol` for a page of `origin`. Of
/// those who sign, only owners of certificates may ask.
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
    verify_api_request_of(&Parties::NONE, protocol, data, origin, policy)
}

/// The same where `parties` may ask too.
///
/// # Errors
/// As [`verify_api_request`].
pub fn verify_api_request_of(
    parties: &Parties<'_>,
    protocol: &str,
    data: &Value,
    origin: &Origin,
    policy: &WalletPolicy<'_>,
) -> Result<ApiRequest, RequestError> {
    let known = Protocol::from_name(protocol);
    if known.is_none() && protocol != MULTI_SIGNED {
        return Err(RequestError::Protocol);
    }
    let data = data.as_object().ok_or(RequestError::Parameter("data"))?;
    let (requester, question) = match known {
        Some(Protocol::Unsigned) => (None, unsigned(data, parties)?),
        Some(Protocol::Signed) => {
            let (client, requester, claims) = one_signature(data, policy, parties)?;
            signed(&client, requester, &claims, origin, (policy, parties))?
        }
        None => {
            let request = data.get("request").and_then(Value::as_object);
            let request = request.ok_or(RequestError::Parameter("request"))?;
            let (client, requester, claims) = multi::read(request, policy, parties)?;
            signed(&client, requester, &claims, origin, (policy, parties))?
        }
    };
    Ok(ApiRequest {
        origin: origin.clone(),
        protocol: known.map_or(MULTI_SIGNED, Protocol::name),
        requester,
        question,
    })
}

/// Appendix A.2: `client_id` and `expected_origins` of an unsigned request are ignored, as every
/// parameter is that is not for the API.
fn unsigned(data: &Map<String, Value>, parties: &Parties<'_>) -> Result<Question, RequestError> {
    let size: usize = data.values().map(size).sum();
    if size > MAX_BYTES {
        return Err(RequestError::TooLarge);
    }
    // Appendix A.3.1: no request object, whose claims would be others than these members.
    if data.contains_key("request") {
        return Err(RequestError::Parameter("request"));
    }
    let encrypted = check_kind(data, Modes::api(parties))?;
    Question::read(data, encrypted, None, parties)
}

/// Appendix A.3.2.1: a compact JWS. The client identifier in it decides which key is looked at, and is
/// believed with the signature of that key alone.
fn one_signature(
    data: &Map<String, Value>,
    policy: &WalletPolicy<'_>,
    parties: &Parties<'_>,
) -> Result<(ClientId, Requester, Map<String, Value>), RequestError> {
    let compact = data.get("request").and_then(Value::as_str);
    let compact = compact.ok_or(RequestError::Parameter("request"))?;
    if compact.len() > MAX_BYTES {
        return Err(RequestError::TooLarge);
    }
    // What is no request object is refused as such, whatever it says.
    Unverified::parse(compact, TokenType::RequestObject).map_err(RequestError::Jws)?;
    let claimed = claims_unverified(compact).unwrap_or_default();
    // Appendix A.2: "The `client_id` parameter MUST be present in signed requests".
    let client_id = claimed.get("client_id").and_then(Value::as_str);
    let client = parties.client(client_id.ok_or(RequestError::Parameter("client_id"))?)?;
    let (requester, claims) = authenticate(compact, &client, policy, parties)?;
    Ok((client, requester, claims))
}

/// What holds for signed requests, however many signed.
fn signed(
    client: &ClientId,
    requester: Requester,
    claims: &Map<String, Value>,
    origin: &Origin,
    (policy, parties): (&WalletPolicy<'_>, &Parties<'_>),
) -> Result<(Option<Requester>, Question), RequestError> {
    if let Requester::Certified(certificate) = &requester {
        client
            .belongs_to(certificate, &origin.host_name())
            .map_err(RequestError::ClientId)?;
    }
    check_origin(claims, origin)?;
    // The requests of appendix A.3 have no `aud`; one that is there counts.
    if claims.contains_key("aud") {
        check_audience(claims)?;
    }
    let expires_at = check_times(claims, policy.now)?;
    let encrypted = check_kind(claims, Modes::api(parties))?;
    let question = Question::read(claims, encrypted, expires_at, parties)?;
    let question = question.of(&requester, claims, (policy, parties));
    Ok((Some(requester), question))
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
