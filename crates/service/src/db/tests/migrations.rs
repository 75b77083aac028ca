//! Migrations.

use super::*;

#[tokio::test]
async fn migrations_run_once_and_notice_changes() {
    for_each_database(&[TESTS], async |db| {
        put(&db, 1).await.unwrap();
        let now = UnixTime(1_800_000_001);
        assert_eq!(
            db.migrate(&[TESTS], now).await.unwrap(),
            Vec::<String>::new()
        );
        assert_eq!(count(&db).await, 1, "migrations delete nothing");

        const CHANGED: Migrations = Migrations {
            component: "tests",
            steps: &[Migration {
                version: 1000,
                name: "a table",
                sql: "CREATE TABLE other (id BIGINT);",
            }],
        };
        let changed = db.migrate(&[CHANGED], now).await;
        assert!(matches!(
            changed,
            Err(DbError::MigrationChanged { version: 1000, .. })
        ));

        const OLDER: Migrations = Migrations {
            component: "tests",
            steps: &[],
        };
        let unknown = db.migrate(&[OLDER], now).await;
        assert!(matches!(
            unknown,
            Err(DbError::MigrationUnknown { version: 1000, .. })
        ));

        const BROKEN: Migrations = Migrations {
            component: "broken",
            steps: &[Migration {
                version: 1000,
                name: "fails in the middle",
                sql: "CREATE TABLE half (id BIGINT); CREATE TABLE half (id BIGINT);",
            }],
        };
        assert!(db.migrate(&[BROKEN], now).await.is_err());
        assert_eq!(db.pending_migrations(&[BROKEN]).await.unwrap().len(), 1);
        let half = db
            .write(async |tx| execute!(tx, sqlx::query("INSERT INTO half VALUES (1)")))
            .await;
        assert!(half.is_err(), "a migration that fails leaves nothing");
    })
    .await;
}

/// A step of a large database takes longer than any unit of work of a service may.
#[tokio::test]
async fn migrations_have_no_limit_and_keep_what_is_done() {
    const STEPS: Migrations = Migrations {
        component: "steps",
        steps: &[
            Migration {
                version: 1000,
                name: "good",
                sql: "CREATE TABLE first (id BIGINT);",
            },
            Migration {
                version: 1001,
                name: "fails",
                sql: "CREATE TABLE second (id BIGINT); CREATE TABLE first (id BIGINT);",
            },
        ],
    };
    for_each_database(&[], async |mut db| {
        db.job_limit = Duration::ZERO;
        let limited = db
            .write(async |_| {
                std::future::pending::<()>().await;
                Ok::<_, DbError>(())
            })
            .await;
        assert!(matches!(limited, Err(DbError::Unfinished)), "{limited:?}");
        let now = UnixTime(1_800_000_001);
        let ran = db.migrate(&[TESTS], now).await.unwrap();
        assert_eq!(ran, ["tests 1000: a table"]);
        assert!(db.migrate(&[STEPS], now).await.is_err());
        db.job_limit = Duration::from_secs(10);
        let pending = db.pending_migrations(&[STEPS]).await.unwrap();
        assert_eq!(pending, ["steps 1001: fails"]);
    })
    .await;
}

#[tokio::test]
async fn processes_may_migrate_at_once() {
    let temporary = sqlite(&[]).await;
    let mut urls = vec![temporary.url.clone()];
    urls.extend(testing::postgres_url().await);
    for url in urls {
        let all = (0..8).map(|_| async {
            let db = Db::open(&url).await?;
            db.migrate(&[TESTS], UnixTime(1_800_000_000)).await
        });
        let outcomes = futures::future::join_all(all).await;
        let ran = outcomes.into_iter().map(|steps| {
            steps
                .unwrap()
                .iter()
                .filter(|step| step.starts_with("tests"))
                .count()
        });
        assert_eq!(ran.sum::<usize>(), 1);
    }
}
