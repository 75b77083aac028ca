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

/// A copy of a card: a wallet holds several, to show each to one party only.
#[derive(Clone, Debug, Deserialize)]
struct Copy {
    id: String,
    offer_id: String,
    credential_type: String,
    status: String,
    issued_at: Timestamp,
}

/// A card that the club has issued, with all its copies.
#[derive(Clone, Debug)]
pub struct Card {
    /// The offer that it came from.
    pub offer: String,
    /// The identifier of its type: `membership`.
    pub credential_type: String,
    /// `valid`, `suspended`, `revoked`: that of the best copy.
    pub status: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The issuer's identifiers of the copies that are not revoked.
    pub copies: Vec<String>,
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
            items: Vec<Copy>,
        }
        let page: Page = self
            .call(http, "GET", "/v1/credentials?limit=200", None)
            .await?;
        Ok(grouped(page.items))
    }

    /// Revokes every copy of the card of an offer.
    pub(crate) async fn revoke(&self, http: &Http, offer: &str) -> Result<(), ClubError> {
        let cards = self.cards(http).await?;
        let copies = cards
            .into_iter()
            .filter(|card| card.offer == offer)
            .flat_map(|card| card.copies);
        for id in copies {
            let path = format!("/v1/credentials/{id}/revoke");
            let _: Value = self.call(http, "POST", &path, Some(json!({}))).await?;
        }
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

/// One card for each offer, in the order of the list.
fn grouped(copies: Vec<Copy>) -> Vec<Card> {
    let mut cards: Vec<Card> = Vec::new();
    for Copy {
        id,
        offer_id,
        credential_type,
        status,
        issued_at,
    } in copies
    {
        let live = (status != "revoked").then_some(id);
        match cards.iter_mut().find(|card| card.offer == offer_id) {
            Some(card) => {
                if status == "valid" {
                    card.status = status;
                }
                card.copies.extend(live);
            }
            None => cards.push(Card {
                offer: offer_id,
                credential_type,
                status,
                issued_at,
                copies: live.into_iter().collect(),
            }),
        }
    }
    cards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_one_offer_are_one_card() {
        let copy = |id: &str, offer: &str, status: &str| Copy {
            id: id.into(),
            offer_id: offer.into(),
            credential_type: "membership".into(),
            status: status.into(),
            issued_at: Timestamp::UNIX_EPOCH,
        };
        let cards = grouped(vec![
            copy("1", "a", "revoked"),
            copy("2", "a", "valid"),
            copy("3", "b", "revoked"),
        ]);
        assert_eq!(cards.len(), 2);
        assert_eq!(
            (cards[0].status.as_str(), cards[0].copies.as_slice()),
            ("valid", &["2".to_owned()][..])
        );
        assert_eq!(
            (cards[1].status.as_str(), cards[1].copies.len()),
            ("revoked", 0)
        );
    }
}
