//! Questions to wallets: making them, and the signed request object.

use url::Url;
use vouchsafe_credentials::crypto::{AgreementKey, KeyError};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::jws::SignError;
use vouchsafe_credentials::random;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::acr::{Acr, AcrWish};
use vouchsafe_protocol::vp::api::{self, ApiOffer, NewApiRequest, Protocol};
use vouchsafe_protocol::vp::client_id::ClientId as VerifierId;
use vouchsafe_protocol::vp::request::{Identity, NewRequest, sign_request};
use vouchsafe_protocol::vp::values::{LocalizedText, Nonce, State};
use vouchsafe_protocol::vp::verify::Way;

pub use super::asking::{Asking, query_of};
use super::{QR_S, REQUEST_OBJECT_S, notice, run};
use crate::app::Parts;
use crate::config::{Client, DigitalCredentials};
use crate::domain::ids::RequestId;
use crate::domain::notice::Notice;
use crate::domain::request::LoginRequest;
use crate::domain::transaction::{Channel, Login};
use crate::store::requests::{PresentationRequest, RequestSecrets};
use crate::store::{StoreError, requests};

/// Why a question cannot be put.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored key or nonce does not parse.
    #[error("the stored secrets of a request do not parse")]
    Secrets,
    /// The request object could not be signed.
    #[error("the request object could not be signed")]
    Sign(#[from] SignError),
    /// The query or the client is no longer configured.
    #[error("the query or the client is no longer configured")]
    Gone,
    /// Wallets are not asked this way: the configuration does not offer it.
    #[error("the configuration does not offer this way to a wallet")]
    NotOffered,
    /// The verifier attestation is over: no wallet would believe the request.
    #[error("the verifier attestation has ended: put a new one in place and restart")]
    AttestationEnded,
}

impl From<KeyError> for AskError {
    fn from(_: KeyError) -> Self {
        Self::Secrets
    }
}

/// A fresh question: nonce, state and key are its own (HAIP 1.0, section 5: an ephemeral key for
/// each request).
pub(super) fn question(
    app: &Parts,
    login: &Login,
    channel: Channel,
    (query, format): (&str, &'static str),
    notice: Option<&Notice>,
) -> PresentationRequest {
    metrics::counter!(
        "vouchsafe_presentation_requests_total",
        "query" => query.to_owned(), "format" => format, "channel" => channel.name()
    )
    .increment(1);
    let now = app.now();
    let key = app.crypto.generate_agreement_key(app.rng.as_ref());
    let fetch_until = match channel {
        Channel::SameDevice | Channel::DcApi => login.expires_at,
        Channel::Qr => now.plus(QR_S).min(login.expires_at),
    };
    let id = RequestId::random(app.rng.as_ref());
    let client_id = app.identity.client_id(&response_uri(app, &id));
    PresentationRequest {
        id,
        transaction: login.id.clone(),
        channel,
        secrets: RequestSecrets {
            nonce: random::token(app.rng.as_ref()),
            state: random::token(app.rng.as_ref()),
            agreement_key: b64url(key.to_bytes().as_slice()),
            client_id: Some(client_id.as_str().to_owned()),
            notice: notice.map(Notice::hash),
        },
        created_at: now,
        fetch_until,
        fetched_at: None,
        expires_at: login.expires_at,
    }
}

/// The question on the same device, made when the login began or when a step of its journey is
/// shown; another one where we had another certificate then.
pub async fn same_device(app: &Parts, login: &Login) -> Result<PresentationRequest, AskError> {
    let newest = newest_here(app, login).await?;
    if newest.is_empty() && login.run.is_none() {
        return Err(AskError::Gone);
    }
    for found in newest {
        if is_ours(app, &found) && tells(app, login, &found).await? {
            return Ok(found);
        }
    }
    put_new(app, login, Channel::SameDevice).await
}

async fn newest_here(app: &Parts, login: &Login) -> Result<Vec<PresentationRequest>, StoreError> {
    requests::all_newest(&app.db, &app.vault, &login.id, Channel::SameDevice).await
}

/// A fresh question over a channel that the login allows.
async fn put_new(
    app: &Parts,
    login: &Login,
    channel: Channel,
) -> Result<PresentationRequest, AskError> {
    let asking = query_of(app, login).await?;
    // That of the same device also says what the page of the login told, where no link leads to it.
    if channel != Channel::SameDevice && !asking.allows(channel) {
        return Err(AskError::NotOffered);
    }
    let asked = (asking.query.id.as_str(), asking.query.format());
    let notice = notice::of_question(app, login, &asking).await?;
    put(app, question(app, login, channel, asked, notice.as_ref())).await
}

/// Whether the page of the login told what the person would be told now. The other ways to show a card
/// begin there and say nothing of it again.
pub async fn is_shown(app: &Parts, login: &Login) -> Result<bool, AskError> {
    for shown in newest_here(app, login).await? {
        if tells(app, login, &shown).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the person would be told the same now as when the question was put.
async fn tells(
    app: &Parts,
    login: &Login,
    request: &PresentationRequest,
) -> Result<bool, AskError> {
    let asking = query_of(app, login).await?;
    let notice = notice::of_question(app, login, &asking).await?;
    Ok(is_told(request, notice.as_ref()))
}

/// Whether this is what the person was told with a question.
pub(super) fn is_told(request: &PresentationRequest, notice: Option<&Notice>) -> bool {
    match (&request.secrets.notice, notice) {
        (Some(told), Some(notice)) => *told == notice.hash(),
        // Nobody knows what a question of an earlier version told.
        (None, Some(_)) => false,
        // For nobody.
        (_, None) => true,
    }
}

/// Whether a question can be put in the name that we have now: its link names us, and the request
/// object is signed with our key.
fn is_ours(app: &Parts, request: &PresentationRequest) -> bool {
    let named = request.secrets.client_id.as_deref();
    let own = app.identity.client_id(&response_uri(app, &request.id));
    named.is_none_or(|named| named == own.as_str())
}

/// What requests are signed as now.
pub fn signing(app: &Parts) -> Result<&Identity, AskError> {
    let identity = app.identity.signing().ok_or(AskError::NotOffered)?;
    // OpenID4VP 1.0, section 12: wallets reject an attestation "with an expiration time that has passed".
    match identity.ends_at() {
        Some(end) if app.now() >= end => Err(AskError::AttestationEnded),
        _ => Ok(identity),
    }
}

async fn put(app: &Parts, fresh: PresentationRequest) -> Result<PresentationRequest, AskError> {
    let row = requests::seal(&app.vault, fresh.clone())?;
    app.db
        .write(async move |tx| requests::insert(tx, &row).await)
        .await
        .map_err(StoreError::from)?;
    Ok(fresh)
}

/// The question in the QR code: the current one as long as it lives, then a new one.
pub async fn qr(app: &Parts, login: &Login) -> Result<PresentationRequest, AskError> {
    let newest = requests::newest(&app.db, &app.vault, &login.id, Channel::Qr).await?;
    if let Some(current) = newest.filter(|current| may_be_fetched(app, current))
        && tells(app, login, &current).await?
    {
        return Ok(current);
    }
    put_new(app, login, Channel::Qr).await
}

/// The question over the Digital Credentials API: one for each login, made when a page first asks.
pub async fn over_api(app: &Parts, login: &Login) -> Result<PresentationRequest, AskError> {
    offered(app)?;
    let newest = requests::newest(&app.db, &app.vault, &login.id, Channel::DcApi).await?;
    if let Some(current) = newest.filter(|current| is_ours(app, current))
        && tells(app, login, &current).await?
    {
        return Ok(current);
    }
    put_new(app, login, Channel::DcApi).await
}

fn offered(app: &Parts) -> Result<&DigitalCredentials, AskError> {
    let api = app.settings.digital_credentials.as_ref();
    api.ok_or(AskError::NotOffered)
}

/// What the page hands to the browser: the question once for each protocol.
pub async fn offers(
    app: &Parts,
    request: &PresentationRequest,
    login: &Login,
) -> Result<Vec<ApiOffer>, AskError> {
    let DigitalCredentials { origin, protocols } = offered(app)?;
    let Asking {
        query,
        question,
        transaction_data,
        ..
    } = query_of(app, login).await?;
    let client_name = client_name(app, login).await?;
    let opened = open(app, request)?;
    let new = NewApiRequest {
        nonce: &opened.nonce,
        query: &question,
        transaction_data: &transaction_data,
        // HAIP 1.0, section 5.2: response mode `dc_api.jwt`.
        encryption_key: Some(opened.key.public_key()),
        client_name: Some(&client_name),
        purpose: Some(&query.purpose),
    };
    let mut offers = Vec::with_capacity(protocols.len());
    for protocol in protocols {
        offers.push(match protocol {
            Protocol::Unsigned => api::unsigned(&new),
            Protocol::Signed => {
                // It lies in the page until the person is ready.
                let times = (app.now(), request.expires_at);
                let (identity, signer) = (signing(app)?, app.request_signer.as_ref());
                api::signed(&new, std::slice::from_ref(origin), times, identity, signer).await?
            }
        });
    }
    Ok(offers)
}

/// The way of a question, to which its answer is bound.
pub fn way<'a>(
    app: &'a Parts,
    channel: Channel,
    opened: &'a Opened,
    response_uri: &'a Url,
) -> Result<Way<'a>, AskError> {
    Ok(match channel {
        Channel::SameDevice | Channel::Qr => Way::DirectPost {
            client_id: &opened.client_id,
            response_uri,
            state: &opened.state,
            key: &opened.key,
        },
        Channel::DcApi => {
            let DigitalCredentials { origin, protocols } = offered(app)?;
            Way::Api {
                origin,
                client_id: &opened.client_id,
                protocols,
                key: Some(&opened.key),
            }
        }
    })
}

/// Where the wallet posts its answer.
pub fn response_uri(app: &Parts, id: &RequestId) -> Url {
    app.url(&format!("/vp/response/{id}"))
}

/// Whether a wallet may fetch the request object now. It may do so more than once,
/// but the first time must lie within the life of its QR code, and the last time within the
/// life of the first request object: whoever relays a code must not make it live as long as the
/// login by fetching it once (catalogue 316). Where nothing is signed, nothing is fetched.
pub fn may_be_fetched(app: &Parts, request: &PresentationRequest) -> bool {
    let now = app.now();
    let again = |first: UnixTime| now < first.plus(REQUEST_OBJECT_S);
    now < request.expires_at
        && app.identity.signing().is_some()
        && is_ours(app, request)
        && (now < request.fetch_until || request.fetched_at.is_some_and(again))
}

/// Parsed secrets of a question.
pub struct Opened {
    /// `nonce`.
    pub nonce: Nonce,
    /// `state`.
    pub state: State,
    /// Opens the answer.
    pub key: AgreementKey,
    /// Who asked.
    pub client_id: VerifierId,
}

/// Parses the secrets of a question.
pub fn open(app: &Parts, request: &PresentationRequest) -> Result<Opened, AskError> {
    let RequestSecrets {
        nonce,
        state,
        agreement_key,
        client_id,
        notice: _,
    } = &request.secrets;
    let client_id = match client_id {
        Some(named) => VerifierId::of_ours(named).map_err(|_| AskError::Secrets)?,
        None => app.identity.client_id(&response_uri(app, &request.id)),
    };
    let key = b64url_decode(agreement_key).map_err(|_| AskError::Secrets)?;
    Ok(Opened {
        nonce: Nonce::parse(nonce).map_err(|_| AskError::Secrets)?,
        state: State::parse(state).map_err(|_| AskError::Secrets)?,
        key: AgreementKey::from_bytes(&key)?,
        client_id,
    })
}

/// The person sees in the wallet which application asks, and from where (catalogue 316).
async fn client_name(app: &Parts, login: &Login) -> Result<LocalizedText, AskError> {
    // What fills an attribute goes to the account.
    let own = run::from_wallet(app, login).and(app.settings.account_client.clone());
    let client = match own {
        Some(own) => Some(own),
        None => app.asker(&login.request).await?,
    };
    let client = client.ok_or(AskError::Gone)?;
    let shown = |name: &str| match &client.host {
        Some(host) => format!("{name} ({host})"),
        None => name.to_owned(),
    };
    let names = client.name.translations.iter();
    Ok(LocalizedText {
        default: shown(&client.name.default),
        translations: names
            .map(|(tag, name)| (tag.clone(), shown(name)))
            .collect(),
    })
}

/// Signs the request object of a question.
pub async fn request_object(
    app: &Parts,
    request: &PresentationRequest,
    login: &Login,
    wallet_nonce: Option<&str>,
) -> Result<String, AskError> {
    let Asking {
        query,
        question,
        transaction_data,
        ..
    } = query_of(app, login).await?;
    let client_name = client_name(app, login).await?;
    let opened = open(app, request)?;
    let response_uri = response_uri(app, &request.id);
    let object = NewRequest {
        response_uri: &response_uri,
        nonce: &opened.nonce,
        state: &opened.state,
        query: &question,
        transaction_data: &transaction_data,
        encryption_key: opened.key.public_key(),
        client_name: Some(&client_name),
        purpose: Some(&query.purpose),
        issued_at: app.now(),
        lifetime_s: REQUEST_OBJECT_S,
        wallet_nonce,
    };
    Ok(sign_request(&object, signing(app)?, app.request_signer.as_ref()).await?)
}

/// Whether the question may be put to another device: the application allows it, and what it
/// demands can be reached that way.
#[must_use]
pub fn cross_device_allowed(client: &Client, request: &LoginRequest) -> bool {
    let wish = AcrWish::new(&request.essential_acr, !request.essential_acr.is_empty());
    client.cross_device && wish.permits(Acr::CredentialCrossDevice)
}
