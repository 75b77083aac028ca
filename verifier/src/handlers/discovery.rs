//! `GET /.well-known/openid-configuration` and its alias of RFC 8414: what is enforced, nothing more.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::client_auth::AuthMethod;
use vouchsafe_protocol::oauth::token::AUTHORIZATION_CODE;
use vouchsafe_protocol::oidc::acr::Acr;
use vouchsafe_protocol::oidc::discovery::{Capabilities, DiscoveryDocument, Endpoints};

use crate::app::{App, Parts};

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
    let endpoints = Endpoints {
        authorization: at("/authorize"),
        token: at("/token"),
        userinfo: at("/userinfo"),
        jwks: at("/jwks"),
        end_session: Some(at("/logout")),
        introspection: None,
        revocation: None,
        pushed_authorization_request: None,
        device_authorization: None,
        registration: None,
    };
    let queries = app.settings.queries();
    let scopes = std::iter::once("openid".to_owned())
        .chain(queries.iter().filter_map(|query| query.scope.clone()));
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
        .flat_map(|query| query.claim_names())
        .collect();
    claims.sort();
    claims.dedup();
    let capabilities = Capabilities {
        scopes: scopes.collect(),
        claims: standard.into_iter().chain(claims).collect(),
        acr: vec![Acr::CredentialCrossDevice, Acr::Credential],
        id_token_algs: vec!["RS256".to_owned(), "ES256".to_owned()],
        token_auth_methods: [
            AuthMethod::ClientSecretBasic,
            AuthMethod::ClientSecretPost,
            AuthMethod::None,
        ]
        .map(|method| method.as_str().to_owned())
        .to_vec(),
        grants: vec![AUTHORIZATION_CODE.to_owned()],
        dpop_algs: Vec::new(),
        ui_locales: Locale::ALL.map(|locale| locale.tag().to_owned()).to_vec(),
        claims_parameter: true,
        backchannel_logout: true,
        form_post: true,
        public_subjects: false,
    };
    DiscoveryDocument::new(app.issuer(), endpoints, capabilities)
}
