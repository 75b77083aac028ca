//! Every route with requests that nobody should send: no server error, no panic.

use axum::http::Method;
use serde_json::{Value, json};
use tower::ServiceExt;
use vouchsafe_service::db::testing;
use vouchsafe_service::http::hostile::{Hostile, Route, Takes};

use super::harness::{Harness, PRE_AUTHORIZED};
use crate::{paths, store};

/// Routes of the protocols, which the OpenAPI document does not have.
fn protocol_routes() -> Vec<Route> {
    let token = [
        "grant_type",
        "pre-authorized_code",
        "tx_code",
        "code",
        "code_verifier",
        "client_id",
        "redirect_uri",
    ];
    let authorize = [
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "issuer_state",
        "code_challenge",
        "code_challenge_method",
        "scope",
        "authorization_details",
    ];
    let credential = json!({"type": "object", "properties": {
        "credential_configuration_id": {"enum": ["membership", "age", ""]},
        "credential_identifier": {"type": "string"},
        "proofs": {"type": "object", "properties": {"jwt": {"type": "array", "items": {"type": "string"}}}},
        "credential_response_encryption": {"type": "object"},
    }});
    let mut routes: Vec<Route> = [
        paths::ISSUER_METADATA,
        paths::SERVER_METADATA,
        paths::OFFER,
        paths::STATUS,
        paths::OPENAPI,
        paths::HEALTHZ,
        paths::READYZ,
    ]
    .map(|path| Route::new(Method::GET, path, &[]))
    .into();
    routes.push(Route::new(Method::GET, paths::AUTHORIZE, &authorize));
    routes.push(Route::new(
        Method::POST,
        paths::AUTHORIZE,
        &["flow", "code", "csrf"],
    ));
    routes.push(Route::new(Method::POST, paths::TOKEN, &token));
    routes.push(Route::new(Method::POST, paths::NONCE, &[]));
    routes.push(Route {
        takes: Takes::Json(credential),
        ..Route::new(Method::POST, paths::CREDENTIAL, &[])
    });
    routes
}

#[tokio::test]
async fn cat_124_no_request_brings_a_server_error() {
    let full = std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1");
    let (seed, count) = (124, if full { 100_000 } else { 2_000 });
    let document = include_str!("../../../specs/openapi/issuer.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let described = Route::of_document(&document);
    assert!(described.len() >= 8, "{}", described.len());
    let routes = [described, protocol_routes()].concat();

    let database = testing::sqlite(&[store::MIGRATIONS]).await;
    let h = Harness::new(database.db.clone()).await;
    h.issue(&h.holder(1)).await;
    let token = h.token().await;
    let newest = h.newest().await;
    let list = newest["status_list"]["uri"].as_str().unwrap();
    let mut hostile = Hostile::new(&document, seed);
    hostile.credentials = vec![format!("Bearer {}", h.key), format!("Bearer {token}")];
    hostile.known = vec![
        newest["id"].as_str().unwrap().to_owned(),
        list.rsplit('/').next().unwrap().to_owned(),
        h.offer(json!({})).await["id"].as_str().unwrap().to_owned(),
        PRE_AUTHORIZED.to_owned(),
        "membership".to_owned(),
    ];
    let mut well = 0;
    for number in 0..count {
        let request = hostile.request(&routes);
        let shown = format!("{} {}", request.method(), request.uri());
        let response = h.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        // "The list of another time" is answered with 501, as its specification wants it.
        let of_lists = ["GET /status/", "HEAD /status/"];
        let historical = status == 501 && of_lists.iter().any(|one| shown.starts_with(one));
        assert!(
            !status.is_server_error() || historical,
            "request {number} of seed {seed}: {shown}: {status}"
        );
        well += usize::from(status.is_success());
    }
    // Some get through, so the others fail for what is wrong with them.
    assert!((count / 20..count).contains(&well), "{well} of {count}");
}
