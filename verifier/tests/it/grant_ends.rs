//! What an application goes on with ends with the card, with the consent, and by the person's hand,
//! in time and whatever happens at once.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_service::db::{DbError, execute};

use crate::world::browser::Answer;
use crate::world::steps::{begin, rows, same_device, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World, on_each_database, on_sqlite};

const SCOPE: &str = "openid membership offline_access";

fn text(body: &Value, name: &str) -> String {
    body[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {body}"))
        .to_owned()
}

fn assert_refused(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.json(), json!({ "error": "invalid_grant" }));
}

/// A wallet whose membership card ends so many seconds from now.
async fn member_for(world: &World, seconds: i64) -> Wallet {
    let mut wallet = world.wallet();
    let claims = json!({ "member_id": "M-1", "tier": "gold", "valid_until": "2027-12-31" });
    let hidden: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
    let (vct, until) = ("urn:vouchsafe:membership:1", NOW.plus(seconds));
    wallet
        .receive_until(world, &world.issuer, vct, claims, hidden, until)
        .await;
    wallet
}

#[tokio::test]
async fn what_rests_on_a_card_ends_with_it() {
    on_each_database(async |world| {
        let (shop, spa) = (world.shop(), world.spa());
        let wallet = member_for(&world, 7200).await;
        let mut browser = world.browser();
        let answer = same_device(&mut browser, &wallet, &shop.authorize(SCOPE, &[])).await;
        let first = shop.redeem(&shop.code(&answer)).await.json();
        assert_eq!(first["expires_in"], 300);
        // A clock may be a minute slow: so long the card is taken.
        world.clock.advance(7200);
        let quiet = spa.authorize("openid membership", &[("prompt", "none")]);
        let second = shop.refresh(&text(&first, "refresh_token")).await.json();
        assert_eq!(second["expires_in"], 60);
        for name in ["access_token", "refresh_token"] {
            let told = shop.introspect(&text(&second, name)).await;
            assert_eq!(told["exp"], NOW.seconds() + 7260, "{name}");
        }
        world.clock.advance(3600);
        assert_refused(&shop.refresh(&text(&second, "refresh_token")).await);
        let answer = shop.userinfo(&text(&second, "access_token")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        // And so does the session of the browser.
        assert_eq!(spa.error(&browser.get(&quiet).await), "login_required");
    })
    .await;
}

#[tokio::test]
async fn an_access_token_is_said_to_live_as_long_as_it_does() {
    on_each_database(async |world| {
        let shop = world.shop();
        let wallet = member_for(&world, 100).await;
        let address = shop.authorize("openid membership", &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let tokens = shop.redeem(&shop.code(&answer)).await.json();
        assert_eq!(tokens["expires_in"], 160);
        let told = shop.introspect(&text(&tokens, "access_token")).await;
        assert_eq!(told["exp"], NOW.seconds() + 160);
        world.clock.advance(160);
        let answer = shop.userinfo(&text(&tokens, "access_token")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn of_a_withdrawal_and_a_redemption_at_once_nothing_lives_on() {
    on_each_database(async |world| {
        let shop = world.shop();
        let wallet = world.person("M-1").await;
        for round in 0..40_u64 {
            let mut browser = world.browser();
            let (_, page) = begin(&mut browser, &shop.authorize(SCOPE, &[])).await;
            let answer = wallet.answer(&wallet.open(&wallet_link(&page)).await).await;
            let answer = answer.json();
            let code = shop.code(&browser.get(&text(&answer, "redirect_uri")).await);
            let consent = text(&answer, "consent_uri");
            let (redeemed, withdrawn) = tokio::join!(shop.redeem(&code), async {
                // Every order of the two has its turn.
                tokio::time::sleep(Duration::from_micros(round % 20 * 300)).await;
                wallet.withdraw(&consent).await
            });
            assert_eq!(withdrawn.status, StatusCode::NO_CONTENT);
            assert_eq!(rows(&world, "login_sessions").await, 0, "round {round}");
            if redeemed.status == StatusCode::OK {
                let tokens = redeemed.json();
                if let Some(token) = tokens["refresh_token"].as_str() {
                    assert_refused(&shop.refresh(token).await);
                }
            }
            assert_eq!(rows(&world, "access_tokens").await, 0, "round {round}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_person_ends_one_behind_a_hundred_others() {
    on_each_database(async |world| {
        let shop = world.shop();
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let answer = same_device(&mut browser, &wallet, &shop.authorize(SCOPE, &[])).await;
        let tokens = shop.redeem(&shop.code(&answer)).await.json();
        let page = browser.get("/account").await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let row = page.body.find("An app that goes on while you are away").unwrap();
        let end = page.body[row..].split("action=\"").nth(1).unwrap();
        let end = end.split('"').next().unwrap().replace("&#x2f;", "/");
        let newer = world.db.write(async |tx| {
            for n in 0..101 {
                let sql = "INSERT INTO login_sessions (id, cookie_hash, subject_id, auth_time, acr, amr, query_id, created_at, expires_at) \
                     SELECT $1, NULL, subject_id, auth_time + 1, acr, amr, query_id, created_at, expires_at \
                     FROM login_sessions WHERE cookie_hash IS NOT NULL";
                execute!(tx, sqlx::query(sql).bind(format!("newer-{n}")))?;
            }
            Ok::<_, DbError>(())
        });
        newer.await.unwrap();
        // Not with the button of somebody else.
        let other = world.person("M-2").await;
        let mut stranger = world.browser();
        same_device(&mut stranger, &other, &shop.authorize("openid membership", &[])).await;
        let theirs = stranger.get("/account").await;
        let their_csrf = theirs.attribute("name=\"csrf\"", "value").unwrap();
        stranger.post(&end, &[("csrf", &their_csrf)]).await;
        assert_eq!(
            shop.introspect(&text(&tokens, "refresh_token")).await["active"],
            true
        );
        browser.post(&end, &[("csrf", &csrf)]).await;
        assert_refused(&shop.refresh(&text(&tokens, "refresh_token")).await);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_never_was_writes_nothing() {
    on_sqlite(async |world| {
        let shop = world.shop();
        let (refused, gone) = (world.shop(), world.shop());
        // SQLite has one writer: while this one works, another one waits.
        let meanwhile = world.db.write(async move |_| {
            let unknown = "x".repeat(43);
            let both = async {
                let refused = refused.refresh(&unknown).await;
                (refused, gone.revoke(&unknown).await)
            };
            Ok::<_, DbError>(tokio::time::timeout(Duration::from_secs(2), both).await)
        });
        let (refused, gone) = meanwhile.await.unwrap().expect("nobody waits");
        assert_refused(&refused);
        assert_eq!(gone.status, StatusCode::OK);
        // One that was exchanged still names its grant.
        let wallet = world.person("M-1").await;
        let answer = same_device(&mut world.browser(), &wallet, &shop.authorize(SCOPE, &[])).await;
        let first = shop.redeem(&shop.code(&answer)).await.json();
        let second = shop.refresh(&text(&first, "refresh_token")).await.json();
        let answer = shop.revoke(&text(&first, "refresh_token")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_refused(&shop.refresh(&text(&second, "refresh_token")).await);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_comes_again_and_again_is_noticed_once() {
    on_each_database(async |world| {
        let shop = world.shop();
        let wallet = world.person("M-1").await;
        let answer = same_device(&mut world.browser(), &wallet, &shop.authorize(SCOPE, &[])).await;
        let first = shop.redeem(&shop.code(&answer)).await.json();
        let second = shop.refresh(&text(&first, "refresh_token")).await.json();
        for _ in 0..3 {
            assert_refused(&shop.refresh(&text(&first, "refresh_token")).await);
        }
        assert_refused(&shop.refresh(&text(&second, "refresh_token")).await);
        let noticed = "SELECT COUNT(*) FROM refresh_token WHERE failures = 1";
        assert_eq!(world.count(noticed).await, 2);
        let more = "SELECT COUNT(*) FROM refresh_token WHERE failures > 1";
        assert_eq!(world.count(more).await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_record_says_that_the_person_agreed_to_it() {
    on_each_database(async |world| {
        let shop = world.shop();
        let wallet = world.person("M-1").await;
        let agreed = [
            (
                "en",
                "You also agreed that the app goes on while you are away.",
            ),
            ("de", "Sie haben auch zugestimmt, dass die App weitermacht"),
        ];
        for (language, words) in agreed {
            let mut browser = world.browser().speaking(language);
            same_device(
                &mut browser,
                &wallet,
                &shop.authorize("openid membership", &[]),
            )
            .await;
            let before = browser.get("/account").await.body.matches(words).count();
            same_device(&mut browser, &wallet, &shop.authorize(SCOPE, &[])).await;
            let page = browser.get("/account").await;
            assert_eq!(page.body.matches(words).count(), before + 1, "{language}");
        }
        let recorded = "SELECT COUNT(*) FROM consents WHERE offline";
        assert_eq!(world.count(recorded).await, 2);
    })
    .await;
}
