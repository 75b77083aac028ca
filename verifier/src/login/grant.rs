//! What an authorization code stands for. It is sealed under a key derived from the code itself,
//! so the database alone cannot read it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use crate::app::Parts;
use crate::domain::approval::Approved;
use crate::domain::ids::{ClientId, SessionId, Sid};
use crate::domain::request::{Fact, OFFLINE_ACCESS};
use crate::domain::session::Authentication;
use crate::store::StoreError;

/// Everything that the token endpoint needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The login; a replayed code ends its tokens.
    pub family: String,
    /// Who may redeem it.
    pub client: ClientId,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// PKCE.
    pub code_challenge: Option<String>,
    /// Thumbprint of the key that must be proven (RFC 9449, section 10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// Granted scope.
    pub scope: String,
    /// The person, as the application knows them.
    pub sub: String,
    /// The session.
    pub session: SessionId,
    /// The session, as the application knows it.
    pub sid: Sid,
    /// How the person was authenticated.
    pub authentication: Authentication,
    /// When the cards of the login end; codes of an earlier version do not say it.
    #[serde(default)]
    pub cards_end: Option<UnixTime>,
    /// Claims for the ID token.
    pub id_token_claims: Map<String, Value>,
    /// Claims for UserInfo.
    pub userinfo_claims: Map<String, Value>,
    /// Attributes of the account that UserInfo looks up; codes of an earlier version have none.
    #[serde(default)]
    pub attributes: Vec<Fact>,
    /// The transaction that was approved.
    #[serde(default)]
    pub approved: Option<Approved>,
}

impl Grant {
    /// Whether the application may go on while the person is away.
    #[must_use]
    pub fn offline(&self) -> bool {
        self.scope.split(' ').any(|scope| scope == OFFLINE_ACCESS)
    }
}

const PURPOSE: &str = "authorization code";
const PLACE: [&str; 1] = ["authorization_code"];

/// Seals a grant under its code.
pub fn seal(app: &Parts, code: &str, grant: &Grant) -> Result<Vec<u8>, StoreError> {
    app.vault.under_token(PURPOSE, code).seal(&PLACE, grant)
}

/// Opens what [`seal`] made.
pub fn open(app: &Parts, code: &str, sealed: &[u8]) -> Result<Grant, StoreError> {
    let table = vouchsafe_service::db::Table("authorization_code");
    app.vault
        .under_token(PURPOSE, code)
        .open(table, "payload", &PLACE, sealed)
}

/// What UserInfo says for one access token, sealed under that token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenClaims {
    /// The person, as the application knows them.
    pub sub: String,
    /// What the person agreed to.
    pub claims: Map<String, Value>,
    /// Attributes of the account that are looked up each time; tokens of an earlier version have none.
    #[serde(default)]
    pub attributes: Vec<Fact>,
    /// What introspection tells beside; tokens of an earlier version have none.
    #[serde(default)]
    pub issued: Option<Issued>,
    /// Thumbprint of the key that the token is bound to (RFC 9449, section 6).
    #[serde(default)]
    pub jkt: Option<String>,
}

/// How a token came about.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Issued {
    /// When.
    pub at: UnixTime,
    /// Granted scope.
    pub scope: String,
    /// How the person was authenticated.
    pub authentication: Authentication,
    /// The transaction that was approved in the login; a refresh approves nothing.
    #[serde(default)]
    pub approved: Option<Approved>,
}

const TOKEN_PURPOSE: &str = "userinfo";
const TOKEN_PLACE: [&str; 1] = ["access_tokens"];

/// Seals the claims of an access token under it.
pub fn seal_token(app: &Parts, token: &str, claims: &TokenClaims) -> Result<Vec<u8>, StoreError> {
    app.vault
        .under_token(TOKEN_PURPOSE, token)
        .seal(&TOKEN_PLACE, claims)
}

/// Opens what [`seal_token`] made.
pub fn open_token(app: &Parts, token: &str, sealed: &[u8]) -> Result<TokenClaims, StoreError> {
    let table = vouchsafe_service::db::Table("access_tokens");
    app.vault
        .under_token(TOKEN_PURPOSE, token)
        .open(table, "claims", &TOKEN_PLACE, sealed)
}
