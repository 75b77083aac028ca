use super::*;
use crate::db::testing::for_each_database;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn key() -> SymmetricKey {
    SymmetricKey::from_token("audit", "a test")
}

fn event(n: i64) -> Event {
    Event {
        at: NOW.plus(n),
        actor: "key:1".into(),
        action: "credential.revoke",
        target: format!("card-{}", n % 2),
        detail: String::new(),
    }
}

async fn log(db: &Db, events: i64) {
    for n in 1..=events {
        db.write(async move |tx| append(tx, &key(), &event(n)).await)
            .await
            .unwrap();
    }
}

async fn edit(db: &Db, sql: &'static str) {
    db.write(async move |tx| execute!(tx, sqlx::query(sql)).map(drop))
        .await
        .unwrap();
}

#[tokio::test]
async fn events_are_numbered_and_found_again() {
    for_each_database(&[], async |db| {
        assert_eq!(verify(&db, &key(), None).await.unwrap().unwrap().seq, 0);
        log(&db, 5).await;
        let head = verify(&db, &key(), None).await.unwrap().unwrap();
        assert_eq!(head.seq, 5);
        assert_eq!(Head::parse(&head.to_string()), Some(head.clone()));
        for bad in ["", "5", "5:", "x:AAAA", ":", "5:AAAA", "-1:AAAA"] {
            assert_eq!(Head::parse(bad), None, "{bad}");
        }
        let seqs = async |before, target: Option<&str>, limit| {
            let page = page(&db, before, target, limit).await.unwrap();
            page.iter().map(|entry| entry.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(None, None, 2).await, [5, 4]);
        assert_eq!(seqs(Some(4), None, 9).await, [3, 2, 1]);
        assert_eq!(seqs(None, Some("card-1"), 9).await, [5, 3, 1]);
        assert_eq!(seqs(None, Some("card-%"), 9).await, [0i64; 0]);
        // The head of another time is still in the chain.
        log(&db, 1).await;
        assert_eq!(
            verify(&db, &key(), Some(&head)).await.unwrap().unwrap().seq,
            6
        );
    })
    .await;
}

#[tokio::test]
async fn cat_404_edits_and_deletions_are_found_with_their_place() {
    let cases: [(&'static str, Broken); 8] = [
        (
            "UPDATE audit_event SET actor = 'key:2' WHERE seq = 3",
            Broken::Changed(3),
        ),
        (
            "UPDATE audit_event SET at = at + 1 WHERE seq = 2",
            Broken::Changed(2),
        ),
        (
            "UPDATE audit_event SET detail = target, target = '' WHERE seq = 4",
            Broken::Changed(4),
        ),
        (
            "UPDATE audit_event SET action = 'credential.suspend' WHERE seq = 1",
            Broken::Changed(1),
        ),
        (
            "UPDATE audit_event SET hash = (SELECT e.hash FROM audit_event e WHERE e.seq = 1) \
             WHERE seq = 2",
            Broken::Changed(2),
        ),
        ("DELETE FROM audit_event WHERE seq = 3", Broken::Missing(3)),
        ("DELETE FROM audit_event WHERE seq = 1", Broken::Missing(1)),
        // The end is cut off: only who kept the head sees it.
        ("DELETE FROM audit_event WHERE seq = 5", Broken::Missing(5)),
    ];
    for (sql, expected) in cases {
        for_each_database(&[], async |db| {
            log(&db, 5).await;
            let head = verify(&db, &key(), None).await.unwrap().unwrap();
            edit(&db, sql).await;
            let found = verify(&db, &key(), Some(&head)).await.unwrap();
            assert_eq!(found, Err(expected), "{sql}");
        })
        .await;
    }
}

#[tokio::test]
async fn cat_404_a_chain_made_without_the_key_or_anew_is_refused() {
    for_each_database(&[], async |db| {
        log(&db, 3).await;
        let head = verify(&db, &key(), None).await.unwrap().unwrap();
        let other = SymmetricKey::from_token("audit", "another");
        assert_eq!(
            verify(&db, &other, None).await.unwrap(),
            Err(Broken::Changed(1))
        );
        // Whoever holds the key and writes the log anew is seen by who kept the head.
        edit(&db, "DELETE FROM audit_event").await;
        db.write(async |tx| {
            for n in 1..=4 {
                append(tx, &key(), &event(n + 7)).await?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        let found = verify(&db, &key(), Some(&head)).await.unwrap();
        assert_eq!(found, Err(Broken::Changed(3)));
    })
    .await;
}

#[tokio::test]
async fn a_hundred_at_once_make_one_chain() {
    for_each_database(&[], async |db| {
        let all = (0..100).map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(async move |tx| append(tx, &key(), &event(n)).await)
                    .await
            })
        });
        for done in futures::future::join_all(all).await {
            done.unwrap().unwrap();
        }
        assert_eq!(verify(&db, &key(), None).await.unwrap().unwrap().seq, 100);
    })
    .await;
}

#[tokio::test]
async fn what_is_undone_leaves_no_event() {
    for_each_database(&[], async |db| {
        let undone: Result<(), DbError> = db
            .write(async |tx| {
                append(tx, &key(), &event(1)).await?;
                Err(DbError::Closed)
            })
            .await;
        assert!(undone.is_err());
        assert_eq!(verify(&db, &key(), None).await.unwrap().unwrap().seq, 0);
    })
    .await;
}
