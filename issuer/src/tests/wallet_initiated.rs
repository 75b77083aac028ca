use serde_json::{Value, json};

use super::haip::{ATTESTED, Wallet, code_of, haip};
use super::harness::{Answer, Harness, WALLET, everywhere, offer_body};

async fn prepared(h: &Harness, change: Value) -> (Value, String) {
    let mut body = json!({ "grant": "authorization_code", "wallet_initiated": true });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let offer = h.offer(body).await;
    let code = offer["one_time_code"].as_str().unwrap().to_owned();
    (offer, code)
}

async fn open(h: &Harness, wallet: &Wallet<'_>, scope: &str) -> Answer {
    let mut query = wallet.request(None);
    query.retain(|(name, _)| *name != "scope");
    query.push(("scope", scope.to_owned()));
    let query = serde_urlencoded::to_string(query).unwrap();
    h.get(&format!("/authorize?{query}")).await
}

#[tokio::test]
async fn a_person_who_begins_in_the_wallet_types_the_long_code() {
    everywhere(async |h| {
        let (_, code) = prepared(&h, json!({})).await;
        assert_eq!(code.len(), 19);
        let wallet = Wallet::new(&h, WALLET, 1);
        let page = open(&h, &wallet, "membership").await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("Membership card"), "{}", page.text);
        assert!(page.text.contains("Sixteen letters and digits"));
        let typed = code.to_lowercase().replace('-', " ");
        let got = code_of(&wallet.type_code(&page, &typed).await);
        let fields = [
            ("client_id", WALLET),
            ("grant_type", "authorization_code"),
            ("code", got.as_str()),
            ("redirect_uri", super::harness::REDIRECT),
            ("code_verifier", wallet.verifier.as_str()),
        ];
        let answer = h.form("/token", &fields).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        h.issue_with(&token, &h.holder(3)).await;
        // Once, and no more.
        let page = open(&h, &wallet, "membership").await;
        assert_eq!(wallet.type_code(&page, &code).await.status, 422);
    })
    .await;
}

#[tokio::test]
async fn the_same_code_works_behind_the_link() {
    everywhere(async |h| {
        let (offer, code) = prepared(&h, json!({})).await;
        let object = h.offer_object(&offer).await;
        let state = &object["grants"]["authorization_code"]["issuer_state"];
        let wallet = Wallet::new(&h, WALLET, 1);
        let query = serde_urlencoded::to_string(wallet.request(state.as_str())).unwrap();
        let page = h.get(&format!("/authorize?{query}")).await;
        code_of(&wallet.type_code(&page, &code).await);
    })
    .await;
}

#[tokio::test]
async fn codes_that_open_nothing() {
    everywhere(async |h| {
        let (_, long) = prepared(&h, json!({})).await;
        let short = h.offer(json!({ "grant": "authorization_code" })).await;
        let short = short["one_time_code"].as_str().unwrap().to_owned();
        let (_, late) = prepared(&h, json!({ "expires_in_s": 1 })).await;
        let wallet = Wallet::new(&h, WALLET, 1);
        h.clock.advance(1);
        // A short code, nothing, and a card of another type do not open a long offer.
        let page = open(&h, &wallet, "membership").await;
        for (typed, left) in [
            (short.as_str(), "5 more tries"),
            ("", "5 more tries"),
            (late.as_str(), "4 more tries"),
        ] {
            let answer = wallet.type_code(&page, typed).await;
            assert_eq!(answer.status, 422);
            assert!(answer.text.contains(left), "{typed}: {}", answer.text);
        }
        let other = open(&h, &wallet, "age").await;
        assert_eq!(wallet.type_code(&other, &long).await.status, 422);
        // Five wrong codes end it in this browser, whichever of its forms is posted.
        for left in (0..4).rev() {
            let answer = wallet.type_code(&page, "2222-2222-2222-2222").await;
            let (status, said) = match left {
                0 => (403, "Too many tries".to_owned()),
                1 => (422, "one more try".to_owned()),
                left => (422, format!("{left} more tries")),
            };
            assert_eq!(answer.status, status, "{left}");
            assert!(answer.text.contains(&said), "{left}: {}", answer.text);
        }
        for typed in [long.as_str(), ""] {
            let answer = wallet.type_code(&page, typed).await;
            assert_eq!(answer.status, 403, "{typed}");
        }
        // The right code still opens it, from a page that is new.
        let page = open(&h, &wallet, "membership").await;
        code_of(&wallet.type_code(&page, &long).await);
    })
    .await;
}

/// The count is in the database: of many at once five are looked up, by whichever process.
#[tokio::test]
async fn wrong_codes_are_counted_for_all_processes() {
    everywhere(async |h| {
        let (_, code) = prepared(&h, json!({})).await;
        let wallet = Wallet::new(&h, WALLET, 1);
        let page = open(&h, &wallet, "membership").await;
        let wrong = wallet.type_code(&page, "2222-2222-2222-2222").await;
        assert!(wrong.text.contains("4 more tries"), "{}", wrong.text);
        let other = h.another_process().await;
        let there = Wallet::new(&other, WALLET, 1);
        let wrong = there.type_code(&page, "3333-3333-3333-3333").await;
        assert!(wrong.text.contains("3 more tries"), "{}", wrong.text);
        let at_once = (0..10).map(|n| {
            let (wallet, page) = ([&wallet, &there][n % 2], &page);
            wallet.type_code(page, "4444-4444-4444-4444")
        });
        let at_once = futures::future::join_all(at_once).await;
        let looked_up = at_once.iter().filter(|one| one.status == 422).count();
        assert_eq!(looked_up, 2);
        assert_eq!(there.type_code(&page, &code).await.status, 403);
        // Somebody else's browser.
        let page = open(&h, &wallet, "membership").await;
        code_of(&wallet.type_code(&page, &code).await);
    })
    .await;
}

#[tokio::test]
async fn a_network_tries_a_few_codes_and_no_more() {
    everywhere(async |h| {
        let (_, code) = prepared(&h, json!({})).await;
        let wallet = Wallet::new(&h, WALLET, 1);
        for _ in 0..20 {
            let page = open(&h, &wallet, "membership").await;
            let answer = wallet.type_code(&page, "2222-2222-2222-2222").await;
            assert_eq!(answer.status, 422);
        }
        let page = open(&h, &wallet, "membership").await;
        assert_eq!(wallet.type_code(&page, &code).await.status, 403);
    })
    .await;
}

#[tokio::test]
async fn a_wallet_must_say_what_it_wants() {
    everywhere(async |h| {
        let wallet = Wallet::new(&h, WALLET, 1);
        for (scope, error) in [("", "invalid_request"), ("openid", "invalid_scope")] {
            let answer = open(&h, &wallet, scope).await;
            assert!(answer.header("location").contains(error), "{scope}");
        }
        for (change, code) in [
            (
                json!({ "wallet_initiated": true }),
                "invalid_wallet_initiated",
            ),
            (json!({ "redemptions": 0 }), "invalid_redemptions"),
            (json!({ "redemptions": 1001 }), "invalid_redemptions"),
        ] {
            let mut body = offer_body();
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            let answer = h.admin_post("/v1/offers", &body.to_string(), &[]).await;
            assert_eq!(answer.error(), (422, code.to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn an_offer_for_several_is_redeemed_so_often() {
    haip(async |h| {
        let (offer, code) = prepared(&h, json!({ "redemptions": 3 })).await;
        let id = offer["id"].as_str().unwrap();
        for (n, state) in [(1, "pending"), (2, "pending"), (3, "redeemed")] {
            let wallet = Wallet::new(&h, ATTESTED, n);
            let pushed = wallet.push(|_| {}).await.json();
            let uri = pushed["request_uri"].as_str().unwrap().to_owned();
            let got = code_of(&wallet.authorize(&uri, &code).await);
            let answer = wallet.redeem(&got, |_, _| {}).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let seen = h.admin_get(&format!("/v1/offers/{id}")).await.json();
            assert_eq!(
                (seen["state"].as_str(), &seen["redeemed"]),
                (Some(state), &json!(n))
            );
        }
        let wallet = Wallet::new(&h, ATTESTED, 4);
        let pushed = wallet.push(|_| {}).await.json();
        let uri = pushed["request_uri"].as_str().unwrap().to_owned();
        assert_eq!(wallet.authorize(&uri, &code).await.status, 422);
    })
    .await;
}

#[tokio::test]
async fn a_code_used_twice_revokes_its_own_tokens_and_nobody_elses() {
    haip(async |h| {
        let (_, typed) = prepared(&h, json!({ "redemptions": 2 })).await;
        let mut tokens = Vec::new();
        let (one, two) = (Wallet::new(&h, ATTESTED, 1), Wallet::new(&h, ATTESTED, 2));
        for wallet in [&one, &two] {
            let pushed = wallet.push(|_| {}).await.json();
            let uri = pushed["request_uri"].as_str().unwrap().to_owned();
            let code = code_of(&wallet.authorize(&uri, &typed).await);
            let body = wallet.redeem(&code, |_, _| {}).await.json();
            tokens.push((code, body["access_token"].as_str().unwrap().to_owned()));
        }
        assert_eq!(one.redeem(&tokens[0].0, |_, _| {}).await.status, 400);
        let nonce = one.nonce();
        assert_eq!(one.credential(&tokens[0].1, Some(&nonce)).await.status, 401);
        assert_eq!(two.credential(&tokens[1].1, Some(&nonce)).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_as_many_win_as_the_offer_allows() {
    everywhere(async |h| {
        let (_, code) = prepared(&h, json!({ "redemptions": 3 })).await;
        let tries = (1..=12).map(|seed| {
            let (h, code) = (h.clone(), code.clone());
            tokio::spawn(async move {
                let wallet = Wallet::new(&h, WALLET, seed);
                let page = open(&h, &wallet, "membership").await;
                wallet.type_code(&page, &code).await.status
            })
        });
        let mut won = 0;
        for attempt in tries.collect::<Vec<_>>() {
            won += u32::from(attempt.await.unwrap() == 303);
        }
        assert_eq!(won, 3);
    })
    .await;
}

#[tokio::test]
async fn of_many_pages_of_one_pushed_request_one_brings_a_code() {
    haip(async |h| {
        let (_, code) = prepared(&h, json!({ "redemptions": 100 })).await;
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let pushed = wallet.push(|_| {}).await.json();
        let uri = pushed["request_uri"].as_str().unwrap().to_owned();
        let query = [("client_id", ATTESTED), ("request_uri", uri.as_str())];
        let query = serde_urlencoded::to_string(query).unwrap();
        let mut pages = Vec::new();
        for _ in 0..12 {
            pages.push(h.get(&format!("/authorize?{query}")).await);
        }
        let tries = pages.into_iter().map(|page| {
            let (h, code) = (h.clone(), code.clone());
            tokio::spawn(async move {
                let wallet = Wallet::new(&h, ATTESTED, 1);
                wallet.type_code(&page, &code).await.status
            })
        });
        let mut won = 0;
        for attempt in tries.collect::<Vec<_>>() {
            won += u32::from(attempt.await.unwrap() == 303);
        }
        assert_eq!(won, 1);
        // The others used nothing of the offer.
        let offers = h.admin_get("/v1/offers?limit=1").await.json();
        assert_eq!(offers["items"][0]["redeemed"], 1);
    })
    .await;
}
