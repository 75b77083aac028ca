//! A person shows a card of the wallet before another one is issued: the authorization endpoint is a
//! verifier (OpenID4VP 1.0, response mode `direct_post.jwt`, on the same device).
//!
//! A question is a row that is found by the identifier in its addresses and used up by the first
//! answer that passes every check. What was proven then stands in a second row, found by the
//! `response_code` with which the wallet sends the browser back, for the browser that asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::crypto::{AgreementKey, SigningKey};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::jws::SignError;
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerAuthority, IssuerIdentity, IssuerTrust, StatusPolicy,
};
use vouchsafe_credentials::status_list::{
    StatusCheck, StatusRef, VerifiedStatusList, verify_status_list,
};
use vouchsafe_protocol::vp::dcql::{ClaimsPath, DcqlQuery};
use vouchsafe_protocol::vp::invocation::{Invocation, RequestUriMethod};
use vouchsafe_protocol::vp::request::{Identity, NewRequest, sign_request};
use vouchsafe_protocol::vp::response::{EncryptedResponse, WalletError};
use vouchsafe_protocol::vp::values::{LocalizedText, Nonce, State};
use vouchsafe_protocol::vp::verify::{
    PresentationError, Received, StatusSource, StatusSourceError, Transaction, VerifiedCredential,
    VerifierPolicy, Way, verify_presentation,
};
use vouchsafe_service::fetch::{FetchError, Limits};

use crate::authentication::{Mapped, NobodyKnown, Person, keyed_record, put};
use crate::claims::{Claims, Origin, Subject};
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::handlers::code_page::Flow;

/// How long a request object is good, in seconds.
const REQUEST_OBJECT_S: i64 = 300;
/// A status list is fetched again after so many seconds at the earliest.
const MIN_REFRESH_S: i64 = 60;
/// Status lists in memory at most.
const MAX_LISTS: usize = 64;
const STATUS_LIST: &str = "application/statuslist+jwt";

/// A card that is asked for.
#[derive(Clone)]
pub struct Presentation {
    /// The question: one credential.
    pub query: DcqlQuery,
    /// Why it is asked.
    pub purpose: LocalizedText,
    /// Who asks, as the wallet shows it.
    pub client_name: LocalizedText,
    /// Signs the request objects.
    pub key: Arc<SigningKey>,
    /// Who we are to wallets: the owner of the certificate of that key.
    pub identity: Identity,
    /// What links begin with.
    pub wallet_link: String,
    /// Who may have issued the card.
    pub trust: Arc<IssuerTrust>,
    /// The claim that says who the person is, at the top level.
    pub subject_claim: String,
    /// Claims of the new card and where they come from; none: a claims source has them.
    pub claims: Vec<Mapped>,
}

impl std::fmt::Debug for Presentation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Presentation({})", self.identity.client_id())
    }
}

/// A question to a wallet, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What the wallet that will get the new card asked for.
    pub flow: Flow,
    nonce: String,
    state: String,
    key: String,
}

/// A kept question that does not parse: a fault of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored question does not parse")]
pub struct BrokenQuestion;

/// Why a request object is not made.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A fault of ours.
    #[error(transparent)]
    Broken(#[from] BrokenQuestion),
    /// The key does not sign.
    #[error("the request object could not be signed")]
    Sign(#[from] SignError),
}

struct Opened {
    nonce: Nonce,
    state: State,
    key: AgreementKey,
}

/// The address of a question. The configuration was checked, so it is an address.
fn address(core: &Core, path: &str, id: &Secret) -> Result<Url, BrokenQuestion> {
    let text = core.settings.url(&path.replace("{id}", id.expose()));
    Url::parse(&text).map_err(|_| BrokenQuestion)
}

impl Question {
    /// A fresh question: nonce, state and key are its own (HAIP 1.0, section 5).
    pub fn new(core: &Core, flow: Flow) -> Self {
        let key = core.crypto.generate_agreement_key(&*core.rng);
        Self {
            flow,
            nonce: Nonce::fresh(&*core.rng).as_str().to_owned(),
            state: State::fresh(&*core.rng).as_str().to_owned(),
            key: b64url(key.to_bytes().as_slice()),
        }
    }

    fn open(&self) -> Result<Opened, BrokenQuestion> {
        let key = b64url_decode(&self.key).map_err(|_| BrokenQuestion)?;
        Ok(Opened {
            nonce: Nonce::parse(&self.nonce).map_err(|_| BrokenQuestion)?,
            state: State::parse(&self.state).map_err(|_| BrokenQuestion)?,
            key: AgreementKey::from_bytes(&key).map_err(|_| BrokenQuestion)?,
        })
    }

    /// Whether a wallet's error came with the `state` of this question: only who read the request
    /// object can end it.
    pub fn is_ended_by(&self, error: &WalletError) -> bool {
        let state = error.state.as_ref().map(State::as_str);
        state == Some(self.state.as_str())
    }
}

impl Presentation {
    /// The link that opens a wallet with a question.
    pub fn link(&self, core: &Core, id: &Secret) -> Result<String, BrokenQuestion> {
        let invocation = Invocation {
            client_id: self.identity.client_id().as_str().to_owned(),
            request_uri: address(core, crate::paths::PRESENTATION_REQUEST, id)?,
            method: RequestUriMethod::Post,
        };
        Ok(invocation.to_link(&self.wallet_link))
    }

    /// The signed request object of a question.
    pub async fn request_object(
        &self,
        core: &Core,
        id: &Secret,
        question: &Question,
        wallet_nonce: Option<&str>,
    ) -> Result<String, RequestError> {
        let opened = question.open()?;
        let response_uri = address(core, crate::paths::PRESENTATION_RESPONSE, id)?;
        let request = NewRequest {
            response_uri: &response_uri,
            nonce: &opened.nonce,
            state: &opened.state,
            query: &self.query,
            transaction_data: &[],
            encryption_key: opened.key.public_key(),
            client_name: Some(&self.client_name),
            purpose: Some(&self.purpose),
            issued_at: core.clock.now(),
            lifetime_s: REQUEST_OBJECT_S,
            wallet_nonce,
        };
        Ok(sign_request(&request, &self.identity, &*self.key).await?)
    }

    /// The card that an answer shows, after every check of OpenID4VP 1.0, section 8.6.
    pub async fn judge(
        &self,
        core: &Core,
        id: &Secret,
        question: &Question,
        response: &EncryptedResponse,
    ) -> Result<VerifiedCredential, JudgeError> {
        let opened = question.open()?;
        let response_uri = address(core, crate::paths::PRESENTATION_RESPONSE, id)?;
        let asked = Transaction {
            way: Way::DirectPost {
                client_id: self.identity.client_id(),
                response_uri: &response_uri,
                state: &opened.state,
                key: &opened.key,
            },
            nonce: &opened.nonce,
            query: &self.query,
            transaction_data: &[],
            expires_at: vouchsafe_credentials::time::UnixTime(question.flow.expires_at),
        };
        let statuses = Statuses {
            core,
            trust: &self.trust,
        };
        let policy = VerifierPolicy {
            trust: &self.trust,
            status: StatusPolicy::WhenPresent,
            same_holder: true,
            statuses: &statuses,
            crypto: &*core.crypto,
            now: core.clock.now(),
        };
        let received = Received::Posted {
            response,
            at: &response_uri,
        };
        let presented = verify_presentation(received, &asked, &policy).await?;
        let first = presented.credentials().first().cloned();
        first.ok_or(JudgeError::Broken(BrokenQuestion))
    }

    /// The person whom the card is about.
    pub fn person(&self, core: &Core, card: &VerifiedCredential) -> Result<Person, NobodyKnown> {
        let path = ClaimsPath::of_keys(&[&self.subject_claim]);
        let value = path.and_then(|path| stable_text(card.claim(&path)?));
        let value = value.ok_or_else(|| NobodyKnown(self.subject_claim.clone()))?;
        // Catalogue 343, 385: the validated issuer, never the `iss` claim; the same value of
        // another issuer or type is another person.
        let authority = match &card.issuer().authority {
            IssuerAuthority::X509 { anchor, subject } => format!("x509 {anchor} {subject}"),
            IssuerAuthority::Iaca { anchor } => format!("iaca {anchor}"),
            IssuerAuthority::Did(did) => format!("did {did}"),
        };
        let parts = [
            authority.as_str(),
            card.credential_type(),
            &self.subject_claim,
            &value,
        ];
        let claims = match self.claims.is_empty() {
            true => Origin::Source(Some(Subject {
                issuer: card.issuer().trusted.clone(),
                claim: self.subject_claim.clone(),
                value: value.clone(),
            })),
            false => Origin::Here(self.mapped(card)),
        };
        Ok(Person {
            record_id: keyed_record(core, "vp", &parts),
            claims,
        })
    }

    fn mapped(&self, card: &VerifiedCredential) -> Claims {
        let mut claims = Map::new();
        for Mapped { to, from } in &self.claims {
            let from: Vec<&str> = from.iter().map(String::as_str).collect();
            let value = ClaimsPath::of_keys(&from).and_then(|path| card.claim(&path).cloned());
            if let Some(value) = value {
                put(&mut claims, to, value);
            }
        }
        Claims(claims)
    }
}

/// A text or an integer, in its JSON form, so that `1` and `"1"` are different people.
fn stable_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(value.to_string()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(value.to_string()),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// Why an answer proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A fault of ours.
    #[error(transparent)]
    Broken(#[from] BrokenQuestion),
    /// It does not pass a check.
    #[error("the presentation is not acceptable")]
    Presentation(#[from] PresentationError),
}

/// Verified status lists of others, until a fresh one is due.
#[derive(Default)]
pub struct OtherLists(Mutex<HashMap<(String, IssuerIdentity), Arc<VerifiedStatusList>>>);

/// Status lists of the issuers that are believed, from memory or through the guarded fetcher.
struct Statuses<'a> {
    core: &'a Core,
    trust: &'a IssuerTrust,
}

/// Why a list is not there.
#[derive(Debug, thiserror::Error)]
enum ListError {
    /// No answer.
    #[error("the host of the status list gives no answer")]
    Fetch(#[from] FetchError),
    /// Another status than success, or another media type.
    #[error("the host of the status list answers with status {0}")]
    Answer(u16),
}

impl Statuses<'_> {
    async fn fetch(&self, uri: &str) -> Result<String, ListError> {
        let fetcher = &self.core.outbound;
        let response = fetcher.get(uri, STATUS_LIST, Limits::STATUS_LIST).await?;
        let status = response.status;
        if !response.is_success() || !response.is(STATUS_LIST) {
            return Err(ListError::Answer(status));
        }
        String::from_utf8(response.body).map_err(|_| ListError::Answer(status))
    }
}

#[async_trait]
impl StatusSource for Statuses<'_> {
    async fn list(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError> {
        let now = self.core.clock.now();
        let key = (reference.uri.clone(), issuer.clone());
        let lists = &self.core.other_lists.0;
        let known = lists
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(list) = known.as_ref().filter(|list| now < list.refresh_at()) {
            return Ok(Arc::clone(list));
        }
        let fetched = self.fetch(&reference.uri).await;
        let token = fetched.map_err(|error| StatusSourceError::Unavailable(Box::new(error)))?;
        let check = StatusCheck {
            uri: &reference.uri,
            issuer,
            trust: self.trust,
            newest_seen: known.map(|list| list.issued_at()),
            min_refresh_s: MIN_REFRESH_S,
            now,
        };
        let list = verify_status_list(&token, &check, &*self.core.crypto);
        let list = Arc::new(list.map_err(StatusSourceError::Rejected)?);
        let mut lists = lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= MAX_LISTS && !lists.contains_key(&key) {
            lists.retain(|_, list| now < list.refresh_at());
        }
        if lists.len() < MAX_LISTS {
            lists.insert(key, Arc::clone(&list));
        }
        Ok(list)
    }
}
