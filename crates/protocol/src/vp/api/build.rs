//! The verifier's side: what a page hands to `navigator.credentials.get`.

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{PublicKey, Signer};
use vouchsafe_credentials::jws::{self, SignError};
use vouchsafe_credentials::time::UnixTime;

use super::{Origin, Protocol};
use crate::vp::dcql::DcqlQuery;
use crate::vp::metadata;
use crate::vp::request::{AUDIENCE, Identity, write_about};
use crate::vp::transaction_data::{self, TransactionData};
use crate::vp::values::{LocalizedText, Nonce};

/// All that goes into a request, whether it is signed or not. Response type `vp_token`.
#[derive(Clone, Copy, Debug)]
pub struct NewApiRequest<'a> {
    /// Fresh per request.
    pub nonce: &'a Nonce,
    /// What is asked for.
    pub query: &'a DcqlQuery,
    /// What the person is asked to authorise.
    pub transaction_data: &'a [TransactionData],
    /// Fresh per request: public half of the key that opens the answer (response mode
    /// `dc_api.jwt`). `None`: an answer that is not encrypted (`dc_api`), which HAIP 1.0 forbids.
    pub encryption_key: Option<&'a PublicKey>,
    /// How the asking service is called.
    pub client_name: Option<&'a LocalizedText>,
    /// Why it asks. Both texts travel in `verifier_info`.
    pub purpose: Option<&'a LocalizedText>,
}

/// One element of `requests` of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiOffer {
    /// How the request travels.
    pub protocol: Protocol,
    /// The `data` element.
    pub data: Value,
}

impl ApiOffer {
    /// The element, as the page hands it to the browser.
    pub fn to_json(&self) -> Value {
        let ApiOffer { protocol, data } = self;
        json!({ "protocol": protocol.name(), "data": data })
    }
}

/// Appendix A.3.1: the parameters are the members of `data`. `client_id` "MUST be omitted", and
/// `expected_origins` "is not for use in unsigned requests".
pub fn unsigned(request: &NewApiRequest<'_>) -> ApiOffer {
    ApiOffer {
        protocol: Protocol::Unsigned,
        data: Value::Object(parameters(request)),
    }
}

/// Appendix A.3.2.1: the parameters are the claims of a request object that stands in `request`.
/// `signer` has the key that the identity names. `origins` are those whose pages may hand the request
/// out.
///
/// # Errors
/// When the key cannot sign.
pub async fn signed(
    request: &NewApiRequest<'_>,
    origins: &[Origin],
    (issued_at, expires_at): (UnixTime, UnixTime),
    identity: &Identity,
    signer: &dyn Signer,
) -> Result<ApiOffer, SignError> {
    let mut claims = parameters(request);
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("aud", AUDIENCE.into());
    set("client_id", identity.client_id().as_str().into());
    // Appendix A.2: "REQUIRED when signed requests […] are used".
    set(
        "expected_origins",
        origins.iter().map(Origin::as_str).collect(),
    );
    set("iat", issued_at.seconds().into());
    set("exp", expires_at.seconds().into());
    let object = jws::sign(&identity.header(), &Value::Object(claims), signer).await?;
    Ok(ApiOffer {
        protocol: Protocol::Signed,
        data: json!({ "request": object }),
    })
}

fn parameters(request: &NewApiRequest<'_>) -> Map<String, Value> {
    let NewApiRequest {
        nonce,
        query,
        transaction_data,
        encryption_key,
        client_name,
        purpose,
    } = *request;
    let mut parameters = Map::new();
    let mut set = |name: &str, value: Value| parameters.insert(name.to_owned(), value);
    set("response_type", "vp_token".into());
    let mode = match encryption_key {
        Some(_) => "dc_api.jwt",
        None => "dc_api",
    };
    set("response_mode", mode.into());
    set("nonce", nonce.as_str().into());
    set("dcql_query", query.as_json().clone());
    set("client_metadata", metadata::write(encryption_key, query));
    if let Some(strings) = transaction_data::write(transaction_data) {
        set("transaction_data", strings);
    }
    if let Some(verifier_info) = write_about(client_name, purpose) {
        set("verifier_info", verifier_info);
    }
    parameters
}
