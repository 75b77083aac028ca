//! Who may call: an API key with the scope, or anybody where the configuration says so. Issuing is open
//! on this machine alone.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;

use super::{Parts, Refusal, VcApi};
use crate::api_keys::{self, ApiCaller};

/// Issue, derive and change a status. Where there are several identities, `vc:issue:ID` says in whose
/// name; this one alone then is for deriving.
pub const ISSUE: &str = "vc:issue";
/// Verify and resolve.
pub const VERIFY: &str = "vc:verify";

/// Who calls.
#[derive(Clone)]
pub(super) enum Caller {
    /// Anybody on this machine: nobody is asked for a key.
    Anybody,
    /// Who has this key.
    Key(ApiCaller),
}

impl Caller {
    /// How the audit log names the caller.
    pub(super) fn actor(&self) -> String {
        match self {
            Self::Anybody => "anonymous".to_owned(),
            Self::Key(key) => key.actor(),
        }
    }

    /// Whether the caller may act in the name of an identity of this service.
    pub(super) fn check_may_issue_as(&self, parts: &Parts, issuer: &str) -> Result<(), Refusal> {
        let may = match self {
            Self::Anybody => true,
            Self::Key(key) => {
                // One identity alone needs no name: who may issue may issue in it.
                let only = parts.identities.iter().all(|one| one.id == issuer);
                (only && key.may(ISSUE)) || key.may(&issue_as(issuer))
            }
        };
        may.then_some(()).ok_or_else(Refusal::forbidden)
    }
}

/// The scope of a key that issues in this name.
#[must_use]
pub fn issue_as(issuer: &str) -> String {
    format!("{ISSUE}:{issuer}")
}

/// What a caller must be allowed, as a layer of a route.
#[derive(Clone)]
pub(super) struct Gate {
    pub api: VcApi,
    pub scope: &'static str,
}

pub(super) async fn gate(
    State(Gate { api, scope }): State<Gate>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let open = api.parts().open;
    let open = match scope == VERIFY {
        true => open.verifying,
        false => open.issuing,
    };
    let caller = match open {
        true => Caller::Anybody,
        false => Caller::Key(authenticate(api.parts(), request.headers(), scope).await?),
    };
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

async fn authenticate(
    parts: &Parts,
    headers: &HeaderMap,
    scope: &'static str,
) -> Result<ApiCaller, Refusal> {
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
    // In whose name an issuing key may act is asked where that name is known.
    let may = match scope == ISSUE {
        true => caller.may_in_part(scope),
        false => caller.may(scope),
    };
    match may {
        true => Ok(caller),
        false => Err(Refusal::forbidden()),
    }
}
