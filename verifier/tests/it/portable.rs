//! Export and import: all state, from one database to another of any kind, under another master
//! secret, and everybody is who they were.

use std::path::Path;

use serde_json::{Value, json};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_service::db::{Db, testing};
use vouchsafe_service::sealed_file::SealedWriter;
use vouchsafe_verifier::portable::{PortableError, export, import};
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::steps::{log_in, rows};
use crate::world::wallet::Wallet;
use crate::world::{OP, World};

pub const WORDS: &str = "correct horse battery";
pub const SECRET: &str = "ry_QAZzr2CuwIXPJQLO2k792r9f02C757wIT_Xkgkq8";
pub const OTHER: &str = "0y_QAZzr2CuwIXPJQLO2k792r9f02C757wIT_Xkgkq8";
const REGISTRATION: &str = "\n[registration]\nallowed_scopes = [\"membership\"]\n";

/// The configuration with this database and this secret.
fn at(url: &str, secret: &str) -> impl Fn(String) -> String {
    move |toml| toml.replace("sqlite:unused", url).replace(SECRET, secret) + REGISTRATION
}

async fn open(url: &str) -> Db {
    let db = Db::open(url).await.unwrap();
    db.migrate(&[MIGRATIONS], crate::world::NOW).await.unwrap();
    db
}

/// What every application calls every person.
async fn subs(world: &World, people: &[Wallet]) -> Vec<String> {
    let mut subs = Vec::new();
    for wallet in people {
        for shop in [world.shop(), world.cafe(), world.spa()] {
            let tokens = log_in(&mut world.browser(), wallet, &shop, "openid membership").await;
            subs.push(tokens.sub().to_owned());
        }
    }
    subs
}

/// Takes all state along through these databases, whose secrets take turns, and compares every
/// `sub` each time.
async fn along(urls: &[String], file: &Path) {
    let secrets = [SECRET, OTHER];
    let mut world = World::with_config(open(&urls[0]).await, at(&urls[0], SECRET)).await;
    let mut people = Vec::new();
    for person in 0..3 {
        people.push(world.person(&format!("canary-member-{person}")).await);
    }
    let mut before = subs(&world, &people).await;
    let distinct: std::collections::BTreeSet<&String> = before.iter().collect();
    assert_eq!(distinct.len(), 9, "three people at three sectors");
    let token = world.verifier.create_registration_token("portal", 3, 3600);
    token.await.unwrap();

    for (step, pair) in urls.windows(2).enumerate() {
        let (old, new) = (
            at(&pair[0], secrets[step % 2]),
            at(&pair[1], secrets[(step + 1) % 2]),
        );
        let _ = std::fs::remove_file(file);
        let written = export(&world.configured(old), &world.ports(), file, WORDS).await;
        let written = written.unwrap();
        let bytes = std::fs::read(file).unwrap();
        for secret in ["canary-member", "shop", "subjects", SECRET, &before[0]] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret}");
        }
        let config = world.configured(&new);
        let read = import(&config, &world.ports(), file, WORDS).await.unwrap();
        assert_eq!(
            (read.rows, Some(&read.head)),
            (written.rows, written.head.as_ref())
        );
        assert_eq!(read.missing, Vec::<String>::new());
        world.moves(Db::open(&pair[1]).await.unwrap(), &new).await;
        let moved = people.into_iter().map(|wallet| wallet.at(world.router()));
        people = moved.collect();
        assert_eq!(rows(&world, "login_sessions").await, 0, "sessions end");
        assert_eq!(subs(&world, &people).await, before);
        assert_eq!(rows(&world, "subjects").await, 3 + step as i64);
        // What lets applications register is a token like the others.
        let tokens = world.verifier.registration_tokens().await.unwrap();
        assert!(tokens.is_empty());
        // Whoever is new gets names that nobody had, and comes along the next time.
        let newcomer = world.person(&format!("new-{step}")).await;
        let newer = subs(&world, std::slice::from_ref(&newcomer)).await;
        assert!(newer.iter().all(|sub| !before.contains(sub)));
        people.push(newcomer);
        before.extend(newer);
        let again = import(&config, &world.ports(), file, WORDS).await;
        assert_eq!(again.unwrap_err().code(), "database_not_empty");
    }
}

#[tokio::test]
async fn cat_382_every_sub_is_the_same_after_export_and_import() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let mut urls = vec![sqlite("a")];
    // There and back again, to whatever there is.
    urls.push(testing::postgres_url().await.unwrap_or(sqlite("b")));
    urls.push(sqlite("c"));
    along(&urls, &folder.path().join("export")).await;
}

fn crafted(path: &Path, first: &Value) {
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SealedWriter::begin(file, WORDS, &SeededRng::new(5)).unwrap();
    writer.line(first.to_string().as_bytes()).unwrap();
    writer.finish().unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_whole_or_not_ours_is_refused_by_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let (file, bad) = (folder.path().join("export"), folder.path().join("bad"));
    let source = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(source.db.clone(), at(&source.url, SECRET)).await;
    let own = world.configured(at(&source.url, SECRET));
    export(&own, &world.ports(), &file, WORDS).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    let target = testing::sqlite(&[MIGRATIONS]).await;
    let here = world.configured(at(&target.url, SECRET));
    let refused = async |words: &str| {
        let done = import(&here, &world.ports(), &bad, words).await;
        done.unwrap_err().code()
    };
    let length = whole.len();
    let mut changed = whole.clone();
    changed[length / 2] ^= 4;
    let longer = [whole.as_slice(), b"more"].concat();
    let rest = &whole["vouchsafe-sealed 1".len()..];
    let other_envelope = [b"vouchsafe-sealed 2", rest].concat();
    for (bytes, code) in [
        (&whole[..10], "sealed_file_unknown"),
        (&whole[..length / 2], "sealed_file_does_not_open"),
        (&whole[..length - 1], "sealed_file_does_not_open"),
        (changed.as_slice(), "sealed_file_does_not_open"),
        (longer.as_slice(), "sealed_file_does_not_open"),
        (b"PK\x03\x04 an archive of something", "sealed_file_unknown"),
        (other_envelope.as_slice(), "sealed_file_unknown"),
    ] {
        std::fs::write(&bad, bytes).unwrap();
        assert_eq!(refused(WORDS).await, code);
    }
    std::fs::write(&bad, &whole).unwrap();
    let other_words = refused("another passphrase").await;
    assert_eq!(other_words, "sealed_file_does_not_open");

    let key = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
    let first = |schema: Value| {
        json!({ "vouchsafe_verifier_export": 1, "issuer": OP, "epoch": 0, "exported_at": 0,
            "schema": schema, "sectors": {},
            "keys": { "pairwise": key, "binding": key, "audit": key } })
    };
    for (line, code) in [
        (
            json!({ "vouchsafe_verifier_export": 2, "shape": 1 }),
            "export_newer",
        ),
        (first(json!([["verifier", 9999, "x"]])), "export_newer"),
        (first(json!([])), "export_older"),
        (
            json!({ "vouchsafe_verifier_export": 1 }),
            "export_malformed",
        ),
        (json!({ "vouchsafe_issuer_export": 1 }), "export_malformed"),
    ] {
        crafted(&bad, &line);
        assert_eq!(refused(WORDS).await, code);
    }
    // Nothing was written: the good one still goes in, where every application keeps its sector.
    let moved = |toml| at(&target.url, SECRET)(toml).replace("127.0.0.2:9001/cb", "127.0.0.3/cb");
    let sector = import(&world.configured(moved), &world.ports(), &file, WORDS).await;
    let cafe = |error: &PortableError| matches!(error, PortableError::Sector { client, .. } if client == "cafe");
    assert!(sector.as_ref().is_err_and(cafe), "{sector:?}");
    import(&here, &world.ports(), &file, WORDS).await.unwrap();
}
