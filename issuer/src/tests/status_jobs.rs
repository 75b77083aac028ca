//! Many credentials at once: counted, changed once each, in steps that survive.

use futures::future::join_all;
use serde_json::{Value, json};
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use super::harness::{Answer, Harness, NOW, everywhere};
use crate::status_jobs;

/// Credentials as other releases and days left them: `count` of a type, in one list.
pub(super) async fn many(db: &Db, credential_type: &'static str, from: u32, count: u32) {
    db.write(async move |tx| {
        let seq = i64::from(from) + 1_000;
        execute!(
            tx,
            sqlx::query(
                "INSERT INTO issuer_records (id, record_hash, record_sealed, created_at)
             VALUES ('0190a6f0-0000-7000-8000-000000000000', $1, $2, 1)
             ON CONFLICT (id) DO NOTHING"
            )
            .bind(vec![1u8])
            .bind(vec![1u8])
        )?;
        execute!(
            tx,
            sqlx::query(
                "INSERT INTO issuer_status_lists (id, seq, size, version, published_version, token,
                issued_at, expires_at) VALUES ($1, $2, 1048576, 1, 0, '', 0, 0)"
            )
            .bind(list_id(from))
            .bind(seq)
        )?;
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    for begin in (0..count).step_by(1_000) {
        let end = count.min(begin + 1_000);
        db.write(async move |tx| {
            for n in begin..end {
                insert(tx, credential_type, from, n).await?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    }
}

pub(super) fn list_id(from: u32) -> String {
    format!("0190a6f0-0000-7000-8001-{from:012x}")
}

async fn insert(tx: &mut Tx, kind: &str, from: u32, n: u32) -> Result<(), DbError> {
    let number = u64::from(from) + u64::from(n);
    let id = format!("0190a6f0-0000-7000-8002-{number:012x}");
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_credentials (id, offer_id, record_id, credential_type, holder_key,
            list_id, idx, status, version, issued_at, expires_at, status_changed_at)
         VALUES ($1, $1, '0190a6f0-0000-7000-8000-000000000000', $2, '', $3, $4, 'valid', 1, $5,
            4000000000, $5)"
        )
        .bind(id)
        .bind(kind)
        .bind(list_id(from))
        .bind(i64::from(n))
        .bind(NOW.0 - 1000)
    )
    .map(drop)
}

async fn number(db: &Db, sql: &'static str) -> i64 {
    each!(db, p => sqlx::query_scalar::<_, i64>(sql).fetch_one(p).await).unwrap()
}

async fn create(h: &Harness, body: &Value) -> Answer {
    h.admin_post("/v1/status-jobs", &body.to_string(), &[])
        .await
}

async fn run(h: &Harness) {
    while status_jobs::step(h.issuer.core()).await.unwrap() {}
}

async fn read(h: &Harness, job: &Value) -> Value {
    let path = format!("/v1/status-jobs/{}", job["id"].as_str().unwrap());
    h.admin_get(&path).await.json()
}

const REVOKED: &str = "SELECT COUNT(*) FROM issuer_credentials WHERE status = 'revoked'";

#[tokio::test]
async fn a_job_changes_what_fits_and_nothing_else() {
    everywhere(async |h| {
        let db = &h.issuer.core().db;
        many(db, "membership", 0, 2500).await;
        many(db, "age", 10_000, 1200).await;
        let body = json!({
            "action": "revoke",
            "filter": { "credential_type": "membership" },
            "reason": "a key was lost",
            "dry_run": true,
        });
        let counted = create(&h, &body).await;
        assert_eq!(
            (counted.status.as_u16(), counted.json()),
            (200, json!({ "total": 2500 }))
        );
        let list = h.admin_get("/v1/status-jobs").await.json();
        assert_eq!(list["items"], json!([]));
        let mut body = body;
        body["dry_run"] = json!(false);
        let made = create(&h, &body).await;
        assert_eq!(made.status, 202, "{}", made.text);
        let job = made.json();
        assert_eq!(
            (&job["state"], &job["total"]),
            (&json!("waiting"), &json!(2500))
        );
        assert_eq!(
            made.header("location"),
            format!("/v1/status-jobs/{}", job["id"].as_str().unwrap())
        );
        // What is issued after the call is left alone.
        h.clock.advance(5);
        h.issue(&h.holder(1)).await;
        run(&h).await;
        let job = read(&h, &job).await;
        let seen = ["state", "done", "failed"].map(|name| job[name].clone());
        assert_eq!(seen, [json!("done"), json!(2500), json!(0)]);
        assert!(job["started_at"].is_string() && job["finished_at"].is_string());
        assert_eq!(number(db, REVOKED).await, 2500);
        assert_eq!(h.newest().await["status"], "valid");
        let twice = "SELECT COUNT(*) FROM issuer_credentials WHERE version > 2";
        assert_eq!(number(db, twice).await, 0);
        // Each change leads back to the job, and the log has the job twice: its start and its end.
        let mine = "SELECT COUNT(*) FROM issuer_credentials WHERE job_id IS NOT NULL";
        assert_eq!(number(db, mine).await, 2500);
        let id = job["id"].as_str().unwrap();
        let log = h.admin_get(&format!("/v1/audit?target={id}")).await.json();
        let log: Vec<_> = log["items"].as_array().unwrap().iter().collect();
        let actions: Vec<_> = log
            .iter()
            .map(|one| one["action"].as_str().unwrap())
            .collect();
        assert_eq!(actions, ["status_job.finish", "status_job.create"]);
        assert!(
            !log.iter()
                .any(|one| one.to_string().contains("a key was lost"))
        );
        // The list says so.
        h.issuer.publish_status_lists().await.unwrap();
        let lists = "SELECT COUNT(*) FROM issuer_status_lists WHERE published_version < version";
        assert_eq!(number(db, lists).await, 0);
        let again = create(&h, &body).await.json();
        // The one that was issued meanwhile.
        assert_eq!(again["total"], 1);
    })
    .await;
}

#[tokio::test]
async fn records_and_times_narrow_a_job() {
    everywhere(async |h| {
        many(&h.issuer.core().db, "membership", 0, 30).await;
        h.issue(&h.holder(1)).await;
        h.issue(&h.holder(2)).await;
        let other = h.offer(json!({ "record_id": "crm-4712" })).await;
        h.issue_with(&h.token_of(&other).await, &h.holder(3)).await;
        let cases = [
            (json!({ "record_ids": ["crm-4711"] }), 2),
            (
                json!({ "record_ids": ["crm-4711", "crm-4711", "nobody"] }),
                2,
            ),
            (
                json!({ "record_ids": ["crm-4711", "crm-4712"], "credential_type": "age" }),
                0,
            ),
            (json!({ "record_ids": ["nobody"] }), 0),
            (json!({ "issued_before": "2027-01-15T07:50:00Z" }), 30),
            (json!({ "issued_after": "2027-01-15T07:50:00Z" }), 3),
            (
                json!({ "credential_type": "membership", "issued_before": "2100-01-01T00:00:00Z" }),
                33,
            ),
            (json!({ "credential_type": "no_such_type" }), 0),
        ];
        for (filter, total) in cases {
            let body = json!({ "action": "suspend", "filter": filter, "dry_run": true });
            assert_eq!(
                create(&h, &body).await.json(),
                json!({ "total": total }),
                "{filter}"
            );
        }
        let body =
            json!({ "action": "suspend", "filter": { "record_ids": ["crm-4711", "crm-4712"] } });
        let job = create(&h, &body).await.json();
        run(&h).await;
        assert_eq!(read(&h, &job).await["done"], 3);
        let body = json!({ "action": "resume", "filter": { "record_ids": ["crm-4712"] } });
        let job = create(&h, &body).await.json();
        run(&h).await;
        assert_eq!(read(&h, &job).await["done"], 1);
        assert_eq!(h.newest().await["status"], "valid");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_a_job_is_refused() {
    everywhere(async |h| {
        let long = "x".repeat(501);
        let many: Vec<_> = (0..1001).map(|n| format!("crm-{n}")).collect();
        let filter = json!({ "credential_type": "membership" });
        for (body, status, code) in [
            (
                json!({ "action": "revoke", "filter": {} }),
                422,
                "invalid_filter",
            ),
            (json!({ "action": "revoke" }), 400, "invalid_body"),
            (
                json!({ "action": "delete", "filter": filter }),
                400,
                "invalid_body",
            ),
            (
                json!({ "action": "expire", "filter": filter }),
                400,
                "invalid_body",
            ),
            (
                json!({ "action": "revoke", "filter": { "type": "age" } }),
                400,
                "invalid_body",
            ),
            (
                json!({ "action": "revoke", "filter": { "credential_type": "" } }),
                422,
                "invalid_filter",
            ),
            (
                json!({ "action": "revoke", "filter": { "credential_type": "a\u{0}" } }),
                422,
                "invalid_filter",
            ),
            (
                json!({ "action": "revoke", "filter": { "record_ids": [] } }),
                422,
                "invalid_filter",
            ),
            (
                json!({ "action": "revoke", "filter": { "record_ids": [""] } }),
                422,
                "invalid_filter",
            ),
            (
                json!({ "action": "revoke", "filter": { "record_ids": many } }),
                422,
                "invalid_filter",
            ),
            (
                json!({ "action": "revoke", "filter": { "issued_before": "soon" } }),
                400,
                "invalid_body",
            ),
            (
                json!({ "action": "revoke", "filter": filter, "reason": long }),
                422,
                "invalid_reason",
            ),
            (
                json!({ "action": "revoke", "filter": filter, "reason": "a\nb" }),
                422,
                "invalid_reason",
            ),
        ] {
            let answer = create(&h, &body).await;
            assert_eq!(answer.error(), (status, code.into()), "{}", answer.text);
        }
        let scopes = vec![
            "credentials:write".to_owned(),
            "credentials:read".to_owned(),
        ];
        let key = h
            .issuer
            .create_api_key_for("one by one", scopes)
            .await
            .unwrap();
        let weak = Harness { key, ..h.clone() };
        let body = json!({ "action": "revoke", "filter": filter });
        assert_eq!(
            create(&weak, &body).await.error(),
            (403, "forbidden".into())
        );
        for _ in 0..20 {
            assert_eq!(create(&h, &body).await.status, 202);
        }
        let answer = create(&h, &body).await;
        assert_eq!(answer.error(), (409, "too_many_status_jobs".into()));
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_job_stops_where_it_is() {
    everywhere(async |h| {
        let db = &h.issuer.core().db;
        many(db, "membership", 0, 2500).await;
        let filter = json!({ "credential_type": "membership" });
        let body = json!({ "action": "revoke", "filter": filter });
        let job = create(&h, &body).await.json();
        assert!(status_jobs::step(h.issuer.core()).await.unwrap());
        let path = format!("/v1/status-jobs/{}/cancel", job["id"].as_str().unwrap());
        let stopped = h.admin_post(&path, "", &[]).await.json();
        assert_eq!(
            (&stopped["state"], &stopped["done"]),
            (&json!("cancelled"), &json!(1000))
        );
        run(&h).await;
        assert_eq!(number(db, REVOKED).await, 1000);
        let again = h.admin_post(&path, "", &[]).await;
        assert_eq!(again.error(), (409, "status_job_ended".into()));
        let nobody = "/v1/status-jobs/019370d0-7c00-7000-8000-000000000001/cancel";
        assert_eq!(
            h.admin_post(nobody, "", &[]).await.error(),
            (404, "not_found".into())
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_425_two_processes_change_each_credential_once() {
    everywhere(async |h| {
        let db = &h.issuer.core().db;
        many(db, "membership", 0, 7300).await;
        let hook = json!({ "url": "https://club.example/" }).to_string();
        assert_eq!(h.admin_post("/v1/webhooks", &hook, &[]).await.status, 201);
        let body = json!({ "action": "revoke", "filter": { "credential_type": "membership" } });
        let job = create(&h, &body).await.json();
        let processes = [
            h.clone(),
            h.another_process().await,
            h.another_process().await,
        ];
        let workers = processes.map(|one| tokio::spawn(async move { run(&one).await }));
        for worker in join_all(workers).await {
            worker.unwrap();
        }
        let job = read(&h, &job).await;
        assert_eq!(
            (&job["done"], &job["state"]),
            (&json!(7300), &json!("done"))
        );
        let twice = "SELECT COUNT(*) FROM issuer_credentials WHERE version <> 2";
        assert_eq!(number(db, twice).await, 0);
        // One message for the job, none for each credential.
        assert_eq!(number(db, "SELECT COUNT(*) FROM webhook_message").await, 1);
        let ends = "SELECT COUNT(*) FROM audit_event WHERE action = 'status_job.finish'";
        assert_eq!(number(db, ends).await, 1);
    })
    .await;
}

#[tokio::test]
async fn each_credential_is_told_of_where_it_was_asked() {
    everywhere(async |h| {
        many(&h.issuer.core().db, "membership", 0, 12).await;
        let hook = json!({ "url": "https://club.example/" }).to_string();
        assert_eq!(h.admin_post("/v1/webhooks", &hook, &[]).await.status, 201);
        let body = json!({
            "action": "revoke",
            "filter": { "credential_type": "membership" },
            "events_per_credential": true,
        });
        create(&h, &body).await;
        run(&h).await;
        let told = "SELECT COUNT(*) FROM webhook_message WHERE event = 'credential.revoked'";
        assert_eq!(number(&h.issuer.core().db, told).await, 12);
    })
    .await;
}

#[tokio::test]
async fn what_a_job_revoked_is_not_issued_again() {
    everywhere(async |h| {
        let token = h.token().await;
        h.issue_with(&token, &h.holder(1)).await;
        let old = h.newest().await;
        let path = format!("/v1/credentials/{}/renew", old["id"].as_str().unwrap());
        let renewal = json!({
            "grant": "pre_authorized_code", "claims": super::harness::membership("M-1")
        });
        let offer = h.admin_post(&path, &renewal.to_string(), &[]).await.json();
        let next = h.token_of(&offer).await;
        let body = json!({ "action": "revoke", "filter": { "record_ids": ["crm-4711"] } });
        create(&h, &body).await;
        run(&h).await;
        assert_eq!(h.newest().await["status"], "revoked");
        for token in [&token, &next] {
            let proof = h.proof(&h.holder(2), &h.nonce().await).await;
            let answer = h.credential(token, &[proof]).await;
            assert_eq!(answer.error(), (401, "invalid_token".into()));
        }
    })
    .await;
}

/// A wallet that asks again between the call and the step does not escape: neither with the same
/// key nor with another one.
#[tokio::test]
async fn what_is_issued_anew_while_a_job_waits_is_met() {
    everywhere(async |h| {
        for (action, status, key) in [
            ("revoke", "revoked", 1),
            ("revoke", "revoked", 2),
            ("suspend", "suspended", 1),
        ] {
            let token = h.token().await;
            h.issue_with(&token, &h.holder(1)).await;
            let body = json!({ "action": action, "filter": { "record_ids": ["crm-4711"] } });
            let job = create(&h, &body).await.json();
            h.clock.advance(5);
            h.issue_with(&token, &h.holder(key)).await;
            // Another offer, made after the call.
            let later = h.token().await;
            h.issue_with(&later, &h.holder(3)).await;
            run(&h).await;
            let job = read(&h, &job).await;
            assert_eq!((&job["state"], &job["failed"]), (&json!("done"), &json!(0)));
            let list = h.admin_get("/v1/credentials?limit=3").await.json();
            let list: Vec<_> = list["items"].as_array().unwrap().iter().collect();
            assert_eq!(list[0]["status"], "valid", "{action} {key}");
            assert_eq!(list[1]["status"], status, "{action} {key}");
            assert_ne!(list[2]["status"], "valid", "{action} {key}");
            let proof = h.proof(&h.holder(key), &h.nonce().await).await;
            let again = h.credential(&token, &[proof]).await;
            assert_ne!(again.status, 200, "{action} {key}");
            let clean = json!({ "action": "revoke", "filter": { "record_ids": ["crm-4711"] } });
            h.clock.advance(5);
            create(&h, &clean).await;
            run(&h).await;
        }
    })
    .await;
}

/// Nor does a renewal that was offered before the call and is redeemed before the step.
#[tokio::test]
async fn what_was_renewed_while_a_job_waits_is_met() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = h.newest().await;
        let path = format!("/v1/credentials/{}/renew", old["id"].as_str().unwrap());
        let renewal = json!({
            "grant": "pre_authorized_code", "claims": super::harness::membership("M-1")
        });
        let offer = h.admin_post(&path, &renewal.to_string(), &[]).await.json();
        let token = h.token_of(&offer).await;
        let body = json!({ "action": "revoke", "filter": { "record_ids": ["crm-4711"] } });
        create(&h, &body).await;
        h.clock.advance(5);
        h.issue_with(&token, &h.holder(2)).await;
        run(&h).await;
        let new = h.newest().await;
        assert_ne!(new["id"], old["id"]);
        assert_eq!(new["status"], "revoked");
        let proof = h.proof(&h.holder(2), &h.nonce().await).await;
        let again = h.credential(&token, &[proof]).await;
        assert_eq!(again.error(), (401, "invalid_token".into()));
    })
    .await;
}

/// What was issued anew before the call, behind the moment that the job is bounded by, is left.
#[tokio::test]
async fn a_job_is_not_about_what_replaced_before_the_call() {
    everywhere(async |h| {
        let token = h.token().await;
        h.issue_with(&token, &h.holder(1)).await;
        h.clock.advance(5);
        h.issue_with(&token, &h.holder(1)).await;
        let before = h.newest().await["issued_at"].clone();
        h.clock.advance(5);
        let filter = json!({ "record_ids": ["crm-4711"], "issued_before": before });
        let body = json!({ "action": "revoke", "filter": filter });
        let job = create(&h, &body).await;
        assert_eq!(job.json()["total"], 0, "{}", job.text);
        h.clock.advance(5);
        h.issue_with(&token, &h.holder(1)).await;
        run(&h).await;
        assert_eq!(h.newest().await["status"], "valid");
    })
    .await;
}

/// security.md, X15: a million credentials in ten lists, all revoked.
#[tokio::test]
async fn x15_mass_revocation_drill() {
    let full = std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1");
    let of_list: u32 = if full { 100_000 } else { 500 };
    everywhere(async |h| {
        let db = &h.issuer.core().db;
        for list in 0..10 {
            many(db, "membership", list * 1_000_000, of_list).await;
        }
        let body = json!({ "action": "revoke", "filter": { "credential_type": "membership" } });
        let clock = std::time::Instant::now();
        let job = create(&h, &body).await.json();
        let counted = clock.elapsed();
        let clock = std::time::Instant::now();
        let (mut steps, mut longest) = (0, std::time::Duration::ZERO);
        loop {
            let step = std::time::Instant::now();
            if !status_jobs::step(h.issuer.core()).await.unwrap() {
                break;
            }
            steps += 1;
            longest = longest.max(step.elapsed());
        }
        let changed = clock.elapsed();
        let clock = std::time::Instant::now();
        while h.issuer.publish_status_lists().await.unwrap() > 0 {}
        let built = clock.elapsed();
        let total = i64::from(of_list) * 10;
        assert_eq!(read(&h, &job).await["done"], total);
        assert_eq!(number(db, REVOKED).await, total);
        eprintln!(
            "{} revoked: counted in {counted:?}, changed in {changed:?} in {steps} steps \
             (longest {longest:?}), ten lists built in {built:?}",
            total
        );
        assert!(built.as_secs() < 10, "lists were built in {built:?}");
    })
    .await;
}
