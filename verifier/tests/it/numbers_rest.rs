//! Every number over REST, with its formula, for those with a key.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;

use crate::journeys::{AGE, MEMBER, with_more};
use crate::numbers::{cancel, play};
use crate::world::browser::{Answer, send};
use crate::world::rest::Caller;
use crate::world::steps::{begin, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{World, with_config};

/// A number to compare: JSON may have lost its last bit.
fn millionths(number: f64) -> i64 {
    format!("{:.0}", number * 1e6).parse().unwrap()
}

/// A tile of an answer: its number, above and below the line.
pub fn tile(numbers: &Value, id: &str) -> (Option<i64>, i64, Option<i64>) {
    let tiles = numbers["tiles"].as_array().unwrap();
    let tile = tiles.iter().find(|tile| tile["id"] == id).unwrap();
    assert!(!tile["formula"].as_str().unwrap().is_empty());
    (
        tile["value"].as_f64().map(millionths),
        tile["of"].as_i64().unwrap(),
        tile["among"].as_i64(),
    )
}

pub async fn read(world: &World, path: &str) -> Answer {
    Caller::with_scopes(world, "dashboard", &["numbers:read"])
        .await
        .get(path)
        .await
}

#[tokio::test]
async fn every_tile_is_what_was_played() {
    with_more(
        &[("age.toml", AGE), ("member.toml", MEMBER)],
        "\n[numbers]\n",
        async |world, _| {
            play(&world).await;
            let numbers = read(&world, "/admin/numbers").await.json();
            assert_eq!(
                tile(&numbers, "registrations"),
                (Some(millionths(1.0)), 1, None)
            );
            assert_eq!(
                tile(&numbers, "success_rate"),
                (Some(millionths(6.0 / 7.0)), 6, Some(7))
            );
            assert_eq!(
                tile(&numbers, "abandonment"),
                (Some(millionths(0.125)), 1, Some(8))
            );
            assert_eq!(
                tile(&numbers, "step_up_rate"),
                (Some(millionths(0.125)), 1, Some(8))
            );
            assert_eq!(
                tile(&numbers, "unnecessary_step_up_rate"),
                (Some(millionths(0.125)), 1, Some(8))
            );
            assert_eq!(
                tile(&numbers, "credential_acceptance"),
                (Some(millionths(1.0)), 5, Some(5))
            );
            assert_eq!(
                tile(&numbers, "time_to_login_p50"),
                (Some(millionths(0.0)), 5, None)
            );
            assert_eq!(
                tile(&numbers, "time_to_login_p90"),
                (Some(millionths(7.0)), 5, None)
            );
            for (id, of, among) in [
                ("success_vp", 5, 6),
                // Abroad more was asked.
                ("success_session", 1, 2),
                ("consent_opt_in", 5, 5),
                ("consent_withdrawn", 2, 5),
                ("return_rate", 1, 1),
            ] {
                assert_eq!(
                    (tile(&numbers, id).1, tile(&numbers, id).2),
                    (of, Some(among)),
                    "{id}"
                );
            }
            for id in ["active_day", "active_week", "active_month"] {
                assert_eq!(tile(&numbers, id).1, 1, "{id}");
            }
            assert_eq!(tile(&numbers, "success_passkey"), (None, 0, Some(0)));
            let stages = read(&world, "/admin/numbers?by=stage").await.json();
            let names: Vec<_> = stages["groups"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            assert_eq!(
                names,
                [
                    "awareness",
                    "consideration",
                    "decision",
                    "none",
                    "retention"
                ]
            );
            assert_eq!(
                tile(&stages["groups"][4], "success_rate"),
                (Some(millionths(1.0)), 3, Some(3))
            );
            let member = read(&world, "/admin/numbers?journey=member-login")
                .await
                .json();
            let steps = member["steps"].as_array().unwrap();
            let names: Vec<_> = steps
                .iter()
                .map(|one| one["step"].as_str().unwrap())
                .collect();
            assert_eq!(names, ["risk", "block", "card", "ok"]);
            assert_eq!(
                (&steps[0]["entered"], &steps[2]["entered"]),
                (&3.into(), &2.into())
            );
            assert_eq!(steps[2]["finished"]["ok"], 2);
            // Who was told that the risk is too great goes nowhere, and nobody was; the others went on.
            assert_eq!(steps[0]["drop_off"], 0.0);
            assert_eq!(
                (&steps[1]["entered"], &steps[1]["drop_off"]),
                (&0.into(), &Value::Null)
            );
            // Once for each login and step, however many codes were shown.
            assert_eq!(
                tile(&numbers, "wallet_readiness"),
                (Some(millionths(1.0)), 7, Some(7))
            );
            let channels = read(&world, "/admin/numbers?by=channel").await.json();
            let groups = channels["groups"].as_array().unwrap();
            let names: Vec<_> = groups
                .iter()
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            assert_eq!(names, ["none", "qr", "same_device", "session"]);
            for group in groups {
                for of_all in [
                    "success_rate",
                    "abandonment",
                    "decline_rate",
                    "step_up_rate",
                ] {
                    assert_eq!(tile(group, of_all), (None, 0, None), "{group}");
                }
            }
            assert_eq!(
                tile(&groups[1], "credential_acceptance"),
                (Some(millionths(1.0)), 1, Some(1))
            );
            // What was written twice is counted once.
            world.tick().await;
            let again = read(&world, "/admin/numbers").await.json();
            assert_eq!(again["tiles"], numbers["tiles"]);
        },
    )
    .await;
}

#[tokio::test]
async fn numbers_are_for_those_with_a_key_for_them() {
    with_more(&[("age.toml", AGE)], "\n[numbers]\n", async |world, _| {
        let nobody = send(
            &world.router(),
            Request::get("/admin/numbers").body(Body::empty()).unwrap(),
        )
        .await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        let wrong = Caller::with_key(&world, "vsk_wrong")
            .get("/admin/numbers")
            .await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        let name = "dashboard";
        assert!(
            world
                .verifier
                .create_api_key(name, &["verifications:read".to_owned()])
                .await
                .is_err()
        );
        for (bad, words) in [
            ("by=person", "the parameter by "),
            ("since=yesterday", "the parameter since "),
            ("until=2026-11-31", "the parameter until "),
            ("since=2020-01-01", "the parameter since "),
            ("since=2026-11-02&until=2026-11-01", "the parameter since "),
            ("by=day&by=day", "a parameter is there twice"),
            ("client=%00", "a parameter is no text"),
            ("journey=a%00b", "a parameter is no text"),
            ("client=%ff", "a parameter is no text"),
            ("x=1", "a parameter is unknown"),
        ] {
            let answer = read(&world, &format!("/admin/numbers?{bad}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
            let told = answer.json();
            assert_eq!(told["code"], "invalid_parameter");
            let title = told["title"].as_str().unwrap();
            assert!(title.starts_with(words), "{bad}: {title}");
        }
        let made = world
            .verifier
            .create_api_key(name, &["numbers:read".to_owned()])
            .await
            .unwrap();
        let caller = Caller::with_key(&world, &made.key);
        assert_eq!(caller.get("/admin/numbers").await.status, StatusCode::OK);
        world.verifier.revoke_api_key(&made.id).await.unwrap();
        assert_eq!(
            caller.get("/admin/numbers").await.status,
            StatusCode::UNAUTHORIZED
        );
    })
    .await;
}

/// What becomes of a login of the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// Somebody new, after so many seconds.
    New(i64),
    /// A member again, in a new browser, after so many seconds.
    Again(i64),
    /// "Not now".
    No,
    /// Nobody does anything.
    Away,
    /// A card that proves nothing.
    Forged,
}

/// Logins from a seed: the same numbers on every machine.
fn plans(seed: u64, n: usize) -> Vec<Plan> {
    let mut state = seed;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let plan = |_| {
        let seconds = i64::try_from(2 + next(9)).unwrap();
        match next(20) {
            0..=9 => Plan::New(seconds),
            10..=13 => Plan::Again(seconds),
            14 | 15 => Plan::No,
            16..=18 => Plan::Away,
            _ => Plan::Forged,
        }
    };
    let mut plans: Vec<Plan> = (0..n).map(plan).collect();
    // Somebody can come again only when somebody has come.
    plans[0] = Plan::New(5);
    plans
}

async fn play_one(world: &World, plan: Plan, number: usize) {
    let member = match plan {
        Plan::Again(_) => 0,
        _ => number,
    };
    let mut browser = world.browser();
    let address = world.shop().authorize("openid membership", &[]);
    match plan {
        Plan::New(seconds) | Plan::Again(seconds) => {
            let wallet = world.person(&format!("M-{member}")).await;
            let (_, page) = begin(&mut browser, &address).await;
            let back = wallet.follow(&wallet_link(&page)).await;
            world.clock.advance(seconds);
            world.shop().code(&browser.get(&back).await);
        }
        Plan::No => drop(cancel(&mut browser, &address).await),
        Plan::Away => drop(begin(&mut browser, &address).await),
        Plan::Forged => {
            let wallet = world.person(&format!("M-{member}")).await;
            let (_, page) = begin(&mut browser, &address).await;
            let asked = wallet.open(&wallet_link(&page)).await;
            let paths: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
            let audience = asked.request.client_id().as_str();
            let shown = wallet
                .present(paths, audience, "another-nonce-entirely")
                .await;
            let body = wallet.encrypt(&asked, &Wallet::payload(&asked, "card", &shown));
            wallet.post(&asked.request, &body).await;
        }
    }
}

#[tokio::test]
async fn two_hundred_logins_of_a_seed_are_on_every_tile_exactly() {
    with_config("\n[numbers]\n", async |world| {
        let plans = plans(1, 200);
        for (number, plan) in plans.iter().enumerate() {
            play_one(&world, *plan, number).await;
        }
        world.clock.advance(1000);
        world.tick().await;
        let count = |fits: fn(&Plan) -> bool| {
            i64::try_from(plans.iter().filter(|plan| fits(plan)).count()).unwrap()
        };
        let new = count(|plan| matches!(plan, Plan::New(_)));
        let again = count(|plan| matches!(plan, Plan::Again(_)));
        let away = count(|plan| *plan == Plan::Away);
        let forged = count(|plan| *plan == Plan::Forged);
        assert!(new > 60 && again > 20 && away > 10 && forged > 3);
        let mut took: Vec<i64> = (plans.iter())
            .filter_map(|plan| match plan {
                Plan::New(seconds) | Plan::Again(seconds) => Some(*seconds),
                Plan::No | Plan::Away | Plan::Forged => None,
            })
            .collect();
        took.sort_unstable();
        let rank = |of: usize, among: usize| took[(took.len() * of).div_ceil(among) - 1];
        let numbers = read(&world, "/admin/numbers").await.json();
        #[expect(clippy::cast_precision_loss, reason = "two hundred")]
        let ratio =
            |of: i64, among: i64| (Some(millionths(of as f64 / among as f64)), of, Some(among));
        let cards = new + again;
        assert_eq!(tile(&numbers, "registrations").1, new);
        assert_eq!(
            tile(&numbers, "registration_conversion"),
            ratio(new, 200 - again)
        );
        assert_eq!(tile(&numbers, "success_rate"), ratio(cards, 200 - away));
        assert_eq!(tile(&numbers, "abandonment"), ratio(away, 200));
        assert_eq!(
            tile(&numbers, "credential_acceptance"),
            ratio(cards, cards + forged)
        );
        assert_eq!(tile(&numbers, "wallet_readiness"), ratio(200, 200));
        assert_eq!(tile(&numbers, "step_up_rate"), ratio(0, 200));
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let seconds = |rank: i64| (Some(millionths(rank as f64)), cards, None);
        assert_eq!(tile(&numbers, "time_to_login_p50"), seconds(rank(1, 2)));
        assert_eq!(tile(&numbers, "time_to_login_p90"), seconds(rank(9, 10)));
        let live = world
            .count("SELECT COUNT(*) FROM login_sessions WHERE ended_at IS NULL")
            .await;
        assert_eq!((tile(&numbers, "sessions_active").1, live), (cards, cards));
        let no = count(|plan| *plan == Plan::No);
        let nothing = (None, 0, Some(0));
        assert_eq!(tile(&numbers, "unnecessary_step_up_rate"), ratio(0, 200));
        assert_eq!(tile(&numbers, "step_up_passed"), nothing);
        assert_eq!(tile(&numbers, "decline_rate"), ratio(0, 200));
        assert_eq!(
            tile(&numbers, "success_vp"),
            ratio(cards, cards + no + forged)
        );
        assert_eq!(tile(&numbers, "success_passkey"), nothing);
        assert_eq!(tile(&numbers, "success_session"), nothing);
        assert_eq!(tile(&numbers, "consent_opt_in"), ratio(cards, cards));
        assert_eq!(tile(&numbers, "consent_withdrawn"), ratio(0, cards));
        for id in ["active_day", "active_week", "active_month"] {
            assert_eq!(tile(&numbers, id).1, new, "{id}");
        }
        // The first member is who comes again.
        assert_eq!(tile(&numbers, "return_rate"), ratio(1, new));
        assert_eq!(numbers["tiles"].as_array().unwrap().len(), 22);
    })
    .await;
}
