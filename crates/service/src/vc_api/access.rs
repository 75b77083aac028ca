//! Who may call: an API key with the scope, or anybody where the configuration says so. Issuing is open
//! on this machine alone.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;

use super::{Parts, Refusal, VcApi};
use crate::api_keys;

/// Issue, derive and change a status.
pub const ISSUE: &str = "vc:issue";
/// Verify and resolve.
pub const VERIFY: &str = "vc:verify";

/// What a caller must be allowed, as a layer of a route.
#[derive(Clone)]
pub(super) struct Gate {
    pub api: VcApi,
    pub scope: &'static str,
}

pub(super) async fn gate(
    State(Gate { api, scope }): State<Gate>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let open = api.parts().open;
    let open = match scope == VERIFY {
        true => open.verifying,
        false => open.issuing,
    };
    if !open {
        authenticate(api.parts(), request.headers(), scope).await?;
    }
    Ok(next.run(request).await)
}

async fn authenticate(
    parts: &Parts,
    headers: &HeaderMap,
    scope: &'static str,
) -> Result<(), Refusal> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(Refusal::unauthorized());
    };
    let text = header.to_str().map_err(|_| Refusal::unauthorized())?;
    let (scheme, key) = text.split_once(' ').ok_or_else(Refusal::unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::unauthorized());
    }
    let caller = api_keys::authenticate(&parts.db, key, parts.clock.now())
        .await?
        .ok_or_else(Refusal::unauthorized)?;
    match caller.may(scope) {
        true => Ok(()),
        false => Err(Refusal::forbidden()),
    }
}
