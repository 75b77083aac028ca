//! What an application asked for, after every check of the authorization request.

use serde::{Deserialize, Serialize};
use vouchsafe_protocol::oauth::response::ResponseMode;

use super::ids::{ClientId, QueryId};

/// Where the answer goes: known to be registered for the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnAddress {
    /// The registered redirect URI, exactly as in the request.
    pub redirect_uri: String,
    /// How to get there.
    pub response_mode: ResponseMode,
    /// `state`, echoed.
    pub state: Option<String>,
}

/// A checked authorization request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRequest {
    /// Who asks.
    pub client: ClientId,
    /// Where the answer goes.
    pub back: ReturnAddress,
    /// OpenID Connect `nonce`, echoed in the ID token.
    pub nonce: Option<String>,
    /// Granted scope, space separated.
    pub scope: String,
    /// PKCE S256 challenge.
    pub code_challenge: Option<String>,
    /// The question to the wallet.
    pub query: QueryId,
    /// Whether the facts go to the application, or only the subject does.
    pub deliver_claims: bool,
    /// Claims asked for in the ID token beside those of the configuration.
    pub id_token_claims: Vec<String>,
    /// BCP 47 tag of the pages.
    pub locale: String,
    /// Values of an essential `acr`: one of them must be reached (OpenID Connect Core 1.0,
    /// section 5.5.1.1). Empty when none is essential.
    pub essential_acr: Vec<String>,
    /// `prompt=select_account`: another account than the one logged in is fine.
    pub may_switch_account: bool,
    /// The `sub` of an `id_token_hint`: only this person will do.
    pub expected_sub: Option<String>,
}
