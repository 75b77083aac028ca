//! What is decided in the transaction that writes it down, and by no look before; and who waits for
//! a database that has no room.

use std::any::Any;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::db::{Db, Each, each, execute, testing};

use super::harness::{Harness, PRE_AUTHORIZED, everywhere};
use crate::domain::secret::{Purpose, Secret};
use crate::issue::{self, IssueError, Order};
use crate::store::tokens::{self, Presented, TokenUse};
use crate::{claims, store};

#[tokio::test]
async fn cat_284_the_subject_is_looked_at_again_where_it_is_written_down() {
    everywhere(async |h| {
        let core = h.issuer.core();
        h.offer(json!({ "record_id": "crm-4712" })).await;
        let token = Secret::received(&h.token().await);
        let hash = token.hash(Purpose::AccessToken);
        let now = h.clock.now();
        let found = tokens::find(&core.db, &hash, now, TokenUse::Issue).await;
        let Presented { grant, offer } = found.unwrap().unwrap();
        // Between the look and the transaction the token becomes that of somebody else.
        let swap = "UPDATE issuer_access_tokens SET record_id = (SELECT id FROM issuer_records \
            WHERE issuer_records.id <> issuer_access_tokens.record_id LIMIT 1)";
        core.db
            .write(async move |tx| execute!(tx, sqlx::query(swap)))
            .await
            .unwrap();
        let claims = claims::open_under_token(&token, &grant.offer, &grant.claims_sealed);
        let key = h.holder(1);
        let keys = [vouchsafe_credentials::crypto::Signer::public_key(&key).clone()];
        let order = Order {
            token: hash,
            grant,
            offer,
            proof: None,
            format: Format::SdJwtVc,
            claims: claims.unwrap(),
            holder_keys: &keys,
            nonces: Vec::new(),
            transaction: None,
        };
        let refused = issue::issue(core, &order).await;
        assert!(
            matches!(refused, Err(IssueError::RecordMismatch)),
            "{refused:?}"
        );
        let count = "SELECT COUNT(*) FROM issuer_credentials";
        let db = &core.db;
        let issued = each!(db, p => sqlx::query_scalar::<_, i64>(count).fetch_one(p).await);
        assert_eq!(issued.unwrap(), 0);
    })
    .await;
}

/// A copy of the database as it is now, as a replica that got no further.
async fn lagging(primary: &testing::TemporaryDb, name: &str) -> Db {
    let path = format!("{}-{name}", primary.url.trim_start_matches("sqlite:"));
    let db = &primary.db;
    execute!(db, sqlx::query("VACUUM INTO $1").bind(path.as_str())).unwrap();
    Db::open(&format!("sqlite:{path}")).await.unwrap()
}

#[tokio::test]
async fn cat_419_a_lagging_replica_lets_nothing_happen_twice() {
    let primary = testing::sqlite(&[store::MIGRATIONS]).await;
    let h = Harness::new(primary.db.clone()).await;
    let code = h.code(&h.offer(json!({})).await).await;
    let replica = lagging(&primary, "code").await;
    let behind = h.on(primary.db.with_readers_of(&replica)).await;
    let redeem = async || {
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        behind.form("/token", &fields).await.error()
    };
    // The replica says that the code is open, now and after it was used.
    assert_eq!(redeem().await.0, 200);
    assert_eq!(redeem().await, (400, "invalid_grant".into()));
    let behind_now = "SELECT COUNT(*) FROM issuer_offers WHERE redeemed = 0";
    let seen = each!(replica, p => sqlx::query_scalar::<_, i64>(behind_now).fetch_one(p).await);
    assert_eq!(seen.unwrap(), 1);
    // The nonce of a proof, and the token that brings the card; there is a status list already.
    h.issue(&h.holder(2)).await;
    let token = h.token().await;
    let replica = lagging(&primary, "token").await;
    let behind = h.on(primary.db.with_readers_of(&replica)).await;
    let proof = h.proof(&h.holder(1), &h.nonce().await).await;
    let first = behind
        .credential(&token, std::slice::from_ref(&proof))
        .await;
    assert_eq!(first.status, 200, "{}", first.text);
    let second = behind.credential(&token, &[proof]).await;
    assert_eq!(second.error(), (400, "invalid_nonce".into()));
}

/// Every connection for reading, in other hands.
async fn hold(db: &Db) -> Vec<Box<dyn Any + Send>> {
    let mut held: Vec<Box<dyn Any + Send>> = Vec::new();
    match db.each() {
        Each::Sqlite(pool) => {
            for _ in 0..pool.options().get_max_connections() {
                held.push(Box::new(pool.acquire().await.unwrap()));
            }
        }
        Each::Postgres(pool) => {
            for _ in 0..pool.options().get_max_connections() {
                held.push(Box::new(pool.acquire().await.unwrap()));
            }
        }
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_428_five_hundred_callers_and_no_connection() {
    everywhere(async |h| {
        let held = hold(&h.issuer.core().db).await;
        let started = Instant::now();
        let callers = (0..500).map(|_| {
            let h = h.clone();
            tokio::spawn(async move { h.admin_get("/v1/offers").await })
        });
        for answer in join_all(callers).await {
            let answer = answer.unwrap();
            assert_eq!(answer.error(), (503, "unavailable".into()));
            assert_eq!(answer.header("retry-after"), "1");
        }
        // A second and a half of waiting, and what a busy machine needs to answer five hundred.
        let took = started.elapsed();
        assert!(took < Duration::from_secs(4), "{took:?}");
        // Alive, not ready, and honest about both.
        assert_eq!(h.get("/healthz").await.status, 200);
        assert_eq!(h.get("/readyz").await.status, 503);
        drop(held);
        assert_eq!(h.get("/readyz").await.status, 200);
        assert_eq!(h.admin_get("/v1/offers").await.status, 200);
    })
    .await;
}
