//! A person who takes the card of a run.

use anyhow::{Context, Result, ensure};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_issuer::Issuer;

use super::runs::{Auth, Begin, Run};

/// A person for one run.
pub struct Person {
    /// What is typed: on the issuer's page, or in the wallet.
    pub code: String,
    /// The parameters that open a wallet with the offer, where the run begins so.
    pub offer: Option<String>,
}

/// Prepares a card that may be taken a thousand times.
pub async fn test_person(issuer: &Issuer, key: &str, run: &Run) -> Result<Person> {
    let mut body = json!({
        "record_id": format!("test-person-{}", run.name),
        "credential_type": run.kind(),
        "claims": claims(run.kind()),
        "redemptions": 1000,
        "expires_in_s": 30 * 86_400,
    });
    let name = match run.begin {
        Begin::PreAuthorized => {
            body["grant"] = json!("pre_authorized_code");
            body["tx_code"] = json!(true);
            "tx_code"
        }
        // The modules of FAPI 2.0 have no offer, whatever was chosen.
        Begin::Wallet | Begin::Offer => {
            body["grant"] = json!("authorization_code");
            body["wallet_initiated"] = json!(true);
            "one_time_code"
        }
    };
    let offer = post(issuer, key, &body).await?;
    let text = |name: &str| {
        let text = offer[name].as_str().map(str::to_owned);
        text.with_context(|| format!("the offer has no {name}"))
    };
    // By reference, and once by value.
    let link = match (run.begin, run.auth) {
        (Begin::Wallet, _) => None,
        (Begin::Offer, Auth::Key) => Some(text("link_by_value")?),
        (Begin::Offer | Begin::PreAuthorized, _) => Some(text("link")?),
    };
    let parameters = |link: String| Some(link.split_once('?')?.1.to_owned());
    Ok(Person {
        code: text(name)?,
        offer: link.and_then(parameters),
    })
}

/// Makes an offer.
pub async fn post(issuer: &Issuer, key: &str, body: &Value) -> Result<Value> {
    let request = Request::post("/v1/offers")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))?;
    let response = issuer.router().oneshot(request).await?;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await?;
    ensure!(
        status.is_success(),
        "{status} {}",
        String::from_utf8_lossy(&bytes)
    );
    Ok(serde_json::from_slice(&bytes)?)
}

/// What the cards of a type say.
pub fn claims(kind: &str) -> Value {
    match kind {
        "pid" => json!({
            "family_name": "Ödman", "given_name": "Åsa", "birthdate": "1990-02-28",
            "nationalities": ["SE"], "issuing_country": "SE", "issuing_authority": "Conformance",
            "place_of_birth": { "country": "SE", "locality": "Umeå" },
            "date_of_expiry": "2035-05-01",
        }),
        _ => json!({
            "family_name": "Ödman", "given_name": "Åsa", "birth_date": "1990-02-28",
            "issue_date": "2020-05-01", "expiry_date": "2035-05-01", "issuing_country": "SE",
            "issuing_authority": "Conformance", "document_number": "D-1",
            "portrait": b64url(&[0xff, 0xd8, 0xff, 0xe0, 0, 16]),
            "driving_privileges": [{ "vehicle_category_code": "B", "issue_date": "2010-05-01" }],
            "un_distinguishing_sign": "S", "age_over_18": true,
        }),
    }
}
