//! The wallet's side: candidates for a query, and the response.

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{CryptoProvider, Signer};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json;
use vouchsafe_credentials::jwe::{self, JweError, Recipient};
use vouchsafe_credentials::jws::SignError;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::sd_jwt::{ClaimPath, SdJwt, SdJwtError, process};
use vouchsafe_credentials::sd_jwt_vc::{HeldSdJwtVc, kb};
use vouchsafe_credentials::time::UnixTime;

use super::dcql::{
    Candidate, ClaimPointer, CredentialFacts, Format, QueryId, SetError, check_sets,
};
use super::request::{ApiRequest, PresentationRequest, Question};
use super::response::EncryptedResponse;
use super::verify::authority_key_ids;

/// A held credential as a candidate for [`find_matches`](super::dcql::find_matches).
#[derive(Debug)]
pub struct HeldCandidate<'a> {
    credential: &'a HeldSdJwtVc,
    claims: Value,
    authority_key_ids: Vec<Vec<u8>>,
}

impl<'a> HeldCandidate<'a> {
    /// Prepares a credential for matching.
    pub fn new(credential: &'a HeldSdJwtVc) -> Self {
        HeldCandidate {
            credential,
            claims: Value::Object(credential.claims().clone()),
            authority_key_ids: authority_key_ids(credential.compact()),
        }
    }
}

impl Candidate for HeldCandidate<'_> {
    fn facts(&self) -> CredentialFacts<'_> {
        let registered = self.credential.registered();
        CredentialFacts {
            format: Format::SdJwtVc.as_str(),
            credential_type: &registered.vct,
            also_known_as: &registered.aka_vcts,
            claims: &self.claims,
            authority_key_ids: &self.authority_key_ids,
            holder_bound: registered.holder_key.is_some(),
        }
    }

    /// What cannot be presented is seen as `null`, which answers no query.
    fn disclosed_view(&self, claims: &[ClaimPointer]) -> Value {
        let presentation = self.credential.present(&paths(claims));
        presentation
            .ok()
            .and_then(|made| view(made.sd_jwt()))
            .unwrap_or(Value::Null)
    }
}

fn paths(claims: &[ClaimPointer]) -> Vec<ClaimPath> {
    claims.iter().map(ClaimPointer::to_claim_path).collect()
}

/// The processed payload of an SD-JWT of our own.
fn view(sd_jwt: &str) -> Option<Value> {
    let parts = SdJwt::parse(sd_jwt).ok()?;
    let payload = b64url_decode(parts.issuer_signed().split('.').nth(1)?).ok()?;
    let payload = json::parse_object(&payload).ok()?;
    let processed = process(payload, parts.disclosures()).ok()?;
    Some(Value::Object(processed.claims))
}

/// One credential that the person has agreed to present.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The Credential Query it answers.
    pub query: &'a QueryId,
    /// The credential.
    pub credential: &'a HeldSdJwtVc,
    /// The claims to disclose, as [`Pick`](super::dcql::Pick) names them.
    pub claims: &'a [ClaimPointer],
    /// Signs with the key the credential is bound to.
    pub signer: &'a dyn Signer,
}

/// Why a response could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// A Credential Query that the request does not have, or too many answers to one.
    #[error("the choice does not fit the query")]
    Choice,
    /// Something required is missing.
    #[error("the choice is incomplete")]
    Incomplete(#[source] SetError),
    /// The request has expired in the meantime.
    #[error("the request has expired")]
    Expired,
    /// The signer has another key than the credential is bound to.
    #[error("the credential is bound to another key")]
    WrongKey,
    /// The verifier does not accept the algorithm of the holder's key.
    #[error("the verifier does not accept the algorithm of the key")]
    Algorithm,
    /// The claims cannot be disclosed as wanted.
    #[error("the claims cannot be disclosed")]
    Disclose(#[source] SdJwtError),
    /// The key binding could not be signed.
    #[error("the key binding could not be signed")]
    Sign(#[source] SignError),
    /// The response could not be written as JSON.
    #[error("the response could not be serialised")]
    Json(#[source] serde_json::Error),
    /// The response could not be encrypted.
    #[error("the response could not be encrypted")]
    Encrypt(#[source] JweError),
}

impl AnswerError {
    /// A stable code for logs and interfaces.
    pub fn code(&self) -> &'static str {
        match self {
            AnswerError::Choice => "answer_choice",
            AnswerError::Incomplete(_) => "answer_incomplete",
            AnswerError::Expired => "request_expired",
            AnswerError::WrongKey => "answer_wrong_key",
            AnswerError::Algorithm => "answer_alg_not_accepted",
            AnswerError::Disclose(_) => "answer_disclose",
            AnswerError::Sign(_) => "answer_sign",
            AnswerError::Json(_) => "answer_json",
            AnswerError::Encrypt(_) => "answer_encrypt",
        }
    }
}

/// Makes the response: the `vp_token` with a key binding for each presentation,
/// encrypted to the verifier.
pub async fn make_response(
    request: &PresentationRequest,
    presented: &[Presented<'_>],
    crypto: &dyn CryptoProvider,
    rng: &dyn Rng,
    now: UnixTime,
) -> Result<EncryptedResponse, AnswerError> {
    let question = request.question();
    // Appendix B.3.6: `aud` is the full client identifier, `nonce` that of the request.
    let audience = request.client_id().as_str();
    let mut payload = vp_token(question, audience, presented, now).await?;
    if let Some(state) = request.state() {
        payload.insert("state".to_owned(), Value::from(state.as_str()));
    }
    encrypt(question, &payload, crypto, rng)
}

/// The same over the Digital Credentials API: the `data` object that goes back to the page. Its
/// audience is the origin of the page, "even for signed requests" (appendix A.4), and there is no
/// `state`.
pub async fn make_api_response(
    request: &ApiRequest,
    presented: &[Presented<'_>],
    crypto: &dyn CryptoProvider,
    rng: &dyn Rng,
    now: UnixTime,
) -> Result<Value, AnswerError> {
    let question = request.question();
    let audience = request.origin().audience();
    let payload = vp_token(question, &audience, presented, now).await?;
    let response = encrypt(question, &payload, crypto, rng)?;
    Ok(json!({ "response": response.as_str() }))
}

/// The response parameters, all but `state`.
async fn vp_token(
    question: &Question,
    audience: &str,
    presented: &[Presented<'_>],
    now: UnixTime,
) -> Result<Map<String, Value>, AnswerError> {
    if question.expires_at.is_some_and(|exp| now >= exp) {
        return Err(AnswerError::Expired);
    }
    let answered: Vec<&QueryId> = presented.iter().map(|one| one.query).collect();
    check_sets(&question.query, &answered).map_err(AnswerError::Incomplete)?;
    let mut token: Map<String, Value> = Map::new();
    for one in presented {
        let query = question
            .query
            .credential(one.query.as_str())
            .ok_or(AnswerError::Choice)?;
        let bound = bind(question, audience, one, now).await?;
        let entry = token
            .entry(one.query.as_str())
            .or_insert_with(|| Value::Array(Vec::new()));
        let list = entry.as_array_mut().ok_or(AnswerError::Choice)?;
        // OpenID4VP 1.0, section 8.1: only one without `multiple`.
        if !list.is_empty() && !query.multiple() {
            return Err(AnswerError::Choice);
        }
        list.push(Value::String(bound));
    }
    let mut payload = Map::new();
    payload.insert("vp_token".to_owned(), Value::Object(token));
    Ok(payload)
}

/// HAIP 1.0, section 6.1.1.1: a bound credential is always presented with a KB-JWT.
async fn bind(
    question: &Question,
    audience: &str,
    one: &Presented<'_>,
    now: UnixTime,
) -> Result<String, AnswerError> {
    let Presented {
        query: _,
        credential,
        claims,
        signer,
    } = *one;
    if credential.registered().holder_key.as_ref() != Some(signer.public_key()) {
        return Err(AnswerError::WrongKey);
    }
    let accepted = question.metadata.key_binding_algorithms.as_deref();
    if accepted.is_some_and(|names| names.iter().all(|name| name != signer.algorithm().name())) {
        return Err(AnswerError::Algorithm);
    }
    let presentation = credential
        .present(&paths(claims))
        .map_err(AnswerError::Disclose)?;
    let binding = kb::Binding {
        audience,
        nonce: question.nonce.as_str(),
        issued_at: now,
    };
    presentation
        .bind(&binding, signer)
        .await
        .map_err(AnswerError::Sign)
}

/// Section 8.3: an unsigned, encrypted JWT with the response parameters.
fn encrypt(
    question: &Question,
    payload: &Map<String, Value>,
    crypto: &dyn CryptoProvider,
    rng: &dyn Rng,
) -> Result<EncryptedResponse, AnswerError> {
    let plain = serde_json::to_vec(payload).map_err(AnswerError::Json)?;
    let metadata = &question.metadata;
    let recipient = Recipient {
        key: &metadata.key,
        kid: Some(&metadata.kid),
        enc: metadata.enc,
        apu: &[],
        apv: &[],
    };
    jwe::encrypt(&plain, &recipient, crypto, rng)
        .map(EncryptedResponse::new)
        .map_err(AnswerError::Encrypt)
}
