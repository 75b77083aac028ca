//! The wallet's side: candidates for a query, and the response.

mod held;
mod keys;

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use url::form_urlencoded;
use vouchsafe_credentials::crypto::{CryptoProvider, Signer};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::jwe::{self, JweError, Recipient};
use vouchsafe_credentials::jws::SignError;
use vouchsafe_credentials::mdoc::{Elements, HeldMdoc, MdocError, SessionTranscript};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::sd_jwt::SdJwtError;
use vouchsafe_credentials::sd_jwt_vc::HeldSdJwtVc;
use vouchsafe_credentials::sd_jwt_vc::kb::{self, Agreed};
use vouchsafe_credentials::time::UnixTime;

pub use held::{HeldCandidate, HeldCredential};

use super::dcql::{ClaimPointer, Format, QueryId, SetError, check_sets};
use super::request::{ApiRequest, PresentationRequest, Question};
use super::response::EncryptedResponse;
use super::transaction_data::{AgreementError, agreement};

/// One credential that the person has agreed to present.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The Credential Query it answers.
    pub query: &'a QueryId,
    /// The credential.
    pub credential: HeldCredential<'a>,
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
    /// No card of the choice may authorise a transaction that is asked about.
    #[error("the choice does not authorise the transaction")]
    Transaction(#[source] AgreementError),
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
    /// The elements of an mdoc cannot be disclosed as wanted, or the device could not sign.
    #[error("the elements cannot be disclosed")]
    Elements(#[source] MdocError),
    /// The key binding could not be signed.
    #[error("the key binding could not be signed")]
    Sign(#[source] SignError),
    /// The response could not be written as JSON.
    #[error("the response could not be serialised")]
    Json(#[source] serde_json::Error),
    /// The verifier asks for an answer that is not encrypted.
    #[error("the answer would not be encrypted")]
    NotEncrypted,
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
            AnswerError::Transaction(_) => "answer_transaction",
            AnswerError::Expired => "request_expired",
            AnswerError::WrongKey => "answer_wrong_key",
            AnswerError::Algorithm => "answer_alg_not_accepted",
            AnswerError::Disclose(_) => "answer_disclose",
            AnswerError::Elements(MdocError::Sign(_)) => "answer_sign",
            AnswerError::Elements(_) => "answer_disclose",
            AnswerError::Sign(_) => "answer_sign",
            AnswerError::Json(_) => "answer_json",
            AnswerError::NotEncrypted => "answer_not_encrypted",
            AnswerError::Encrypt(_) => "answer_encrypt",
        }
    }
}

/// Makes the response: the `vp_token` with a key binding for each presentation,
/// encrypted to the verifier.
///
/// # Errors
/// [`AnswerError::NotEncrypted`] where none is asked for that is encrypted; see [`make_form`].
pub async fn make_response(
    request: &PresentationRequest,
    presented: &[Presented<'_>],
    crypto: &dyn CryptoProvider,
    rng: &dyn Rng,
    now: UnixTime,
) -> Result<EncryptedResponse, AnswerError> {
    let payload = posted(request, presented, now).await?;
    encrypt(request.question(), &payload, crypto, rng)
}

/// Makes the body to post, encrypted where an encrypted response is asked for.
///
/// # Errors
/// See [`AnswerError`].
pub async fn make_form(
    request: &PresentationRequest,
    presented: &[Presented<'_>],
    crypto: &dyn CryptoProvider,
    rng: &dyn Rng,
    now: UnixTime,
) -> Result<String, AnswerError> {
    let payload = posted(request, presented, now).await?;
    if request.question().metadata.encryption.is_some() {
        let response = encrypt(request.question(), &payload, crypto, rng)?;
        return Ok(response.to_form());
    }
    // Section 8.2: each response parameter is one of the form, the `vp_token` as JSON.
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &payload {
        match value {
            Value::String(text) => form.append_pair(name, text),
            other => form.append_pair(name, &other.to_string()),
        };
    }
    Ok(form.finish())
}

/// The response parameters.
async fn posted(
    request: &PresentationRequest,
    presented: &[Presented<'_>],
    now: UnixTime,
) -> Result<Map<String, Value>, AnswerError> {
    let question = request.question();
    let exchange = Exchange {
        // Appendix B.3.6: `aud` is the full client identifier, `nonce` that of the request.
        audience: Cow::Borrowed(request.client_id().as_str()),
        // Appendix B.2.6.1.
        transcript: SessionTranscript::openid4vp(
            request.client_id().as_str(),
            question.nonce.as_str(),
            question.encryption_key(),
            request.response_uri().as_str(),
        ),
    };
    let mut payload = vp_token(question, &exchange, presented, now).await?;
    if let Some(state) = request.state() {
        payload.insert("state".to_owned(), Value::from(state.as_str()));
    }
    Ok(payload)
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
    let exchange = Exchange {
        audience: Cow::Owned(request.origin().audience()),
        // Appendix B.2.6.2: the origin without `origin:`.
        transcript: SessionTranscript::openid4vp_dc_api(
            request.origin().as_str(),
            question.nonce.as_str(),
            question.encryption_key(),
        ),
    };
    let payload = vp_token(question, &exchange, presented, now).await?;
    if question.metadata.encryption.is_none() {
        return Ok(Value::Object(payload));
    }
    let response = encrypt(question, &payload, crypto, rng)?;
    Ok(json!({ "response": response.as_str() }))
}

/// What presentations of one exchange are bound to, by format.
struct Exchange<'a> {
    /// `aud` of a KB-JWT.
    audience: Cow<'a, str>,
    /// What the device of an mdoc authenticates.
    transcript: SessionTranscript,
}

/// The response parameters, all but `state`.
async fn vp_token(
    question: &Question,
    exchange: &Exchange<'_>,
    presented: &[Presented<'_>],
    now: UnixTime,
) -> Result<Map<String, Value>, AnswerError> {
    if question.expires_at.is_some_and(|exp| now >= exp) {
        return Err(AnswerError::Expired);
    }
    let answered: Vec<&QueryId> = presented.iter().map(|one| one.query).collect();
    check_sets(&question.query, &answered).map_err(AnswerError::Incomplete)?;
    // Annex B.3.3.1.
    let agreed =
        agreement(&question.transaction_data, &answered).map_err(AnswerError::Transaction)?;
    let mut token: Map<String, Value> = Map::new();
    for (one, agreed) in presented.iter().zip(&agreed) {
        let query = question
            .query
            .credential(one.query.as_str())
            .ok_or(AnswerError::Choice)?;
        let bound = bind(question, exchange, (one, agreed.as_ref()), now).await?;
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

/// One presentation, bound to the exchange by the holder's key.
async fn bind(
    question: &Question,
    exchange: &Exchange<'_>,
    (one, agreed): (&Presented<'_>, Option<&Agreed>),
    now: UnixTime,
) -> Result<String, AnswerError> {
    if one.credential.holder_key() != Some(one.signer.public_key()) {
        return Err(AnswerError::WrongKey);
    }
    match one.credential {
        HeldCredential::SdJwtVc(held) => {
            bind_sd_jwt_vc(question, exchange, held, (one, agreed), now).await
        }
        // No card of this format may authorise a transaction.
        HeldCredential::Mdoc(_) if agreed.is_some() => Err(AnswerError::Choice),
        HeldCredential::Mdoc(held) => bind_mdoc(question, exchange, held, one).await,
    }
}

/// HAIP 1.0, section 6.1.1.1: a bound credential is always presented with a KB-JWT.
async fn bind_sd_jwt_vc(
    question: &Question,
    exchange: &Exchange<'_>,
    held: &HeldSdJwtVc,
    (one, agreed): (&Presented<'_>, Option<&Agreed>),
    now: UnixTime,
) -> Result<String, AnswerError> {
    let signer = one.signer;
    if !question.takes_key(&Format::SdJwtVc, signer.algorithm()) {
        return Err(AnswerError::Algorithm);
    }
    let presentation = held
        .present(&held::claim_paths(one.claims))
        .map_err(AnswerError::Disclose)?;
    let binding = kb::Binding {
        audience: &exchange.audience,
        nonce: question.nonce.as_str(),
        issued_at: now,
    };
    presentation
        .bind_agreeing(&binding, agreed, signer)
        .await
        .map_err(AnswerError::Sign)
}

/// Appendix B.2: "the base64url-encoded `DeviceResponse`", signed by the device; only the elements
/// that were chosen are in it, and the device states none of its own.
async fn bind_mdoc(
    question: &Question,
    exchange: &Exchange<'_>,
    held: &HeldMdoc,
    one: &Presented<'_>,
) -> Result<String, AnswerError> {
    let signer = one.signer;
    if !question.takes_key(&Format::MsoMdoc, signer.algorithm()) {
        return Err(AnswerError::Algorithm);
    }
    let paths = held::element_paths(one.claims).ok_or(AnswerError::Choice)?;
    let presentation = held.present(&paths).map_err(AnswerError::Elements)?;
    let response = presentation
        .sign(&exchange.transcript, &Elements::new(), signer)
        .await
        .map_err(AnswerError::Elements)?;
    Ok(b64url(&response))
}

/// Section 8.3: an unsigned, encrypted JWT with the response parameters.
fn encrypt(
    question: &Question,
    payload: &Map<String, Value>,
    crypto: &dyn CryptoProvider,
    rng: &dyn Rng,
) -> Result<EncryptedResponse, AnswerError> {
    let plain = serde_json::to_vec(payload).map_err(AnswerError::Json)?;
    let encryption = question.metadata.encryption.as_ref();
    let encryption = encryption.ok_or(AnswerError::NotEncrypted)?;
    let recipient = Recipient {
        key: &encryption.key,
        kid: Some(&encryption.kid),
        enc: encryption.enc,
        apu: &[],
        apv: &[],
    };
    jwe::encrypt(&plain, &recipient, crypto, rng)
        .map(EncryptedResponse::new)
        .map_err(AnswerError::Encrypt)
}
