use super::*;
use crate::db::testing::for_each_database;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn object(family: &str) -> NewObject {
    NewObject {
        payload: vec![1, 2, 3],
        family: family.into(),
        expires_at: NOW.plus(60),
    }
}

async fn store(db: &Db, kind: Kind, secret: &'static str) {
    db.write(async move |tx| put(tx, kind, secret, &object("family")).await)
        .await
        .unwrap();
}

fn taken() -> Consumed {
    Consumed::Taken {
        payload: vec![1, 2, 3],
        family: "family".into(),
    }
}

fn replayed() -> Consumed {
    Consumed::Replayed {
        family: "family".into(),
    }
}

#[tokio::test]
async fn of_a_hundred_at_once_one_succeeds() {
    for_each_database(&[], async |db| {
        for kind in Kind::ALL {
            store(&db, kind, "secret").await;
            let tries = (0..100).map(|_| {
                let db = db.clone();
                tokio::spawn(async move { consume_now(&db, kind, "secret", NOW).await })
            });
            let mut won = 0;
            for attempt in tries.collect::<Vec<_>>() {
                match attempt.await.unwrap().unwrap() {
                    Consumed::Unknown => panic!("{kind:?}: a loser sees a replay"),
                    other if other == taken() => won += 1,
                    other => assert_eq!(other, replayed()),
                }
            }
            assert_eq!(won, 1, "{kind:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_held_stays_until_it_is_used_up() {
    for_each_database(&[], async |db| {
        let kind = Kind::RefreshToken;
        store(&db, kind, "secret").await;
        let held = async |secret: &'static str, now: UnixTime| {
            db.write(async move |tx| hold(tx, kind, secret, now).await)
                .await
                .unwrap()
        };
        for _ in 0..2 {
            assert_eq!(held("secret", NOW).await, taken());
        }
        assert_eq!(held("other", NOW).await, Consumed::Unknown);
        assert_eq!(held("secret", NOW.plus(60)).await, Consumed::Unknown);
        assert_eq!(
            consume_now(&db, kind, "secret", NOW).await.unwrap(),
            taken()
        );
        assert_eq!(held("secret", NOW).await, replayed());
    })
    .await;
}

#[tokio::test]
async fn a_secret_of_one_kind_is_unknown_to_the_others() {
    for_each_database(&[], async |db| {
        store(&db, Kind::ResponseCode, "secret").await;
        for kind in Kind::ALL {
            if kind != Kind::ResponseCode {
                let consumed = consume_now(&db, kind, "secret", NOW).await.unwrap();
                assert_eq!(consumed, Consumed::Unknown, "{kind:?}");
            }
        }
        for wrong in ["", "Secret", "secret ", "secret\u{0}"] {
            let consumed = consume_now(&db, Kind::ResponseCode, wrong, NOW)
                .await
                .unwrap();
            assert_eq!(consumed, Consumed::Unknown);
        }
        let consumed = consume_now(&db, Kind::ResponseCode, "secret", NOW)
            .await
            .unwrap();
        assert_eq!(consumed, taken());
    })
    .await;
}

#[tokio::test]
async fn expiry_is_exact_and_final() {
    for_each_database(&[], async |db| {
        let kind = Kind::AuthorizationCode;
        store(&db, kind, "a").await;
        store(&db, kind, "b").await;
        let at = |seconds| NOW.plus(seconds);
        assert_eq!(
            consume_now(&db, kind, "a", at(60)).await.unwrap(),
            Consumed::Unknown
        );
        assert_eq!(peek(&db, kind, "a", at(60)).await.unwrap(), None);
        assert_eq!(
            peek(&db, kind, "a", at(59)).await.unwrap(),
            Some(vec![1, 2, 3])
        );
        assert_eq!(consume_now(&db, kind, "b", at(59)).await.unwrap(), taken());
        // cat_421: a clock that goes back does not bring a used code back.
        assert_eq!(
            consume_now(&db, kind, "b", at(-3600)).await.unwrap(),
            replayed()
        );
        assert_eq!(peek(&db, kind, "b", NOW).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_consume_that_is_rolled_back_did_not_happen() {
    for_each_database(&[], async |db| {
        store(&db, Kind::RefreshToken, "secret").await;
        let failed = db
            .write(async |tx| {
                assert_eq!(
                    consume(tx, Kind::RefreshToken, "secret", NOW).await?,
                    taken()
                );
                Err::<(), _>(DbError::Constraint)
            })
            .await;
        assert!(failed.is_err());
        let again = consume_now(&db, Kind::RefreshToken, "secret", NOW)
            .await
            .unwrap();
        assert_eq!(again, taken());
    })
    .await;
}

#[tokio::test]
async fn tries_are_counted_and_run_out() {
    for_each_database(&[], async |db| {
        let kind = Kind::PreAuthorizedCode;
        store(&db, kind, "secret").await;
        let tries = (0..20).map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(async move |tx| record_failure(tx, kind, "secret", 5, NOW).await)
                    .await
            })
        });
        let mut seen = Vec::new();
        for attempt in tries.collect::<Vec<_>>() {
            seen.extend(attempt.await.unwrap().unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4, 5]);
        let after = consume_now(&db, kind, "secret", NOW).await.unwrap();
        assert_eq!(after, replayed());
    })
    .await;
}

#[tokio::test]
async fn cat_422_a_revoked_family_stays_revoked() {
    for_each_database(&[], async |db| {
        let kind = Kind::RefreshToken;
        for secret in ["a", "b"] {
            store(&db, kind, secret).await;
        }
        db.write(async move |tx| put(tx, kind, "c", &object("other")).await)
            .await
            .unwrap();
        let revoked = db
            .write(async move |tx| revoke_family(tx, kind, "family", NOW).await)
            .await
            .unwrap();
        assert_eq!(revoked, 2);
        for secret in ["a", "b"] {
            assert_eq!(
                consume_now(&db, kind, secret, NOW).await.unwrap(),
                replayed()
            );
        }
        assert!(
            consume_now(&db, kind, "c", NOW)
                .await
                .unwrap()
                .taken()
                .is_some()
        );
    })
    .await;
}

#[tokio::test]
async fn purge_deletes_what_expired_and_nothing_else() {
    for_each_database(&[], async |db| {
        store(&db, Kind::PushedRequest, "a").await;
        let purge_at =
            async |at: UnixTime| db.write(async move |tx| purge(tx, at).await).await.unwrap();
        assert_eq!(purge_at(NOW.plus(60)).await, 0);
        assert_eq!(purge_at(NOW.plus(61)).await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_database_does_not_hold_the_secret() {
    let temporary = crate::db::testing::sqlite(&[]).await;
    store(
        &temporary.db,
        Kind::AuthorizationCode,
        "canary-secret-value",
    )
    .await;
    let folder = std::path::Path::new(temporary.url.trim_start_matches("sqlite:"));
    for file in std::fs::read_dir(folder.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes
            .windows(19)
            .any(|window| window == b"canary-secret-value");
        assert!(!found);
    }
}
