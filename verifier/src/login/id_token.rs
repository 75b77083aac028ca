//! The ID token of a login, at the redemption of its code and at each refresh.

use serde_json::{Map, Value};
use vouchsafe_protocol::oidc::acr::Acr;
use vouchsafe_protocol::oidc::amr::{Amr, Done};
use vouchsafe_protocol::oidc::id_token::{IdTokenClaims, Subject};

use super::ID_TOKEN_S;
use crate::app::Parts;
use crate::config::Client;
use crate::domain::approval::Approved;
use crate::domain::ids::{Secret, Sid};
use crate::domain::session::Authentication;
use crate::tokens::{TokenError, alg_name};

/// What an ID token is made of.
pub(super) struct Basis<'a> {
    /// The person, as the application knows them.
    pub sub: &'a str,
    /// The session, as the application knows it.
    pub sid: &'a Sid,
    /// How the person was authenticated, and when: a refresh renews neither (OpenID Connect Core
    /// 1.0, section 12.2).
    pub authentication: &'a Authentication,
    /// Echoed.
    pub nonce: Option<&'a str>,
    /// Facts.
    pub claims: &'a Map<String, Value>,
    /// The transaction that was approved in the login.
    pub approved: Option<&'a Approved>,
}

/// Makes and signs the token.
pub(super) fn id_token(
    app: &Parts,
    client: &Client,
    basis: &Basis<'_>,
    access_token: &Secret,
) -> Result<String, TokenError> {
    let authentication = basis.authentication;
    let subject = Subject {
        issuer: app.issuer(),
        sub: basis.sub,
        client_id: client.id.as_str(),
        auth_time: authentication.auth_time,
    };
    let has = |value: &str| authentication.amr.iter().any(|method| method == value);
    let mut done = Vec::new();
    done.extend(has("vp").then_some(Done::Presentation {
        cross_device: has("xdev"),
        hardware_key: false,
        user_verified: false,
    }));
    done.extend(has("sms").then_some(Done::Sms));
    done.extend(has("otp").then_some(Done::OneTimeCode));
    // Only a passkey says that the person was verified here.
    done.extend(has("swk").then_some(Done::Passkey {
        hardware_key: false,
        user_verified: has("user"),
    }));
    done.extend(has("rba").then_some(Done::RiskAssessed));
    let token = IdTokenClaims::new(&subject, app.now(), ID_TOKEN_S)
        .nonce(basis.nonce)
        .authenticated(Acr::from_wire(&authentication.acr), Amr::compute(&done))
        .access_token(access_token.reveal(), alg_name(client.alg))
        .session(basis.sid.as_str());
    let token = basis.claims.iter().fold(token, |token, (name, value)| {
        token.claim(name, value.clone())
    });
    let token = match basis.approved {
        None => token,
        Some(Approved { hash, details: _ }) => token
            .claim("transaction_data_hashes", Value::from(vec![hash.as_str()]))
            .claim("transaction_data_hashes_alg", Approved::ALG.into()),
    };
    app.tokens.id_token(client.alg, &token)
}
