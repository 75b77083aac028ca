//! The link that opens a wallet with a question.

use vouchsafe_protocol::vp::invocation::{Invocation, RequestUriMethod};
use vouchsafe_protocol::vp::request::{Identity, NewRequest, unsigned_link};

use super::REQUEST_OBJECT_S;
use super::ask::{AskError, open, query_of, response_uri};
use crate::app::Parts;
use crate::domain::ids::RequestId;
use crate::domain::transaction::Login;
use crate::store::requests::PresentationRequest;

/// The link for the wallets of this device.
pub async fn wallet_link(
    app: &Parts,
    request: &PresentationRequest,
    login: &Login,
) -> Result<String, AskError> {
    let endpoint = &app.settings.wallet_endpoint;
    if let Some(identity) = app.identity.signing() {
        return Ok(by_reference(app, identity, &request.id, endpoint));
    }
    let asking = query_of(app, login).await?;
    let opened = open(app, request)?;
    let object = NewRequest {
        response_uri: &response_uri(app, &request.id),
        nonce: &opened.nonce,
        state: &opened.state,
        query: &asking.question,
        transaction_data: &asking.transaction_data,
        encryption_key: opened.key.public_key(),
        client_name: None,
        purpose: None,
        issued_at: app.now(),
        lifetime_s: REQUEST_OBJECT_S,
        wallet_nonce: None,
    };
    Ok(unsigned_link(&object, endpoint))
}

/// The same for the wallets of another device. Where nothing is signed, they are not asked.
pub fn qr_link(app: &Parts, request: &PresentationRequest) -> Result<String, AskError> {
    let identity = app.identity.signing().ok_or(AskError::NotOffered)?;
    let endpoint = &app.settings.qr_endpoint;
    Ok(by_reference(app, identity, &request.id, endpoint))
}

/// The link that names the request object.
pub fn by_reference(app: &Parts, identity: &Identity, id: &RequestId, endpoint: &str) -> String {
    let invocation = Invocation {
        client_id: identity.client_id().as_str().to_owned(),
        request_uri: app.url(&format!("/vp/request/{id}")),
        method: RequestUriMethod::Post,
    };
    invocation.to_link(endpoint)
}
