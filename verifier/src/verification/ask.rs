//! The wallet's first step: the signed request object of a question over REST.

use vouchsafe_credentials::crypto::AgreementKey;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_protocol::vp::request::{NewRequest, sign_request, unsigned_link};
use vouchsafe_protocol::vp::values::{LocalizedText, Nonce, State};

use super::log_id;
use crate::app::Parts;
use crate::domain::ids::RequestId;
use crate::domain::verification::{Asked, Pending, Secrets, Verification};
use crate::login::REQUEST_OBJECT_S;
use crate::login::ask::{AskError, Opened, response_uri, signing};
use crate::login::link::by_reference;
use crate::store::{StoreError, verifications};

/// The request object of the question with this id; `None` if there is none to be answered.
pub async fn request_object(
    app: &Parts,
    request: &RequestId,
    wallet_nonce: Option<&str>,
) -> Result<Option<String>, AskError> {
    // Where nothing is signed, nothing is fetched.
    if app.identity.signing().is_none() {
        return Ok(None);
    }
    let Some(pending) = pending(app, request).await? else {
        return Ok(None);
    };
    let asked = &pending.asked;
    let Some(caller) = app.settings.verifications.caller(asked.caller.as_str()) else {
        return Ok(None);
    };
    let opened = open(app, request, &pending.secrets)?;
    // The person sees in the wallet who asks, from where, and why (catalogue 316).
    let client_name = LocalizedText {
        default: caller.shown(),
        translations: std::collections::BTreeMap::new(),
    };
    let object = NewRequest {
        response_uri: &response_uri(app, request),
        nonce: &opened.nonce,
        state: &opened.state,
        query: &asked.dcql,
        transaction_data: &[],
        encryption_key: opened.key.public_key(),
        client_name: Some(&client_name),
        purpose: Some(&asked.purpose),
        issued_at: app.now(),
        lifetime_s: REQUEST_OBJECT_S.min(asked.expires_at.since(app.now())),
        wallet_nonce,
    };
    let object = sign_request(&object, signing(app)?, app.request_signer.as_ref()).await?;
    if pending.fetched_at.is_none() {
        let (id, now) = (asked.id.clone(), app.now());
        app.db
            .write(async move |tx| verifications::mark_fetched(tx, &id, now).await)
            .await
            .map_err(StoreError::from)?;
        app.verification_changes.announce(&asked.id);
    }
    // Catalogue 319: every fetch is on record.
    tracing::info!(
        verification = log_id(&asked.id),
        again = pending.fetched_at.is_some(),
        "request object fetched"
    );
    Ok(Some(object))
}

/// The verification of this question, if a wallet may answer it now.
pub(super) async fn pending(
    app: &Parts,
    request: &RequestId,
) -> Result<Option<Pending>, StoreError> {
    if !app.settings.verifications.enabled() {
        return Ok(None);
    }
    let now = app.now();
    let found = verifications::find_by_request(&app.db, &app.vault, request, now).await?;
    Ok(match found {
        Some(Verification::Pending(pending)) if now < pending.asked.expires_at => Some(pending),
        Some(
            Verification::Pending(_)
            | Verification::Answered(_)
            | Verification::Verified(_)
            | Verification::Failed(_),
        )
        | None => None,
    })
}

/// The link that opens a wallet with this question.
pub(super) fn link(app: &Parts, asked: &Asked, secrets: &Secrets) -> Result<String, AskError> {
    let endpoint = &app.settings.wallet_endpoint;
    if let Some(identity) = app.identity.signing() {
        return Ok(by_reference(app, identity, &asked.request, endpoint));
    }
    let opened = open(app, &asked.request, secrets)?;
    let object = NewRequest {
        response_uri: &response_uri(app, &asked.request),
        nonce: &opened.nonce,
        state: &opened.state,
        query: &asked.dcql,
        transaction_data: &[],
        encryption_key: opened.key.public_key(),
        client_name: None,
        purpose: None,
        issued_at: asked.created_at,
        lifetime_s: REQUEST_OBJECT_S,
        wallet_nonce: None,
    };
    Ok(unsigned_link(&object, endpoint))
}

/// Parses the secrets of a question.
pub(super) fn open(
    app: &Parts,
    request: &RequestId,
    secrets: &Secrets,
) -> Result<Opened, AskError> {
    let Secrets {
        nonce,
        state,
        agreement_key,
    } = secrets;
    let key = b64url_decode(agreement_key).map_err(|_| AskError::Secrets)?;
    Ok(Opened {
        nonce: Nonce::parse(nonce).map_err(|_| AskError::Secrets)?,
        state: State::parse(state).map_err(|_| AskError::Secrets)?,
        key: AgreementKey::from_bytes(&key)?,
        client_id: app.identity.client_id(&response_uri(app, request)),
    })
}
