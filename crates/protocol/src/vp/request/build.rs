//! The verifier's side: build and sign.

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::crypto::{PublicKey, Signer};
use vouchsafe_credentials::jws::{self, Header, SignError, TokenType};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;

use super::{AUDIENCE, about};
use crate::vp::client_id::ClientId;
use crate::vp::dcql::DcqlQuery;
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

/// Signs a request object. `chain` holds the verifier's access certificate; the
/// client identifier is its [`ClientId::x509_hash`].
pub async fn sign_request(
    request: &NewRequest<'_>,
    chain: &Chain,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let header = Header::new(TokenType::RequestObject).with_x5c(chain);
    jws::sign(
        &header,
        &claims(request, &ClientId::x509_hash(chain)),
        signer,
    )
    .await
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
