//! What an attacker, or a browser used by one, tries beside the protocol's own refusals.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use vouchsafe_credentials::status_list::Status;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{form, send};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, qr_link, rows, same_device, wallet_link};
use crate::world::{World, on_each_database, on_sqlite, with_config};

/// An application that lets in whoever shows the age proof, and one that asks for the member
/// card by a question of its own.
const TWO_MORE: &str = r#"
[[client]]
id = "door"
name = "Door"
secret = "door-secret-0123456789"
redirect_uris = ["https://door.example/cb"]
scopes = ["age"]
default_query = "age"

[[client]]
id = "gym"
name = "Gym"
secret = "gym-secret-0123456789"
redirect_uris = ["https://gym.example/cb"]
default_query = "membership"
"#;

#[tokio::test]
async fn a_session_does_not_answer_another_question_than_it_was_opened_with() {
    with_config(TWO_MORE, async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.suite(), "openid").await;
        let clients = [
            ("door", "door-secret-0123456789", "https://door.example/cb"),
            ("gym", "gym-secret-0123456789", "https://gym.example/cb"),
        ];
        for (id, secret, redirect_uri) in clients {
            let other = RelyingParty::new(world.router(), id, Some(secret), redirect_uri);
            let silent = browser
                .get(&other.authorize("openid", &[("prompt", "none")]))
                .await;
            assert_eq!(other.error(&silent), "login_required", "{id}");
            begin(&mut browser, &other.authorize("openid", &[])).await;
        }
        // Its own question it still answers.
        let suite = world.suite();
        let answer = browser
            .get(&suite.authorize("openid", &[("prompt", "none")]))
            .await;
        suite.code(&answer);
    })
    .await;
}

#[tokio::test]
async fn an_acr_that_has_run_out_is_not_claimed_again() {
    with_config("[session]\nmax_age_s = 172800\n", async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let suite = world.suite();
        let first = log_in(&mut browser, &wallet, &suite, "openid").await;
        assert_eq!(first.claims["acr"], "urn:vouchsafe:acr:vc");
        world.clock.advance(13 * 3600);
        let answer = browser.get(&suite.authorize("openid", &[])).await;
        let later = suite.tokens(&suite.code(&answer)).await;
        assert_eq!(later.claims["auth_time"], first.claims["auth_time"]);
        assert_ne!(later.claims["acr"], "urn:vouchsafe:acr:vc");
    })
    .await;
}

#[tokio::test]
async fn somebody_elses_id_token_logs_nobody_out_without_asking() {
    on_each_database(async |world| {
        let mut victim = world.browser();
        log_in(
            &mut victim,
            &world.person("M-1").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let attacker = log_in(
            &mut world.browser(),
            &world.person("M-2").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let fields = [
            ("id_token_hint", attacker.id_token.as_str()),
            ("post_logout_redirect_uri", "http://127.0.0.1:9000/bye"),
        ];
        let answer = victim.get(&format!("/logout?{}", form(&fields))).await;
        answer.assert_page(StatusCode::OK, "Log out?");
        assert!(victim.cookie("vs_op_session").is_some());
        assert_eq!(rows(&world, "login_sessions").await, 2);
    })
    .await;
}

#[tokio::test]
async fn cat_316_who_scans_a_code_first_does_not_make_it_live_longer() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let relayed = qr_link(&mut browser, &path).await;
        // The attacker fetches the question so that the code no longer runs out with its minute.
        assert_eq!(wallet.fetch(&relayed).await.status, StatusCode::OK);
        world.clock.advance(120);
        assert_eq!(wallet.fetch(&relayed).await.status, StatusCode::NOT_FOUND);
        // The page is not stuck on a code that nobody can use any more.
        assert_ne!(qr_link(&mut browser, &path).await, relayed);
    })
    .await;
}

#[tokio::test]
async fn a_form_of_another_site_does_not_replace_the_browsers_cookie() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let shop = world.shop();
        let (_, page) = begin(&mut browser, &shop.authorize("openid age", &[])).await;
        let address = world.suite().authorize("openid", &[]);
        let body = address.split_once('?').unwrap().1.to_owned();
        // `SameSite=Lax`: the browser sends no cookie with it.
        let posted = Request::post("/authorize")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let answer = send(&world.router(), posted).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(answer.headers.get(header::SET_COOKIE).is_none());
        assert!(answer.location().starts_with("/authorize?"));
        // The cookies are there again with the redirect, so both logins go on.
        begin(&mut browser, &answer.location()).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        shop.code(&browser.get(&back).await);
    })
    .await;
}

#[tokio::test]
async fn cat_314_a_look_at_the_return_address_does_not_use_it_up() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let shop = world.shop();
        let (_, page) = begin(&mut browser, &shop.authorize("openid age", &[])).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let path = back.strip_prefix(crate::world::OP).unwrap();
        let request = Request::builder().method(Method::HEAD).uri(path);
        let head = send(&world.router(), request.body(Body::empty()).unwrap()).await;
        assert_eq!(head.status, StatusCode::METHOD_NOT_ALLOWED);
        shop.code(&browser.get(&back).await);
    })
    .await;
}

#[tokio::test]
async fn cat_388_tokens_of_an_application_that_was_removed_say_nothing() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::new(temporary.db.clone()).await;
    let wallet = world.person("M-1").await;
    let answer = same_device(
        &mut world.browser(),
        &wallet,
        &world.cafe().authorize("openid age", &[]),
    )
    .await;
    let tokens = world.cafe().tokens(&world.cafe().code(&answer)).await;
    let without = World::with_config(temporary.db.clone(), |toml| {
        toml.replace("id = \"cafe\"", "id = \"bistro\"")
    })
    .await;
    let refused = without.cafe().userinfo(&tokens.access_token).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

/// Ours and a rival issuer have one live session each; one of the two lists falls silent.
async fn one_host_is_silent(ours_is: bool) {
    on_sqlite(async |world| {
        let ours = world.person("M-1").await;
        let mut theirs = world.wallet();
        theirs
            .receive_membership_of(&world, &world.other_issuer, "M-1")
            .await;
        for wallet in [&ours, &theirs] {
            let scope = "openid membership";
            log_in(&mut world.browser(), wallet, &world.shop(), scope).await;
        }
        let (silent, issuer, wallet) = match ours_is {
            true => (&world.issuer, &world.other_issuer, &theirs),
            false => (&world.other_issuer, &world.issuer, &ours),
        };
        issuer.set(&wallet.cards.last().unwrap().status, Status::Invalid);
        world.clock.advance(2);
        issuer.publish(world.clock.now()).await;
        world.network.silence(&silent.list_uri());
        // The round does not end while the host is silent; what it can learn counts at once.
        let round = tokio::time::timeout(Duration::from_secs(2), world.tick()).await;
        assert!(round.is_err());
        assert_eq!(rows(&world, "login_sessions").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_silent_status_host_does_not_keep_revoked_cards_of_others_alive() {
    one_host_is_silent(true).await;
    one_host_is_silent(false).await;
}
