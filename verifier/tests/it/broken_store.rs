//! A database that fails: nobody is told that something was done which was not.

use axum::http::{StatusCode, header};
use serde_json::json;
use vouchsafe_service::db::{Db, testing};
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::World;
use crate::world::steps::same_device;

#[tokio::test]
async fn cat_373_a_token_is_not_said_to_be_revoked_while_it_is_not() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::new(temporary.db.clone()).await;
    let spa = world.spa();
    let wallet = world.person("M-1").await;
    let address = spa.authorize("openid membership offline_access", &[]);
    let answer = same_device(&mut world.browser(), &wallet, &address).await;
    let tokens = spa.redeem(&spa.code(&answer)).await.json();
    let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let both = [token("access_token"), token("refresh_token")];

    // What is read is there, but nothing can be written.
    for sql in [
        "CREATE TRIGGER a BEFORE UPDATE ON access_tokens BEGIN SELECT RAISE(ABORT, 'broken'); END",
        "CREATE TRIGGER b BEFORE DELETE ON access_tokens BEGIN SELECT RAISE(ABORT, 'broken'); END",
        "CREATE TRIGGER c BEFORE UPDATE ON refresh_token BEGIN SELECT RAISE(ABORT, 'broken'); END",
        "CREATE TRIGGER d BEFORE DELETE ON refresh_token BEGIN SELECT RAISE(ABORT, 'broken'); END",
    ] {
        vouchsafe_service::execute!(world.db, sqlx::query(sql)).unwrap();
    }
    for token in &both {
        let refused = spa.revoke(token).await;
        assert!(refused.status.is_server_error(), "{}", refused.status);
        assert_eq!(refused.json()["error"], "server_error");
    }
    // Nothing can be read either.
    world.db.close().await;
    for token in &both {
        let refused = spa.revoke(token).await;
        // RFC 7009, section 2.2.1: the client is to assume that the token still exists.
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(refused.json()["error"], "temporarily_unavailable");
    }

    // It was as it was said: both are good until they are revoked.
    let db = Db::open(&temporary.url).await.unwrap();
    let world = World::new(db).await;
    for sql in [
        "DROP TRIGGER a",
        "DROP TRIGGER b",
        "DROP TRIGGER c",
        "DROP TRIGGER d",
    ] {
        vouchsafe_service::execute!(world.db, sqlx::query(sql)).unwrap();
    }
    let api = world.shop_api();
    assert_eq!(api.introspect(&both[0]).await["active"], true);
    for token in &both {
        assert_eq!(world.spa().revoke(token).await.status, StatusCode::OK);
    }
    assert_eq!(api.introspect(&both[0]).await, json!({ "active": false }));
    let answer = world.spa().refresh(&both[1]).await;
    assert_eq!(answer.json()["error"], "invalid_grant");
}
