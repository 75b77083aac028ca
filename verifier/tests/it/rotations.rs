//! What lasts while the service starts again, with other keys or the same.

use axum::http::StatusCode;
use serde_json::json;

use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, same_device, wallet_link};
use crate::world::{World, on_each_database};

/// The service starts again with a new certificate of the same authority: to wallets it has another
/// name (`x509_hash`) from now on.
async fn renew_certificate(world: &mut World) {
    let renewed = world.pki.verifier.renewed("login.example");
    let old = [
        world.pki.verifier_key_pem.clone(),
        world.pki.verifier_chain_pem.clone(),
    ];
    world
        .restart(|toml| {
            toml.replace(&old[0], &renewed.key_pem)
                .replace(&old[1], &renewed.chain_pem)
        })
        .await;
}

#[tokio::test]
async fn cat_349_a_new_certificate_breaks_no_login_that_a_wallet_has_read() {
    on_each_database(async |mut world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid membership", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        renew_certificate(&mut world).await;
        let (wallet, mut browser) = (wallet.at(world.router()), browser.at(world.router()));
        let answer = wallet.answer(&asked).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
        let shop = world.shop();
        shop.tokens(&shop.code(&browser.get(&back).await)).await;
        // The next one is asked in the new name.
        let (_, page) = begin(&mut browser, &address).await;
        let next = wallet.open(&wallet_link(&page)).await;
        assert_ne!(next.request.client_id(), asked.request.client_id());
    })
    .await;
}

#[tokio::test]
async fn cat_349_a_login_that_no_wallet_has_read_is_asked_in_the_new_name() {
    on_each_database(async |mut world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid membership", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let old = wallet_link(&page);
        renew_certificate(&mut world).await;
        let (wallet, mut browser) = (wallet.at(world.router()), browser.at(world.router()));
        // The object would not be signed by whom the link names.
        assert_eq!(wallet.fetch(&old).await.status, StatusCode::NOT_FOUND);
        let link = wallet_link(&browser.get(&path).await);
        assert_ne!(link, old);
        let back = wallet.follow(&link).await;
        world.shop().code(&browser.get(&back).await);
    })
    .await;
}

#[tokio::test]
async fn cat_371_a_refresh_token_that_comes_twice_is_known_after_a_restart() {
    on_each_database(async |mut world| {
        let wallet = world.person("M-1").await;
        let text = |rp_answer: &serde_json::Value, name: &str| {
            rp_answer[name].as_str().unwrap().to_owned()
        };
        let spa = world.spa();
        let address = spa.authorize("openid membership offline_access", &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let first = spa.redeem(&spa.code(&answer)).await.json();
        let second = spa.refresh(&text(&first, "refresh_token")).await.json();
        world.restart(|toml| toml).await;
        let spa = world.spa();
        let refused = async |spa: &RelyingParty, token: &str| {
            let answer = spa.refresh(token).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
            assert_eq!(answer.json(), json!({ "error": "invalid_grant" }));
        };
        refused(&spa, &text(&first, "refresh_token")).await;
        // The family ended with it, and stays ended.
        world.restart(|toml| toml).await;
        let spa = world.spa();
        refused(&spa, &text(&second, "refresh_token")).await;
        let access = text(&second, "access_token");
        assert_eq!(spa.userinfo(&access).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn tokens_codes_and_sessions_outlive_a_restart_and_work_once() {
    on_each_database(async |mut world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let shop = world.shop();
        let tokens = log_in(&mut browser, &wallet, &shop, "openid membership").await;
        let address = shop.authorize("openid age", &[]);
        let code = shop.code(&same_device(&mut browser, &wallet, &address).await);
        world.restart(|toml| toml).await;
        let shop = world.shop();
        let told = shop.userinfo(&tokens.access_token).await;
        assert_eq!(told.status, StatusCode::OK);
        assert_eq!(shop.redeem(&code).await.status, StatusCode::OK);
        world.restart(|toml| toml).await;
        let again = world.shop().redeem(&code).await;
        assert_eq!(again.json()["error"], "invalid_grant");
    })
    .await;
}
