//! Who issued and who revoked stands in the audit log, or nothing happens.

use serde_json::{Value, json};
use vouchsafe_credentials::testing::SeededRng;

use super::{Answer, Harness, NOW, credential};
use crate::api_keys::{self, ApiKeySecret, NewApiKey};
use crate::audit::{self, Entry};
use crate::db::testing::for_each_database;
use crate::db::{Db, Tx, execute};
use crate::keys::SymmetricKey;
use crate::vc_api::issue_as;

const NAMED: &str = "urn:person:canary-of-the-vc-api";

/// The key of the log.
pub(super) fn key() -> SymmetricKey {
    SymmetricKey::from_token("audit", "a test")
}

/// The log, oldest first; its chain is whole.
async fn entries(db: &Db) -> Vec<Entry> {
    audit::verify(db, &key(), None).await.unwrap().unwrap();
    let mut page = audit::page(db, None, None, 100).await.unwrap();
    page.reverse();
    page
}

async fn caller(db: &Db, issuers: &[&String]) -> String {
    let secret = ApiKeySecret::generate(&SeededRng::new(77));
    let text = secret.expose().to_owned();
    let key = NewApiKey {
        id: "crm".into(),
        name: "tests".into(),
        scopes: issuers.iter().map(|issuer| issue_as(issuer)).collect(),
        created_at: NOW,
        expires_at: None,
    };
    let insert = async move |tx: &mut Tx| api_keys::insert(tx, &key, &secret).await;
    db.write(insert).await.unwrap();
    text
}

async fn post(harness: &Harness, path: &str, key: &str, body: &Value) -> Answer {
    let body = body.to_string().into_bytes();
    harness.raw(path, key, "application/json", body).await
}

fn revocation(id: &str) -> Value {
    let entry = json!({"type": "BitstringStatusListEntry", "statusPurpose": "revocation"});
    json!({"credentialId": id, "credentialStatus": entry})
}

fn order(issuer: &str) -> Value {
    let mut document = credential(issuer);
    // The suite with a status signs RDF, which has no name for the claim of the others.
    document["credentialSubject"] = json!({"id": NAMED});
    json!({"credential": document, "options": {"credentialId": NAMED}})
}

/// The place of a credential as the log names it.
fn place(answer: &Answer) -> String {
    let status = &answer.body["verifiableCredential"]["credentialStatus"];
    let list = status["statusListCredential"].as_str().unwrap();
    let list = list.rsplit('/').next().unwrap();
    format!("{list}/{}", status["statusListIndex"].as_str().unwrap())
}

#[tokio::test]
async fn who_issues_and_who_revokes_stands_in_the_log() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db.clone(), "");
        let (plain, keeper) = (&harness.issuers[0], &harness.issuers[2]);
        let key = caller(&db, &[plain, keeper]).await;
        let (issue, status) = ("/credentials/issue", "/credentials/status");
        let without = post(&harness, issue, &key, &order(plain)).await;
        assert_eq!(without.status, 201, "{}", without.body);
        let with = post(&harness, issue, &key, &order(keeper)).await;
        assert_eq!(with.status, 201, "{}", with.body);
        // What is refused is not in it.
        assert_eq!(
            post(&harness, issue, &key, &order(keeper)).await.status,
            409
        );
        let other = order(&harness.issuers[1]);
        assert_eq!(post(&harness, issue, &key, &other).await.status, 403);
        let unknown = revocation("urn:x:unknown");
        assert_eq!(post(&harness, status, &key, &unknown).await.status, 404);
        let revoked = post(&harness, status, &key, &revocation(NAMED)).await;
        assert_eq!(revoked.status, 200);
        let log = entries(&db).await;
        let what = log
            .iter()
            .map(|entry| (entry.action.as_str(), &entry.detail));
        let expected = [
            ("vc.issue", plain),
            ("vc.issue", keeper),
            ("vc.revoke", keeper),
        ];
        assert_eq!(what.collect::<Vec<_>>(), expected);
        assert!(
            log.iter()
                .all(|entry| entry.actor == "key:crm" && entry.at == NOW)
        );
        assert_eq!(log[1].target, place(&with));
        assert_eq!(log[2].target, log[1].target);
        assert!(!log[0].target.is_empty() && log[0].target != log[1].target);
        assert!(!format!("{log:?}").contains("canary"));
    })
    .await;
}

#[tokio::test]
async fn where_nobody_is_asked_for_a_key_the_log_says_so() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db.clone(), "open = true");
        for issuer in [&harness.issuers[0], &harness.issuers[2]] {
            let answer = harness.post("/credentials/issue", &order(issuer)).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
        let log = entries(&db).await;
        let actors = log.iter().map(|entry| entry.actor.as_str());
        assert_eq!(actors.collect::<Vec<_>>(), ["anonymous"; 2]);
    })
    .await;
}

/// Security default 12: no record, no credential and no change.
#[tokio::test]
async fn without_a_log_nothing_is_issued_or_revoked() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db.clone(), "open = true");
        let (plain, keeper) = (&harness.issuers[0], &harness.issuers[2]);
        let rename = async |sql: &'static str| {
            let write = async move |tx: &mut Tx| execute!(tx, sqlx::query(sql));
            db.write(write).await.unwrap();
        };
        let first = harness.issue(&order(keeper)["credential"]).await;
        let id = first["id"].as_str().unwrap();
        rename("ALTER TABLE audit_event RENAME TO gone").await;
        for issuer in [plain, keeper] {
            let refused = harness.post("/credentials/issue", &order(issuer)).await;
            assert_eq!(refused.status, 500);
            assert_eq!(refused.body["verifiableCredential"], Value::Null);
        }
        let refused = harness.post("/credentials/status", &revocation(id)).await;
        assert_eq!(refused.status, 500);
        rename("ALTER TABLE gone RENAME TO audit_event").await;
        let set = "SELECT COUNT(*) FROM vc_status_entry WHERE set_at IS NOT NULL";
        let set: i64 = crate::each!(&db, p => sqlx::query_scalar(set).fetch_one(p).await).unwrap();
        assert_eq!(set, 0, "nothing was revoked");
        // The id was not taken.
        let again = harness.post("/credentials/issue", &order(keeper)).await;
        assert_eq!(again.status, 201, "{}", again.body);
    })
    .await;
}
