//! Catalogue 415: a damaged file, and a log that was cut or lost.

use std::path::Path;

use vouchsafe_credentials::random::Rng as _;

use super::*;
use crate::random::OsRandom;

const ROWS: i64 = 300;
const PAGE: usize = 4096;

/// A database that is closed: its whole content is in the file.
async fn closed(folder: &Path) -> Vec<u8> {
    let file = folder.join("sound.db");
    let db = Db::open(&format!("sqlite:{}", file.display()))
        .await
        .unwrap();
    db.migrate(&[TESTS], UnixTime(1_800_000_000)).await.unwrap();
    for id in 0..ROWS {
        put(&db, id).await.unwrap();
    }
    db.look_for_damage().await.unwrap();
    db.ping().await.unwrap();
    db.close().await;
    std::fs::read(file).unwrap()
}

#[tokio::test]
async fn cat_415_a_page_of_noise_is_found_and_nothing_is_called_ready() {
    let folder = tempfile::tempdir().unwrap();
    let sound = closed(folder.path()).await;
    let pages = sound.len() / PAGE;
    assert!(pages > 8, "{pages}");
    for page in 0..pages {
        let mut bytes = sound.clone();
        OsRandom.fill(&mut bytes[page * PAGE..(page + 1) * PAGE]);
        let file = folder.path().join(format!("noise-{page}.db"));
        std::fs::write(&file, bytes).unwrap();
        let url = format!("sqlite:{}", file.display());
        let db = match Db::open(&url).await {
            Ok(db) => db,
            Err(error) => {
                assert!(matches!(error, DbError::Damaged), "page {page}: {error:?}");
                continue;
            }
        };
        let found = db.look_for_damage().await;
        assert!(
            matches!(found, Err(DbError::Damaged)),
            "page {page}: {found:?}"
        );
        assert!(matches!(db.ping().await, Err(DbError::Damaged)));
        // For every clone.
        assert!(matches!(db.clone().ping().await, Err(DbError::Damaged)));
        db.close().await;
    }
}

#[tokio::test]
async fn cat_415_what_is_no_database_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.db");
    std::fs::write(
        &file,
        "a text that is long enough to be no header of anything\n".repeat(200),
    )
    .unwrap();
    let error = Db::open(&format!("sqlite:{}", file.display()))
        .await
        .unwrap_err();
    assert!(matches!(error, DbError::Damaged), "{error:?}");
    assert!(!error.is_temporary());
}

/// What a crash and a bad disk leave: the log ends somewhere, or is gone. Commits are there up to some
/// moment, whole and without a gap.
#[tokio::test]
async fn cat_415_a_cut_log_gives_the_commits_before_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let there = sqlite(&[TESTS]).await;
    let file = PathBuf::from(there.url.strip_prefix("sqlite:").unwrap());
    for id in 0..40 {
        put(&there.db, id).await.unwrap();
    }
    let (main, log) = (
        std::fs::read(&file).unwrap(),
        std::fs::read(file.with_extension("db-wal")).unwrap(),
    );
    let mut seen = Vec::new();
    for cut in (0..=log.len()).step_by(1 + log.len() / 23) {
        let copy = folder.path().join(format!("cut-{cut}.db"));
        std::fs::write(&copy, &main).unwrap();
        std::fs::write(copy.with_extension("db-wal"), &log[..cut]).unwrap();
        seen.push(commits(&copy).await);
    }
    let gone = folder.path().join("gone.db");
    std::fs::write(&gone, &main).unwrap();
    assert_eq!(commits(&gone).await, seen[0]);
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.last() > seen.first(), "{seen:?}");
    assert_eq!(count(&there.db).await, 40);
}

/// How many commits are there, from the first one on; none where the table is not there yet.
async fn commits(file: &Path) -> i64 {
    let db = Db::open(&format!("sqlite:{}", file.display()))
        .await
        .unwrap();
    db.look_for_damage().await.unwrap();
    db.migrate(&[TESTS], UnixTime(1_800_000_000)).await.unwrap();
    let ids: Vec<i64> =
        each!(&db, p => sqlx::query_scalar("SELECT id FROM item ORDER BY id").fetch_all(p).await)
            .unwrap();
    let count = i64::try_from(ids.len()).unwrap();
    assert_eq!(ids, (0..count).collect::<Vec<_>>());
    db.close().await;
    count
}
