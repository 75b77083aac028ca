//! `POST /v1/credentials/{id}/renew`: a new offer in the place of a credential.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use vouchsafe_service::db::Tx;

use super::body::{self, Payload};
use super::caller::{Call, Scope};
use super::change::{if_match, locked};
use super::error::{ApiError, Problem};
use super::idempotent::{self, Reply};
use super::offers_create::{CreatedOffer, created};
use super::views::{Grant, record_name};
use crate::author::Author;
use crate::claims::{self, Origin};
use crate::core::Core;
use crate::domain::credential::{ChangeError, Credential, CredentialStatus};
use crate::domain::ids::CredentialId;
use crate::lifecycle;
use crate::paths::{ADMIN_OFFERS, ADMIN_RENEW};
use crate::prepare::{self, PreparedOffer, Wanted};
use crate::store::{credentials, renewals};

/// How a credential is renewed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewCredential {
    /// What the new credential will say. May be left out while the offer of the old one keeps its
    /// claims, that is, as long as it can be redeemed once more, and where the type has a claims
    /// source.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Value>>)]
    claims: Option<Map<String, Value>>,
    /// How the person gets it.
    grant: Grant,
    /// Whether the person must also type a transaction code in the wallet. For
    /// `pre_authorized_code` alone.
    #[serde(default)]
    tx_code: bool,
    /// Whether the person may begin in the wallet. For `authorization_code` alone.
    #[serde(default)]
    wallet_initiated: bool,
    /// How long the offer is open, in seconds, as for offers.
    expires_in_s: Option<i64>,
    /// Whether you look at it once more before it is issued.
    #[serde(default)]
    hold: bool,
}

/// Offer a new credential in the place of this one.
///
/// The offer is for the same record and type, in the newest version of the type. The old credential,
/// with the copies that came in the same redemption, stays as it is until the new one is issued; in
/// that moment it is superseded. An earlier renewal that was not issued yet is closed. Valid and
/// expired credentials can be renewed, once.
#[utoipa::path(
    post, path = ADMIN_RENEW, tag = "credentials", operation_id = "renew_credential",
    request_body = RenewCredential,
    params(
        ("id" = String, Path, description = "The credential"),
        ("If-Match" = Option<String>, Header, description = "Only if the version is still this one"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe"),
    ),
    responses(
        (status = 201, description = "The offer; codes are shown this once", body = CreatedOffer),
        (status = 400, description = "Not strict JSON of this form", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `credentials:write` or `offers:write`", body = Problem),
        (status = 404, description = "No such credential", body = Problem),
        (status = 409, description = "The present status does not allow it", body = Problem),
        (status = 412, description = "Another version", body = Problem),
        (status = 415, description = "Not `application/json`", body = Problem),
        (status = 422, description = "The claims are needed, or do not fit the type", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Path(id): Path<String>,
    Payload(bytes): Payload,
) -> Result<Reply, ApiError> {
    call.require(Scope::CredentialsWrite)?;
    call.require(Scope::OffersWrite)?;
    let id = CredentialId::parse(&id).map_err(|_| ApiError::NotFound)?;
    let key = idempotent::key(&headers)?;
    let expected = if_match(&headers)?;
    let wire: RenewCredential = body::read(&headers, &bytes)?;
    let content = idempotent::content(&format!("{id} renew"), &bytes);
    if let Some(reply) = idempotent::kept(&call, key.as_deref(), &content).await? {
        return Ok(reply);
    }
    let old = credentials::find(&call.core.db, &id).await?;
    let old = old.ok_or(ApiError::NotFound)?;
    call.core.types.refresh(&call.core).await?;
    let prepared = prepare::prepare(&call.core, wanted(&call, &old, wire).await?);
    let prepared = prepared?.in_place_of(&id);
    let offer = prepared.new.offer.id.clone();
    let reply = Reply {
        location: Some(format!("{ADMIN_OFFERS}/{offer}")),
        ..Reply::json(StatusCode::CREATED, &created(&call.core, &prepared))?
    };
    let (core, author) = (call.core.clone(), call.author());
    idempotent::run(&call, key, content, async move |tx| {
        store(&core, tx, &author, &id, expected.as_deref(), &prepared).await?;
        Ok(reply.clone())
    })
    .await
}

/// Stores the offer that is made in the place of a credential, in the transaction of the caller: the
/// API and the console. `expected` is the entity tag of the version that the caller saw.
pub async fn store(
    core: &Core,
    tx: &mut Tx,
    author: &Author,
    id: &CredentialId,
    expected: Option<&str>,
    prepared: &PreparedOffer,
) -> Result<(), ApiError> {
    let found = locked(tx, id, None, expected).await?;
    found.check_renewable()?;
    if lifecycle::is_card_suspended(tx, &found).await? {
        return Err(ChangeError(CredentialStatus::Suspended).into());
    }
    renewals::end_of(tx, id, core.clock.now()).await?;
    prepare::store(tx, prepared).await?;
    let detail = format!("offer {}", prepared.new.offer.id);
    let target = id.as_str();
    author
        .audit(core, tx, "credential.renew", target, &detail)
        .await?;
    Ok(())
}

async fn wanted(call: &Call, old: &Credential, wire: RenewCredential) -> Result<Wanted, ApiError> {
    let RenewCredential {
        claims,
        grant,
        tx_code,
        wallet_initiated,
        expires_in_s,
        hold,
    } = wire;
    let record = record_name(&call.core, &old.record).await?;
    Ok(Wanted {
        record_id: record.ok_or(ApiError::Internal("a credential has no record"))?,
        credential_type: old.credential_type.clone(),
        claims: match claims {
            Some(claims) => Some(claims),
            None => known_claims(&call.core, old).await?,
        },
        grant: grant.into(),
        tx_code,
        wallet_initiated,
        redemptions: 1,
        expires_in_s,
        hold,
    })
}

/// The claims that a renewal has where nobody says them: none where the source of the type is asked
/// when the new credential is issued, otherwise those that the offer of the old one still keeps.
pub async fn known_claims(
    core: &Core,
    old: &Credential,
) -> Result<Option<Map<String, Value>>, ApiError> {
    let source = core.settings.claims_source(&old.credential_type);
    if source.is_some() {
        return Ok(None);
    }
    let sealed = renewals::kept_claims(&core.db, &old.offer).await?;
    let sealed = sealed.ok_or(ApiError::ClaimsNeeded)?;
    let opened = claims::open_from_offer(core, &old.offer, &sealed);
    let opened = opened.map_err(|_| ApiError::Internal("kept claims do not open"))?;
    match opened {
        Origin::Here(claims) => Ok(Some(claims.0)),
        // The source was taken away since.
        Origin::Source(_) => Err(ApiError::ClaimsNeeded),
    }
}
