//! What wallets call, as far as the profile has it, and what says that the service is ready.

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use vouchsafe_service::http::limits;

use crate::authentication::Method;
use crate::core::Core;
use crate::handlers::{self, server_nonces};
use crate::paths;

/// The endpoints of the authorization server and the credential issuer.
pub fn wallets(core: &Core) -> Router<Core> {
    let body = |bytes| DefaultBodyLimit::max(bytes);
    let credential = post(handlers::credential::handler).layer(body(limits::CREDENTIAL));
    let deferred = post(handlers::deferred::handler).layer(body(limits::CREDENTIAL));
    let notification = post(handlers::notification::handler).layer(body(limits::FORM));
    let mut wallets = Router::new()
        .route(paths::TOKEN, post(handlers::token::handler))
        .route(paths::NONCE, post(handlers::nonce::handler))
        .route(paths::CREDENTIAL, credential)
        .route(paths::DEFERRED, deferred)
        .route(paths::NOTIFICATION, notification);
    let rules = core.settings.rules();
    if rules.par.on() {
        wallets = wallets.route(paths::PAR, post(handlers::par::handler));
    }
    if core.settings.attestation_challenges {
        wallets = wallets.route(paths::CHALLENGE, post(handlers::challenge::handler));
    }
    let authorize = get(handlers::authorize::handler).post(handlers::authorize_confirm::handler);
    let (issuer, server) = (
        get(handlers::wellknown_issuer::handler),
        get(handlers::wellknown_server::handler),
    );
    // Every answer to a wallet brings the nonce for its next request.
    wallets
        .layer(from_fn_with_state(core.clone(), server_nonces::layer))
        .route(paths::ISSUER_METADATA, issuer)
        .route(paths::SERVER_METADATA, server)
        .route(paths::OFFER, get(handlers::offer::handler))
        .route(paths::AUTHORIZE, authorize)
        .merge(persons(core))
}

/// The pages of the ways to know a person that are configured.
fn persons(core: &Core) -> Router<Core> {
    let mut persons = Router::new();
    let methods = core
        .settings
        .authentications
        .iter()
        .map(|rule| &rule.method);
    let (mut signs_in, mut asks, mut looks) = (false, false, false);
    for method in methods {
        match method {
            Method::Code => {}
            Method::OpenIdConnect(_) => signs_in = true,
            Method::Webhook(_) => asks = true,
            Method::Presentation(_) => looks = true,
        }
    }
    let form = DefaultBodyLimit::max(limits::FORM);
    if signs_in || looks {
        let consent = post(handlers::authorize_consent::handler).layer(form);
        persons = persons.route(paths::AUTHORIZE_CONSENT, consent);
    }
    if signs_in {
        let back = get(handlers::authorize_upstream::handler);
        persons = persons.route(paths::AUTHORIZE_UPSTREAM, back);
    }
    if looks {
        use handlers::{authorize_presented, presentation_request, presentation_response};
        let request = get(presentation_request::get).post(presentation_request::post);
        let large = DefaultBodyLimit::max(limits::PRESENTATION);
        let response = post(presentation_response::handler).layer(large);
        persons = persons
            .route(paths::PRESENTATION_REQUEST, request.layer(form))
            .route(paths::PRESENTATION_RESPONSE, response)
            .route(
                paths::AUTHORIZE_PRESENTED,
                get(authorize_presented::handler),
            );
    }
    if asks {
        let person = post(handlers::authorize_person::handler).layer(form);
        persons = persons.route(paths::AUTHORIZE_PERSON, person);
    }
    persons
}

/// 200 when the database answers.
pub async fn ready(State(core): State<Core>) -> StatusCode {
    readiness(&core).await
}

/// 200 when the database answers.
pub async fn readiness(core: &Core) -> StatusCode {
    match core.db.ping().await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "not ready");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
