//! The redemption of an authorization code (RFC 6749, section 4.1.3).

use serde::Serialize;
use serde_json::{Map, Value};
use vouchsafe_protocol::oauth::dpop::VerifiedProof;
use vouchsafe_protocol::oauth::pkce::{self, CodeChallenge};
use vouchsafe_protocol::oauth::token::{TokenResponse, TokenType, check_redirect_uri};
use vouchsafe_service::db::DbError;
use vouchsafe_service::dpop;
use vouchsafe_service::single_use::{self, Consumed, Kind};

use super::ACCESS_TOKEN_S;
use super::grant::{self, Grant, Issued, TokenClaims};
use super::id_token::{Basis, id_token};
use super::refresh;
use super::refresh_token::Begun;
use crate::app::Parts;
use crate::config::Client;
use crate::domain::ids::{Secret, SecretDigest};
use crate::domain::session::EndReason;
use crate::store::tokens::NewToken;
use crate::store::{StoreError, device_grants, sessions, tokens};
use crate::tokens::TokenError;

/// A code and what came with it.
pub struct Redemption<'a> {
    /// The code.
    pub code: Secret,
    /// The device that asks with a code of its own (RFC 8628): its wait ends with the tokens.
    pub device: Option<SecretDigest>,
    /// `redirect_uri` of the token request.
    pub redirect_uri: Option<&'a str>,
    /// PKCE verifier.
    pub code_verifier: Option<&'a str>,
    /// The DPoP proof, verified.
    pub proof: Option<&'a VerifiedProof>,
}

/// Why a code is not redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// Unknown, expired, used before, of another client or another request, or its session has
    /// ended. To the application all of it is `invalid_grant`.
    #[error("the code is not good: {0}")]
    Grant(&'static str),
    /// The DPoP proof was used before.
    #[error("the DPoP proof was used before")]
    ProofUsed,
    /// The ID token could not be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for RedeemError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// The answer of the token endpoint.
#[derive(Serialize)]
pub struct LoginTokens {
    #[serde(flatten)]
    tokens: TokenResponse,
    /// The transaction that was approved in the login (RFC 9396, section 7).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_details: Vec<Map<String, Value>>,
}

impl From<TokenResponse> for LoginTokens {
    fn from(tokens: TokenResponse) -> Self {
        Self {
            tokens,
            authorization_details: Vec::new(),
        }
    }
}

/// Redeems a code for tokens. What can be checked is checked before the code is consumed; the
/// consumption and the new access token are one transaction.
pub async fn redeem(
    app: &Parts,
    client: &Client,
    redemption: Redemption<'_>,
) -> Result<LoginTokens, RedeemError> {
    let code = redemption.code.reveal();
    let payload = single_use::peek(&app.db, Kind::AuthorizationCode, code, app.now()).await?;
    let Some(payload) = payload else {
        // The device itself was faster: nobody else knows this code, and nothing of it leaked.
        if redemption.device.is_some() {
            return Err(RedeemError::Grant("device_served"));
        }
        return Err(replayed(app, code).await?);
    };
    let grant = grant::open(app, code, &payload)?;
    if let Err(reason) = check(client, &grant, &redemption) {
        // Whoever shows the code in a wrong way does not get a second try with it.
        spoil(app, code, redemption.proof).await?;
        return Err(RedeemError::Grant(reason));
    }
    let access_token = Secret::random(app.rng.as_ref());
    let id_token = id_token(app, client, &basis(&grant), &access_token)?;
    let jkt = redemption.proof.map(|proof| proof.thumbprint.clone());
    let row = access_token_row(app, client, &grant, &access_token, jkt.clone())?;
    let stays = grant.offline() && client.offline_access;
    let begun = stays.then(|| Begun::new(app, &grant, jkt.clone()));
    let begun = begun.transpose()?;
    let (secret, now) = (code.to_owned(), app.now());
    let proof = redemption.proof.map(dpop::identifier);
    let device = redemption.device;
    let outcome = app
        .db
        .write(async move |tx| {
            if !dpop::is_fresh(tx, proof.as_ref()).await? {
                return Err(RedeemError::ProofUsed);
            }
            if let Some(device) = &device
                && !device_grants::redeem(tx, device, now).await?
            {
                return Err(RedeemError::Grant("device_served"));
            }
            match single_use::consume(tx, Kind::AuthorizationCode, &secret, now).await? {
                Consumed::Taken {
                    payload: _,
                    family: _,
                } => {}
                Consumed::Replayed { family } => {
                    refresh::end_family(tx, &family, EndReason::TokenReused, now).await?;
                    return Ok::<_, RedeemError>(None);
                }
                Consumed::Unknown => return Err(RedeemError::Grant("expired")),
            }
            let Some(session_ends) = sessions::hold(tx, &row.session, now).await? else {
                return Err(RedeemError::Grant("session_ended"));
            };
            tokens::insert(tx, &row).await?;
            // A guest has nothing to go on with.
            let refresh_token = match &begun {
                Some(begun) => {
                    let opened = begun.put(tx, now).await?;
                    opened.then(|| begun.first.token.clone())
                }
                None => None,
            };
            let lives_until = row.expires_at.min(session_ends);
            Ok(Some((refresh_token, lives_until)))
        })
        .await?;
    let Some((refresh_token, lives_until)) = outcome else {
        return Err(RedeemError::Grant("replayed"));
    };
    metrics::counter!("vouchsafe_tokens_issued_total", "grant" => "authorization_code")
        .increment(1);
    // RFC 9396, section 7.
    let approved = grant.approved.map(|approved| approved.details);
    let tokens = TokenResponse {
        access_token: access_token.reveal().to_owned(),
        token_type: TokenType::of(jkt.is_some()),
        expires_in: lives_until.since(now).unsigned_abs(),
        scope: Some(grant.scope),
        id_token: Some(id_token),
        refresh_token: refresh_token.map(|token| token.reveal().to_owned()),
    };
    Ok(LoginTokens {
        tokens,
        authorization_details: approved.into_iter().collect(),
    })
}

fn basis(grant: &Grant) -> Basis<'_> {
    Basis {
        sub: &grant.sub,
        sid: &grant.sid,
        authentication: &grant.authentication,
        nonce: grant.nonce.as_deref(),
        claims: &grant.id_token_claims,
        approved: grant.approved.as_ref(),
    }
}

fn access_token_row(
    app: &Parts,
    client: &Client,
    grant: &Grant,
    access_token: &Secret,
    jkt: Option<String>,
) -> Result<NewToken, StoreError> {
    let claims = TokenClaims {
        sub: grant.sub.clone(),
        claims: grant.userinfo_claims.clone(),
        attributes: grant.attributes.clone(),
        issued: Some(Issued {
            at: app.now(),
            scope: grant.scope.clone(),
            authentication: grant.authentication.clone(),
            approved: grant.approved.clone(),
        }),
        jkt,
    };
    Ok(NewToken {
        token: access_token.digest(),
        family: grant.family.clone(),
        client_id: client.id.as_str().to_owned(),
        session: grant.session.clone(),
        claims: grant::seal_token(app, access_token.reveal(), &claims)?,
        expires_at: app.now().plus(ACCESS_TOKEN_S),
    })
}

/// RFC 6749, section 4.1.2: a code that is used twice takes its tokens with it.
async fn replayed(app: &Parts, code: &str) -> Result<RedeemError, RedeemError> {
    let (secret, now) = (code.to_owned(), app.now());
    let reason = app
        .db
        .write(async move |tx| {
            match single_use::consume(tx, Kind::AuthorizationCode, &secret, now).await? {
                Consumed::Replayed { family } => {
                    refresh::end_family(tx, &family, EndReason::TokenReused, now).await?;
                    Ok::<_, DbError>("replayed")
                }
                Consumed::Taken { .. } | Consumed::Unknown => Ok("unknown"),
            }
        })
        .await?;
    Ok(RedeemError::Grant(reason))
}

/// Uses a code up, and the proof beside it.
async fn spoil(app: &Parts, code: &str, proof: Option<&VerifiedProof>) -> Result<(), RedeemError> {
    let (secret, now) = (code.to_owned(), app.now());
    let proof = proof.map(dpop::identifier);
    app.db
        .write(async move |tx| {
            // Only the first attempt spoils it; nothing else follows from the outcome.
            let code = single_use::consume(tx, Kind::AuthorizationCode, &secret, now).await?;
            let _ = code.taken();
            dpop::is_fresh(tx, proof.as_ref()).await
        })
        .await?;
    Ok(())
}

fn check(client: &Client, grant: &Grant, redemption: &Redemption<'_>) -> Result<(), &'static str> {
    if grant.client != client.id {
        return Err("other_client");
    }
    // RFC 9449, section 10.
    let key = redemption.proof.map(|proof| proof.thumbprint.as_str());
    if grant.dpop_jkt.is_some() && grant.dpop_jkt.as_deref() != key {
        return Err("dpop_key");
    }
    check_redirect_uri(&grant.redirect_uri, redemption.redirect_uri).map_err(|_| "redirect_uri")?;
    let challenge = grant
        .code_challenge
        .as_deref()
        .map(CodeChallenge::parse)
        .transpose()
        .map_err(|_| "pkce")?;
    pkce::verify(challenge.as_ref(), redemption.code_verifier).map_err(|_| "pkce")
}
