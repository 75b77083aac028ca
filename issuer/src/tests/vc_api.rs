//! The VC API in the issuing service: off unless it is turned on, closed unless it is opened.

use axum::body::Body;
use axum::http::Request;

use super::harness::{Answer, Harness, config_text};
use vouchsafe_service::db::testing::for_each_database;

const PATHS: [&str; 5] = [
    "/credentials/issue",
    "/credentials/derive",
    "/credentials/status",
    "/credentials/verify",
    "/presentations/verify",
];

async fn post(harness: &Harness, path: &str) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from("{}"));
    harness.send(request.unwrap()).await
}

#[tokio::test]
async fn the_paths_do_not_exist_unless_the_configuration_says_so() {
    for_each_database(&[crate::store::MIGRATIONS], async |db| {
        let harness = Harness::new(db.clone()).await;
        for path in PATHS {
            assert_eq!(post(&harness, path).await.status, 404, "{path}");
        }
        let did = harness.get("/1.0/identifiers/did:example:a").await;
        assert_eq!(did.status, 404);
    })
    .await;
}

#[tokio::test]
async fn turned_on_they_ask_for_a_key() {
    for_each_database(&[crate::store::MIGRATIONS], async |db| {
        let text = format!("{}\n[vc_api]\nenabled = true\n", config_text(""));
        let harness = Harness::with_config(db, &text).await;
        for path in PATHS {
            assert_eq!(post(&harness, path).await.status, 401, "{path}");
        }
    })
    .await;
}
