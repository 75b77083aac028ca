//! Refresh tokens (RFC 6749, section 6; OpenID Connect Core 1.0, sections 11 and 12): an
//! application goes on while the person is away.
//!
//! Behind each grant is a session without a browser, on the cards of the login: a card that is
//! revoked, a consent that is withdrawn and the person's own account page end it like any other.
//! A use exchanges the token, and one that comes twice ends the grant (RFC 9700, section 4.14.2);
//! a token that rests on a proven key stays (see `login/refresh_token.rs`).
//! Nothing of a card is kept: new access tokens tell who it is and nothing else.

use serde_json::Map;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::dpop::VerifiedProof;
use vouchsafe_protocol::oauth::token::{TokenResponse, TokenType};
use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::dpop::{self, ProofError};
use vouchsafe_service::jti::Identifier;
use vouchsafe_service::single_use::{self, Consumed, Kind};

use super::code::still_counts;
use super::grant::{self, Issued, TokenClaims};
use super::id_token::{Basis, id_token};
use super::refresh_token::{FreshToken, RefreshGrant, open};
use super::{ACCESS_TOKEN_S, end};
use crate::app::{App, Parts};
use crate::config::Client;
use crate::domain::ids::Secret;
use crate::domain::request::{OFFLINE_ACCESS, OPENID};
use crate::domain::session::EndReason;
use crate::store::tokens::NewToken;
use crate::store::{StoreError, refresh_grants, sessions, tokens};
use crate::tokens::TokenError;

/// Why there are no new tokens.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Unknown, over, used before, of another client or another key. To the application all of it
    /// is `invalid_grant`.
    #[error("the refresh token is not good: {0}")]
    Grant(&'static str),
    /// The client may not refresh.
    #[error("the client may not refresh")]
    Client,
    /// More than was granted, or not enough to be of use.
    #[error("the scope is not granted")]
    Scope,
    /// The grant rests on a key, and no proof came.
    #[error("the DPoP proof is missing")]
    Unproven,
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

impl From<DbError> for RefreshError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<ProofError> for RefreshError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Db(error) => Self::Store(error.into()),
            ProofError::Dpop(_) | ProofError::Replayed => Self::ProofUsed,
        }
    }
}

/// Exchanges a refresh token for new tokens. The use of the old one and of the proof, the new ones
/// and the longer life of the session are one transaction.
pub async fn refresh(
    app: &App,
    client: &Client,
    token: &str,
    asked: &Scopes,
    proof: Option<&VerifiedProof>,
) -> Result<TokenResponse, RefreshError> {
    if !client.offline_access {
        return Err(RefreshError::Client);
    }
    let token = Secret::parse(token).ok_or(RefreshError::Grant("malformed"))?;
    let sealed = single_use::peek(&app.db, Kind::RefreshToken, token.reveal(), app.now()).await?;
    let Some(sealed) = sealed else {
        return Err(RefreshError::Grant(end_if_replayed(app, token).await?));
    };
    let grant = open(app, token.reveal(), &sealed)?;
    if grant.client != client.id {
        return Err(RefreshError::Grant("other_client"));
    }
    check_key(client, &grant, proof)?;
    let proof = proof.map(Proven::of);
    let Some(scope) = narrowed(&grant.scope, asked) else {
        // The grant is open, so its proof was for this request and no other.
        if let Some(proof) = proof {
            dpop::use_up(&app.db, proof.identifier).await?;
        }
        return Err(RefreshError::Scope);
    };
    exchange(app, client, token, grant, Exchange { scope, proof }).await
}

/// RFC 9449, section 5: what was issued to a confidential client is bound by its authentication,
/// so its key may be another one than before; any other client proves the same key. No grant that
/// began with a proof goes on without one.
fn check_key(
    client: &Client,
    grant: &RefreshGrant,
    proof: Option<&VerifiedProof>,
) -> Result<(), RefreshError> {
    match (&grant.jkt, proof) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(RefreshError::Unproven),
        (Some(jkt), Some(proof)) => {
            let fits = client.authentication.is_confidential() || *jkt == proof.thumbprint;
            let refused = RefreshError::Grant("dpop_key");
            fits.then_some(()).ok_or(refused)
        }
    }
}

/// What a proof leaves behind.
struct Proven {
    jkt: String,
    identifier: Identifier,
}

impl Proven {
    fn of(proof: &VerifiedProof) -> Self {
        Self {
            jkt: proof.thumbprint.clone(),
            identifier: dpop::identifier(proof),
        }
    }
}

/// What new tokens are for.
struct Exchange {
    scope: String,
    proof: Option<Proven>,
}

/// What became of a token.
enum Exchanged {
    /// There is an access token that lives so long, and another refresh token or the same.
    Done {
        next: Option<Secret>,
        lives_until: UnixTime,
    },
    /// It was used before.
    Replayed {
        /// Whether that was not known yet.
        first: bool,
    },
}

async fn exchange(
    app: &App,
    client: &Client,
    token: Secret,
    grant: RefreshGrant,
    Exchange { scope, proof }: Exchange,
) -> Result<TokenResponse, RefreshError> {
    let now = app.now();
    let access_token = Secret::random(app.rng.as_ref());
    let authentication = still_counts(grant.authentication.clone(), now);
    let (jkt, proof) = match proof {
        Some(Proven { jkt, identifier }) => (Some(jkt), Some(identifier)),
        None => (None, None),
    };
    let claims = TokenClaims {
        sub: grant.sub.clone(),
        // What a card said was for that login alone.
        claims: Map::new(),
        attributes: Vec::new(),
        issued: Some(Issued {
            at: now,
            scope: scope.clone(),
            authentication: authentication.clone(),
            approved: None,
        }),
        jkt: jkt.clone(),
    };
    let id_token = id_token(
        app,
        client,
        &Basis {
            sub: &grant.sub,
            sid: &grant.sid,
            authentication: &authentication,
            // OpenID Connect Core 1.0, section 12.2.
            nonce: None,
            claims: &Map::new(),
            // Nobody approved anything since.
            approved: None,
        },
        &access_token,
    )?;
    let sealed = grant::seal_token(app, access_token.reveal(), &claims)?;
    let (client_id, session) = (client.id.clone(), grant.session.clone());
    let digest = access_token.digest();
    let bound = jkt.is_some();
    let rotates = grant.rotates();
    let same = token.clone();
    // A grant that is shown with a proof for the first time rests on its key from now on.
    let kept = RefreshGrant {
        jkt: grant.jkt.clone().or(jkt),
        ..grant
    };
    let parts = App::clone(app);
    let outcome = app
        .db
        .write(async move |tx| {
            if !dpop::is_fresh(tx, proof.as_ref()).await? {
                return Err(RefreshError::ProofUsed);
            }
            let taken = take(tx, rotates, token.reveal(), now).await?;
            let family = match taken {
                Consumed::Taken { payload: _, family } => family,
                Consumed::Replayed { family: _ } => {
                    let first = end_reused(tx, token.reveal(), now).await?;
                    return Ok::<_, RefreshError>(Exchanged::Replayed { first });
                }
                Consumed::Unknown => return Err(RefreshError::Grant("expired")),
            };
            let next = if rotates {
                Some(FreshToken::new(&parts, &family, kept.clone())?)
            } else {
                None
            };
            let lasts_until = kept.idle_end(&parts);
            if !sessions::extend(tx, &session, lasts_until, now).await? {
                return Err(RefreshError::Grant("session_ended"));
            }
            let row = NewToken {
                token: digest.clone(),
                family,
                client_id: client_id.as_str().to_owned(),
                session: session.clone(),
                claims: sealed.clone(),
                expires_at: now.plus(ACCESS_TOKEN_S).min(lasts_until),
            };
            tokens::insert(tx, &row).await?;
            if let Some(next) = &next {
                next.put(tx).await?;
            }
            Ok(Exchanged::Done {
                next: next.map(|next| next.token),
                lives_until: row.expires_at,
            })
        })
        .await?;
    let (next, lives_until) = match outcome {
        Exchanged::Done { next, lives_until } => (next, lives_until),
        Exchanged::Replayed { first } => {
            return Err(RefreshError::Grant(replayed(first)));
        }
    };
    metrics::counter!("vouchsafe_tokens_issued_total", "grant" => "refresh_token").increment(1);
    Ok(TokenResponse {
        access_token: access_token.reveal().to_owned(),
        token_type: TokenType::of(bound),
        expires_in: lives_until.since(now).unsigned_abs(),
        scope: Some(scope),
        id_token: Some(id_token),
        refresh_token: Some(next.unwrap_or(same).reveal().to_owned()),
    })
}

/// Uses a token up, or holds one that stays until the transaction is over.
async fn take(tx: &mut Tx, rotates: bool, token: &str, now: UnixTime) -> Result<Consumed, DbError> {
    let kind = Kind::RefreshToken;
    if rotates {
        single_use::consume(tx, kind, token, now).await
    } else {
        single_use::hold(tx, kind, token, now).await
    }
}

/// The scope of a token that a refresh brings when it asks for none.
pub(super) fn brings(granted: &str) -> String {
    narrowed(granted, &Scopes::default()).unwrap_or_default()
}

/// What new tokens are good for: RFC 6749, section 6: never more than was granted; and no scope of
/// a card, which is shown anew each time. `None` where it is more, or no login.
fn narrowed(granted: &str, asked: &Scopes) -> Option<String> {
    let was_granted = |scope: &str| granted.split(' ').any(|granted| granted == scope);
    if !asked.iter().all(was_granted) {
        return None;
    }
    let wanted = |scope: &str| asked.is_empty() || asked.contains(scope);
    let scope: Vec<&str> = [OPENID, OFFLINE_ACCESS]
        .into_iter()
        .filter(|scope| was_granted(scope) && wanted(scope))
        .collect();
    scope.contains(&OPENID).then(|| scope.join(" "))
}

/// A token that cannot be used: if it was used before, its grant ends. Nothing is written for one
/// that never was, nor for one whose grant has ended for it.
async fn end_if_replayed(app: &Parts, token: Secret) -> Result<&'static str, RefreshError> {
    let (kind, now) = (Kind::RefreshToken, app.now());
    let known = single_use::unnoticed_replay(&app.db, kind, token.reveal()).await?;
    if known.is_none() {
        return Ok("unknown");
    }
    let first = app
        .db
        .write(async move |tx| end_reused(tx, token.reveal(), now).await)
        .await?;
    Ok(replayed(first))
}

/// Ends the grant of a token that was used before; `false` where that has been done.
async fn end_reused(tx: &mut Tx, token: &str, now: UnixTime) -> Result<bool, DbError> {
    let family = single_use::first_replay(tx, Kind::RefreshToken, token).await?;
    let Some(family) = family else {
        return Ok(false);
    };
    end_family(tx, &family, EndReason::TokenReused, now).await?;
    Ok(true)
}

/// Whoever repeats a token cannot fill the log.
fn replayed(first: bool) -> &'static str {
    if first {
        metrics::counter!("vouchsafe_refresh_tokens_reused_total").increment(1);
        tracing::warn!("a refresh token came twice: its grant has ended");
    }
    "replayed"
}

/// Ends everything that came of one login at one application: access tokens, refresh tokens, and
/// the session behind those. The application is the one who sees it, so no logout token is sent.
pub(super) async fn end_family(
    tx: &mut Tx,
    family: &str,
    reason: EndReason,
    now: UnixTime,
) -> Result<(), DbError> {
    tokens::revoke_family(tx, family).await?;
    single_use::revoke_family(tx, Kind::RefreshToken, family, now).await?;
    if let Some(holder) = refresh_grants::holder(tx, family).await? {
        end::end_quietly(tx, &holder.session, reason, now).await?;
    }
    Ok(())
}
