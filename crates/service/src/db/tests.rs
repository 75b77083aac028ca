//! The conformance suite of the layer itself: the same tests on both databases.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use vouchsafe_credentials::time::UnixTime;

use super::{
    testing::{for_each_database, sqlite},
    *,
};
use crate::{each, execute};

mod damage;
mod migrations;

const TESTS: Migrations = Migrations {
    component: "tests",
    steps: &[Migration {
        version: 1000,
        name: "a table",
        sql: "CREATE TABLE item (id BIGINT PRIMARY KEY, note TEXT, flag BOOLEAN NOT NULL, data BYTEA);
              CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL CHECK (value >= 0));",
    }],
};

#[derive(Debug, thiserror::Error)]
enum Domain {
    #[error("refused")]
    Refused,
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct ItemRow {
    id: i64,
    note: Option<String>,
    flag: bool,
    data: Option<Vec<u8>>,
}

async fn insert(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("INSERT INTO item (id, flag) VALUES ($1, TRUE)").bind(id)
    )?;
    Ok(())
}

async fn count(db: &Db) -> i64 {
    each!(db, p => sqlx::query_scalar("SELECT COUNT(*) FROM item").fetch_one(p).await).unwrap()
}

async fn put(db: &Db, id: i64) -> Result<(), DbError> {
    db.write(async move |tx| insert(tx, id).await).await
}

#[tokio::test]
async fn values_of_every_type_come_back() {
    for_each_database(&[TESTS], async |db| {
        db.write(async |tx| {
            execute!(
                tx,
                sqlx::query("INSERT INTO item (id, note, flag, data) VALUES ($1, $2, $3, $4)")
                    .bind(i64::MAX)
                    .bind("é\u{0}"[..2].to_owned())
                    .bind(true)
                    .bind(vec![0u8, 255])
            )?;
            execute!(
                tx,
                sqlx::query("INSERT INTO item (id, note, flag, data) VALUES ($1, $2, $3, $4)")
                    .bind(i64::MIN)
                    .bind(None::<String>)
                    .bind(false)
                    .bind(None::<Vec<u8>>)
            )?;
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        let rows: Vec<ItemRow> = each!(&db, p => sqlx::query_as(
            "SELECT id, note, flag, data FROM item ORDER BY id").fetch_all(p).await)
        .unwrap();
        assert_eq!(
            rows,
            [
                ItemRow {
                    id: i64::MIN,
                    note: None,
                    flag: false,
                    data: None
                },
                ItemRow {
                    id: i64::MAX,
                    note: Some("é".into()),
                    flag: true,
                    data: Some(vec![0, 255])
                },
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn an_error_of_the_work_undoes_it() {
    for_each_database(&[TESTS], async |db| {
        let refused = db
            .write(async |tx| {
                insert(tx, 1).await?;
                Err::<(), _>(Domain::Refused)
            })
            .await;
        assert!(matches!(refused, Err(Domain::Refused)));
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn errors_are_told_apart() {
    for_each_database(&[TESTS], async |db| {
        put(&db, 1).await.unwrap();
        assert!(matches!(put(&db, 1).await, Err(DbError::Duplicate)));
        let constraint = db
            .write(async |tx| {
                execute!(
                    tx,
                    sqlx::query("INSERT INTO counter (name, value) VALUES ('a', -1)")
                )
            })
            .await;
        assert!(
            matches!(constraint, Err(DbError::Constraint)),
            "{constraint:?}"
        );
        let wrong = db
            .write(async |tx| execute!(tx, sqlx::query("INSERT INTO nowhere VALUES (1)")))
            .await;
        assert!(matches!(wrong, Err(DbError::Statement(_))), "{wrong:?}");
        // The layer goes on after each of them.
        put(&db, 2).await.unwrap();
        assert_eq!(count(&db).await, 2);
    })
    .await;
}

/// One failing job must not take others of its group along, in either order.
#[tokio::test]
async fn jobs_of_a_group_are_independent() {
    for_each_database(&[TESTS], async |db| {
        let jobs = (0..200i64).map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(async move |tx| {
                    insert(tx, n).await?;
                    match n % 3 {
                        0 => Err(Domain::Refused),
                        _ => Ok(n),
                    }
                })
                .await
            })
        });
        let mut accepted = 0;
        for (n, job) in jobs.collect::<Vec<_>>().into_iter().enumerate() {
            match job.await.unwrap() {
                Ok(id) => {
                    assert_eq!(id, i64::try_from(n).unwrap());
                    accepted += 1;
                }
                Err(Domain::Refused) => assert_eq!(n % 3, 0),
                Err(Domain::Db(error)) => panic!("{error}"),
            }
        }
        assert_eq!(count(&db).await, accepted);
        let left: Option<i64> = each!(&db, p => sqlx::query_scalar(
            "SELECT id FROM item WHERE id % 3 = 0").fetch_optional(p).await)
        .unwrap();
        assert_eq!(left, None);
    })
    .await;
}

/// An answer means: every other connection sees it.
#[tokio::test]
async fn a_read_after_the_answer_sees_the_write() {
    for_each_database(&[TESTS], async |db| {
        for n in 0..50 {
            put(&db, n).await.unwrap();
            assert_eq!(count(&db).await, n + 1);
        }
    })
    .await;
}

/// The caller goes away while the work is queued or running: it is applied as a whole or, if it
/// was never queued, not at all.
#[tokio::test]
async fn cat_412_a_cancelled_caller_leaves_nothing_half_done() {
    for_each_database(&[TESTS], async |db| {
        for n in 0..100i64 {
            let work = {
                let db = db.clone();
                async move {
                    db.write(async move |tx| {
                        insert(tx, n).await?;
                        insert(tx, n + 1000).await
                    })
                    .await
                }
            };
            // Poll a few times, then drop.
            let mut work = Box::pin(work);
            for _ in 0..(n % 4) {
                let _ = futures::poll!(work.as_mut());
                tokio::task::yield_now().await;
            }
        }
        // A later write waits for the queue, so everything before it has ended (PostgreSQL runs
        // units at the same time: wait until the number stands still).
        put(&db, 5000).await.unwrap();
        let mut before = -1;
        while before != count(&db).await {
            before = count(&db).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let odd: i64 = each!(&db, p => sqlx::query_scalar(
            "SELECT COUNT(*) FROM item a WHERE a.id < 1000 AND NOT EXISTS \
             (SELECT 1 FROM item b WHERE b.id = a.id + 1000)").fetch_one(p).await)
        .unwrap();
        assert_eq!(odd, 0);
        let halves: i64 = each!(&db, p => sqlx::query_scalar(
            "SELECT COUNT(*) FROM item WHERE id < 5000").fetch_one(p).await)
        .unwrap();
        assert_eq!(halves % 2, 0);
        assert!(halves >= 75 * 2, "work that was queued is done: {halves}");
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_the_work_undoes_it_and_nothing_else() {
    for_each_database(&[TESTS], async |db| {
        let panicked = db
            .write(async |tx| {
                insert(tx, 1).await?;
                assert!(count_in(tx).await? == 0, "a bug");
                Ok::<_, DbError>(())
            })
            .await;
        assert!(matches!(panicked, Err(DbError::Unfinished)), "{panicked:?}");
        put(&db, 2).await.unwrap();
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

async fn count_in(tx: &mut Tx) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar("SELECT COUNT(*) FROM item").fetch_one(c).await)
}

/// Ignoring the failure of a statement must not turn into a success that was not committed.
#[tokio::test]
async fn an_ignored_failure_is_never_a_lost_success() {
    for_each_database(&[TESTS], async |db| {
        put(&db, 1).await.unwrap();
        let ignored = db
            .write(async |tx| {
                insert(tx, 2).await?;
                let _ = insert(tx, 1).await;
                Ok::<_, DbError>(())
            })
            .await;
        let expected = if ignored.is_ok() { 2 } else { 1 };
        assert_eq!(count(&db).await, expected);
    })
    .await;
}

/// Reading, deciding in Rust and writing is safe under a lock on both databases.
#[tokio::test]
async fn a_locked_read_and_write_loses_no_update() {
    for_each_database(&[TESTS], async |db| {
        db.write(async |tx| {
            execute!(
                tx,
                sqlx::query("INSERT INTO counter (name, value) VALUES ('c', 0)")
            )
        })
        .await
        .unwrap();
        let increments = (0..100).map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(async |tx| {
                    tx.lock("counter c").await?;
                    let value: i64 = each!(tx, c => sqlx::query_scalar(
                        "SELECT value FROM counter WHERE name = 'c'").fetch_one(c).await)?;
                    execute!(
                        tx,
                        sqlx::query("UPDATE counter SET value = $1 WHERE name = 'c'")
                            .bind(value + 1)
                    )
                })
                .await
            })
        });
        for increment in increments.collect::<Vec<_>>() {
            increment.await.unwrap().unwrap();
        }
        let value: i64 = each!(&db, p => sqlx::query_scalar(
            "SELECT value FROM counter WHERE name = 'c'").fetch_one(p).await)
        .unwrap();
        assert_eq!(value, 100);
    })
    .await;
}

/// 40001 and 40P01: tried again, at most three times, then "try later".
#[tokio::test]
async fn cat_418_a_serialization_failure_is_tried_again() {
    let Some(db) = testing::postgres(&[TESTS]).await else {
        return testing::for_each_database(&[], async |_| {}).await;
    };
    let runs = Arc::new(AtomicU32::new(0));
    for (failures, succeeds) in [(3, true), (4, false)] {
        runs.store(0, Ordering::SeqCst);
        let counter = Arc::clone(&runs);
        let outcome = db
            .write(async move |tx| {
                if counter.fetch_add(1, Ordering::SeqCst) < failures {
                    let raise = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$";
                    execute!(tx, sqlx::query(raise))?;
                }
                Ok::<_, Domain>(())
            })
            .await;
        match succeeds {
            true => outcome.unwrap(),
            false => {
                let Err(Domain::Db(error)) = outcome else {
                    panic!("{outcome:?}")
                };
                assert!(error.is_temporary());
            }
        }
        assert_eq!(runs.load(Ordering::SeqCst), 4);
    }
}

/// `SQLITE_FULL` undoes a whole group; nobody is told that it was kept, and work goes on as soon
/// as there is space.
#[tokio::test]
async fn cat_413_a_full_disk_refuses_and_recovers() {
    let temporary = sqlite(&[TESTS]).await;
    let db = temporary.db.clone();
    let pages: i64 =
        each!(&db, p => sqlx::query_scalar("PRAGMA page_count").fetch_one(p).await).unwrap();
    let limit = async |pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        db.write(async move |tx| execute!(tx, sqlx::query(sqlx::AssertSqlSafe(sql.clone()))))
            .await
            .unwrap();
    };
    limit(pages + 2).await;
    let big = |id: i64| {
        let db = db.clone();
        async move {
            db.write(async move |tx| {
                insert(tx, id).await?;
                execute!(
                    tx,
                    sqlx::query("UPDATE item SET data = $2 WHERE id = $1")
                        .bind(id)
                        .bind(vec![7u8; 3000])
                )
            })
            .await
        }
    };
    let outcomes = futures::future::join_all((0..20).map(big)).await;
    let kept = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(kept < 20);
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(error.is_temporary(), "{error:?}");
    }
    assert_eq!(count(&db).await, i64::try_from(kept).unwrap());
    let whole: i64 = each!(&db, p => sqlx::query_scalar(
        "SELECT COUNT(*) FROM item WHERE data IS NOT NULL").fetch_one(p).await)
    .unwrap();
    assert_eq!(whole, i64::try_from(kept).unwrap());
    limit(1_000_000).await;
    big(100).await.unwrap();
}

/// Another process that holds the write lock: a bounded wait, then "try later"; nothing is lost.
#[tokio::test]
async fn cat_416_two_processes_on_one_file() {
    let temporary = sqlite(&[TESTS]).await;
    let other = Db::open(&temporary.url).await.unwrap();
    let both = futures::future::join_all((0..100).map(|n| {
        let db = if n % 2 == 0 { &temporary.db } else { &other };
        put(db, n)
    }))
    .await;
    assert!(both.iter().all(Result::is_ok));
    assert_eq!(count(&temporary.db).await, 100);

    use sqlx::{ConnectOptions, Connection, Executor};
    let options: sqlx::sqlite::SqliteConnectOptions = temporary.url.parse().unwrap();
    let mut blocker = options.connect().await.unwrap();
    blocker.execute("BEGIN IMMEDIATE").await.unwrap();
    let busy = put(&temporary.db, 1000).await;
    assert!(busy.unwrap_err().is_temporary());
    blocker.execute("ROLLBACK").await.unwrap();
    blocker.close().await.unwrap();
    put(&temporary.db, 1000).await.unwrap();
}

#[tokio::test]
async fn a_closed_database_is_whole_and_nothing_lies_beside_it() {
    let there = sqlite(&[TESTS]).await;
    let file = PathBuf::from(there.url.strip_prefix("sqlite:").unwrap());
    let log = file.with_extension("db-wal");
    let queued: Vec<_> = (0..20)
        .map(|id| {
            let db = there.db.clone();
            tokio::spawn(async move { put(&db, id).await })
        })
        .collect();
    for one in queued {
        one.await.unwrap().unwrap();
    }
    assert!(log.exists());

    // One of the clones closes it, for all.
    there.db.clone().close().await;
    assert!(!log.exists());
    assert!(matches!(put(&there.db, 99).await, Err(DbError::Closed)));
    there.db.close().await;
    let again = Db::open(&there.url).await.unwrap();
    assert_eq!(count(&again).await, 20);
}

#[tokio::test]
async fn closing_waits_for_what_was_queued() {
    for_each_database(&[TESTS], async |db| {
        let writing: Vec<_> = (0..20).map(|id| put(&db, id)).collect();
        let writing = futures::future::join_all(writing);
        tokio::pin!(writing);
        // Polled once: all of them are in the queue.
        assert!(futures::poll!(&mut writing).is_pending());
        let (written, ()) = tokio::join!(writing, db.close());
        assert!(written.into_iter().all(|one| one.is_ok()));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_up_is_away() {
    use tokio::io::AsyncReadExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // The question for TLS, all of it: a connection that is closed with something unread
            // is reset, which is another error.
            stream.read_exact(&mut [0; 8]).await.ok();
        }
    });
    let opened = Db::open(&format!("postgres://nobody@{address}/nothing")).await;
    assert!(matches!(opened, Err(DbError::Unavailable(_))), "{opened:?}");
}

#[tokio::test]
async fn settings_of_sqlite_are_durable() {
    let temporary = sqlite(&[]).await;
    let settings = temporary
        .db
        .write(async |tx| {
            let mode: String =
                each!(tx, c => sqlx::query_scalar("PRAGMA journal_mode").fetch_one(c).await)?;
            let synchronous: i64 =
                each!(tx, c => sqlx::query_scalar("PRAGMA synchronous").fetch_one(c).await)?;
            let checkpoint: i64 =
                each!(tx, c => sqlx::query_scalar("PRAGMA wal_autocheckpoint").fetch_one(c).await)?;
            let limit: i64 =
                each!(tx, c => sqlx::query_scalar("PRAGMA journal_size_limit").fetch_one(c).await)?;
            Ok::<_, DbError>((mode, synchronous, checkpoint, limit))
        })
        .await
        .unwrap();
    // 2 is FULL.
    assert_eq!(settings, ("wal".into(), 2, 10_000, 64 << 20));
}

#[tokio::test]
async fn addresses_that_are_not_supported() {
    for bad in [
        "mysql://x",
        "sqlite::memory:",
        "sqlite:file?mode=memory",
        "/tmp/file",
        "",
    ] {
        assert!(
            matches!(Db::open(bad).await, Err(DbError::Address)),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn errors_name_no_values() {
    for_each_database(&[TESTS], async |db| {
        let insert = async |tx: &mut Tx| {
            execute!(
                tx,
                sqlx::query("INSERT INTO counter (name, value) VALUES ($1, 1)").bind("canary")
            )
        };
        db.write(insert).await.unwrap();
        let duplicate = db.write(insert).await.unwrap_err();
        let wrong = db
            .write(async |tx| {
                execute!(
                    tx,
                    sqlx::query("INSERT INTO counter (name, value) VALUES ($1, $2)")
                        .bind("x")
                        .bind("canary")
                )
            })
            .await;
        for error in [Some(duplicate), wrong.err()].into_iter().flatten() {
            let mut text = error.to_string();
            let mut next = std::error::Error::source(&error);
            while let Some(source) = next {
                text.push_str(&source.to_string());
                next = source.source();
            }
            assert!(!text.contains("canary"), "{text}");
        }
    })
    .await;
}

/// A copy of the database is for nobody else on the machine: not the file, not its log.
#[cfg(unix)]
#[tokio::test]
async fn a_new_database_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.db").display().to_string();
    let db = Db::open(&format!("sqlite:{file}")).await.unwrap();
    db.migrate(&[TESTS], UnixTime(0)).await.unwrap();
    put(&db, 1).await.unwrap();
    for name in [file.clone(), format!("{file}-wal"), format!("{file}-shm")] {
        let mode = std::fs::metadata(&name).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
