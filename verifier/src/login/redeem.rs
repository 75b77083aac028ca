//! The redemption of an authorization code (RFC 6749, section 4.1.3).

use vouchsafe_protocol::oauth::pkce::{self, CodeChallenge};
use vouchsafe_protocol::oauth::token::{TokenResponse, TokenType, check_redirect_uri};
use vouchsafe_protocol::oidc::acr::Acr;
use vouchsafe_protocol::oidc::amr::{Amr, Done};
use vouchsafe_protocol::oidc::id_token::{IdTokenClaims, Subject};
use vouchsafe_service::db::DbError;
use vouchsafe_service::single_use::{self, Consumed, Kind};

use super::grant::{self, Grant, TokenClaims};
use super::{ACCESS_TOKEN_S, ID_TOKEN_S};
use crate::app::Parts;
use crate::config::Client;
use crate::domain::ids::Secret;
use crate::store::tokens::NewToken;
use crate::store::{StoreError, sessions, tokens};
use crate::tokens::{TokenError, alg_name};

/// A code and what came with it.
pub struct Redemption<'a> {
    /// The code.
    pub code: Secret,
    /// `redirect_uri` of the token request.
    pub redirect_uri: Option<&'a str>,
    /// PKCE verifier.
    pub code_verifier: Option<&'a str>,
}

/// Why a code is not redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// Unknown, expired, used before, of another client or another request, or its session has
    /// ended. To the application all of it is `invalid_grant`.
    #[error("the code is not good: {0}")]
    Grant(&'static str),
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

/// Redeems a code for tokens. What can be checked is checked before the code is consumed; the
/// consumption and the new access token are one transaction.
pub async fn redeem(
    app: &Parts,
    client: &Client,
    redemption: Redemption<'_>,
) -> Result<TokenResponse, RedeemError> {
    let code = redemption.code.reveal();
    let payload = single_use::peek(&app.db, Kind::AuthorizationCode, code, app.now()).await?;
    let Some(payload) = payload else {
        return Err(replayed(app, code).await?);
    };
    let grant = grant::open(app, code, &payload)?;
    if let Err(reason) = check(client, &grant, &redemption) {
        // Whoever shows the code in a wrong way does not get a second try with it.
        spoil(app, code).await?;
        return Err(RedeemError::Grant(reason));
    }
    let access_token = Secret::random(app.rng.as_ref());
    let id_token = app.tokens.id_token(
        client.alg,
        &id_token_claims(app, client, &grant, &access_token),
    )?;
    let claims = TokenClaims {
        sub: grant.sub.clone(),
        claims: grant.userinfo_claims.clone(),
    };
    let row = NewToken {
        token: access_token.digest(),
        family: grant.family.clone(),
        client_id: client.id.as_str().to_owned(),
        session: grant.session.clone(),
        claims: grant::seal_token(app, access_token.reveal(), &claims)?,
        expires_at: app.now().plus(ACCESS_TOKEN_S),
    };
    let (secret, now) = (code.to_owned(), app.now());
    let replay = app
        .db
        .write(async move |tx| {
            match single_use::consume(tx, Kind::AuthorizationCode, &secret, now).await? {
                Consumed::Taken {
                    payload: _,
                    family: _,
                } => {}
                Consumed::Replayed { family } => {
                    tokens::revoke_family(tx, &family).await?;
                    return Ok::<_, RedeemError>(true);
                }
                Consumed::Unknown => return Err(RedeemError::Grant("expired")),
            }
            if !sessions::is_live(tx, &row.session, now).await? {
                return Err(RedeemError::Grant("session_ended"));
            }
            tokens::insert(tx, &row).await?;
            Ok(false)
        })
        .await?;
    if replay {
        return Err(RedeemError::Grant("replayed"));
    }
    metrics::counter!("vouchsafe_tokens_issued_total", "grant" => "authorization_code")
        .increment(1);
    Ok(TokenResponse {
        access_token: access_token.reveal().to_owned(),
        token_type: TokenType::Bearer,
        expires_in: ACCESS_TOKEN_S.unsigned_abs(),
        scope: Some(grant.scope),
        id_token: Some(id_token),
        refresh_token: None,
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
                    tokens::revoke_family(tx, &family).await?;
                    Ok::<_, DbError>("replayed")
                }
                Consumed::Taken { .. } | Consumed::Unknown => Ok("unknown"),
            }
        })
        .await?;
    Ok(RedeemError::Grant(reason))
}

async fn spoil(app: &Parts, code: &str) -> Result<(), RedeemError> {
    let consumed =
        single_use::consume_now(&app.db, Kind::AuthorizationCode, code, app.now()).await?;
    // Only the first attempt spoils it; nothing else follows from the outcome.
    let _ = consumed.taken();
    Ok(())
}

fn check(client: &Client, grant: &Grant, redemption: &Redemption<'_>) -> Result<(), &'static str> {
    if grant.client != client.id {
        return Err("other_client");
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

fn id_token_claims(
    app: &Parts,
    client: &Client,
    grant: &Grant,
    access_token: &Secret,
) -> IdTokenClaims {
    let authentication = &grant.authentication;
    let subject = Subject {
        issuer: app.issuer(),
        sub: &grant.sub,
        client_id: client.id.as_str(),
        auth_time: authentication.auth_time,
    };
    let cross_device = authentication.amr.iter().any(|method| method == "xdev");
    let done = [Done::Presentation {
        cross_device,
        hardware_key: false,
        user_verified: false,
    }];
    let base = IdTokenClaims::new(&subject, app.now(), ID_TOKEN_S)
        .nonce(grant.nonce.as_deref())
        .authenticated(Acr::from_wire(&authentication.acr), Amr::compute(&done))
        .access_token(access_token.reveal(), alg_name(client.alg))
        .session(grant.sid.as_str());
    grant
        .id_token_claims
        .iter()
        .fold(base, |token, (name, value)| {
            token.claim(name, value.clone())
        })
}
