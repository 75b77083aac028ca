//! What the service keeps of a presentation.

use serde_json::json;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::steps::{begin, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{World, on_each_database};

/// Every column that is sealed or whose length could depend on what was shown.
const SIZES: [&str; 8] = [
    "SELECT CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM login_transactions",
    "SELECT CAST(COALESCE(SUM(LENGTH(secrets)), 0) AS BIGINT) FROM presentation_requests",
    "SELECT CAST(COALESCE(SUM(LENGTH(claims)), 0) AS BIGINT) FROM access_tokens",
    "SELECT CAST(COALESCE(SUM(LENGTH(claims) + LENGTH(purpose)), 0) AS BIGINT) FROM consents",
    "SELECT CAST(COALESCE(SUM(LENGTH(issuer) + LENGTH(status_uri) + LENGTH(credential_type)), 0) AS BIGINT) FROM session_credentials",
    "SELECT CAST(COALESCE(SUM(LENGTH(payload)), 0) AS BIGINT) FROM response_code",
    "SELECT CAST(COALESCE(SUM(LENGTH(payload)), 0) AS BIGINT) FROM authorization_code",
    "SELECT CAST(COALESCE(SUM(LENGTH(payload)), 0) AS BIGINT) FROM refresh_token",
];

async fn sizes(world: &World) -> Vec<i64> {
    let mut all = Vec::new();
    for sql in SIZES {
        all.push(world.count(sql).await);
    }
    all
}

/// A card whose presentation is so long: what stands on it openly always comes along.
async fn card(world: &World, length: usize) -> Wallet {
    let mut wallet = world.wallet();
    let claims = json!({
        "member_id": "M-1", "tier": "gold", "valid_until": "2027-12-31",
        "portrait": "canary-portrait-".repeat(length),
    });
    let hidden: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
    let vct = "urn:vouchsafe:membership:1";
    wallet
        .receive(world, &world.issuer, vct, claims, hidden)
        .await;
    wallet
}

/// What is kept of a login, at each of its steps.
async fn kept(world: &World, length: usize) -> Vec<Vec<i64>> {
    let (wallet, shop) = (card(world, length).await, world.shop());
    let mut browser = world.browser();
    let address = shop.authorize("openid membership offline_access", &[]);
    let (_, page) = begin(&mut browser, &address).await;
    let mut steps = vec![sizes(world).await];
    let asked = wallet.open(&wallet_link(&page)).await;
    let answer = wallet.response(&asked).await;
    assert!(answer.len() > length * 16, "{}", answer.len());
    let back = wallet.post(&asked.request, &answer).await.json();
    steps.push(sizes(world).await);
    let code = shop.code(&browser.get(back["redirect_uri"].as_str().unwrap()).await);
    steps.push(sizes(world).await);
    shop.tokens(&code).await;
    steps.push(sizes(world).await);
    steps
}

#[tokio::test]
async fn cat_470_a_presentation_leaves_as_much_behind_as_any_other() {
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for (steps, length) in [(&mut short, 1), (&mut long, 4000)] {
        let temporary = testing::sqlite(&[MIGRATIONS]).await;
        let world = World::new(temporary.db.clone()).await;
        *steps = kept(&world, length).await;
    }
    assert_eq!(short, long);
    assert!(short[3].iter().all(|size| *size > 0), "{short:?}");
}

#[tokio::test]
async fn cat_470_an_answer_that_is_refused_leaves_nothing_behind() {
    on_each_database(async |world| {
        let (wallet, shop) = (card(&world, 1).await, world.shop());
        let mut browser = world.browser();
        let address = shop.authorize("openid membership", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let before = sizes(&world).await;
        let nonce = "another-nonce-of-another-login";
        let audience = asked.request.client_id().as_str();
        let paths: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
        let shown = wallet.present(paths, audience, nonce).await;
        let body = wallet.encrypt(&asked, &Wallet::payload(&asked, "card", &shown));
        let answer = wallet.post(&asked.request, &body).await;
        assert_eq!(answer.json()["reason"], "kb_nonce");
        let after = sizes(&world).await;
        // The reason, by its code, and a way back to the page that explains it.
        let grown = after[0] - before[0];
        assert!((1..200).contains(&grown), "{grown}");
        assert!(after[5] > 0 && after[5] < 400, "{}", after[5]);
        for place in [1, 2, 3, 4, 6, 7] {
            assert_eq!(after[place], before[place], "{}", SIZES[place]);
        }
    })
    .await;
}
