//! `GET /.well-known/openid-configuration` and its alias of RFC 8414: what is enforced, nothing more.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::client_auth::AuthMethod;
use vouchsafe_protocol::oauth::device::DEVICE_CODE;
use vouchsafe_protocol::oauth::token::{AUTHORIZATION_CODE, REFRESH_TOKEN};
use vouchsafe_protocol::oidc::acr::Acr;
use vouchsafe_protocol::oidc::discovery::{Capabilities, DiscoveryDocument, Endpoints};

use super::token::CLIENT_CREDENTIALS;
use super::{PAR, TOKEN, USERINFO};
use crate::app::{App, Parts};
use crate::config::Query;
use crate::domain::approval::ApprovalType;
use crate::domain::request::{OFFLINE_ACCESS, OPENID};

/// How those who prove who they are do so.
const CONFIDENTIAL: [AuthMethod; 3] = [
    AuthMethod::ClientSecretBasic,
    AuthMethod::ClientSecretPost,
    AuthMethod::PrivateKeyJwt,
];
/// How applications authenticate.
const APPLICATIONS: [AuthMethod; 4] = [
    AuthMethod::ClientSecretBasic,
    AuthMethod::ClientSecretPost,
    AuthMethod::PrivateKeyJwt,
    AuthMethod::None,
];

fn names(methods: &[AuthMethod]) -> Vec<String> {
    methods
        .iter()
        .map(|method| method.as_str().to_owned())
        .collect()
}

/// The document.
pub async fn handle(State(app): State<App>) -> Response {
    (
        [(header::CACHE_CONTROL, "public, max-age=300")],
        Json(document(&app)),
    )
        .into_response()
}

fn document(app: &Parts) -> DiscoveryDocument {
    let at = |path: &str| app.settings.public_url.join(path);
    let devices = app.settings.serves_devices();
    let endpoints = Endpoints {
        authorization: at("/authorize"),
        token: at(TOKEN),
        userinfo: at(USERINFO),
        jwks: at("/jwks"),
        end_session: Some(at("/logout")),
        introspection: Some(at("/introspect")),
        revocation: Some(at("/revoke")),
        pushed_authorization_request: Some(at(PAR)),
        device_authorization: devices.then(|| at("/device_authorization")),
        registration: (app.settings.registration.as_ref()).map(|_| at(super::REGISTER)),
    };
    let queries = app.settings.queries();
    let refresh = app.settings.gives_refresh_tokens();
    let scopes = queries.iter().flat_map(Query::scope_names);
    let known = app.settings.attributes();
    let attribute_scopes: BTreeSet<String> =
        known.iter().filter_map(|one| one.scope.clone()).collect();
    let scopes = std::iter::once(OPENID.to_owned())
        .chain(scopes.map(str::to_owned))
        .chain(attribute_scopes)
        .chain(refresh.then(|| OFFLINE_ACCESS.to_owned()));
    let grants = std::iter::once(AUTHORIZATION_CODE).chain(refresh.then_some(REFRESH_TOKEN));
    let grants = grants.chain(devices.then_some(DEVICE_CODE));
    let receivers = app.settings.serves_receivers();
    let grants = grants.chain(receivers.then_some(CLIENT_CREDENTIALS));
    let standard = [
        "sub",
        "iss",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "at_hash",
        "sid",
    ]
    .map(str::to_owned);
    let mut claims: Vec<String> = queries
        .iter()
        .flat_map(Query::claim_names)
        .chain(known.iter().map(|one| one.claim.as_str()))
        .map(str::to_owned)
        .collect();
    let approvals = approvals(app);
    if !approvals.is_empty() {
        let hashes = ["transaction_data_hashes", "transaction_data_hashes_alg"];
        claims.extend(hashes.map(str::to_owned));
    }
    let (presentations, assurance) = (
        app.settings.served_presentations(),
        app.settings.assurance(),
    );
    let presented = presentations.as_ref().map(|_| "presented_credentials");
    let verified = assurance.as_ref().map(|_| "verified_claims");
    claims.extend(presented.into_iter().chain(verified).map(str::to_owned));
    claims.sort();
    claims.dedup();
    // Where every application keeps FAPI 2.0, nothing else is served to any.
    let profile = app.settings.profile();
    let algorithms = profile.algorithm_names();
    let (methods, id_token_algs) = if profile.is_fapi2() {
        (names(&[AuthMethod::PrivateKeyJwt]), vec!["ES256"])
    } else {
        (names(&APPLICATIONS), vec!["RS256", "ES256"])
    };
    let capabilities = Capabilities {
        scopes: scopes.collect(),
        claims: standard.into_iter().chain(claims).collect(),
        acr: classes(app),
        id_token_algs: id_token_algs.into_iter().map(str::to_owned).collect(),
        token_auth_methods: methods.clone(),
        introspection_auth_methods: names(&CONFIDENTIAL),
        revocation_auth_methods: methods,
        assertion_algs: algorithms.clone(),
        grants: grants.map(str::to_owned).collect(),
        dpop_algs: algorithms,
        ui_locales: Locale::ALL.map(|locale| locale.tag().to_owned()).to_vec(),
        // RFC 9126, section 5: true where nobody is served without.
        only_pushed: app.settings.only_pushed(),
        claims_parameter: true,
        backchannel_logout: true,
        form_post: true,
        public_subjects: false,
        client_documents: app.settings.documents.is_some(),
        authorization_details_types: approvals.iter().map(|one| one.name().to_owned()).collect(),
        presentations,
        assurance,
    };
    DiscoveryDocument::new(app.issuer(), endpoints, capabilities)
}

/// Kinds of transactions that some application may ask people to approve, where a journey has a step for
/// them.
fn approvals(app: &Parts) -> BTreeSet<ApprovalType> {
    let journeys = app.journeys.current();
    let approves = journeys.all().any(|journey| journey.approves());
    let clients = app.settings.clients().iter().filter(|_| approves);
    clients
        .flat_map(|client| client.approvals.clone())
        .collect()
}

/// The classes that a login can reach: what a passkey reaches where there are any.
fn classes(app: &Parts) -> Vec<Acr> {
    let by_passkey = app.settings.passkeys.as_ref().map(|_| Acr::Multi);
    let by_card = [Acr::CredentialCrossDevice, Acr::Credential];
    by_passkey.into_iter().chain(by_card).collect()
}
