//! Persons who sign in at an OpenID Provider before a card is issued.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::harness::{Answer, Harness, REDIRECT};
use super::outside::{Guest, MAPPED, Outside, access_token, disclosed, locally, returned};

/// The whole way to the page that asks.
async fn asked(guest: &Guest<'_>, outside: &Outside) -> Answer {
    let there = guest.begin("membership").await;
    assert_eq!(there.status, 303, "{}", there.text);
    guest.get(&outside.sign_in(there.header("location"))).await
}

const YES: &[(&str, &str)] = &[("step", "confirm")];

#[tokio::test]
async fn a_card_after_a_sign_in() {
    let outside = Outside::start().await;
    locally(&outside.provider(MAPPED), async |h: Harness| {
        let guest = Guest::new(&h);
        let page = asked(&guest, &outside).await;
        assert_eq!(page.status, 200, "{}", page.text);
        // The page says which card goes to which wallet.
        assert!(page.text.contains("Membership card") && page.text.contains("Example Wallet"));
        assert!(!page.text.contains("M-1"));
        let back = guest.submit(&page, YES).await;
        let token = access_token(&guest.token(&back).await);
        let card = guest.card(&token, &h.holder(3)).await;
        assert_eq!(
            disclosed(&card),
            json!({"member_id": "M-1", "tier": "gold", "valid_until": "2027-12-31"})
        );
        // The record is a keyed hash of who it is there, and the same for the next card.
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let shown = h.admin_get(&format!("/v1/credentials/{id}")).await.json();
        let record = shown["record_id"].as_str().unwrap().to_owned();
        assert!(record.starts_with("oidc_") && !record.contains("ada"));
        let page = asked(&guest, &outside).await;
        let back = guest.submit(&page, YES).await;
        let token = access_token(&guest.token(&back).await);
        guest.card(&token, &h.holder(4)).await;
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let shown = h.admin_get(&format!("/v1/credentials/{id}")).await.json();
        assert_eq!(shown["record_id"], record.as_str());
        // Somebody else there is another record.
        outside.person.lock().unwrap()["sub"] = json!("Ada");
        let page = asked(&guest, &outside).await;
        let back = guest.submit(&page, YES).await;
        let token = access_token(&guest.token(&back).await);
        guest.card(&token, &h.holder(5)).await;
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let shown = h.admin_get(&format!("/v1/credentials/{id}")).await.json();
        assert_ne!(shown["record_id"], record.as_str());
        outside.person.lock().unwrap()["sub"] = json!("ada");
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_belongs_to_one_browser_and_works_once() {
    let outside = Outside::start().await;
    locally(&outside.provider(MAPPED), async |h: Harness| {
        let (guest, thief) = (Guest::new(&h), Guest::new(&h));
        let there = guest.begin("membership").await;
        let back = outside.sign_in(there.header("location"));
        // Another browser, with and without a cookie of its own; a state of nobody.
        assert_eq!(thief.get(&back).await.status, 400);
        thief.begin("membership").await;
        assert_eq!(thief.get(&back).await.status, 400);
        let altered = back.replace("&state=", "&state=x");
        assert_eq!(guest.get(&altered).await.status, 400);
        let (bare, _) = back.split_once('?').unwrap();
        assert_eq!(guest.get(bare).await.status, 400);
        // The same browser is not disturbed by any of it.
        let page = guest.get(&back).await;
        assert_eq!(page.status, 200, "{}", page.text);
        // Replayed.
        assert_eq!(guest.get(&back).await.status, 400);
        // The page works in its browser alone, and once.
        assert_eq!(thief.submit(&page, YES).await.status, 400);
        let done = guest.submit(&page, YES).await;
        assert!(returned(&done).contains_key("code"));
        assert_eq!(guest.submit(&page, YES).await.status, 400);
    })
    .await;
}

/// RFC 9700, section 4.4: mix-up between providers that do not name themselves. The first one, which
/// is the attacker's, leads the browser to the second one with the `state` that it was given.
#[tokio::test]
async fn a_code_goes_to_no_other_provider_than_the_one_that_made_it() {
    let (evil, good) = (Outside::start().await, Outside::start().await);
    for one in [&evil, &good] {
        one.sends_iss.store(false, Ordering::Relaxed);
    }
    let age = good.provider("claims = { over_18 = \"adult\" }");
    let text = evil.provider(MAPPED) + &age.replace("\"membership\"", "\"age\"");
    locally(&text, async |h: Harness| {
        let guest = Guest::new(&h);
        for one in [&evil, &good] {
            one.exchanges.store(0, Ordering::Relaxed);
        }
        let to_evil = guest.begin("membership").await;
        let to_evil = url::Url::parse(to_evil.header("location")).unwrap();
        let begun: HashMap<_, _> = to_evil.query_pairs().into_owned().collect();
        let to_good = guest.begin("age").await;
        let mut led = url::Url::parse(to_good.header("location")).unwrap();
        let pairs: Vec<(String, String)> = led.query_pairs().into_owned().collect();
        led.query_pairs_mut().clear();
        for (name, value) in pairs {
            let evils = matches!(name.as_str(), "state" | "nonce" | "code_challenge");
            let value = if evils { &begun[&name] } else { &value };
            led.query_pairs_mut().append_pair(&name, value);
        }
        let back = good.sign_in(led.as_str());
        let refused = guest.get(&back).await;
        assert_eq!(returned(&refused)["error"], "server_error");
        for one in [&evil, &good] {
            assert_eq!(one.exchanges.load(Ordering::Relaxed), 0);
        }
        // Where a provider is not misused, its persons sign in.
        let page = asked(&guest, &evil).await;
        assert_eq!(page.status, 200, "{}", page.text);
        // An address of nobody.
        let there = guest.begin("membership").await;
        let back = evil.sign_in(there.header("location"));
        let (_, query) = back.split_once('?').unwrap();
        assert_eq!(
            guest
                .get(&format!("/authorize/upstream?{query}"))
                .await
                .status,
            404
        );
        let refused = guest.get(&format!("/authorize/upstream/x?{query}")).await;
        assert_eq!(returned(&refused)["error"], "server_error");
    })
    .await;
}

#[tokio::test]
async fn who_says_no_gets_no_card() {
    let outside = Outside::start().await;
    locally(&outside.provider(MAPPED), async |h: Harness| {
        let guest = Guest::new(&h);
        let page = asked(&guest, &outside).await;
        let no = guest.submit(&page, &[("step", "cancel")]).await;
        assert_eq!(returned(&no)["error"], "access_denied");
        assert_eq!(guest.submit(&page, YES).await.status, 400);
        // Late is no too.
        let page = asked(&guest, &outside).await;
        h.clock.advance(600);
        assert_eq!(guest.submit(&page, YES).await.status, 400);
        h.clock.advance(-600);
        // The provider says no.
        let there = guest.begin("membership").await;
        let back = outside.sign_in(there.header("location"));
        let (way, _) = back.split_once('?').unwrap();
        let state = back.split("state=").nth(1).unwrap();
        let refused = guest
            .get(&format!("{way}?error=access_denied&state={state}"))
            .await;
        assert_eq!(returned(&refused)["error"], "access_denied");
        assert!(
            h.admin_get("/v1/credentials").await.json()["items"]
                .as_array()
                .unwrap()
                .is_empty()
        );
        assert!(
            h.admin_get("/v1/offers").await.json()["items"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_provider_gets_wrong_makes_no_card() {
    let outside = Outside::start().await;
    let good = outside.person.lock().unwrap().clone();
    locally(&outside.provider(MAPPED), async |h: Harness| {
        for (name, value) in [
            ("nonce", json!("another")),
            ("aud", json!("them")),
            ("iss", json!("https://evil.example")),
            ("sub", json!("")),
            // Claims that do not fit the type.
            ("member", json!(1)),
            ("until", json!("soon")),
        ] {
            outside.person.lock().unwrap()[name] = value;
            let guest = Guest::new(&h);
            let refused = asked(&guest, &outside).await;
            assert_eq!(returned(&refused)["error"], "server_error", "{name}");
            *outside.person.lock().unwrap() = good.clone();
        }
        // A provider that is another one in its answer.
        let guest = Guest::new(&h);
        let there = guest.begin("membership").await;
        let back = outside.sign_in(there.header("location"));
        let (before, _) = back.split_once("&iss=").unwrap();
        let refused = guest
            .get(&format!("{before}&iss=https%3A%2F%2Fevil.example"))
            .await;
        assert_eq!(returned(&refused)["error"], "server_error");
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_to_the_wallet() {
    let outside = Outside::start().await;
    let away = outside
        .provider(MAPPED)
        .replace(&outside.url, "http://127.0.0.1:1");
    locally(&away, async |h: Harness| {
        let guest = Guest::new(&h);
        let refused = guest.begin("membership").await;
        let refused = returned(&refused);
        assert_eq!(refused["error"], "temporarily_unavailable");
        assert_eq!(refused["state"], "the wallet's");
    })
    .await;
}

/// Each costs a row and perhaps a request at the provider.
#[tokio::test]
async fn a_network_begins_a_few_sign_ins_and_no_more() {
    let outside = Outside::start().await;
    locally(&outside.provider(MAPPED), async |h: Harness| {
        let mut begun = 0;
        let refused = loop {
            let there = Guest::new(&h).begin("membership").await;
            if there.header("location").starts_with(REDIRECT) {
                break there;
            }
            begun += 1;
            assert!(begun < 150);
        };
        assert!(begun >= 30);
        let refused = returned(&refused);
        assert_eq!(refused["error"], "temporarily_unavailable");
        // Who begins with a code is not concerned.
        assert_eq!(Guest::new(&h).begin("age").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn other_cards_and_prepared_offers_keep_their_codes() {
    let outside = Outside::start().await;
    locally(&outside.provider(MAPPED), async |h: Harness| {
        let guest = Guest::new(&h);
        let page = guest.begin("age").await;
        assert!(page.text.contains("One-time code"), "{}", page.text);
        // Of two cards one is asked with a code and one with a sign-in: neither is.
        let refused = guest.begin("age membership").await;
        assert_eq!(returned(&refused)["error"], "invalid_request");
        // The page of the codes does not open a card whose persons sign in.
        let offer = h
            .offer(json!({"grant": "authorization_code", "wallet_initiated": true}))
            .await;
        let code = offer["one_time_code"].as_str().unwrap();
        let wrong = guest
            .submit(&page, &[("code", code), ("step", "confirm")])
            .await;
        assert_eq!(wrong.status, 422);
    })
    .await;
}
