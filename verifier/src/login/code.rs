//! Authorization codes, and what they say about how somebody was authenticated.

use serde_json::{Map, Value};
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::acr::{Acr, AcrLadder, AcrWish};
use vouchsafe_protocol::oidc::amr::{Amr, Done, reached};
use vouchsafe_service::db::Tx;
use vouchsafe_service::single_use::{self, Kind, NewObject};

use super::CODE_S;
use super::finish::FinishError;
use super::grant::{self, Grant};
use crate::app::Parts;
use crate::domain::ids::{Secret, Sid};
use crate::domain::request::LoginRequest;
use crate::domain::session::{Authentication, Session, SessionClient};
use crate::domain::transaction::{Answer, Channel};
use crate::store::sessions;

/// Puts an authorization code for a session into the database.
pub(super) async fn issue_code(
    tx: &mut Tx,
    app: &Parts,
    request: &LoginRequest,
    session: &Session,
    sub: String,
    (id_token_claims, userinfo_claims): (Map<String, Value>, Map<String, Value>),
) -> Result<Secret, FinishError> {
    let member = SessionClient {
        sid: Sid::random(app.rng.as_ref()),
        session: session.id.clone(),
        client: request.client.clone(),
        sub: sub.clone(),
    };
    let sid = sessions::attach_client(tx, &member, app.now()).await?;
    let code = Secret::random(app.rng.as_ref());
    let family = token(app.rng.as_ref());
    let grant = Grant {
        family: family.clone(),
        client: request.client.clone(),
        redirect_uri: request.back.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        scope: request.scope.clone(),
        sub,
        session: session.id.clone(),
        sid,
        authentication: session.authentication.clone(),
        id_token_claims,
        userinfo_claims,
    };
    let object = NewObject {
        payload: grant::seal(app, code.reveal(), &grant)?,
        family,
        expires_at: app.now().plus(CODE_S),
    };
    single_use::put(tx, Kind::AuthorizationCode, code.reveal(), &object).await?;
    Ok(code)
}

/// How a person was authenticated by an answer.
pub(super) fn authentication(answer: &Answer) -> Authentication {
    let done = [Done::Presentation {
        cross_device: answer.channel == Channel::Qr,
        hardware_key: false,
        user_verified: false,
    }];
    Authentication {
        auth_time: answer.answered_at,
        acr: reached(&done).map_or_else(String::new, |acr| acr.as_str().to_owned()),
        amr: Amr::compute(&done).iter().map(str::to_owned).collect(),
    }
}

/// OpenID Connect Core 1.0, section 5.5.1.1: an essential `acr` that was not reached fails the
/// request; a wish does not.
pub(super) fn acr_permits(request: &LoginRequest, authentication: &Authentication) -> bool {
    if request.essential_acr.is_empty() {
        return true;
    }
    let wish = AcrWish::new(&request.essential_acr, true);
    Acr::from_wire(&authentication.acr).is_some_and(|acr| wish.permits(acr))
}

/// What an earlier login still counts for: a class that has run out is not claimed again.
pub(super) fn still_counts(authentication: Authentication, now: UnixTime) -> Authentication {
    let reached = Acr::from_wire(&authentication.acr);
    let current =
        reached.and_then(|acr| AcrLadder::default().current(acr, authentication.auth_time, now));
    Authentication {
        acr: current.map_or_else(String::new, |acr| acr.as_str().to_owned()),
        ..authentication
    }
}
