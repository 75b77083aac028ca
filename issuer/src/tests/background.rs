//! The jobs of the service: what ends is forgotten however much it is, and no job ends another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use serde_json::json;
use tokio::sync::Semaphore;
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_service::db::{DatabaseKind, Db, DbError, STEP, Tx, each, execute};
use vouchsafe_service::{db, shutdown};

use super::harness::{Harness, NOW, config_text, everywhere};
use crate::domain::ids::OfferId;
use crate::domain::secret::{Purpose, Secret};
use crate::store::offers::{self, End, NewOffer, SLICE};
use crate::{Issuer, Ports, store};

async fn number(db: &Db, sql: &'static str) -> i64 {
    each!(db, p => sqlx::query_scalar::<_, i64>(sql).fetch_one(p).await).unwrap()
}

const SEALED: &str = "SELECT COUNT(*) FROM issuer_offers WHERE claims_sealed IS NOT NULL";

/// Offers that end in a minute, as one that was made over REST.
async fn many(h: &Harness, count: usize) {
    let made = h
        .offer(json!({ "expires_in_s": 60, "tx_code": true }))
        .await;
    let id = OfferId::parse(made["id"].as_str().unwrap()).unwrap();
    let core = h.issuer.core().clone();
    let like = offers::find(&core.db, &id).await.unwrap().unwrap();
    core.db
        .clone()
        .write(async move |tx: &mut Tx| {
            for _ in 1..count {
                let secret = Secret::generate(&*core.rng);
                let mut offer = like.clone();
                offer.id = OfferId::new(core.ids.next());
                let new = NewOffer {
                    offer,
                    reference: secret.hash(Purpose::OfferReference),
                    grant: secret.hash(Purpose::PreAuthorizedCode),
                    code: Some(secret.hash(Purpose::IssuerState)),
                    code_lookup: None,
                    claims_sealed: vec![7; 32],
                };
                offers::insert(tx, &new).await?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn cat_469_claims_of_many_offers_are_forgotten_in_slices() {
    everywhere(async |h| {
        let db = h.issuer.core().db.clone();
        let hook = json!({ "url": "https://club.example/" }).to_string();
        assert_eq!(h.admin_post("/v1/webhooks", &hook, &[]).await.status, 201);
        many(&h, 450).await;
        // Half of them are locked before their time is over.
        db.write(async |tx| {
            let lock = "UPDATE issuer_offers SET tries = 5 WHERE id IN \
                (SELECT id FROM issuer_offers ORDER BY id LIMIT 225)";
            execute!(tx, sqlx::query(lock))
        })
        .await
        .unwrap();
        let slice = async |now: UnixTime| {
            let forget = async move |tx: &mut Tx| offers::forget_dead(tx, now).await;
            db.write(forget).await.unwrap()
        };
        assert_eq!(slice(NOW).await.len(), usize::from(SLICE));
        assert_eq!(slice(NOW).await.len(), 25);
        assert_eq!(slice(NOW).await.len(), 0);
        h.clock.advance(60);
        let ended = slice(h.clock.now()).await;
        assert_eq!(ended.len(), usize::from(SLICE));
        assert!(ended.iter().all(|(_, end)| *end == End::Expired));
        assert_eq!(number(&db, SEALED).await, 25);
        many(&h, 450).await;
        h.clock.advance(60);
        h.issuer.purge().await.unwrap();
        assert_eq!(number(&db, SEALED).await, 0);
        assert_eq!(
            number(&db, "SELECT COUNT(*) FROM webhook_message").await,
            475
        );
    })
    .await;
}

/// 1,201 rows of a table that are over, as a day of attacks leaves them.
async fn fill(db: &Db, columns: &str, values: &str) {
    let sql = format!(
        "INSERT INTO {columns} SELECT {values} FROM (
            WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1201)
            SELECT n FROM c) AS numbers"
    );
    db.write(async move |tx| execute!(tx, sqlx::query(sqlx::AssertSqlSafe(sql.clone()))))
        .await
        .unwrap();
}

/// No transaction forgets more than a step, whatever the kind: all writers wait for it, and what
/// takes too long is undone and would never come to an end.
#[tokio::test]
async fn everything_that_ended_is_forgotten_in_steps() {
    everywhere(async |h| {
        let db = h.issuer.core().db.clone();
        h.token().await;
        let later = NOW.plus(1_000_000_000);
        let text = "CAST(n AS TEXT)";
        let bytes = "CAST(CAST(n AS TEXT) AS BYTEA)";
        macro_rules! forgotten {
            ($columns:literal, $values:expr, $purge:path, $of_before:expr) => {{
                fill(&db, $columns, &$values).await;
                let mut steps = Vec::new();
                for _ in 0..4 {
                    let step = db.write(async move |tx| $purge(tx, later).await);
                    steps.push(step.await.unwrap());
                }
                let (step, before) = (u64::from(STEP), $of_before);
                assert_eq!(steps, [step, step, 201 + before, 0], $columns);
            }};
        }
        use vouchsafe_service::{api_clients, idempotency, jti, operators, single_use, webhooks};
        forgotten!(
            "seen_identifier (kind, hash, expires_at)",
            format!("'dpop_proof', {text}, 1"),
            jti::purge,
            0
        );
        forgotten!(
            "idempotency (owner, key_hash, request_hash, expires_at)",
            format!("'o', {text}, '', 1"),
            idempotency::purge,
            0
        );
        forgotten!(
            "browser_return (secret_hash, payload, family, expires_at)",
            format!("{text}, {bytes}, '', 1"),
            single_use::purge,
            0
        );
        forgotten!(
            "pushed_request (secret_hash, payload, family, expires_at)",
            format!("{text}, {bytes}, '', 1"),
            crate::pushed::purge,
            0
        );
        forgotten!(
            "api_token (token_hash, client_id, scopes, expires_at)",
            format!("{text}, '', '', 1"),
            api_clients::purge,
            0
        );
        forgotten!(
            "operator_session (id, operator_id, secret_hash, method, signed_in_at, seen_at, expires_at)",
            format!("{text}, '', {text}, '', 1, 1, 1"),
            operators::purge,
            0
        );
        forgotten!(
            "webhook_message (id, event, body, created_at)",
            format!("{text}, '', '', 1"),
            webhooks::purge,
            0
        );
        forgotten!(
            "issuer_tries (key, tries, ends_at)",
            format!("{bytes}, 1, 1"),
            store::tries::purge,
            0
        );
        let offer = "(SELECT id FROM issuer_offers LIMIT 1)";
        forgotten!(
            "issuer_transactions (transaction_hash, offer_id, credential_type, next_poll_at, expires_at)",
            format!("{bytes}, {offer}, '', 1, 1"),
            store::transactions::purge,
            0
        );
        forgotten!(
            "issuer_refresh_tokens (token_hash, family, offer_id, credential_type, record_id, claims_sealed, expires_at)",
            format!("{bytes}, '', {offer}, '', '', {bytes}, 1"),
            store::refresh_tokens::purge,
            0
        );
        // And the one that was fetched.
        forgotten!(
            "issuer_access_tokens (token_hash, offer_id, credential_type, record_id, claims_sealed, expires_at)",
            format!("{bytes}, {offer}, '', '', {bytes}, 1"),
            store::tokens::purge,
            1
        );
        let delivery = "webhook_delivery (message_id, endpoint_id, attempts)";
        fill(&db, "webhook_message (id, event, body, created_at)", &format!("{text}, '', '', 1")).await;
        fill(&db, delivery, &format!("{text}, 'e', 1")).await;
        fill(&db, "issuer_tries (key, tries, ends_at)", &format!("{bytes}, 1, 1")).await;
        h.clock.advance(1_000_000);
        h.issuer.purge().await.unwrap();
        for sql in [
            "SELECT COUNT(*) FROM webhook_message",
            "SELECT COUNT(*) FROM webhook_delivery",
            "SELECT COUNT(*) FROM issuer_tries",
        ] {
            assert_eq!(number(&db, sql).await, 0, "{sql}");
        }
    })
    .await;
}

/// What is to be forgotten is found through an index, however many offers there are.
#[tokio::test]
async fn dead_offers_are_found_by_index() {
    everywhere(async |h| {
        let db = h.issuer.core().db.clone();
        if db.kind() != DatabaseKind::Sqlite {
            return;
        }
        for (condition, index) in [
            ("expires_at <= 1", "issuer_offers_to_forget"),
            (
                "code_hash IS NOT NULL AND tries >= 5",
                "issuer_offers_tried",
            ),
        ] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT id FROM issuer_offers \
                 WHERE claims_sealed IS NOT NULL AND {condition} LIMIT 200"
            );
            let plan = each!(&db, p => sqlx::query_as::<_, (i64, i64, i64, String)>(
                sqlx::AssertSqlSafe(sql.clone())).fetch_all(p).await)
            .unwrap();
            assert!(plan.iter().any(|row| row.3.contains(index)), "{plan:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_kind_that_cannot_be_forgotten_stops_no_other() {
    everywhere(async |h| {
        let db = h.issuer.core().db.clone();
        h.offer(json!({ "expires_in_s": 60 })).await;
        h.token().await;
        db.write(async |tx| execute!(tx, sqlx::query("DROP TABLE webhook_message")))
            .await
            .unwrap();
        h.clock.advance(3600);
        assert!(h.issuer.purge().await.is_err());
        assert_eq!(number(&db, SEALED).await, 0);
        let tokens = "SELECT COUNT(*) FROM issuer_access_tokens";
        assert_eq!(number(&db, tokens).await, 0);
    })
    .await;
}

/// A clock that breaks when it is told to.
struct Fragile {
    broken: AtomicBool,
    panics: Semaphore,
    now: AtomicI64,
}

impl Clock for Fragile {
    fn now(&self) -> UnixTime {
        if self.broken.load(Ordering::SeqCst) {
            self.panics.add_permits(1);
            panic!("the clock broke, as the test wants");
        }
        UnixTime(self.now.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_job_that_panics_ends_no_job() {
    let database = db::testing::sqlite(&[store::MIGRATIONS]).await;
    let clock = Arc::new(Fragile {
        broken: AtomicBool::new(false),
        panics: Semaphore::new(0),
        now: AtomicI64::new(NOW.0),
    });
    let ports = Ports {
        clock: clock.clone(),
        rng: Arc::new(SeededRng::new(7)),
        crypto: Arc::new(AwsLc),
    };
    let config = vouchsafe_service::config::parse(&config_text("")).unwrap();
    let issuer = Issuer::with_db(config, ports, database.db.clone())
        .await
        .unwrap();
    clock.broken.store(true, Ordering::SeqCst);
    let (trigger, shutdown) = shutdown::channel();
    let mut running = tokio::spawn(async move { issuer.run_background(shutdown).await });
    // Webhooks, publishing and purging: each asks for the time at once.
    tokio::select! {
        ended = &mut running => panic!("the jobs ended: {ended:?}"),
        panics = clock.panics.acquire_many(3) => panics.unwrap().forget(),
    }
    trigger.trigger();
    running.await.unwrap();
}
