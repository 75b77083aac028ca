//! The wallet's first step: the signed request object of a question over REST.

use vouchsafe_credentials::crypto::AgreementKey;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_protocol::vp::request::{NewRequest, sign_request};
use vouchsafe_protocol::vp::values::{LocalizedText, Nonce, State};

use super::log_id;
use crate::app::Parts;
use crate::domain::ids::RequestId;
use crate::domain::verification::{Pending, Secrets, Verification};
use crate::login::REQUEST_OBJECT_S;
use crate::login::ask::{AskError, Opened, response_uri};
use crate::store::{StoreError, verifications};

/// The request object of the question with this id; `None` if there is none to be answered.
pub async fn request_object(
    app: &Parts,
    request: &RequestId,
    wallet_nonce: Option<&str>,
) -> Result<Option<String>, AskError> {
    let Some(pending) = pending(app, request).await? else {
        return Ok(None);
    };
    let asked = &pending.asked;
    let Some(caller) = app.settings.verifications.caller(asked.caller.as_str()) else {
        return Ok(None);
    };
    let opened = open(app, &pending.secrets)?;
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
    let object = sign_request(&object, &app.request_chain, app.request_signer.as_ref()).await?;
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

/// Parses the secrets of a question.
pub(super) fn open(app: &Parts, secrets: &Secrets) -> Result<Opened, AskError> {
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
        client_id: app.verifier_id.clone(),
    })
}
