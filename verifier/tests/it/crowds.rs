//! Too much of everything: questions to one person, and presentations that are none.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, send};
use crate::world::steps::{begin, log_in, same_device, wallet_link};
use crate::world::{World, on_each_database, on_sqlite};

fn seconds_to_wait(answer: &Answer) -> i64 {
    let text = answer.headers[header::RETRY_AFTER].to_str().unwrap();
    text.parse().unwrap()
}

#[tokio::test]
async fn cat_317_a_person_is_not_asked_a_hundred_times() {
    on_each_database(async |world| {
        let (shop, cafe) = (world.shop(), world.cafe());
        let address = shop.authorize("openid membership", &[]);
        let mut browser = world.browser();
        let mut asked = 0;
        for _ in 0..100 {
            let answer = browser.get(&address).await;
            if answer.status == StatusCode::SEE_OTHER {
                asked += 1;
                continue;
            }
            answer.assert_page(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many logins were begun here",
            );
            assert!((1..=300).contains(&seconds_to_wait(&answer)));
        }
        assert_eq!(asked, 20);
        // Other applications and other people are not meant.
        begin(&mut browser, &cafe.authorize("openid membership", &[])).await;
        begin(&mut world.browser(), &address).await;
        // It ends by itself.
        world.clock.advance(300);
        begin(&mut browser, &address).await;
    })
    .await;
}

#[tokio::test]
async fn cat_317_failed_logins_count_and_finished_ones_do_not() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let address = shop.authorize("openid age", &[]);
        let mut browser = world.browser();
        for _ in 0..25 {
            same_device(&mut browser, &wallet, &address).await;
        }
        let (mut path, mut page) = begin(&mut browser, &address).await;
        for round in 1.. {
            let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
            let cancel = format!("{path}/cancel");
            let told = browser.post(&cancel, &[("csrf", &csrf)]).await;
            assert_eq!(shop.error(&told), "access_denied");
            // "Try again" is counted, too.
            let again = browser.get(&format!("{path}/again")).await;
            if again.status != StatusCode::SEE_OTHER {
                assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS);
                assert!(seconds_to_wait(&again) > 0);
                assert_eq!(round, 20);
                break;
            }
            path = again.location();
            page = browser.get(&path).await;
        }
    })
    .await;
}

/// A post to the `response_uri` as it comes through the proxy in front.
async fn post_from(world: &World, address: &str, path: &str, body: &str) -> Answer {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-forwarded-for", address)
        .body(Body::from(body.to_owned()))
        .unwrap();
    send(&world.router(), request).await
}

#[tokio::test]
async fn bad_presentations_in_a_crowd_are_told_to_wait_and_good_logins_go_on() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let limits = "[http]\ntrusted_proxies = [\"0.0.0.0\"]\nrequests_per_minute = 60\nburst = 60";
    let world = World::with_config(temporary.db.clone(), |toml| {
        toml.replacen("[http]", limits, 1)
    })
    .await;
    let (wallet, shop) = (world.person("M-1").await, world.shop());
    let mut browser = world.browser();
    let (_, page) = begin(&mut browser, &shop.authorize("openid membership", &[])).await;
    let asked = wallet.open(&wallet_link(&page)).await;
    let path = asked.request.response_uri().path().to_owned();
    // An old answer, garbage, an error without its `state`.
    let old = {
        let mut other = world.browser();
        let (_, page) = begin(&mut other, &shop.authorize("openid membership", &[])).await;
        wallet
            .response(&wallet.open(&wallet_link(&page)).await)
            .await
    };
    let (mut judged, mut waits) = (0, 0);
    for round in 0..300 {
        let body = match round % 3 {
            0 => old.as_str(),
            1 => "response=eyJhbGciOiJFQ0RILUVTIn0....",
            _ => "error=access_denied",
        };
        let answer = post_from(&world, "198.51.100.7", &path, body).await;
        match answer.status {
            StatusCode::BAD_REQUEST => judged += 1,
            StatusCode::TOO_MANY_REQUESTS => {
                waits += 1;
                assert!(seconds_to_wait(&answer) > 0);
            }
            other => panic!("{other} {}", answer.body),
        }
    }
    assert!(
        judged >= 60 && waits > 0,
        "{judged} judged, {waits} told to wait"
    );
    // Whose login it was goes on, and so does everybody else.
    let answer = wallet.answer(&asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
    shop.code(&browser.get(&back).await);
    log_in(&mut world.browser(), &wallet, &shop, "openid membership").await;
}
