//! The club's counter: what an organisation's own system does with the
//! issuer's REST interface.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;

use crate::config::Club;
use crate::http::{Http, HttpError};

/// An offer that a wallet can accept.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Offer {
    /// The link that a wallet understands, with the offer by reference.
    pub link: String,
}

/// A card that the club has issued.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Card {
    /// The issuer's identifier of the card.
    pub id: String,
    /// The identifier of its type: `membership`.
    pub credential_type: String,
    /// `valid`, `suspended`, `revoked`.
    pub status: String,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// The issuer did not do what the counter asked.
#[derive(Debug, thiserror::Error)]
pub enum ClubError {
    /// It could not be reached.
    #[error("the issuer cannot be reached")]
    Http(#[from] HttpError),
    /// It refused.
    #[error("the issuer answered {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The clock shows a year that no calendar has.
    #[error("the clock is wrong")]
    Clock,
    /// It answered something else than its interface promises.
    #[error("the issuer's answer is not understood")]
    Answer(#[from] serde_json::Error),
}

/// The date until which a new membership is valid: `2027-11-23`.
fn in_a_year() -> Result<String, ClubError> {
    const YEAR: i64 = 365 * 86_400;
    let moment =
        Timestamp::from_second(SystemClock.now().0 + YEAR).map_err(|_| ClubError::Clock)?;
    Ok(moment.to_zoned_datetime(TimeZone::UTC).date().to_string())
}

/// What a new member tells the club.
#[derive(Clone, Debug, Deserialize)]
pub struct Application {
    /// `standard` or `gold`.
    pub tier: String,
}

impl Club {
    /// Offers a proof of age. The claims come from the club's own records.
    pub(crate) async fn offer_age_proof(&self, http: &Http) -> Result<Offer, ClubError> {
        let claims =
            json!({ "age_equal_or_over": { "14": true, "16": true, "18": true, "21": true } });
        self.offer(http, "age", "counter-age", claims).await
    }

    /// Offers a membership card to a new member.
    pub(crate) async fn offer_membership(
        &self,
        http: &Http,
        member_id: &str,
        application: &Application,
    ) -> Result<Offer, ClubError> {
        let tier = if application.tier == "gold" {
            "gold"
        } else {
            "standard"
        };
        let claims = json!({ "member_id": member_id, "tier": tier, "valid_until": in_a_year()? });
        self.offer(http, "membership", member_id, claims).await
    }

    /// The newest cards.
    pub(crate) async fn cards(&self, http: &Http) -> Result<Vec<Card>, ClubError> {
        #[derive(Deserialize)]
        struct Page {
            items: Vec<Card>,
        }
        let page: Page = self
            .call(http, "GET", "/v1/credentials?limit=50", None)
            .await?;
        Ok(page.items)
    }

    /// Revokes a card.
    pub(crate) async fn revoke(&self, http: &Http, id: &str) -> Result<(), ClubError> {
        let path = format!("/v1/credentials/{id}/revoke");
        let _: Value = self.call(http, "POST", &path, Some(json!({}))).await?;
        Ok(())
    }

    async fn offer(
        &self,
        http: &Http,
        kind: &str,
        record: &str,
        claims: Value,
    ) -> Result<Offer, ClubError> {
        let body = json!({
            "record_id": record,
            "credential_type": kind,
            "claims": claims,
            "grant": "pre_authorized_code",
        });
        self.call(http, "POST", "/v1/offers", Some(body)).await
    }

    async fn call<T: serde::de::DeserializeOwned>(
        &self,
        http: &Http,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, ClubError> {
        let url = format!("{}{path}", self.issuer.as_str().trim_end_matches('/'));
        let authorization = format!("Bearer {}", self.api_key.expose());
        let response = http
            .json(method, &url, &authorization, body.as_ref())
            .await?;
        if !response.status().is_success() {
            return Err(ClubError::Refused {
                status: response.status().as_u16(),
            });
        }
        Ok(serde_json::from_slice(response.body())?)
    }
}
