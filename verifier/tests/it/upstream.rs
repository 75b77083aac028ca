//! Signing in at another OpenID Provider, where a journey asks for it.

use std::path::Path;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::journeys::with_more;
use crate::world::World;
use crate::world::browser::{Answer, Browser};
use crate::world::provider::{Provider, answer};
use crate::world::rp::Tokens;
use crate::world::steps::{begin, qr_link, rows, wallet_link};
use crate::world::tables::places_of;

/// First contact, and the way back, without a card.
pub const SOCIAL: &str = r#"
id = "social"
version = 1
clients = ["suite"]
match = '!("membership" in request.scopes)'

[[step]]
id = "elsewhere"
kind = "upstream"
providers = ["club", "other"]
when = '!session.exists'

[[step]]
id = "in"
kind = "finish"
"#;

/// A card, and an account elsewhere that is linked with it.
pub const LINK: &str = r#"
id = "link"
version = 1
clients = ["suite"]
match = '"membership" in request.scopes'

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "elsewhere"
kind = "upstream"
providers = ["club"]

[[step]]
id = "in"
kind = "finish"
"#;

/// Who is logged in says it once more.
const AGAIN: &str = r#"
id = "again"
version = 1
clients = ["spa"]

[[step]]
id = "card"
kind = "present"
query = "member-login"
when = '!session.exists'

[[step]]
id = "elsewhere"
kind = "upstream"
providers = ["club"]

[[step]]
id = "in"
kind = "finish"
"#;

/// A service, and the two providers that it knows.
pub async fn with(files: &[(&str, &str)], test: impl AsyncFn(World, &Path, (Provider, Provider))) {
    let (club, other) = (Provider::start().await, Provider::start().await);
    let more = club.section("club", "The Club's accounts") + &other.section("other", "Other");
    with_more(files, &more, async |world, folder| {
        test(world, folder, (club.clone(), other.clone())).await;
    })
    .await;
}

/// Chooses a provider on the page of a login.
pub async fn choose(browser: &mut Browser, path: &str, provider: &str) -> Answer {
    let page = browser.get(path).await;
    page.assert_page(StatusCode::OK, "Sign in elsewhere");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let fields = [("csrf", csrf.as_str()), ("provider", provider)];
    browser.post(&format!("{path}/upstream"), &fields).await
}

/// The address of the provider.
pub async fn leave(browser: &mut Browser, path: &str, provider: &str) -> String {
    let away = choose(browser, path, provider).await;
    assert_eq!(away.status, StatusCode::SEE_OTHER, "{}", away.body);
    away.location()
}

/// Signs in elsewhere from the page of a login; what the browser gets then.
pub async fn sign_in(
    browser: &mut Browser,
    path: &str,
    provider: &Provider,
    claims: Value,
) -> Answer {
    let url = leave(browser, path, "club").await;
    browser.get(&provider.sign_in(&url, claims)).await
}

/// A whole login at the suite.
pub async fn log_in(world: &World, browser: &mut Browser, club: &Provider, sub: &str) -> Tokens {
    let (path, _) = begin(browser, &world.suite().authorize("openid", &[])).await;
    let done = sign_in(browser, &path, club, json!({ "sub": sub })).await;
    world.suite().tokens(&world.suite().code(&done)).await
}

/// The login failed, and says no more than that.
async fn assert_refused(browser: &mut Browser, done: &Answer, path: &str) {
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(done.location(), path);
    let page = browser.get(path).await;
    page.assert_page(StatusCode::FORBIDDEN, "The other provider let nobody in");
}

#[tokio::test]
async fn first_contact_makes_an_account_and_the_next_login_finds_it() {
    with(&[("social.toml", SOCIAL)], async |world, _, (club, _)| {
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "Continue with The Club&#x27;s accounts");
        page.assert_page(StatusCode::OK, "Continue with Other");
        let url = leave(&mut browser, &path, "club").await;
        let asked = club.asked(&url);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["scope"], "openid email");
        assert!(!asked.contains_key("prompt") && !asked.contains_key("max_age"));
        let told =
            json!({ "sub": "canary-subject", "email": "canary@mail.example", "amr": ["pwd"] });
        let done = browser.get(&club.sign_in(&url, told)).await;
        let first = world.suite().tokens(&world.suite().code(&done)).await;
        // Nothing is known of how: one factor, and no method of ours.
        assert_eq!(first.claims["acr"], "urn:vouchsafe:acr:1fa");
        assert!(first.claims.get("amr").is_none(), "{}", first.claims);
        assert!(first.claims.get("email").is_none(), "{}", first.userinfo);
        assert_eq!(rows(&world, "subjects").await, 1);
        for canary in ["canary-subject", "canary@mail.example"] {
            assert_eq!(places_of(&world.db, canary).await, Vec::<String>::new());
        }

        let second = log_in(&world, &mut world.browser(), &club, "canary-subject").await;
        assert_eq!(second.sub(), first.sub());
        let somebody = log_in(&world, &mut world.browser(), &club, "somebody-else").await;
        assert_ne!(somebody.sub(), first.sub());
        assert_eq!(rows(&world, "subjects").await, 2);

        // The session answers the same journey, at its own level and no higher, and no card.
        let again = browser.get(&address).await;
        let again = world.suite().tokens(&world.suite().code(&again)).await;
        assert_eq!(again.sub(), first.sub());
        assert_eq!(again.claims["acr"], "urn:vouchsafe:acr:1fa");
        assert!(again.claims.get("amr").is_none(), "{}", again.claims);
        let (_, page) = begin(
            &mut browser,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        page.assert_page(StatusCode::OK, "Show my card");
    })
    .await;
}

#[tokio::test]
async fn what_the_application_wants_is_asked_of_the_provider() {
    with(&[("social.toml", SOCIAL)], async |world, _, (club, _)| {
        let wishes = [("max_age", "60"), ("prompt", "login"), ("ui_locales", "de")];
        let mut browser = world.browser().speaking("de");
        let address = world.suite().authorize("openid", &wishes);
        let path = browser.get(&address).await.location();
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Anderswo anmelden");
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let fields = [("csrf", csrf.as_str()), ("provider", "club")];
        let away = browser.post(&format!("{path}/upstream"), &fields).await;
        let asked = club.asked(&away.location());
        // Whether it did what `prompt` wants can be seen.
        assert_eq!(asked["max_age"], "0");
        assert_eq!(asked["prompt"], "login");
        assert_eq!(asked["ui_locales"], "de");
        // It signed in an hour ago there, whatever it was asked.
        let old = json!({ "sub": "s", "auth_time": crate::world::NOW.0 - 3600 });
        let done = browser.get(&club.sign_in(&away.location(), old)).await;
        assert_eq!(done.location(), path);
        assert_eq!(browser.get(&path).await.status, StatusCode::FORBIDDEN);

        // When it says when, that is when.
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
        let at = crate::world::NOW.0 - 1000;
        let claims = json!({ "sub": "s", "auth_time": at });
        let done = sign_in(&mut browser, &path, &club, claims).await;
        let tokens = world.suite().tokens(&world.suite().code(&done)).await;
        assert_eq!(tokens.claims["auth_time"], at);
    })
    .await;
}

#[tokio::test]
async fn cat_364_a_way_back_is_good_once_and_in_the_browser_that_left() {
    with(&[("social.toml", SOCIAL)], async |world, _, (club, _)| {
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, _) = begin(&mut browser, &address).await;
        let url = leave(&mut browser, &path, "club").await;
        let back = club.sign_in(&url, json!({ "sub": "s" }));
        // Somebody else's browser, with a login of its own under way and without one.
        let mut victim = world.browser();
        begin(&mut victim, &address).await;
        for other in [&mut victim, &mut world.browser()] {
            let refused = other.get(&back).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(rows(&world, "login_sessions").await, 0);
        // A made-up `state`, no `state`, two of them.
        let at = back.split('?').next().unwrap();
        for query in [
            "code=c&state=made-up",
            "code=c",
            "code=c&state=a&state=b",
            "",
        ] {
            let refused = browser.get(&format!("{at}?{query}")).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{query}");
        }
        let done = browser.get(&back).await;
        world.suite().code(&done);
        // A second time.
        assert_eq!(browser.get(&back).await.status, StatusCode::NOT_FOUND);
        assert_eq!(rows(&world, "subjects").await, 1);

        // Whoever leaves again has left for good: the earlier way back is over.
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &address).await;
        let first = leave(&mut browser, &path, "club").await;
        let second = leave(&mut browser, &path, "club").await;
        let early = browser
            .get(&club.sign_in(&first, json!({ "sub": "t" })))
            .await;
        assert_eq!(early.location(), path);
        assert_eq!(rows(&world, "subjects").await, 1);
        let done = browser
            .get(&club.sign_in(&second, json!({ "sub": "t" })))
            .await;
        world.suite().code(&done);
        // A form of nobody, and of another browser.
        let foreign = [("csrf", "x"), ("provider", "club")];
        let (path, _) = begin(&mut world.browser(), &address).await;
        let refused = browser.post(&format!("{path}/upstream"), &foreign).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn cat_361_an_answer_of_another_provider_signs_nobody_in() {
    with(
        &[("social.toml", SOCIAL)],
        async |world, _, (club, other)| {
            let address = world.suite().authorize("openid", &[]);
            // The other provider gets its own address for the same kind of request.
            let mut browser = world.browser();
            let (path, _) = begin(&mut browser, &address).await;
            let theirs = other.asked(&leave(&mut browser, &path, "other").await);
            let theirs = theirs["redirect_uri"].clone();

            for case in 0..3 {
                let mut browser = world.browser();
                let (path, _) = begin(&mut browser, &address).await;
                let url = leave(&mut browser, &path, "club").await;
                let asked = club.asked(&url);
                let ours = asked["redirect_uri"].clone();
                assert_ne!(ours, theirs);
                let back = match case {
                    // It comes to the address of the other one.
                    0 => answer(&asked, &theirs, &[("code", "c"), ("iss", &other.issuer)]),
                    // RFC 9207, section 2.4: another issuer, or none though it says that it sends one.
                    1 => answer(&asked, &ours, &[("code", "c"), ("iss", &other.issuer)]),
                    _ => answer(&asked, &ours, &[("code", "c")]),
                };
                let done = browser.get(&back).await;
                assert_refused(&mut browser, &done, &path).await;
            }
            assert_eq!(rows(&world, "subjects").await, 0);
        },
    )
    .await;
}

#[tokio::test]
async fn cat_362_an_id_token_of_another_sign_in_signs_nobody_in() {
    with(
        &[("social.toml", SOCIAL)],
        async |world, _, (club, other)| {
            let address = world.suite().authorize("openid", &[]);
            for wrong in [
                json!({ "sub": "s", "nonce": "of another sign-in" }),
                json!({ "sub": "s", "aud": "another-client" }),
                json!({ "sub": "s", "iss": other.issuer }),
                json!({ "sub": "s", "exp": 1 }),
                json!({}),
            ] {
                let mut browser = world.browser();
                let (path, _) = begin(&mut browser, &address).await;
                let done = sign_in(&mut browser, &path, &club, wrong).await;
                assert_refused(&mut browser, &done, &path).await;
                let left = browser.get(&format!("{path}/leave")).await;
                assert_eq!(world.suite().error(&left), "access_denied");
            }
            assert_eq!(rows(&world, "subjects").await, 0);
            assert_eq!(rows(&world, "login_sessions").await, 0);
        },
    )
    .await;
}

#[tokio::test]
async fn a_provider_that_refuses_or_is_away_ends_the_step() {
    with(
        &[("social.toml", SOCIAL)],
        async |world, _, (club, other)| {
            let address = world.suite().authorize("openid", &[]);
            for error in ["server_error", "invalid_scope", "<script>"] {
                let mut browser = world.browser();
                let (path, _) = begin(&mut browser, &address).await;
                let url = leave(&mut browser, &path, "club").await;
                let done = browser.get(&club.refuse(&url, error)).await;
                assert_refused(&mut browser, &done, &path).await;
            }
            // Whoever says no there says no.
            let mut browser = world.browser();
            let (path, _) = begin(&mut browser, &address).await;
            let url = leave(&mut browser, &path, "club").await;
            let done = browser.get(&club.refuse(&url, "access_denied")).await;
            assert_eq!(done.location(), path);
            assert_eq!(browser.get(&path).await.status, StatusCode::FORBIDDEN);

            other.set_down(true);
            let mut browser = world.browser();
            let (path, _) = begin(&mut browser, &address).await;
            let done = choose(&mut browser, &path, "other").await;
            assert_refused(&mut browser, &done, &path).await;
            // One that nobody named is none.
            let (path, _) = begin(&mut browser, &address).await;
            assert_eq!(choose(&mut browser, &path, "evil").await.location(), path);
            assert_eq!(
                choose(&mut browser, &path, &club.issuer).await.location(),
                path
            );
            assert_eq!(rows(&world, "subjects").await, 0);
        },
    )
    .await;
}

#[tokio::test]
async fn cat_385_the_same_address_at_two_providers_is_two_people() {
    with(
        &[("social.toml", SOCIAL)],
        async |world, _, (club, other)| {
            let claims = json!({ "sub": "s", "email": "a@mail.example", "email_verified": true });
            let mut subs = Vec::new();
            for (id, provider) in [("club", &club), ("other", &other)] {
                let mut browser = world.browser();
                let (path, _) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
                let url = leave(&mut browser, &path, id).await;
                let done = browser.get(&provider.sign_in(&url, claims.clone())).await;
                let tokens = world.suite().tokens(&world.suite().code(&done)).await;
                subs.push(tokens.sub().to_owned());
            }
            assert_ne!(subs[0], subs[1]);
            assert_eq!(rows(&world, "subjects").await, 2);
        },
    )
    .await;
}

#[tokio::test]
async fn an_account_elsewhere_is_linked_with_a_card_of_the_same_run() {
    let files = [("social.toml", SOCIAL), ("link.toml", LINK)];
    with(&files, async |world, _, (club, _)| {
        let wallet = world.person("M-1").await;
        let address = world.suite().authorize("openid membership", &[]);
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        assert_eq!(browser.get(&back).await.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "is linked with yours here");
        // The browser may be signed in there as somebody else.
        let url = leave(&mut browser, &path, "club").await;
        assert_eq!(club.asked(&url)["prompt"], "select_account");
        let done = sign_in(&mut browser, &path, &club, json!({ "sub": "s" })).await;
        let card = world.suite().tokens(&world.suite().code(&done)).await;
        assert_eq!(card.claims["acr"], "urn:vouchsafe:acr:vc");
        assert_eq!(card.claims["amr"], json!(["pop", "vp"]));
        assert_eq!(
            (
                rows(&world, "subjects").await,
                rows(&world, "subject_means").await
            ),
            (1, 2)
        );
        let log = vouchsafe_service::audit::page(&world.db, None, None, 10)
            .await
            .unwrap();
        let added = log
            .iter()
            .find(|event| event.action == "means.add")
            .unwrap();
        assert_eq!(added.detail, "upstream");
        // Either leads to the same person.
        let alone = log_in(&world, &mut world.browser(), &club, "s").await;
        assert_eq!(alone.sub(), card.sub());
        assert_eq!(alone.claims["acr"], "urn:vouchsafe:acr:1fa");

        // Somebody else's card beside it, and somebody else's account beside the card: the same page.
        let stranger = world.person("M-2").await;
        log_in(&world, &mut world.browser(), &club, "t").await;
        for (wallet, sub) in [(&stranger, "s"), (&wallet, "t")] {
            let mut browser = world.browser();
            let (path, page) = begin(&mut browser, &address).await;
            let back = wallet.follow(&wallet_link(&page)).await;
            browser.get(&back).await;
            let done = sign_in(&mut browser, &path, &club, json!({ "sub": sub })).await;
            assert_refused(&mut browser, &done, &path).await;
        }
        assert_eq!(rows(&world, "subjects").await, 2);
    })
    .await;
}

/// RFC 10027: whoever relays a code gets no way in that stays.
#[tokio::test]
async fn cat_316_nothing_is_linked_with_a_card_that_was_scanned() {
    with(&[("link.toml", LINK)], async |world, _, (club, _)| {
        let wallet = world.person("M-1").await;
        let mut thief = world.browser();
        let address = world.suite().authorize("openid membership", &[]);
        let (path, _) = begin(&mut thief, &address).await;
        let back = wallet.follow(&qr_link(&mut thief, &path).await).await;
        let number = crate::world::steps::shown_number(&mut world.browser(), &back).await;
        let next = crate::world::steps::type_number(&mut thief, &path, &number).await;
        assert_eq!(next.location(), path);
        let page = thief.get(&path).await;
        assert!(!page.body.contains("is linked with yours"), "{}", page.body);
        let done = sign_in(&mut thief, &path, &club, json!({ "sub": "thief" })).await;
        assert_refused(&mut thief, &done, &path).await;
        assert_eq!(rows(&world, "subject_means").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_account_of_somebody_else_is_an_error_and_never_a_switch() {
    let files = [("social.toml", SOCIAL), ("again.toml", AGAIN)];
    with(&files, async |world, _, (club, _)| {
        let wallet = world.person("M-1").await;
        log_in(&world, &mut world.browser(), &club, "of another").await;
        let spa = world.spa();
        let mut browser = world.browser();
        // The first time the card is shown in the same run, so it is linked.
        let (path, page) = begin(&mut browser, &spa.authorize("openid", &[])).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        browser.get(&back).await;
        let done = sign_in(&mut browser, &path, &club, json!({ "sub": "mine" })).await;
        let mine = spa.tokens(&spa.code(&done)).await;
        let before = browser.cookie("vs_op_session").unwrap().to_owned();
        let means = rows(&world, "subject_means").await;
        // A session alone links nothing, and who it leads to is not told.
        for sub in ["of another", "of nobody"] {
            let (path, _) = begin(&mut browser, &spa.authorize("openid", &[])).await;
            let done = sign_in(&mut browser, &path, &club, json!({ "sub": sub })).await;
            assert_refused(&mut browser, &done, &path).await;
        }
        assert_eq!(browser.cookie("vs_op_session"), Some(before.as_str()));
        assert_eq!(rows(&world, "subject_means").await, means);
        let (path, _) = begin(&mut browser, &spa.authorize("openid", &[])).await;
        let done = sign_in(&mut browser, &path, &club, json!({ "sub": "mine" })).await;
        let again = spa.tokens(&spa.code(&done)).await;
        assert_eq!(again.sub(), mine.sub());
    })
    .await;
}

#[tokio::test]
async fn a_silent_request_shows_no_provider() {
    with(&[("social.toml", SOCIAL)], async |world, _, (club, _)| {
        let silent = world.suite().authorize("openid", &[("prompt", "none")]);
        let answer = world.browser().get(&silent).await;
        assert_eq!(world.suite().error(&answer), "login_required");
        // A level that is not reached is not claimed.
        let essential =
            r#"{"id_token":{"acr":{"essential":true,"values":["urn:vouchsafe:acr:vc"]}}}"#;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[("claims", essential)]);
        let (path, _) = begin(&mut browser, &address).await;
        let done = sign_in(&mut browser, &path, &club, json!({ "sub": "s" })).await;
        assert_eq!(done.location(), path);
        let left = browser.get(&format!("{path}/leave")).await;
        let error = world.suite().error(&left);
        assert_eq!(error, "unmet_authentication_requirements");
        assert_eq!(rows(&world, "subjects").await, 0);
    })
    .await;
}
