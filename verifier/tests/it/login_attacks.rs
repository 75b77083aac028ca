//! Attacks on a login as a whole: other people's codes, other people's cards, other people's pages.

use axum::http::{StatusCode, header};
use serde_json::json;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::time::Clock as _;

use crate::world::browser::Browser;
use crate::world::rp::RelyingParty;
use crate::world::steps::{
    begin, log_in, qr_link, rows, same_device, shown_number, type_number, wallet_link,
};
use crate::world::wallet::Wallet;
use crate::world::{OP, World, on_each_database, on_sqlite, with_config};

/// A question that two cards answer together.
const TWO_CARDS: &str = r#"
[[query]]
id = "adult-member"
scope = "adult-member"
dcql = '''{"credentials":[{"id":"proof","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:age:1"]},"claims":[{"path":["age_equal_or_over","18"],"values":[true]}]},{"id":"card","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]}]}]}'''
purpose = { en = "Log in as a member who is 18 or older" }
subject = { strategy = "issuer_scoped_claim", claim = "member_id", credential = "card" }

[[client]]
id = "bar"
name = "Bar"
secret = "bar-secret-0123456789"
redirect_uris = ["https://bar.example/cb"]
scopes = ["adult-member"]
"#;

#[tokio::test]
async fn cat_356_a_code_that_is_injected_into_another_login_is_refused_and_spoiled() {
    on_each_database(async |world| {
        let wallet = world.person("M-victim").await;
        let shop = world.shop();
        let address = shop.authorize("openid membership", &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let code = shop.code(&answer);
        // The attacker brings it back in a login of their own: the shop shows that one's verifier.
        let injected = shop
            .token(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", shop.redirect_uri),
                (
                    "code_verifier",
                    "the-verifier-of-a-login-that-the-attacker-began",
                ),
            ])
            .await;
        assert_eq!(injected.status, StatusCode::BAD_REQUEST);
        assert_eq!(injected.json()["error"], "invalid_grant");
        // There is no second try with it.
        assert_eq!(shop.redeem(&code).await.json()["error"], "invalid_grant");
        assert_eq!(rows(&world, "access_tokens").await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_362_a_code_of_another_login_brings_that_logins_nonce() {
    on_sqlite(async |world| {
        let wallet = world.person("M-victim").await;
        // A client that is registered to send no challenge has the nonce to tell by.
        let suite = world.suite();
        let bare = [
            ("code_challenge", ""),
            ("code_challenge_method", ""),
            ("nonce", "nonce-of-the-victim"),
        ];
        let address = suite.authorize("openid", &bare);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let body = suite
            .token(&[
                ("grant_type", "authorization_code"),
                ("code", &suite.code(&answer)),
                ("redirect_uri", suite.redirect_uri),
            ])
            .await
            .json();
        let claims = suite.id_token(body["id_token"].as_str().unwrap()).await;
        assert_eq!(claims["nonce"], "nonce-of-the-victim");
    })
    .await;
}

#[tokio::test]
async fn cat_361_an_answer_of_any_kind_says_whose_it_is() {
    on_sqlite(async |world| {
        let shop = world.shop();
        let mut browser = world.browser();
        let metadata = browser
            .get("/.well-known/openid-configuration")
            .await
            .json();
        assert_eq!(metadata["issuer"], OP);
        assert_eq!(
            metadata["authorization_response_iss_parameter_supported"],
            true
        );
        // `code` and `error` compare `iss` of what comes back.
        let wallet = world.person("M-1").await;
        let address = shop.authorize("openid age", &[]);
        shop.code(&same_device(&mut browser, &wallet, &address).await);
        for (scope, extra, error) in [
            ("openid", &[("prompt", "none")][..], "invalid_scope"),
            ("openid age", &[("prompt", "none")], "login_required"),
            (
                "openid age",
                &[("response_type", "token")],
                "unsupported_response_type",
            ),
        ] {
            let answer = browser.get(&shop.authorize(scope, extra)).await;
            assert_eq!(shop.error(&answer), error);
        }
        let (path, page) = begin(&mut browser, &address).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let no = browser
            .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
            .await;
        assert_eq!(shop.error(&no), "access_denied");
        let extra = [("response_mode", "form_post"), ("prompt", "none")];
        let posted = browser.get(&shop.authorize("openid age", &extra)).await;
        let iss = posted.attribute("name=\"iss\"", "value");
        assert_eq!(iss.as_deref(), Some(OP));
        assert!(posted.attribute("name=\"error\"", "value").is_some());
    })
    .await;
}

/// Both cards, each with a key.
async fn two_cards(world: &World, keys: [SigningKey; 2]) -> Wallet {
    let mut wallet = world.wallet();
    let until = world.clock.now().plus(86_400);
    let [first, second] = keys;
    let age = json!({ "age_equal_or_over": { "18": true } });
    let hidden: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let vct = "urn:vouchsafe:age:1";
    wallet
        .receive_bound(world, &world.issuer, vct, age, hidden, until, first)
        .await;
    let card = json!({ "member_id": "M-1", "tier": "gold" });
    let hidden: &[&[&str]] = &[&["member_id"], &["tier"]];
    let vct = "urn:vouchsafe:membership:1";
    wallet
        .receive_bound(world, &world.issuer, vct, card, hidden, until, second)
        .await;
    wallet
}

fn key(world: &World) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, world.rng.as_ref())
}

#[tokio::test]
async fn a_card_of_somebody_else_in_a_combined_presentation_is_refused() {
    with_config(TWO_CARDS, async |world| {
        let bar = RelyingParty::new(
            world.router(),
            "bar",
            Some("bar-secret-0123456789"),
            "https://bar.example/cb",
        );
        let address = bar.authorize("openid adult-member", &[]);
        // The proof of age is a friend's: each card is good, and each is proven with its own key.
        let lent = two_cards(&world, [key(&world), key(&world)]).await;
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &address).await;
        let answer = lent.answer(&lent.open(&wallet_link(&page)).await).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(answer.json()["reason"], "holder_differs");
        browser
            .get(&path)
            .await
            .assert_page(StatusCode::FORBIDDEN, "The proof could not be checked");
        assert_eq!(rows(&world, "subjects").await, 0);
        assert_eq!(rows(&world, "login_sessions").await, 0);
        // Both cards of one person log that person in.
        let one = key(&world);
        let same = SigningKey::from_pkcs8_pem(&one.to_pkcs8_pem()).unwrap();
        let own = two_cards(&world, [one, same]).await;
        bar.code(&same_device(&mut browser, &own, &address).await);
    })
    .await;
}

/// Wallets that keep a key for each card answer two cards only where the operator says that the question
/// does not demand one holder.
#[tokio::test]
async fn cards_with_keys_of_their_own_answer_where_the_question_allows_it() {
    let loose = TWO_CARDS.replacen("[[query]]", "[[query]]\none_holder = false", 1);
    with_config(&loose, async |world| {
        let bar = RelyingParty::new(
            world.router(),
            "bar",
            Some("bar-secret-0123456789"),
            "https://bar.example/cb",
        );
        let address = bar.authorize("openid adult-member", &[]);
        let wallet = two_cards(&world, [key(&world), key(&world)]).await;
        bar.code(&same_device(&mut world.browser(), &wallet, &address).await);
    })
    .await;
}

#[tokio::test]
async fn a_step_up_with_the_card_of_somebody_else_changes_nothing() {
    on_each_database(async |world| {
        let (first, second) = (world.person("M-1").await, world.person("M-2").await);
        let suite = world.suite();
        let mut browser = world.browser();
        let before = log_in(&mut browser, &first, &suite, "openid").await;
        let cookie = browser.cookie("vs_op_session").map(str::to_owned);
        world.clock.advance(60);
        for step_up in [
            [("max_age", "0")],
            [("prompt", "login")],
            [("acr_values", "urn:vouchsafe:acr:vc-hw")],
        ] {
            let address = suite.authorize("openid", &step_up);
            same_device(&mut browser, &second, &address)
                .await
                .assert_page(
                    StatusCode::FORBIDDEN,
                    "This card belongs to another account",
                );
        }
        // The session is that of the first, neither changed nor stronger nor younger.
        assert_eq!(browser.cookie("vs_op_session").map(str::to_owned), cookie);
        let answer = browser
            .get(&suite.authorize("openid", &[("prompt", "none")]))
            .await;
        let after = suite.tokens(&suite.code(&answer)).await;
        for name in ["sub", "sid", "auth_time", "acr"] {
            assert_eq!(after.claims[name], before.claims[name], "{name}");
        }
        assert_eq!(rows(&world, "subjects").await, 1);
    })
    .await;
}

#[tokio::test]
async fn cat_364_a_login_of_the_attacker_logs_no_victim_in() {
    on_each_database(async |world| {
        let attackers = world.person("M-attacker").await;
        let mut attacker = world.browser();
        let shop = world.shop();
        let address = shop.authorize("openid membership", &[]);
        let (path, page) = begin(&mut attacker, &address).await;
        let back = attackers.follow(&wallet_link(&page)).await;
        // Everything that the attacker could send a victim to.
        let mut victim = world.browser();
        for address in [path.clone(), format!("{path}/qr"), format!("{path}/again")] {
            victim
                .get(&address)
                .await
                .assert_page(StatusCode::NOT_FOUND, "There is no login here");
        }
        let page = victim.get(&back).await;
        page.assert_page(StatusCode::FORBIDDEN, "This login began in another browser");
        assert!(page.headers.get(header::SET_COOKIE).is_none());
        assert!(page.headers.get(header::LOCATION).is_none());
        assert_eq!(victim.cookie("vs_op_session"), None);
        // It is over for the attacker, too, and left no account.
        attacker
            .get(&path)
            .await
            .assert_page(StatusCode::FORBIDDEN, "This login began in another browser");
        assert_eq!(rows(&world, "login_sessions").await, 0);
        assert_eq!(rows(&world, "subjects").await, 0);
    })
    .await;
}

/// Tries a form of ours without its token, with that of another browser, and with none that is one.
async fn refuses(browser: &mut Browser, path: &str, field: &str, foreign: &str) {
    let long = "x".repeat(43);
    for token in [None, Some(""), Some(long.as_str()), Some(foreign)] {
        let mut fields = vec![("number", "42")];
        fields.extend(token.map(|token| (field, token)));
        let answer = browser.post(path, &fields).await;
        assert!(
            answer.status == StatusCode::FORBIDDEN || answer.status == StatusCode::BAD_REQUEST,
            "{path}: {} {}",
            answer.status,
            answer.body
        );
        assert!(answer.headers.get(header::SET_COOKIE).is_none(), "{path}");
    }
}

#[tokio::test]
async fn no_form_does_anything_without_its_token() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let (mut browser, mut other) = (world.browser(), world.browser());
        log_in(&mut browser, &wallet, &shop, "openid membership").await;
        log_in(&mut other, &wallet, &shop, "openid membership").await;
        let address = shop.authorize("openid age", &[]);
        let (_, foreign) = begin(&mut other, &address).await;
        let foreign = foreign.attribute("name=\"csrf\"", "value").unwrap();

        let (path, _) = begin(&mut browser, &address).await;
        let cancel = format!("{path}/cancel");
        refuses(&mut browser, &cancel, "csrf", &foreign).await;
        let back = wallet.follow(&qr_link(&mut browser, &path).await).await;
        let number = shown_number(&mut world.browser(), &back).await;
        refuses(&mut browser, &format!("{path}/number"), "csrf", &foreign).await;

        let (account, others) = (browser.get("/account").await, other.get("/account").await);
        let foreign = others.attribute("name=\"csrf\"", "value").unwrap();
        for form in ["/account/consents/", "/account/sessions/"] {
            let mark = format!("action=\"{form}");
            let action = account
                .attribute(&mark, "action")
                .or_else(|| account.attribute(&mark.replace('/', "&#x2f;"), "action"))
                .unwrap_or_else(|| panic!("{form} in {}", account.body));
            refuses(&mut browser, &action, "csrf", &foreign).await;
        }
        let asked = other.get("/logout").await;
        let foreign = asked.attribute("name=\"confirmation\"", "value").unwrap();
        for token in ["", "x", &foreign] {
            let answer = browser.post("/logout", &[("confirmation", token)]).await;
            assert!(answer.headers.get(header::SET_COOKIE).is_none());
        }

        // Nothing of it had any effect: the login goes on, sessions and consents are there.
        assert_eq!(rows(&world, "login_sessions").await, 2);
        assert_eq!(rows(&world, "consents").await, 3);
        shop.code(&type_number(&mut browser, &path, &number).await);
    })
    .await;
}
