//! Export and import: all state, from one database to another of any kind, and back.

use std::path::Path;

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_service::db::tables::Cell;
use vouchsafe_service::db::{Db, Tx, execute, testing};

use super::harness::{Harness, ISSUER, NOW, PRE_AUTHORIZED, config_text};
use super::house::pem;
use crate::domain::ids::RecordId;
use crate::portable::{PortableError, export, import, write_keys};
use crate::store::state;
use crate::{Config, Issuer, Ports};

const WORDS: &str = "correct horse battery";

fn config(database: &str) -> Config {
    let text = config_text("").replace("sqlite:unused.db", database);
    vouchsafe_service::config::parse(&text).unwrap()
}

fn ports(seed: u64) -> Ports {
    Ports {
        clock: std::sync::Arc::new(FixedClock::new(NOW)),
        rng: std::sync::Arc::new(SeededRng::new(seed)),
        crypto: std::sync::Arc::new(AwsLc),
    }
}

async fn serve(config: Config, seed: u64, key: Option<&str>) -> Harness {
    let clock = std::sync::Arc::new(FixedClock::new(NOW));
    let rng = std::sync::Arc::new(SeededRng::new(seed));
    let ports = Ports {
        clock: clock.clone(),
        rng: rng.clone(),
        crypto: std::sync::Arc::new(AwsLc),
    };
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

/// The rows of tables, by name.
async fn rows(db: &Db, tables: &[&str]) -> Vec<Vec<Vec<Cell>>> {
    db.at_one_moment(async |tx: &mut Tx| {
        let kept = state::of(tx).await?.kept;
        let mut all = Vec::new();
        for name in tables {
            let table = kept.iter().find(|shape| shape.table == *name).unwrap();
            all.push(table.page(tx, None, 1000).await?);
        }
        Ok::<_, vouchsafe_service::db::DbError>(all)
    })
    .await
    .unwrap()
}

const SAME: [&str; 4] = [
    "issuer_records",
    "issuer_credentials",
    "api_key",
    "webhook_endpoint",
];

/// The credential identifiers of every record, as token responses say them.
async fn identifiers(h: &Harness) -> Vec<String> {
    let core = h.issuer.core();
    let records = rows(&core.db, &["issuer_records"]).await.remove(0);
    let ids = records.iter().map(|row| match &row[0] {
        Cell::Text(id) => RecordId::parse(id).unwrap(),
        other => panic!("{other:?}"),
    });
    ids.map(|id| core.keys.credential_identifier(&id, "membership"))
        .collect()
}

async fn furnished(database: &str) -> (Harness, String) {
    let h = serve(config(database), 11, None).await;
    for holder in 1..4 {
        h.issue(&h.holder(holder)).await;
    }
    let path = format!(
        "/v1/credentials/{}/revoke",
        h.newest().await["id"].as_str().unwrap()
    );
    assert_eq!(h.admin_post(&path, "", &[]).await.status, 200);
    let hook = json!({ "url": "https://hook.example/", "events": [] }).to_string();
    assert_eq!(h.admin_post("/v1/webhooks", &hook, &[]).await.status, 201);
    let offer = h.offer(json!({})).await;
    let code = h.code(&offer).await;
    (h, code)
}

async fn taken_along(from: &str, to: &str, file: &Path) {
    let (first, code) = furnished(from).await;
    let before = rows(&first.issuer.core().db, &SAME).await;
    assert!(before.iter().all(|table| !table.is_empty()));
    export(&config(from), &ports(12), file, WORDS, false)
        .await
        .unwrap();
    let done = import(&config(to), &ports(13), file, WORDS).await.unwrap();
    assert_eq!(done.epoch, 1);
    let second = serve(config(to), 14, Some(&first.key)).await;
    assert_eq!(rows(&second.issuer.core().db, &SAME).await, before);
    // The same persons, the same places in status lists; what was revoked is revoked.
    let (old, new) = (first.newest().await, second.newest().await);
    assert_eq!(old, new);
    assert_eq!(identifiers(&first).await, identifiers(&second).await);
    assert_eq!(new["status"], "revoked");
    // What was only good for a while stayed behind.
    let fields = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", code.as_str()),
    ];
    let answer = second.form("/token", &fields).await;
    assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
    assert!(second.issuer.verify_audit(None).await.unwrap().is_ok());
    // It goes on, and never in a place of before.
    second.clock.advance(5);
    second.issue(&second.holder(9)).await;
    let uri = |credential: &Value| {
        credential["status_list"]["uri"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_ne!(uri(&second.newest().await), uri(&old));
    let list = uri(&old);
    assert_eq!(
        second.get(list.strip_prefix(ISSUER).unwrap()).await.status,
        200
    );
    // Nothing is put on top of something.
    let again = import(&config(to), &ports(15), file, WORDS).await;
    assert!(
        matches!(again, Err(PortableError::NotEmpty(_))),
        "{again:?}"
    );
}

#[tokio::test]
async fn state_goes_from_one_database_to_another_of_any_kind() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let sqlite = |name: &str| format!("sqlite:{}", at(name).display());
    taken_along(&sqlite("a.db"), &sqlite("b.db"), &at("1.export")).await;
    if let (Some(one), Some(other)) = (testing::postgres_url().await, testing::postgres_url().await)
    {
        taken_along(&sqlite("c.db"), &one, &at("2.export")).await;
        taken_along(&other, &sqlite("d.db"), &at("3.export")).await;
    }
}

#[tokio::test]
async fn cat_409_an_export_that_is_not_whole_or_not_ours_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let sqlite = |name: &str| format!("sqlite:{}", at(name).display());
    furnished(&sqlite("a.db")).await;
    let file = at("export");
    export(&config(&sqlite("a.db")), &ports(2), &file, WORDS, false)
        .await
        .unwrap();
    let whole = std::fs::read(&file).unwrap();
    let taken = export(&config(&sqlite("a.db")), &ports(2), &file, WORDS, false).await;
    assert!(
        matches!(taken, Err(PortableError::Path { .. })),
        "an export is written over"
    );

    let target = config(&sqlite("b.db"));
    let refused = async |bytes: &[u8], words: &str, config: &Config| {
        std::fs::write(at("bad"), bytes).unwrap();
        let error = import(config, &ports(3), &at("bad"), words)
            .await
            .unwrap_err();
        assert!(!at("b.db").exists(), "{error}");
        error
    };
    let length = whole.len();
    for cut in [0, 10, 100, length / 2, length - 1] {
        refused(&whole[..cut], WORDS, &target).await;
    }
    for place in [30, length / 3, length - 5] {
        let mut changed = whole.clone();
        changed[place] ^= 4;
        refused(&changed, WORDS, &target).await;
    }
    refused(&[whole.as_slice(), b"more"].concat(), WORDS, &target).await;
    refused(&whole, "another passphrase", &target).await;
    refused(b"PK\x03\x04 an archive with ../", WORDS, &target).await;
    let text = config_text("").replace("sqlite:unused.db", &sqlite("b.db"));
    let other =
        vouchsafe_service::config::parse(&text.replace(ISSUER, "https://gym.example")).unwrap();
    let error = refused(&whole, WORDS, &other).await;
    assert!(
        matches!(error, PortableError::OtherIssuer { .. }),
        "{error:?}"
    );
    let secret = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
    let other = secret.replace("q83v", "r83v");
    let other = vouchsafe_service::config::parse(&text.replace(secret, &other)).unwrap();
    let error = refused(&whole, WORDS, &other).await;
    assert!(matches!(error, PortableError::OtherSecret), "{error:?}");
    assert!(import(&target, &ports(3), &file, WORDS).await.is_ok());
}

#[tokio::test]
async fn keys_are_in_an_export_only_where_they_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let config = config(&format!("sqlite:{}", at("a.db").display()));
    for (name, with_keys) in [("without", false), ("with", true)] {
        export(&config, &ports(2), &at(name), WORDS, with_keys)
            .await
            .unwrap();
        // Neither way is anything readable.
        let bytes = std::fs::read(at(name)).unwrap();
        for secret in [b"PRIVATE KEY".as_slice(), b"issuer_records", b"q83vEjRW"] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret));
        }
    }
    let none = write_keys(&at("without"), WORDS, &at("keys"));
    assert!(matches!(none, Err(PortableError::NoKeys)), "{none:?}");
    let names = write_keys(&at("with"), WORDS, &at("keys")).unwrap();
    assert_eq!(names, ["issuer-secret.txt", "issuer-1-key.pem"]);
    let key = std::fs::read_to_string(at("keys").join("issuer-1-key.pem")).unwrap();
    assert_eq!(key.trim(), pem(99).trim());
    assert!(
        write_keys(&at("with"), WORDS, &at("keys")).is_err(),
        "a key is written over"
    );
}

#[tokio::test]
async fn a_log_that_was_edited_is_not_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let url = |name: &str| format!("sqlite:{}", at(name).display());
    let (h, _) = furnished(&url("a.db")).await;
    let good = export(&config(&url("a.db")), &ports(2), &at("good"), WORDS, false)
        .await
        .unwrap();
    let head = good.head.unwrap();
    assert_eq!(h.issuer.verify_audit(None).await.unwrap(), Ok(head.clone()));
    let db = &h.issuer.core().db;
    execute!(
        db,
        sqlx::query("UPDATE audit_event SET actor = 'nobody' WHERE seq = 2")
    )
    .unwrap();
    let bad = export(&config(&url("a.db")), &ports(3), &at("bad"), WORDS, false)
        .await
        .unwrap();
    assert_eq!(bad.head, None);
    let to = config(&url("b.db"));
    let refused = import(&to, &ports(4), &at("bad"), WORDS).await;
    assert!(
        matches!(refused, Err(PortableError::Edited(2))),
        "{refused:?}"
    );
    // Nothing was written: the good one still goes in.
    let done = import(&to, &ports(5), &at("good"), WORDS).await.unwrap();
    assert_eq!(done.head, head);
}
