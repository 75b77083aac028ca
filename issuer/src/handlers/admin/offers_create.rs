//! `POST /v1/offers`: an organisation prepares a credential for a person.

use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::{self, Payload};
use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::{self, Reply};
use super::views::{Grant, OfferView};
use crate::core::Core;
use crate::domain::offer::GrantKind;
use crate::links::OfferLinks;
use crate::paths::ADMIN_OFFERS;
use crate::prepare::{self, PreparedOffer, Wanted};

/// What an organisation asks for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOffer {
    /// Your own identifier of the person's record, 1 to 256 bytes. Offers with the same
    /// identifier belong to the same record, so a card that is issued again can be found.
    /// Kept sealed; it does not become part of the credential.
    #[schema(example = "crm-4711")]
    record_id: String,
    /// The credential type.
    #[schema(example = "membership")]
    credential_type: String,
    /// What the credential will say. Kept sealed until it is issued, then deleted. Leave it out
    /// where the type has a claims source: it is asked when the credential is issued.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Value>>)]
    claims: Option<Map<String, Value>>,
    /// How the person gets it.
    grant: Grant,
    /// Whether the person must also type a transaction code in the wallet. For
    /// `pre_authorized_code` alone.
    #[serde(default)]
    tx_code: bool,
    /// Whether the person may begin in the wallet, without the link: the one-time code then has
    /// sixteen characters. For `authorization_code` alone.
    #[serde(default)]
    wallet_initiated: bool,
    /// How often the offer may be redeemed, 1 to 1000: for a household, a team, a test. Default: 1. With `hold` it is 1.
    #[serde(default = "once")]
    redemptions: i64,
    /// How long the offer is open, in seconds. Default: 10 minutes for `pre_authorized_code`,
    /// 7 days for `authorization_code`; 30 days at most.
    expires_in_s: Option<i64>,
    /// Whether you look at it once more before it is issued: the wallet is told to come back, and
    /// gets the credential after `approve`, or a refusal after `deny`.
    #[serde(default)]
    hold: bool,
}

/// The offer, and its secrets for the only time.
#[derive(Serialize, ToSchema)]
pub struct CreatedOffer {
    /// The offer.
    #[serde(flatten)]
    offer: OfferView,
    /// Link that opens a wallet, with the offer by reference; short enough for a QR code.
    #[schema(example = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2F…")]
    link: String,
    /// Link that opens a wallet, with the offer by value.
    link_by_value: String,
    /// Where the offer by reference can be fetched.
    credential_offer_uri: String,
    /// Hand this to the person on another way than the link: typed in the wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "493536")]
    tx_code: Option<String>,
    /// Hand this to the person on another way than the link: typed on the issuer's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "7KQ4-M2XP")]
    one_time_code: Option<String>,
}

/// Prepare an offer.
#[utoipa::path(
    post, path = ADMIN_OFFERS, tag = "offers", operation_id = "create_offer",
    request_body = CreateOffer,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses(
        (status = 201, description = "The offer; codes are shown this once", body = CreatedOffer),
        (status = 400, description = "Not strict JSON of this form", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `offers:write`", body = Problem),
        (status = 415, description = "Not `application/json`", body = Problem),
        (status = 422, description = "The claims do not fit the type", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Payload(bytes): Payload,
) -> Result<Reply, ApiError> {
    call.require(Scope::OffersWrite)?;
    let key = idempotent::key(&headers)?;
    let wanted = parse(body::read(&headers, &bytes)?);
    let content = idempotent::content(ADMIN_OFFERS, &bytes);
    if let Some(reply) = idempotent::kept(&call, key.as_deref(), &content).await? {
        return Ok(reply);
    }
    call.core.types.refresh(&call.core).await?;
    let prepared = prepare::prepare(&call.core, wanted)?;
    let reply = reply(&call, &prepared)?;
    let (core, author) = (call.core.clone(), call.author());
    idempotent::run(&call, key, content, async move |tx| {
        prepare::create(&core, tx, &author, &prepared).await?;
        Ok(reply.clone())
    })
    .await
}

fn parse(wire: CreateOffer) -> Wanted {
    let CreateOffer {
        record_id,
        credential_type,
        claims,
        grant,
        tx_code,
        wallet_initiated,
        redemptions,
        expires_in_s,
        hold,
    } = wire;
    Wanted {
        record_id,
        credential_type,
        claims,
        grant: grant.into(),
        tx_code,
        wallet_initiated,
        redemptions,
        expires_in_s,
        hold,
    }
}

const fn once() -> i64 {
    1
}

/// The offer with its links and codes, for the one answer that shows them.
pub fn created(core: &Core, prepared: &PreparedOffer) -> CreatedOffer {
    let offer = &prepared.new.offer;
    let links = OfferLinks::new(core, offer, &prepared.reference);
    let (tx_code, one_time_code) = match offer.grant {
        GrantKind::PreAuthorizedCode => (prepared.code.clone(), None),
        GrantKind::AuthorizationCode => (None, prepared.code.clone()),
    };
    CreatedOffer {
        offer: OfferView::new(offer, offer.created_at),
        link: links.by_reference,
        link_by_value: links.by_value,
        credential_offer_uri: links.offer_uri,
        tx_code,
        one_time_code,
    }
}

fn reply(call: &Call, prepared: &PreparedOffer) -> Result<Reply, ApiError> {
    let body = created(&call.core, prepared);
    let location = format!("{ADMIN_OFFERS}/{}", prepared.new.offer.id);
    Ok(Reply {
        location: Some(location),
        ..Reply::json(StatusCode::CREATED, &body)?
    })
}
