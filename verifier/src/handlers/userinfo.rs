//! `GET|POST /userinfo` (OpenID Connect Core 1.0, section 5.3).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::http::Method as ProofMethod;
use vouchsafe_protocol::oauth::access_token::{PresentationError, PresentedToken};
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::params::{Params, ParamsError};
use vouchsafe_protocol::oauth::token::TokenType;
use vouchsafe_protocol::oidc::userinfo::UserInfo;
use vouchsafe_service::db::DbError;
use vouchsafe_service::dpop::{self, ProofError, TokenRefused};
use vouchsafe_service::http::{self, Problem, is_form};

use super::{USERINFO, proof};
use crate::app::App;
use crate::domain::ids::{ClientId, Secret};
use crate::login::presented::PRESENTED;
use crate::login::{deliver, grant, known};
use crate::store::{StoreError, tokens};

/// Why nothing is said.
#[derive(Debug, thiserror::Error)]
enum UserInfoError {
    /// No token, or none that can be read.
    #[error("no access token")]
    Presentation(#[from] PresentationError),
    /// A token in the address.
    #[error("a token is in the query")]
    Query,
    /// The form in the body cannot be read.
    #[error("malformed parameters")]
    Form(#[from] ParamsError),
    /// Not one of ours, expired, ended with its session, or presented in another way than it was
    /// issued for.
    #[error("the access token is not valid")]
    Invalid,
    /// The DPoP proof beside it.
    #[error("the proof of possession is not acceptable")]
    Proof(#[from] ProofError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for UserInfoError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<TokenRefused> for UserInfoError {
    fn from(refused: TokenRefused) -> Self {
        match refused {
            TokenRefused::Scheme => Self::Invalid,
            TokenRefused::Proof(error) => Self::Proof(error.into()),
        }
    }
}

impl UserInfoError {
    /// `first` is the scheme that was tried.
    fn respond(self, first: TokenType) -> Response {
        let error: Option<OAuthError> = match self {
            Self::Presentation(error) => error.into(),
            Self::Query => Some(OAuthError::invalid_request("a token is in the query")),
            Self::Form(_) => Some(OAuthError::invalid_request("malformed parameters")),
            Self::Invalid => Some(ErrorCode::InvalidToken.into()),
            Self::Proof(ProofError::Dpop(error)) => Some(dpop::at_resource(&error)),
            Self::Proof(ProofError::Replayed) => Some(ErrorCode::InvalidDpopProof.into()),
            Self::Store(StoreError::Db(error)) | Self::Proof(ProofError::Db(error)) => {
                return Problem::from(error).into_response();
            }
            Self::Store(StoreError::Serialise(_)) => return Problem::internal().into_response(),
        };
        // RFC 6750, section 3.1: 401, but 400 for a request that is malformed; RFC 9449, sections
        // 7.1 and 9: 401 for a proof.
        let status = match &error {
            Some(error) if error.code == ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
            Some(_) | None => StatusCode::UNAUTHORIZED,
        };
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")]).into_response();
        dpop::put_challenges(response.headers_mut(), first, error.as_ref());
        response
    }
}

/// Says what the person agreed to.
pub async fn handle(
    State(app): State<App>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    // RFC 6750, sections 2 and 2.3: one way to send a token, and none in the address.
    if query.is_some_and(|query| names_a_token(&query)) {
        return UserInfoError::Query.respond(tried(&headers));
    }
    match claims(&app, &method, &headers, &body).await {
        Ok(claims) => ([(header::CACHE_CONTROL, "no-store")], Json(claims)).into_response(),
        Err(error) => error.respond(tried(&headers)),
    }
}

fn names_a_token(query: &str) -> bool {
    Params::parse(query).map_or(true, |query| query.was_sent("access_token"))
}

/// The scheme that a request tried, for the first challenge.
fn tried(headers: &HeaderMap) -> TokenType {
    let presented = PresentedToken::parse(&http::headers(headers));
    presented.map_or(TokenType::Bearer, |presented| presented.token_type)
}

async fn claims(
    app: &App,
    method: &Method,
    map: &HeaderMap,
    body: &[u8],
) -> Result<UserInfo, UserInfoError> {
    let form = form(method, map, body)?;
    let headers = http::headers(map);
    let presented = PresentedToken::parse_with_form(&headers, form.as_ref())?;
    // Catalogue 370: an ID token, or anything else that is not shaped like an access token of
    // ours, is never looked up.
    let token = Secret::parse(presented.token.expose()).ok_or(UserInfoError::Invalid)?;
    let live = tokens::find(&app.db, &token.digest(), app.now())
        .await?
        .ok_or(UserInfoError::Invalid)?;
    // Catalogue 388: an application that is not registered any more learns nothing.
    let client = ClientId::from_text(live.client_id.as_str());
    let client = app.client(&client).await?;
    let client = client.ok_or(UserInfoError::Invalid)?;
    let opened = grant::open_token(app, token.reveal(), &live.claims)?;
    let grant::TokenClaims {
        sub,
        mut claims,
        attributes,
        issued: _,
        jkt,
    } = opened.clone();
    // FAPI 2.0, section 5.3.4: nothing but sender-constrained tokens, whenever they were issued.
    if client.only_bound && jkt.is_none() {
        return Err(UserInfoError::Invalid);
    }
    let made_for = match *method {
        Method::POST => ProofMethod::Post,
        _ => ProofMethod::Get,
    };
    let endpoint = proof::endpoint(app, &client, made_for, USERINFO);
    let proof = endpoint.proof_of_token(&headers, &presented, jkt.as_deref())?;
    if let Some(proof) = &proof {
        dpop::use_up(&app.db, dpop::identifier(proof)).await?;
    }
    let known = known::of_token(app, &token.digest(), &client.id, &attributes).await?;
    for (name, value) in known {
        // What a card says now counts before what is kept.
        claims.entry(name).or_insert(value);
    }
    // Told once: not into the body of an answer that has none.
    if claims.contains_key(PRESENTED)
        && (*method == Method::HEAD || !deliver::once(app, &token, &live.claims, opened).await?)
    {
        claims.remove(PRESENTED);
    }
    Ok(UserInfo::new(&sub, claims))
}

/// The form in the body, where there is one (RFC 6750, section 2.2: never with GET).
fn form(method: &Method, headers: &HeaderMap, body: &[u8]) -> Result<Option<Params>, ParamsError> {
    if *method != Method::POST || !is_form(headers) {
        return Ok(None);
    }
    Params::parse_body(body).map(Some)
}
