//! The verifier's side: build and sign.

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::crypto::{PublicKey, Signer};
use vouchsafe_credentials::jws::{self, SignError};
use vouchsafe_credentials::time::UnixTime;

use super::{AUDIENCE, Identity, about};
use crate::vp::client_id::ClientId;
use crate::vp::dcql::DcqlQuery;
use crate::vp::invocation::to_link;
use crate::vp::metadata;
use crate::vp::transaction_data::{self, TransactionData};
use crate::vp::values::{LocalizedText, Nonce, State};

/// All that goes into a request. Response type `vp_token`, response mode `direct_post.jwt`.
#[derive(Clone, Copy, Debug)]
pub struct NewRequest<'a> {
    /// Where the response is to be posted; one per request.
    pub response_uri: &'a Url,
    /// Fresh per request.
    pub nonce: &'a Nonce,
    /// Fresh per request.
    pub state: &'a State,
    /// What is asked for.
    pub query: &'a DcqlQuery,
    /// What the person is asked to authorise.
    pub transaction_data: &'a [TransactionData],
    /// Fresh per request (HAIP 1.0, section 5): public half of the key that opens the response.
    pub encryption_key: &'a PublicKey,
    /// How the asking service is called.
    pub client_name: Option<&'a LocalizedText>,
    /// Why it asks. Both texts travel in `verifier_info`.
    pub purpose: Option<&'a LocalizedText>,
    /// `iat`.
    pub issued_at: UnixTime,
    /// Seconds until `exp`.
    pub lifetime_s: i64,
    /// What the wallet sent as `wallet_nonce`.
    pub wallet_nonce: Option<&'a str>,
}

/// Signs a request object of this verifier; `signer` has the key that the identity names.
pub async fn sign_request(
    request: &NewRequest<'_>,
    identity: &Identity,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let claims = claims(request, identity.client_id());
    jws::sign(&identity.header(), &claims, signer).await
}

/// The link to a wallet at `endpoint` with a request that nobody signs: its client identifier is the
/// address that the answer goes to ([`ClientId::redirect_uri`]; OpenID4VP 1.0, section 5.9.3). It
/// travels by value, because what stands at a `request_uri` must be signed (section 5.10). Nobody
/// vouches for words in it, so it has none; nor has it an end, or a `wallet_nonce`.
pub fn unsigned_link(request: &NewRequest<'_>, endpoint: &str) -> String {
    let NewRequest {
        response_uri,
        nonce,
        state,
        query,
        transaction_data,
        encryption_key,
        client_name: _,
        purpose: _,
        issued_at: _,
        lifetime_s: _,
        wallet_nonce: _,
    } = *request;
    let client_id = ClientId::redirect_uri(response_uri);
    // "All Verifier metadata parameters MUST be passed using the `client_metadata` parameter".
    let metadata = metadata::write(Some(encryption_key), query).to_string();
    let question = query.as_json().to_string();
    let transactions = transaction_data::write(transaction_data).map(|all| all.to_string());
    let mut parameters = vec![
        ("client_id", client_id.as_str()),
        ("response_type", "vp_token"),
        ("response_mode", "direct_post.jwt"),
        ("response_uri", response_uri.as_str()),
        ("nonce", nonce.as_str()),
        ("state", state.as_str()),
        ("dcql_query", &question),
        ("client_metadata", &metadata),
    ];
    if let Some(transactions) = &transactions {
        parameters.push(("transaction_data", transactions));
    }
    to_link(endpoint, &parameters)
}

fn claims(request: &NewRequest<'_>, client_id: &ClientId) -> Value {
    let NewRequest {
        response_uri,
        nonce,
        state,
        query,
        transaction_data,
        encryption_key,
        client_name,
        purpose,
        issued_at,
        lifetime_s,
        wallet_nonce,
    } = *request;
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("aud", AUDIENCE.into());
    set("client_id", client_id.as_str().into());
    set("response_type", "vp_token".into());
    set("response_mode", "direct_post.jwt".into());
    set("response_uri", response_uri.as_str().into());
    set("nonce", nonce.as_str().into());
    set("state", state.as_str().into());
    set("dcql_query", query.as_json().clone());
    set(
        "client_metadata",
        metadata::write(Some(encryption_key), query),
    );
    if let Some(strings) = transaction_data::write(transaction_data) {
        set("transaction_data", strings);
    }
    set("iat", issued_at.seconds().into());
    set("exp", issued_at.plus(lifetime_s).seconds().into());
    // OpenID4VP 1.0, section 5.10: "the Verifier MUST use it as the `wallet_nonce` value".
    if let Some(wallet_nonce) = wallet_nonce {
        set("wallet_nonce", wallet_nonce.into());
    }
    if let Some(verifier_info) = about::write(client_name, purpose) {
        set("verifier_info", verifier_info);
    }
    Value::Object(claims)
}
