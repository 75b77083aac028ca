//! The wallet's side: verify and read.

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{TrustAnchors, VerifiedCertificate};

use super::party::{Parties, Requester, authenticate};
use super::question::{Modes, Question, check_audience, check_kind, check_times};
use super::registration::Registration;
use super::{MAX_BYTES, Refusal, ReplyTo, RequestError, unsigned};
use crate::http::UrlRule;
use crate::vp::client_id::ClientId;
use crate::vp::dcql::DcqlQuery;
use crate::vp::metadata::ClientMetadata;
use crate::vp::transaction_data::TransactionData;
use crate::vp::values::{LocalizedText, Nonce, State};

/// Whom the wallet trusts, and what time it is.
#[derive(Clone, Copy, Debug)]
pub struct WalletPolicy<'a> {
    /// Anchors of the role [`VerifierAccess`](vouchsafe_credentials::x509::Role::VerifierAccess).
    pub anchors: &'a TrustAnchors,
    /// Cryptography.
    pub crypto: &'a dyn CryptoProvider,
    /// The time now.
    pub now: UnixTime,
    /// Which URLs may be called.
    pub urls: UrlRule,
}

/// A request whose signature, client and parameters were checked.
#[derive(Clone, Debug)]
pub struct PresentationRequest {
    client_id: ClientId,
    requester: Requester,
    response_uri: Url,
    state: Option<State>,
    question: Question,
}

impl PresentationRequest {
    /// Who asks; the audience of the presentation.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Who asks, as far as it was proven.
    pub fn requester(&self) -> &Requester {
        &self.requester
    }

    /// The verified certificate of the verifier, where there is one.
    pub fn certificate(&self) -> Option<&VerifiedCertificate> {
        self.requester.certificate()
    }

    /// Where the response goes.
    pub fn response_uri(&self) -> &Url {
        &self.response_uri
    }

    /// Binds the presentation to this request.
    pub fn nonce(&self) -> &Nonce {
        &self.question.nonce
    }

    /// To be returned with the response.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
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

    /// Where an error response goes, for example when the person declines.
    pub fn reply_to(&self) -> ReplyTo {
        ReplyTo {
            response_uri: self.response_uri.clone(),
            state: self.state.clone(),
        }
    }
}

/// Checks a request object that was fetched for `client_id` (of the link), with
/// the `wallet_nonce` that was sent along, if one was. Only owners of certificates may ask.
pub fn verify_request(
    compact: &str,
    client_id: &str,
    wallet_nonce: Option<&str>,
    policy: &WalletPolicy<'_>,
) -> Result<PresentationRequest, Refusal> {
    verify_request_of(&Parties::NONE, compact, client_id, wallet_nonce, policy)
}

/// The same where `parties` may ask too.
pub fn verify_request_of(
    parties: &Parties<'_>,
    compact: &str,
    client_id: &str,
    wallet_nonce: Option<&str>,
    policy: &WalletPolicy<'_>,
) -> Result<PresentationRequest, Refusal> {
    let silent = |error| Refusal {
        error,
        reply_to: None,
        requester: None,
    };
    if compact.len() > MAX_BYTES {
        return Err(silent(RequestError::TooLarge));
    }
    if client_id.starts_with("redirect_uri:") && parties.unvouched {
        return unsigned::verify_object(parties, compact, client_id, wallet_nonce, policy)
            .map_err(silent);
    }
    // The prefix decides which key is looked at, so it comes first.
    let client_id = parties.client(client_id).map_err(silent)?;
    let authentic = authenticate(compact, &client_id, policy, parties);
    let (requester, claims) = authentic.map_err(silent)?;
    // From here on the signature is good: the verifier may learn what is wrong,
    // provided that its `response_uri` is acceptable.
    let response_uri = response_uri(&claims, policy.urls).map_err(silent)?;
    identify(&client_id, &claims, &requester, &response_uri).map_err(silent)?;
    let state = optional_state(&claims).map_err(silent)?;
    let reply_to = ReplyTo {
        response_uri,
        state,
    };
    let asked_by = requester.clone();
    let read = || {
        // `iss` is ignored (section 5).
        check_audience(&claims)?;
        let expires_at = check_times(&claims, policy.now)?;
        check_wallet_nonce(&claims, wallet_nonce)?;
        let who = (client_id, requester);
        read(who, &claims, &reply_to, expires_at, (policy, parties))
    };
    read().map_err(|error| Refusal {
        error,
        reply_to: Some(Box::new(reply_to.clone())),
        requester: Some(Box::new(asked_by)),
    })
}

fn identify(
    expected: &ClientId,
    claims: &Map<String, Value>,
    requester: &Requester,
    response_uri: &Url,
) -> Result<(), RequestError> {
    // Section 5.10: the two client identifiers "MUST be identical, including the
    // Client Identifier Prefix".
    if claims.get("client_id").and_then(Value::as_str) != Some(expected.as_str()) {
        return Err(RequestError::ClientIdDiffers);
    }
    match requester {
        Requester::Certified(certificate) => expected
            .belongs_to(certificate, response_uri.host_str().unwrap_or_default())
            .map_err(RequestError::ClientId),
        Requester::Attested(attested) => attested
            .may_receive_at(response_uri)
            .map_err(RequestError::Attestation),
        Requester::Registered { .. } | Requester::Did(_) | Requester::Address => Ok(()),
    }
}

fn response_uri(claims: &Map<String, Value>, urls: UrlRule) -> Result<Url, RequestError> {
    // Section 8.2: REQUIRED with `direct_post`.
    let text = claims.get("response_uri").and_then(Value::as_str);
    urls.endpoint(text.ok_or(RequestError::ResponseUri)?)
        .map_err(|_| RequestError::ResponseUri)
}

pub(super) fn optional_state(claims: &Map<String, Value>) -> Result<Option<State>, RequestError> {
    let malformed = RequestError::Parameter("state");
    match claims.get("state") {
        None => Ok(None),
        Some(Value::String(text)) => State::parse(text).map(Some).map_err(|_| malformed),
        Some(_) => Err(malformed),
    }
}

/// Section 5.10: if a `wallet_nonce` was sent, it must come back.
pub(super) fn check_wallet_nonce(
    claims: &Map<String, Value>,
    sent: Option<&str>,
) -> Result<(), RequestError> {
    let returned = claims.get("wallet_nonce").and_then(Value::as_str);
    if sent.is_some() && returned != sent {
        return Err(RequestError::WalletNonce);
    }
    Ok(())
}

/// Every other parameter. Unknown ones are ignored (section 5).
pub(super) fn read(
    (client_id, requester): (ClientId, Requester),
    claims: &Map<String, Value>,
    reply_to: &ReplyTo,
    expires_at: Option<UnixTime>,
    (policy, parties): (&WalletPolicy<'_>, &Parties<'_>),
) -> Result<PresentationRequest, RequestError> {
    // HAIP 1.0, section 5.1: response mode `direct_post.jwt`.
    let encrypted = check_kind(claims, Modes::posted(parties))?;
    // Section 8.2: "the `redirect_uri` Authorization Request parameter MUST NOT be present".
    if claims.contains_key("redirect_uri") {
        return Err(RequestError::RedirectUri);
    }
    let question = Question::read(claims, encrypted, expires_at, parties)?;
    Ok(PresentationRequest {
        client_id,
        question: question.of(&requester, claims, (policy, parties)),
        requester,
        response_uri: reply_to.response_uri.clone(),
        state: reply_to.state.clone(),
    })
}
