//! Status lists that cannot be had, and addresses of lists that must not be asked.

use axum::http::StatusCode;
use vouchsafe_verifier::outbound::OutboundError;

use crate::refusals::{Waiting, member};
use crate::world::issuer::TestIssuer;
use crate::world::steps::rows;
use crate::world::{World, on_sqlite};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

#[tokio::test]
async fn cat_214_without_a_list_the_application_is_told_to_try_later() {
    let failures: [fn() -> OutboundError; 4] = [
        || OutboundError::Status(404),
        || OutboundError::Status(500),
        || OutboundError::MediaType,
        || OutboundError::Failed("timeout".into()),
    ];
    on_sqlite(async |world| {
        for failure in failures {
            world.network.set_failing(Some(failure));
            let mut login = member(&world).await;
            let answer = login.send(&login.presentation().await).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
            assert_eq!(answer.json()["error"], "access_denied");
            assert_eq!(answer.json()["reason"], "status_unavailable");
            let page = login.browser.get(&login.path).await;
            page.assert_page(
                StatusCode::FORBIDDEN,
                "We cannot ask whether the card is still valid",
            );
            let back = login.browser.get(&format!("{}/leave", login.path)).await;
            assert_eq!(world.shop().error(&back), "temporarily_unavailable");
            assert_eq!(rows(&world, "login_sessions").await, 0);
            // The host is not asked again at once; then the same card is good.
            world.network.set_failing(None);
            world.clock.advance(5);
            let login = member(&world).await;
            let answer = login.send(&login.presentation().await).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            world.clock.advance(5);
        }
    })
    .await;
}

/// Addresses that only somebody inside could ask.
const INSIDE: [&str; 4] = [
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:8081/admin",
    "https://10.0.0.1/status/1",
    "file:///etc/passwd",
];

#[tokio::test]
async fn cat_218_a_forged_card_makes_the_service_ask_nobody() {
    on_sqlite(async |world| {
        for uri in INSIDE {
            for party in [&world.pki.untrusted_issuer, &world.pki.issuer] {
                let forger = TestIssuer::new(party, "https://club.example", world.network.clone());
                forger.name_list(uri);
                let mut wallet = world.wallet();
                wallet.receive_membership_of(&world, &forger, "M-1").await;
                let login = Waiting::new(&world, wallet).await;
                let mut presentation = login.presentation().await;
                // The card of the real issuer is changed.
                if std::ptr::eq(party, &world.pki.issuer) {
                    let at = presentation.find('~').unwrap() - 8;
                    let other = if presentation.as_bytes()[at] == b'A' {
                        "B"
                    } else {
                        "A"
                    };
                    presentation.replace_range(at..=at, other);
                }
                let answer = login.send(&presentation).await;
                let reason = answer.json()["reason"].as_str().unwrap().to_owned();
                assert!(!reason.starts_with("status"), "{reason}");
                login.refused(&world, answer, &reason).await;
            }
        }
        assert_eq!(world.network.fetches(), 0);
    })
    .await;
}

#[tokio::test]
async fn cat_218_an_expired_card_makes_the_service_ask_nobody() {
    on_sqlite(async |world: World| {
        let login = member(&world).await;
        world.clock.advance(366 * 86_400);
        let login = Waiting::new(&world, login.wallet).await;
        let answer = login.send(&login.presentation().await).await;
        login.refused(&world, answer, "credential_expired").await;
        assert_eq!(world.network.fetches(), 0);
    })
    .await;
}

#[tokio::test]
async fn cat_221_an_issuer_with_a_list_for_each_card_is_refused_where_that_is_configured() {
    let database = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(database.db.clone(), |toml| {
        toml.replace("[status]", "[status]\nmost_lists_per_100_cards = 50")
    })
    .await;
    for card in 1..=20 {
        let uri = format!("https://club.example/status/of-card-{card}");
        world.issuer.name_list(&uri);
        let login = member(&world).await;
        let before = world.network.fetches();
        let answer = login.send(&login.presentation().await).await;
        // These lists are nowhere, which is found out by asking, until nobody is asked any more.
        let (reason, asked) = match card {
            20 => ("status_tracking", 0),
            _ => ("status_unavailable", 1),
        };
        assert_eq!(answer.json()["reason"], reason, "{card}");
        assert_eq!(world.network.fetches(), before + asked);
    }
}
