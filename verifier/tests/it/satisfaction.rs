//! One question to people who have logged in: off unless it is configured, and nobody's answer.

use axum::http::StatusCode;

use crate::numbers_rest::{read, tile};
use crate::world::browser::{Answer, Browser};
use crate::world::steps::log_in;
use crate::world::{on_sqlite, with_config};

const ON: &str = "\n[numbers]\nsatisfaction = true\n";

async fn answer(browser: &mut Browser, answer: &str) -> Answer {
    let page = browser.get("/satisfaction").await;
    page.assert_page(StatusCode::OK, "value=\"5\"");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let fields = [("csrf", csrf.as_str()), ("answer", answer)];
    browser.post("/satisfaction", &fields).await
}

#[tokio::test]
async fn nobody_is_asked_unless_that_is_configured() {
    on_sqlite(async |world| {
        let page = world.browser().get("/satisfaction").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    })
    .await;
    with_config("\n[numbers]\n", async |world| {
        let page = world.browser().get("/satisfaction").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        let page = world.browser().get("/logout").await;
        assert!(!page.body.contains("/satisfaction"));
        let numbers = read(&world, "/admin/numbers").await.json();
        let tiles = numbers["tiles"].as_array().unwrap();
        assert!(!tiles.iter().any(|tile| tile["id"] == "satisfaction"));
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_counted_and_is_nobodys() {
    with_config(ON, async |world| {
        let wallet = world.person("M-CANARY").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let account = browser.get("/account").await;
        account.assert_page(StatusCode::OK, "href=\"/satisfaction\"");
        let out = world.browser().get("/logout").await;
        out.assert_page(StatusCode::OK, "href=\"/satisfaction\"");
        for given in ["5", "4", "1"] {
            let thanks = answer(&mut browser, given).await;
            thanks.assert_page(StatusCode::OK, "Thank you");
        }
        world.tick().await;
        let numbers = read(&world, "/admin/numbers").await.json();
        let satisfied = tile(&numbers, "satisfaction");
        assert_eq!((satisfied.1, satisfied.2), (2, Some(3)));
        // By the hour, and with no label of an application, a journey or a channel.
        let bare = world
            .count(
                "SELECT COUNT(*) FROM login_numbers WHERE what = 'satisfaction' AND at_hour % 3600 = 0 \
                 AND journey = '' AND client = '' AND channel = '' AND method = '' AND step = ''",
            )
            .await;
        assert_eq!(bare, 3);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_answer_of_ours_is_not_counted() {
    with_config(ON, async |world| {
        let mut browser = world.browser();
        for wrong in ["", "0", "6", "5 ", "five"] {
            assert_eq!(
                answer(&mut browser, wrong).await.status,
                StatusCode::FORBIDDEN,
                "{wrong}"
            );
        }
        let forged = [("csrf", "forged"), ("answer", "1")];
        let forged = browser.post("/satisfaction", &forged).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        for _ in 0..10 {
            assert_eq!(answer(&mut browser, "5").await.status, StatusCode::OK);
        }
        // A network that answers again and again.
        let often = answer(&mut browser, "1").await;
        assert_eq!(often.status, StatusCode::TOO_MANY_REQUESTS);
        world.tick().await;
        let numbers = read(&world, "/admin/numbers").await.json();
        assert_eq!(tile(&numbers, "satisfaction").1, 10);
        assert_eq!(tile(&numbers, "satisfaction").2, Some(10));
    })
    .await;
}
