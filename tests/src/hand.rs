//! Issuance step by step over plain HTTP: for races, for clients that are
//! killed half-way, and for wallets that lie.

use anyhow::{Context, Result, ensure};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::oauth::token::PRE_AUTHORIZED_CODE;
use vouchsafe_protocol::vci::proof::{self, ProofFor};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;

use crate::admin::Offer;
use crate::world::World;

/// The wallet's side of issuance.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Plain HTTP.
    pub client: Client,
    /// The issuer.
    pub issuer: String,
    /// Where it is reached; its own address or a proxy's.
    pub address: String,
}

/// Sends fields as a form.
pub fn form_body(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    request
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
}

/// A fresh key of a wallet.
pub fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &OsRandom)
}

impl Hand {
    /// A wallet of this world.
    pub fn of(world: &World) -> Self {
        Self {
            client: world.client.clone(),
            issuer: world.issuer_url.clone(),
            address: world.issuer_url.clone(),
        }
    }

    /// The pre-authorized code of an offer.
    pub async fn code(&self, offer: &Offer) -> Result<String> {
        Self::code_of(&self.offer(offer).await?.1)
    }

    /// Reads an offer by reference; gives status and body.
    pub async fn offer(&self, offer: &Offer) -> Result<(u16, Value)> {
        let path = offer.uri.strip_prefix(&self.issuer).context("elsewhere")?;
        let address = format!("{}{path}", self.address);
        let response = self.client.get(address).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// The pre-authorized code in an offer that was read.
    pub fn code_of(offer: &Value) -> Result<String> {
        offer["grants"][PRE_AUTHORIZED_CODE]["pre-authorized_code"]
            .as_str()
            .map(str::to_owned)
            .context("no pre-authorized code")
    }

    /// Redeems a pre-authorized code; gives status and body.
    pub async fn token(&self, code: &str, tx_code: Option<&str>) -> Result<(u16, Value)> {
        let mut form = vec![
            ("grant_type", PRE_AUTHORIZED_CODE),
            ("pre-authorized_code", code),
        ];
        form.extend(tx_code.map(|code| ("tx_code", code)));
        let request = self.client.post(format!("{}/token", self.address));
        let response = form_body(request, &form).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// A fresh nonce.
    pub async fn nonce(&self) -> Result<String> {
        let request = self.client.post(format!("{}/nonce", self.address));
        let answer: Value = request.send().await?.json().await?;
        answer["c_nonce"]
            .as_str()
            .map(str::to_owned)
            .context("no nonce")
    }

    /// Asks for one credential of a type, bound to `key`.
    pub async fn credential(
        &self,
        token: &str,
        kind: &str,
        key: &SigningKey,
    ) -> Result<(u16, Value)> {
        let nonce = self.nonce().await?;
        self.credential_with(&nonce, token, kind, key).await
    }

    /// The same with a nonce of before.
    pub async fn credential_with(
        &self,
        nonce: &str,
        token: &str,
        kind: &str,
        key: &SigningKey,
    ) -> Result<(u16, Value)> {
        let proof = ProofFor {
            issuer: &self.issuer,
            client_id: None,
            nonce: Some(nonce),
        };
        let proof = proof::build(&proof, key, SystemClock.now()).await?;
        let response = self
            .client
            .post(format!("{}/credential", self.address))
            .bearer_auth(token)
            .json(&json!({
                "credential_configuration_id": kind,
                "proofs": { "jwt": [proof] },
            }))
            .send()
            .await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// The whole way, without a word on failures: an access token.
    pub async fn access_token(&self, offer: &Offer) -> Result<String> {
        let code = self.code(offer).await?;
        let (status, body) = self.token(&code, offer.tx_code.as_deref()).await?;
        ensure!(status == 200, "{status} {body}");
        body["access_token"]
            .as_str()
            .map(str::to_owned)
            .context("no access token")
    }

    /// The whole way to a credential in compact form.
    pub async fn take(&self, offer: &Offer, kind: &str, key: &SigningKey) -> Result<String> {
        let token = self.access_token(offer).await?;
        let (status, body) = self.credential(&token, kind, key).await?;
        ensure!(status == 200, "{status} {body}");
        compact(&body)
    }
}

/// The first credential of a response.
pub fn compact(body: &Value) -> Result<String> {
    body["credentials"][0]["credential"]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("no credential: {body}"))
}

/// `uri#index` of a credential, read without any check.
pub fn status_of(compact: &str) -> Result<String> {
    let payload = compact.split('.').nth(1).context("no payload")?;
    let payload = vouchsafe_credentials::encoding::b64url_decode(payload)?;
    let payload: Value = serde_json::from_slice(&payload)?;
    let status = &payload["status"]["status_list"];
    Ok(format!(
        "{}#{}",
        status["uri"].as_str().context("no status")?,
        status["idx"]
    ))
}
