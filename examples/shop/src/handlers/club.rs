//! The club's counter: get a proof of age or a membership card, and, behind
//! the counter, revoke a card.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use openidconnect::CsrfToken;
use serde::Deserialize;
use serde_json::json;
use vouchsafe_pages::qr;

use super::{from_our_page, page, problem, see_other};
use crate::Shop;
use crate::club::{Application, Card};

/// What the person wants at the counter.
#[derive(Deserialize)]
pub struct Wish {
    card: String,
    #[serde(default)]
    tier: String,
}

/// `GET /club`.
pub async fn counter(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    if shop.parts.config.club.is_none() {
        return problem(&shop, &headers, StatusCode::NOT_FOUND, "not-found");
    }
    page(&shop, &headers, "club", json!({}))
}

/// `POST /club/offers`: makes an offer and shows it as a link and as a QR code.
pub async fn offer(
    State(shop): State<Shop>,
    headers: HeaderMap,
    Form(Wish { card, tier }): Form<Wish>,
) -> Response {
    if !from_our_page(&shop, &headers) {
        return problem(&shop, &headers, StatusCode::FORBIDDEN, "other-browser");
    }
    let Some(club) = &shop.parts.config.club else {
        return problem(&shop, &headers, StatusCode::NOT_FOUND, "not-found");
    };
    let http = &shop.parts.http;
    let offer = match card.as_str() {
        "age" => club.offer_age_proof(http).await,
        "membership" => {
            let member_id = format!("M-{}", CsrfToken::new_random_len(9).secret());
            club.offer_membership(http, &member_id, &Application { tier })
                .await
        }
        _ => return problem(&shop, &headers, StatusCode::BAD_REQUEST, "not-found"),
    };
    let offer = match offer {
        Ok(offer) => offer,
        Err(error) => {
            tracing::warn!(%error, "the issuer made no offer");
            return problem(&shop, &headers, StatusCode::BAD_GATEWAY, "issuer");
        }
    };
    let link = shop.parts.config.wallet_link(&offer.link);
    let Ok(code) = qr::svg(&offer.link) else {
        return problem(&shop, &headers, StatusCode::BAD_GATEWAY, "issuer");
    };
    page(
        &shop,
        &headers,
        "offer",
        json!({ "card": card, "link": link, "uri": offer.link, "qr": code }),
    )
}

/// `GET /club/cards`: behind the counter.
pub async fn cards(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    let Some(club) = &shop.parts.config.club else {
        return problem(&shop, &headers, StatusCode::NOT_FOUND, "not-found");
    };
    match club.cards(&shop.parts.http).await {
        Ok(cards) => {
            let members = cards
                .into_iter()
                .filter(|card| card.credential_type == "membership");
            let rows: Vec<_> = members
                .map(
                    |Card {
                         offer,
                         credential_type: _,
                         status,
                         issued_at,
                         copies: _,
                     }| {
                        json!({ "id": offer, "status": status, "issued_at": issued_at.as_second() })
                    },
                )
                .collect();
            page(&shop, &headers, "cards", json!({ "cards": rows }))
        }
        Err(error) => {
            tracing::warn!(%error, "the issuer lists no cards");
            problem(&shop, &headers, StatusCode::BAD_GATEWAY, "issuer")
        }
    }
}

/// `POST /club/cards/{id}/revoke`.
pub async fn revoke(
    State(shop): State<Shop>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let known = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !from_our_page(&shop, &headers) || !known {
        return problem(&shop, &headers, StatusCode::FORBIDDEN, "other-browser");
    }
    let Some(club) = &shop.parts.config.club else {
        return problem(&shop, &headers, StatusCode::NOT_FOUND, "not-found");
    };
    match club.revoke(&shop.parts.http, &id).await {
        Ok(()) => see_other("/club/cards", &[]),
        Err(error) => {
            tracing::warn!(%error, "the issuer did not revoke");
            problem(&shop, &headers, StatusCode::BAD_GATEWAY, "issuer")
        }
    }
}
