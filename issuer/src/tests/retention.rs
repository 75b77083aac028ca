//! What stays in the database, and what a copy of it would tell.

use serde_json::json;
use sha2::{Digest, Sha256};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_service::db::each;

use super::harness::{Harness, NOW, PRE_AUTHORIZED, WALLET, everywhere, offer_body};
use crate::domain::ids::StatusListId;
use crate::store::status_lists::{self, StatusListRow};

async fn sealed_claims(h: &Harness, offer: &str) -> Option<Vec<u8>> {
    let db = &h.issuer.core().db;
    each!(db, p => sqlx::query_scalar::<_, Option<Vec<u8>>>(
        "SELECT claims_sealed FROM issuer_offers WHERE id = $1")
        .bind(offer).fetch_one(p).await)
    .unwrap()
}

#[tokio::test]
async fn cat_469_claims_of_a_locked_offer_are_forgotten() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "tx_code": true })).await;
        let id = offer["id"].as_str().unwrap();
        let code = h.code(&offer).await;
        let right: u32 = offer["tx_code"].as_str().unwrap().parse().unwrap();
        for n in 1..=5 {
            h.issuer.purge().await.unwrap();
            assert!(sealed_claims(&h, id).await.is_some(), "after {n} tries");
            let guess = format!("{:06}", (right + n) % 1_000_000);
            let fields = [
                ("grant_type", PRE_AUTHORIZED),
                ("pre-authorized_code", code.as_str()),
                ("tx_code", &guess),
            ];
            assert_eq!(h.form("/token", &fields).await.error().0, 400);
        }
        h.issuer.purge().await.unwrap();
        assert_eq!(sealed_claims(&h, id).await, None);
    })
    .await;
}

#[tokio::test]
async fn cat_460_the_kept_hash_of_a_request_does_not_confirm_guessed_claims() {
    everywhere(async |h| {
        let body = offer_body().to_string();
        let key = [("idempotency-key", "k")];
        assert_eq!(h.admin_post("/v1/offers", &body, &key).await.status, 201);
        let db = &h.issuer.core().db;
        let kept = each!(db, p => sqlx::query_scalar::<_, String>(
            "SELECT request_hash FROM idempotency").fetch_one(p).await)
        .unwrap();
        let guess = format!("POST /v1/offers\n{body}");
        assert_ne!(kept, b64url(&Sha256::digest(guess.as_bytes())));
    })
    .await;
}

/// Anybody can make proofs of possession, so a row for each would let anybody fill the disk.
#[tokio::test]
async fn cat_250_proofs_with_unknown_codes_leave_nothing() {
    everywhere(async |h| {
        let key = h.holder(1);
        let count = async || {
            let db = &h.issuer.core().db;
            each!(db, p => sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM seen_identifier")
                .fetch_one(p).await)
            .unwrap()
        };
        let ask = async |fields: &[(&str, &str)], proof: &str| {
            let proof = [("dpop", proof)];
            h.form_with("/token", fields, &proof).await.error()
        };
        let pre = ("grant_type", PRE_AUTHORIZED);
        for fields in [
            vec![pre, ("pre-authorized_code", "unknown")],
            vec![
                ("grant_type", "authorization_code"),
                ("client_id", WALLET),
                ("code", "unknown"),
            ],
        ] {
            let proof = h.dpop(&key, "/token", None).await;
            assert_eq!(ask(&fields, &proof).await, (400, "invalid_grant".into()));
            assert_eq!(count().await, 0);
        }
        let proof = h.dpop(&key, "/token", None).await;
        for expected in [(200, ""), (400, "invalid_dpop_proof")] {
            let offer = h.offer(json!({})).await;
            let code = h.code(&offer).await;
            let answer = ask(&[pre, ("pre-authorized_code", &code)], &proof).await;
            assert_eq!(answer, (expected.0, expected.1.to_owned()));
        }
        assert_eq!(count().await, 1);
    })
    .await;
}

/// Two processes read the list at version 1; a credential is revoked; the one that read its entry
/// as revoked publishes first. The other must not take that back, not even for a second.
#[tokio::test]
async fn cat_211_a_list_of_older_entries_never_follows_one_of_newer_entries() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let seen = h.newest().await;
        let uri = seen["status_list"]["uri"].as_str().unwrap();
        let id = StatusListId::parse(uri.rsplit('/').next().unwrap()).unwrap();
        let db = &h.issuer.core().db;
        let before = status_lists::find(db, &id).await.unwrap().unwrap();
        let publish = async |token: &str| {
            let (before, token) = (before.clone(), token.to_owned());
            let list = StatusListRow {
                published_version: before.version,
                token,
                issued_at: NOW,
                expires_at: NOW.plus(60),
                ..before.clone()
            };
            db.write(async move |tx| status_lists::publish(tx, &before, &list).await)
                .await
                .unwrap()
        };
        assert!(publish("revoked").await);
        assert!(!publish("still valid").await);
        let after = status_lists::find(db, &id).await.unwrap().unwrap();
        assert_eq!(after.token, "revoked");
    })
    .await;
}

/// An offer that was redeemed before offers could be redeemed more than once stays redeemed.
#[tokio::test]
async fn offers_of_an_older_schema_keep_their_state() {
    use vouchsafe_service::db::{Migrations, execute};
    let older = Migrations {
        component: crate::store::MIGRATIONS.component,
        steps: crate::store::MIGRATIONS.steps.split_at(2).0,
    };
    vouchsafe_service::db::testing::for_each_database(&[older], async |db| {
        db.write(async |tx| {
            execute!(
                tx,
                sqlx::query(
                    "INSERT INTO issuer_records (id, record_hash, record_sealed, created_at)
                     VALUES ('00000000-0000-7000-8000-000000000001', $1, $1, 1)"
                )
                .bind([1u8; 32].as_slice())
            )?;
            for (n, redeemed_at) in [(2u8, Some(5i64)), (3, None)] {
                execute!(
                    tx,
                    sqlx::query(
                        "INSERT INTO issuer_offers (id, record_id, credential_type, grant_kind,
                            reference_hash, grant_hash, tries, claims_sealed, created_at,
                            expires_at, redeemed_at)
                         VALUES ($1, '00000000-0000-7000-8000-000000000001', 'membership',
                            'pre_authorized_code', $2, $2, 0, $2, 1, $3, $4)"
                    )
                    .bind(format!("00000000-0000-7000-8000-00000000000{n}"))
                    .bind([n; 32].as_slice())
                    .bind(NOW.0 + 1000)
                    .bind(redeemed_at)
                )?;
            }
            Ok::<_, vouchsafe_service::db::DbError>(())
        })
        .await
        .unwrap();
        db.migrate(&[crate::store::MIGRATIONS], NOW).await.unwrap();
        let h = Harness::new(db).await;
        let list = h.admin_get("/v1/offers?limit=2").await.json();
        // Newest first.
        for (n, state) in [(1, "redeemed"), (0, "pending")] {
            let seen = &list["items"][n];
            assert_eq!(seen["state"], state, "{list}");
            assert_eq!(seen["redemptions"], 1);
        }
    })
    .await;
}
