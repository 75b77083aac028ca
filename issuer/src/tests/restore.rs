//! A copy that is put to use: what was good for a while is dead, lists are newer than any before,
//! no place is used twice, and what is lost is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::status_list::{Status, StatusRef};
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_service::audit::Head;
use vouchsafe_service::db::testing;
use vouchsafe_service::db::{each, execute};

use super::harness::{Harness, ISSUER, NOW, PRE_AUTHORIZED, config_text, offer_body};
use super::status::verify;
use crate::instance::InstanceError;
use crate::portable::{export, import};
use crate::restore::{RestoreError, Restored, StoppedJob, backup, restore, restored};
use crate::{Config, Issuer, OpenError, Ports};

fn config(database: &str) -> Config {
    let text = config_text("refresh_tokens = true").replace("sqlite:unused.db", database);
    vouchsafe_service::config::parse(&text).unwrap()
}

fn ports(at: UnixTime) -> (Ports, Arc<FixedClock>, Arc<SeededRng>) {
    // Another process has other randomness.
    let (clock, rng) = (
        Arc::new(FixedClock::new(at)),
        Arc::new(SeededRng::new(at.0.unsigned_abs())),
    );
    let ports = Ports {
        clock: clock.clone(),
        rng: rng.clone(),
        crypto: Arc::new(AwsLc),
    };
    (ports, clock, rng)
}

/// A service on the database of a configuration. `key`: the API key of before.
async fn serve(config: Config, at: UnixTime, key: Option<&str>) -> Harness {
    let (ports, clock, rng) = ports(at);
    let issuer = Issuer::open(config, ports).await.unwrap();
    Harness {
        key: match key {
            Some(key) => key.to_owned(),
            None => issuer.create_api_key("tests").await.unwrap(),
        },
        router: issuer.router(),
        issuer,
        clock,
        rng,
    }
}

/// What is good before a copy is taken.
struct Before {
    code: String,
    access: String,
    refresh: String,
    nonce: String,
    kept: (String, u64),
    revoked_later: Value,
    answer: String,
}

fn place(credential: &Value) -> (String, u64) {
    let list = &credential["status_list"];
    let uri = list["uri"].as_str().unwrap().to_owned();
    (uri, list["idx"].as_u64().unwrap())
}

async fn tokens(h: &Harness) -> (String, String) {
    let offer = h.offer(json!({})).await;
    let code = h.code(&offer).await;
    let fields = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", &code),
    ];
    let body = h.form("/token", &fields).await.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn live(h: &Harness) -> Before {
    h.issue(&h.holder(1)).await;
    let kept = place(&h.newest().await);
    h.issue(&h.holder(2)).await;
    let revoked_later = h.newest().await;
    let (access, refresh) = tokens(h).await;
    let offer = h.offer(json!({})).await;
    let body = offer_body().to_string();
    let headers = [("idempotency-key", "k-1")];
    let kept_answer = h.admin_post("/v1/offers", &body, &headers);
    Before {
        code: h.code(&offer).await,
        access,
        refresh,
        nonce: h.nonce().await,
        kept,
        revoked_later,
        answer: kept_answer.await.text,
    }
}

/// `iat` of the published list.
async fn published(h: &Harness, uri: &str) -> (String, i64) {
    let token = h.get(uri.strip_prefix(ISSUER).unwrap()).await.text;
    let payload = b64url_decode(token.split('.').nth(1).unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    (token, payload["iat"].as_i64().unwrap())
}

async fn status(h: &Harness, place: &(String, u64)) -> Status {
    let (token, _) = published(h, &place.0).await;
    let list = verify(h, &place.0, &token, None);
    let reference = StatusRef {
        uri: place.0.clone(),
        idx: place.1,
    };
    list.status(&reference, h.clock.now()).unwrap()
}

async fn everything_of_before_is_dead(h: &Harness, before: &Before) {
    let grant = (400, "invalid_grant".to_owned());
    let fields = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", &before.code),
    ];
    assert_eq!(h.form("/token", &fields).await.error(), grant);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &before.refresh),
    ];
    assert_eq!(h.form("/token", &fields).await.error(), grant);
    let fresh = h.nonce().await;
    let proof = h.proof(&h.holder(9), &fresh).await;
    let answer = h.credential(&before.access, &[proof]).await;
    assert_eq!(answer.error(), (401, "invalid_token".to_owned()));
    let (access, _) = tokens(h).await;
    let proof = h.proof(&h.holder(9), &before.nonce).await;
    let answer = h.credential(&access, &[proof]).await;
    assert_eq!(answer.error(), (400, "invalid_nonce".to_owned()));
    let headers = [("idempotency-key", "k-1")];
    let again = h
        .admin_post("/v1/offers", &offer_body().to_string(), &headers)
        .await;
    assert_eq!(again.status, 201);
    assert_ne!(
        again.text, before.answer,
        "an answer that names a dead offer"
    );
}

fn head(text: &str) -> Option<Head> {
    Head::parse(text)
}

#[tokio::test]
async fn cat_427_what_was_good_when_the_copy_was_taken_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let copy = folder.path().join("copy.db");
    let h = serve(config(&url("first.db")), NOW, None).await;
    let before = live(&h).await;
    let taken = backup(&config(&url("first.db")), &ports(NOW).0, &copy)
        .await
        .unwrap();
    assert!(matches!(
        backup(&config(&url("first.db")), &ports(NOW).0, &copy).await,
        Err(RestoreError::File { .. })
    ));

    // It goes on: a card that the copy does not know, a revocation, a refresh; a list is published.
    // Not so long that a nonce of before is dead by its age.
    h.clock.advance(120);
    h.issue(&h.holder(3)).await;
    let unknown = place(&h.newest().await);
    let path = format!(
        "/v1/credentials/{}/revoke",
        before.revoked_later["id"].as_str().unwrap()
    );
    assert_eq!(h.admin_post(&path, "", &[]).await.status, 200);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", before.refresh.as_str()),
    ];
    assert_eq!(h.form("/token", &fields).await.status, 200);
    let lost = place(&before.revoked_later);
    assert_eq!(status(&h, &lost).await, Status::Invalid);
    let (_, last_iat) = published(&h, &before.kept.0).await;
    let end = h.issuer.verify_audit(None).await.unwrap().unwrap();
    assert!(end.seq > taken.seq);

    // A copy is not opened as it is, wherever it lies.
    let as_it_is = Issuer::open(config(&url("copy.db")), ports(NOW).0)
        .await
        .err();
    let Some(OpenError::Instance(InstanceError::Copy { .. })) = as_it_is else {
        panic!("{as_it_is:?}");
    };
    // Restored in the very second in which the last list was published.
    let later = NOW.plus(120);
    let second = config(&url("second.db"));
    let told = restore(&second, &ports(later).0, &copy, Some(&end))
        .await
        .unwrap();
    let Restored {
        epoch,
        head,
        lost: events,
        offers,
        lists,
        vc_lists,
        jobs,
        api_keys,
        last_event,
        operators,
    } = told;
    assert_eq!((epoch, events), (1, Some(end.seq - taken.seq)));
    assert_eq!(head, taken);
    assert_eq!(last_event, Some(NOW));
    assert!(offers >= 2 && lists == 1, "{offers} {lists}");
    assert_eq!(api_keys, ["tests"]);
    assert!(operators.is_empty() && jobs.is_empty() && vc_lists == 0);
    // What is there is not written over.
    assert!(
        restore(&second, &ports(later).0, &copy, None)
            .await
            .is_err()
    );

    let h = serve(second, later, Some(&h.key)).await;
    everything_of_before_is_dead(&h, &before).await;
    let (_, iat) = published(&h, &before.kept.0).await;
    assert!(iat > last_iat, "{iat} {last_iat}");
    assert_eq!(status(&h, &before.kept).await, Status::Valid);
    // Nobody knows whose this place is: it is never good, and never given out again.
    assert_eq!(status(&h, &unknown).await, Status::Invalid);
    // This revocation is lost, as was told; it can be made again.
    assert_eq!(status(&h, &lost).await, Status::Valid);
    assert_eq!(h.admin_post(&path, "", &[]).await.status, 200);
    assert_eq!(status(&h, &lost).await, Status::Invalid);
    h.issue(&h.holder(4)).await;
    let new = place(&h.newest().await);
    assert_ne!(new.0, before.kept.0, "a list of before takes nothing new");
    assert_eq!(status(&h, &new).await, Status::Valid);
    assert!(h.issuer.verify_audit(None).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_database_that_came_back_by_other_means_is_made_fit_for_use() {
    let folder = tempfile::tempdir().unwrap();
    let mut urls = vec![format!("sqlite:{}", folder.path().join("a.db").display())];
    urls.extend(testing::postgres_url().await);
    for url in urls {
        let h = serve(config(&url), NOW, None).await;
        let before = live(&h).await;
        let (_, last_iat) = published(&h, &before.kept.0).await;
        let end = h.issuer.verify_audit(None).await.unwrap().unwrap();
        let later = NOW.plus(120);
        for (since, lost, at) in [(Some(end.clone()), Some(0), 60), (None, None, 61)] {
            let told = restored(&config(&url), &ports(NOW.plus(at)).0, since.as_ref())
                .await
                .unwrap();
            assert_eq!(told.lost, lost);
        }
        // An end that is not in this log: it was edited, or is another one.
        let foreign = head("1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let refused = restored(&config(&url), &ports(later).0, foreign.as_ref()).await;
        assert!(
            matches!(refused, Err(RestoreError::Edited(1))),
            "{refused:?}"
        );
        let h = serve(config(&url), later, Some(&h.key)).await;
        everything_of_before_is_dead(&h, &before).await;
        assert!(published(&h, &before.kept.0).await.1 > last_iat);
        assert_eq!(status(&h, &before.kept).await, Status::Valid);
    }
}

/// A database with something in it, and a copy of it.
async fn copied(folder: &Path) -> (Harness, PathBuf) {
    let first = config(&at(folder, "first.db"));
    let h = serve(first.clone(), NOW, None).await;
    h.issue(&h.holder(1)).await;
    let copy = folder.join("copy.db");
    backup(&first, &ports(NOW).0, &copy).await.unwrap();
    (h, copy)
}

fn at(folder: &Path, name: &str) -> String {
    format!("sqlite:{}", folder.join(name).display())
}

fn refused_because_of<T: std::fmt::Debug>(answer: Result<T, RestoreError>, name: &str) {
    match answer {
        Err(RestoreError::File { path, .. }) => assert!(path.ends_with(name), "{path:?}"),
        other => panic!("{name}: {other:?}"),
    }
}

/// SQLite takes a log that lies beside a database for its own, without a look at what is in it.
#[tokio::test]
async fn cat_427_the_log_of_a_lost_database_is_not_taken_for_that_of_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (_live, copy) = copied(folder.path()).await;
    let second = config(&at(folder.path(), "second.db"));
    let ports = ports(NOW).0;
    for rest in ["-wal", "-shm", "-journal"] {
        let left = file(&format!("second.db{rest}"));
        std::fs::write(&left, "").unwrap();
        let answer = restore(&second, &ports, &copy, None).await;
        refused_because_of(answer, &format!("second.db{rest}"));
        assert!(!file("second.db").exists());
        std::fs::remove_file(left).unwrap();
    }
    // A file that was copied while its log held what was written last.
    std::fs::copy(&copy, file("raw.db")).unwrap();
    for rest in ["-wal", "-journal"] {
        let log = file(&format!("raw.db{rest}"));
        std::fs::write(&log, "changes").unwrap();
        let answer = restore(&second, &ports, &file("raw.db"), None).await;
        refused_because_of(answer, &format!("raw.db{rest}"));
        std::fs::remove_file(log).unwrap();
    }
    restore(&second, &ports, &file("raw.db"), None)
        .await
        .unwrap();
}

/// The same by hand: the file was removed and a copy put there, the log of a killed service was not.
#[tokio::test]
async fn cat_427_a_copy_beside_the_log_of_another_database_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (h, copy) = copied(folder.path()).await;
    h.issue(&h.holder(2)).await;
    std::fs::copy(&copy, file("second.db")).unwrap();
    std::fs::copy(file("first.db-wal"), file("second.db-wal")).unwrap();
    let second = config(&at(folder.path(), "second.db"));
    let before = std::fs::read(file("second.db")).unwrap();
    let refused = Issuer::open(second.clone(), ports(NOW).0).await.err();
    let Some(OpenError::Instance(InstanceError::ForeignLog { log })) = refused else {
        panic!("{refused:?}");
    };
    assert!(log.ends_with("second.db-wal"), "{log}");
    let refused = restored(&second, &ports(NOW).0, None).await;
    let Err(RestoreError::Instance(InstanceError::ForeignLog { .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(std::fs::read(file("second.db")).unwrap(), before);
    std::fs::remove_file(file("second.db-wal")).unwrap();
    restored(&second, &ports(NOW).0, None).await.unwrap();
    // Nothing of it is in a log alone: the same is not said of a service that was killed later.
    let log = std::fs::metadata(file("second.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0);
    let h = serve(second.clone(), NOW, Some(&h.key)).await;
    h.issue(&h.holder(3)).await;
    std::fs::copy(file("second.db"), file("third.db")).unwrap();
    std::fs::copy(file("second.db-wal"), file("third.db-wal")).unwrap();
    let third = config(&at(folder.path(), "third.db"));
    let h = serve(third, NOW, Some(&h.key)).await;
    assert!(h.issuer.verify_audit(None).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_copy_goes_to_the_file_that_is_opened_whatever_its_address_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let (_live, copy) = copied(folder.path()).await;
    let ports = ports(NOW).0;
    // The live database has this address too.
    let same = config(&(at(folder.path(), "fir%73t.db") + "?mode=rwc"));
    refused_because_of(restore(&same, &ports, &copy, None).await, "first.db");
    let other = config(&(at(folder.path(), "seco%6Ed.db") + "?mode=rwc"));
    let told = restore(&other, &ports, &copy, None).await.unwrap();
    assert_eq!((told.epoch, told.lost), (1, None));
    assert!(told.head.seq > 0);
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["copy.db", "first.db", "second.db"]);
}

#[tokio::test]
async fn a_file_has_its_name_when_it_is_whole_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (h, copy) = copied(folder.path()).await;
    // The mark fails: there is no copy that is served without one.
    let db = &h.issuer.core().db;
    assert!(
        db.copy_to(&file("bad.db"), "no such statement")
            .await
            .is_err()
    );
    // What has the name keeps it.
    std::fs::write(file("taken.db"), "kept").unwrap();
    assert!(db.copy_to(&file("taken.db"), "SELECT 1").await.is_err());
    assert_eq!(std::fs::read(file("taken.db")).unwrap(), b"kept");
    // A copy under another secret, or with an edited log: nothing is there that could be opened.
    let text = config_text("").replace("sqlite:unused.db", &at(folder.path(), "bad.db"));
    let other = text.replace("q83vEjRWeJCrze8S", "r83vEjRWeJCrze8S");
    assert_ne!(text, other);
    let other: Config = vouchsafe_service::config::parse(&other).unwrap();
    let answer = restore(&other, &ports(NOW).0, &copy, None).await;
    assert!(matches!(answer, Err(RestoreError::Edited(1))), "{answer:?}");
    for rest in ["", ".part", ".new", ".new-wal", ".new-shm"] {
        assert!(!file(&format!("bad.db{rest}")).exists(), "{rest}");
    }
    assert!(!file("taken.db.part").exists());
}

/// A change of many that was begun before the copy may have been cancelled after it.
#[tokio::test]
async fn jobs_that_were_open_do_not_go_on_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let first = config(&at(folder.path(), "first.db"));
    let h = serve(first.clone(), NOW, None).await;
    h.issue(&h.holder(1)).await;
    let filter = json!({ "credential_type": "membership" });
    let mut ids = Vec::new();
    for action in ["revoke", "suspend"] {
        let body = json!({ "action": action, "filter": filter }).to_string();
        let job = h.admin_post("/v1/status-jobs", &body, &[]).await;
        assert_eq!(job.status, 202, "{}", job.text);
        ids.push(job.json()["id"].as_str().unwrap().to_owned());
    }
    let (copy, state) = (folder.path().join("copy.db"), folder.path().join("state"));
    let ports = ports(NOW).0;
    backup(&first, &ports, &copy).await.unwrap();
    export(&first, &ports, &state, "correct horse battery", false)
        .await
        .unwrap();
    let stopped: Vec<StoppedJob> = std::iter::zip(ids, ["revoke", "suspend"])
        .map(|(id, action)| StoppedJob {
            id,
            action,
            done: 0,
            total: 1,
        })
        .collect();

    let second = config(&at(folder.path(), "second.db"));
    let told = restore(&second, &ports, &copy, None).await.unwrap();
    assert_eq!(told.jobs, stopped);
    let third = config(&at(folder.path(), "third.db"));
    let told = import(&third, &ports, &state, "correct horse battery")
        .await
        .unwrap();
    assert_eq!(told.jobs, stopped);
    for config in [second, third] {
        let h = serve(config, NOW.plus(1), Some(&h.key)).await;
        while crate::status_jobs::step(h.issuer.core()).await.unwrap() {}
        assert_eq!(h.newest().await["status"], "valid");
        for job in &stopped {
            let path = format!("/v1/status-jobs/{}", job.id);
            assert_eq!(h.admin_get(&path).await.json()["state"], "cancelled");
        }
    }
}

/// The wrong copy, then the right one; or the right one twice.
#[tokio::test]
async fn one_copy_that_is_restored_twice_has_two_lives() {
    let folder = tempfile::tempdir().unwrap();
    let (first, copy) = copied(folder.path()).await;
    let mut nonces: Vec<String> = Vec::new();
    for (name, later) in [("second.db", 10), ("third.db", 20)] {
        let config = config(&at(folder.path(), name));
        let told = restore(&config, &ports(NOW.plus(later)).0, &copy, None).await;
        assert_eq!(told.unwrap().epoch, 1);
        let h = serve(config, NOW.plus(later), Some(&first.key)).await;
        for nonce in &nonces {
            let proof = h.proof(&h.holder(9), nonce).await;
            let answer = h.credential(&tokens(&h).await.0, &[proof]).await;
            assert_eq!(answer.error(), (400, "invalid_nonce".to_owned()));
        }
        let nonce = h.nonce().await;
        let proof = h.proof(&h.holder(9), &nonce).await;
        let answer = h.credential(&tokens(&h).await.0, &[proof]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        nonces.push(h.nonce().await);
    }
}

/// Databases of before have no owner yet, and two addresses of databases are swapped in a moment.
#[tokio::test]
async fn a_database_without_an_owner_is_not_taken_under_another_secret() {
    let folder = tempfile::tempdir().unwrap();
    let url = at(folder.path(), "first.db");
    let h = serve(config(&url), NOW, None).await;
    let db = &h.issuer.core().db;
    execute!(db, sqlx::query("UPDATE issuer_instance SET url = NULL")).unwrap();
    let text = config_text("").replace("sqlite:unused.db", &url);
    let other = text.replace("q83vEjRWeJCrze8S", "r83vEjRWeJCrze8S");
    let other: Config = vouchsafe_service::config::parse(&other).unwrap();
    let ports = ports(NOW).0;
    for moved in [false, true] {
        let error = match moved {
            false => match Issuer::open(other.clone(), ports.clone()).await.err() {
                Some(OpenError::Instance(error)) => error,
                other => panic!("{other:?}"),
            },
            true => crate::instance::move_to(&other, &ports, ISSUER)
                .await
                .unwrap_err(),
        };
        assert!(matches!(error, InstanceError::OtherSecret), "{error:?}");
        let owner = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
            "SELECT url FROM issuer_instance").fetch_one(p).await);
        assert_eq!(owner.unwrap(), None);
    }
    assert!(Issuer::open(config(&url), ports).await.is_ok());
}
