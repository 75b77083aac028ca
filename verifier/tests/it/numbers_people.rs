//! How many people come, and come back, from two days of each account; and what is kept within bounds.

use vouchsafe_service::db::testing;
use vouchsafe_service::{each, execute};
use vouchsafe_verifier::store::{MIGRATIONS, failures};

use crate::journeys::{HOME, MEMBER, with_more};
use crate::numbers_rest::{read, tile};
use crate::world::steps::same_device;
use crate::world::{NOW, World};

const DAY_S: i64 = 86_400;

/// Somebody logs in, in a new browser.
async fn comes(world: &World, member: &str) {
    let wallet = world.person(member).await;
    let mut browser = world.browser();
    let address = world.shop().authorize("openid membership", &[]);
    let answer = same_device(&mut browser, &wallet, &address).await;
    world.shop().code(&answer);
}

/// Today, in a week, in a month; of the month, at least twice.
async fn came(world: &World) -> [i64; 4] {
    let numbers = read(world, "/admin/numbers").await.json();
    let returned = tile(&numbers, "return_rate");
    assert_eq!(returned.2, Some(tile(&numbers, "active_month").1));
    [
        tile(&numbers, "active_day").1,
        tile(&numbers, "active_week").1,
        tile(&numbers, "active_month").1,
        returned.1,
    ]
}

/// The first day is that of `NOW`.
async fn is_day(world: &World, day: i64) {
    let now = NOW.plus(day * DAY_S);
    world.clock.set(now);
    world.issuer.publish(now).await;
}

#[tokio::test]
async fn people_are_counted_by_the_days_on_which_they_came_and_nothing_more_is_kept() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let world = World::with_config(db, |toml| toml + "\n[numbers]\n").await;
        assert_eq!(came(&world).await, [0, 0, 0, 0]);
        comes(&world, "M-1").await;
        comes(&world, "M-1").await;
        comes(&world, "M-2").await;
        assert_eq!(came(&world).await, [2, 2, 2, 1]);
        is_day(&world, 6).await;
        assert_eq!(came(&world).await, [0, 2, 2, 1]);
        comes(&world, "M-2").await;
        assert_eq!(came(&world).await, [1, 2, 2, 2]);
        is_day(&world, 7).await;
        assert_eq!(came(&world).await, [0, 1, 2, 2]);
        is_day(&world, 29).await;
        world.tick().await;
        assert_eq!(came(&world).await, [0, 0, 2, 2]);
        // The first day is over, and who came then and not since is forgotten.
        is_day(&world, 30).await;
        assert_eq!(came(&world).await, [0, 0, 1, 0]);
        world.tick().await;
        let forgotten =
            "SELECT COUNT(*) FROM subjects WHERE last_day IS NULL AND day_before IS NULL";
        assert_eq!(world.count(forgotten).await, 1);
        is_day(&world, 36).await;
        world.tick().await;
        assert_eq!(world.count(forgotten).await, 2);
        // Of an account, or of one day for an application, there is nothing to look up.
        let numbers = read(&world, "/admin/numbers?client=shop").await.json();
        let tiles = numbers["tiles"].as_array().unwrap();
        assert!(!tiles.iter().any(|tile| tile["id"] == "active_day"));
    })
    .await;
}

/// Whoever goes from one application to the next has not come back. Without a journey, and through one.
#[tokio::test]
async fn a_session_that_answers_is_no_visit_and_takes_no_time() {
    for files in [&[][..], &[("member.toml", MEMBER)][..]] {
        with_more(files, "\n[numbers]\n", async |world, _| {
            let wallet = world.person("M-1").await;
            let mut browser = world.browser().from(HOME);
            let suite = world.suite();
            let address = suite.authorize("openid", &[]);
            suite.code(&same_device(&mut browser, &wallet, &address).await);
            world.tick().await;
            suite.code(&browser.get(&address).await);
            world.tick().await;
            assert_eq!(came(&world).await, [1, 1, 1, 0]);
            let numbers = read(&world, "/admin/numbers").await.json();
            assert_eq!(tile(&numbers, "success_session").1, 1);
            assert_eq!(tile(&numbers, "success_rate").1, 2);
            for id in ["time_to_login_p50", "time_to_login_p90"] {
                assert_eq!(tile(&numbers, id).1, 1, "{id}");
            }
            let mut other = world.browser().from(HOME);
            suite.code(&same_device(&mut other, &wallet, &address).await);
            assert_eq!(came(&world).await, [1, 1, 1, 1]);
        })
        .await;
    }
}

#[tokio::test]
async fn references_that_anybody_can_make_are_kept_within_bounds() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        for (id, code, at) in [
            ("a", "declined", 1),
            ("b", "declined", 3),
            ("c", "declined", 3),
            ("d", "invalid", 3),
            ("e", "wallet_error", 3),
        ] {
            db.write(async move |tx| {
                execute!(tx, sqlx::query(
                    "INSERT INTO login_failures (login_id, reference, code, explanation, failed_at) VALUES ($1, $1, $2, 'declined', $3)")
                    .bind(id).bind(code).bind(i64::from(at))).map(drop)
            })
            .await
            .unwrap();
        }
        let cap = async |tx: &mut vouchsafe_service::db::Tx| failures::cap(tx, 3).await;
        assert_eq!(db.write_in_steps(cap).await.unwrap(), 2);
        assert_eq!(db.write_in_steps(cap).await.unwrap(), 0);
        let left: Vec<String> = each!(db, p => sqlx::query_scalar::<_, String>(
            "SELECT login_id FROM login_failures ORDER BY login_id").fetch_all(p).await)
        .unwrap();
        // Of those of one moment, too, no more than that.
        assert_eq!(left, ["c", "d", "e"]);
    })
    .await;
}
