//! The issuer's REST interface, as an organisation's own system uses it.

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// A client with an API key.
#[derive(Clone, Debug)]
pub struct Admin {
    client: Client,
    issuer: String,
    key: String,
}

/// A prepared card.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its id.
    pub id: String,
    /// What the person opens in the wallet.
    pub link: String,
    /// Where the offer by reference stands.
    pub uri: String,
    /// To be typed in the wallet.
    pub tx_code: Option<String>,
    /// To be typed on the issuer's page.
    pub one_time_code: Option<String>,
}

impl Offer {
    /// Of an answer that tells of a new offer.
    pub fn from_answer(value: &Value) -> Result<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Ok(Self {
            id: text("id").context("no id")?,
            link: text("link").context("no link")?,
            uri: text("credential_offer_uri").context("no address")?,
            tx_code: text("tx_code"),
            one_time_code: text("one_time_code"),
        })
    }
}

impl Admin {
    /// A client of the issuer at `issuer`.
    pub fn new(client: Client, issuer: &str, key: &str) -> Self {
        Self {
            client,
            issuer: issuer.to_owned(),
            key: key.to_owned(),
        }
    }

    /// Any call; gives status and body.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value)> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.issuer))
            .bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let value = serde_json::from_str(&text).with_context(|| format!("{status}: {text}"))?;
        Ok((status, value))
    }

    async fn good(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, value) = self.call(method, path, body).await?;
        ensure!((200..300).contains(&status), "{path}: {status} {value}");
        Ok(value)
    }

    /// Prepares a card of any type.
    pub async fn offer(&self, body: &Value) -> Result<Offer> {
        Offer::from_answer(&self.good(Method::POST, "/v1/offers", Some(body)).await?)
    }

    /// Prepares a card in a way that may be repeated under the same key;
    /// gives status and body.
    pub async fn offer_once(&self, key: &str, body: &Value) -> Result<(u16, Value)> {
        let request = self
            .client
            .post(format!("{}/v1/offers", self.issuer))
            .bearer_auth(&self.key)
            .header("idempotency-key", key);
        let response = request.json(body).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// Prepares a proof of age.
    pub async fn offer_age(&self, record: &str) -> Result<Offer> {
        self.offer(&json!({
            "record_id": record,
            "credential_type": "age",
            "claims": { "age_equal_or_over": { "12": true, "18": true, "21": false } },
            "grant": "pre_authorized_code",
        }))
        .await
    }

    /// Prepares a membership card; all members are gold until the same day.
    pub async fn offer_membership(&self, member: &str) -> Result<Offer> {
        self.offer(&membership(member)).await
    }

    /// Credentials of a record, the latest first.
    pub async fn credentials(&self, record: &str) -> Result<Vec<Value>> {
        let path = format!("/v1/credentials?limit=200&record_id={record}");
        let page = self.good(Method::GET, &path, None).await?;
        page["items"].as_array().cloned().context("no items")
    }

    /// Suspends, resumes or revokes every credential of a record.
    pub async fn change(&self, record: &str, verb: &str) -> Result<()> {
        let credentials = self.credentials(record).await?;
        ensure!(!credentials.is_empty(), "{record} has no credential");
        for credential in credentials {
            let id = credential["id"].as_str().context("no id")?;
            let response = self
                .client
                .post(format!("{}/v1/credentials/{id}/{verb}", self.issuer))
                .bearer_auth(&self.key)
                .header("if-match", format!("\"{}\"", credential["version"]))
                .send()
                .await?;
            let status = response.status();
            ensure!(
                status.is_success(),
                "{verb}: {status} {}",
                response.text().await?
            );
        }
        Ok(())
    }
}

/// The body of an offer of a membership card.
pub fn membership(member: &str) -> Value {
    json!({
        "record_id": format!("crm-{member}"),
        "credential_type": "membership",
        "claims": {
            "member_id": member,
            "tier": "gold",
            "valid_from": "2026-01-01",
            "valid_until": "2027-12-31",
        },
        "grant": "pre_authorized_code",
    })
}
