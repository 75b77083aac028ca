//! What is told of a token (RFC 7662). The session behind it is asked each time, so a session that
//! has ended takes its tokens along at once.

use std::sync::Arc;

use vouchsafe_protocol::oauth::introspection::{Confirmation, Introspection, LiveToken};
use vouchsafe_protocol::oauth::token::TokenType;
use vouchsafe_service::single_use::{self, Kind};

use super::code::still_counts;
use super::grant::{self, Issued};
use super::{refresh, refresh_token};
use crate::app::Parts;
use crate::caller::Caller;
use crate::config::Client;
use crate::domain::approval::Approved;
use crate::domain::ids::{ClientId, Secret};
use crate::store::{StoreError, sessions, tokens};

/// Whether a token is good now, for somebody who may know.
pub async fn introspect(
    app: &Parts,
    caller: &Caller<'_>,
    token: &str,
) -> Result<Introspection, StoreError> {
    let Some(token) = Secret::parse(token) else {
        return Ok(Introspection::Inactive);
    };
    let live = match access_token(app, caller, &token).await? {
        Some(live) => Some(live),
        None => of_refresh_token(app, caller, &token).await?,
    };
    Ok(live.map_or(Introspection::Inactive, |live| {
        Introspection::Active(Box::new(live))
    }))
}

async fn access_token(
    app: &Parts,
    caller: &Caller<'_>,
    token: &Secret,
) -> Result<Option<LiveToken>, StoreError> {
    let Some(live) = tokens::find(&app.db, &token.digest(), app.now()).await? else {
        return Ok(None);
    };
    let ends = live.expires_at();
    let client = ClientId::from_text(live.client_id.as_str());
    let Some(client) = known_to(app, caller, &client).await? else {
        return Ok(None);
    };
    let opened = grant::open_token(app, token.reveal(), &live.claims)?;
    // What the application may not use any more is good for nothing.
    if opened.jkt.is_none() && client.only_bound {
        return Ok(None);
    }
    let Some(Issued {
        at,
        scope,
        authentication,
        approved,
    }) = opened.issued
    else {
        return Ok(None);
    };
    let authentication = still_counts(authentication, app.now());
    Ok(Some(LiveToken {
        iss: app.issuer().to_owned(),
        client_id: live.client_id,
        sub: opened.sub,
        scope,
        token_type: Some(TokenType::of(opened.jkt.is_some())),
        iat: Some(at),
        exp: ends,
        auth_time: authentication.auth_time,
        acr: Some(authentication.acr).filter(|acr| !acr.is_empty()),
        amr: authentication.amr,
        cnf: opened.jkt.map(|jkt| Confirmation { jkt }),
        transaction_data_hashes: approved.iter().map(|one| one.hash.clone()).collect(),
        transaction_data_hashes_alg: approved.as_ref().map(|_| Approved::ALG.to_owned()),
        authorization_details: approved.into_iter().map(|one| one.details).collect(),
    }))
}

async fn of_refresh_token(
    app: &Parts,
    caller: &Caller<'_>,
    token: &Secret,
) -> Result<Option<LiveToken>, StoreError> {
    // No resource server is ever shown one.
    let Caller::Client(client) = caller else {
        return Ok(None);
    };
    let (kind, now) = (Kind::RefreshToken, app.now());
    let Some(sealed) = single_use::peek(&app.db, kind, token.reveal(), now).await? else {
        return Ok(None);
    };
    let grant = refresh_token::open(app, token.reveal(), &sealed)?;
    if grant.client != client.id || !client.offline_access {
        return Ok(None);
    }
    let Some(session_ends) = sessions::ends_at(&app.db, &grant.session, now).await? else {
        return Ok(None);
    };
    // What was issued to a confidential client is bound by its authentication.
    let bound_to = grant
        .jkt
        .filter(|_| !client.authentication.is_confidential());
    let authentication = still_counts(grant.authentication, now);
    Ok(Some(LiveToken {
        iss: app.issuer().to_owned(),
        client_id: client.id.as_str().to_owned(),
        sub: grant.sub,
        // RFC 7662, section 2.2: what the token is good for, which is less than its login was.
        scope: refresh::brings(&grant.scope),
        token_type: None,
        iat: None,
        exp: grant.expires_at.min(session_ends),
        auth_time: authentication.auth_time,
        acr: Some(authentication.acr).filter(|acr| !acr.is_empty()),
        amr: authentication.amr,
        cnf: bound_to.map(|jkt| Confirmation { jkt }),
        // Nothing is approved by going on.
        transaction_data_hashes: Vec::new(),
        transaction_data_hashes_alg: None,
        authorization_details: Vec::new(),
    }))
}

/// The application of a token, for somebody who may know: an application asks about its own
/// tokens, a resource server about those of its applications; an application that is not served
/// any more has none (catalogue 388).
async fn known_to(
    app: &Parts,
    caller: &Caller<'_>,
    client: &ClientId,
) -> Result<Option<Arc<Client>>, StoreError> {
    match caller {
        Caller::Client(own) if own.id == *client => Ok(Some(Arc::clone(own))),
        Caller::ResourceServer(server) if server.serves(client) => app.client(client).await,
        Caller::Client(_) | Caller::ResourceServer(_) => Ok(None),
    }
}
