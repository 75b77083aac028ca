//! What is kept of people: what cannot be read, what only a card may say, what they refused, and that
//! all of it is in their file.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_service::db::{execute, testing};
use vouchsafe_verifier::store::MIGRATIONS;

use crate::attributes::{config, csrf, export, say};
use crate::journey_profile::{PROFILE, again, later, member, more, send, stored, third, tokens};
use crate::journeys::{HOME, MEMBER, with_more};
use crate::world::browser::{Answer, Browser};
use crate::world::steps::{log_in, wallet_link};
use crate::world::{World, passkeys};

async fn with(profile: &str, add: &str, test: impl AsyncFn(World)) {
    let files = [("member.toml", MEMBER), ("profile.toml", profile)];
    with_more(&files, add, async |world, _| test(world).await).await;
}

async fn remove(browser: &mut Browser, name: &str) -> Answer {
    let token = csrf(&browser.get("/account").await);
    let path = format!("/account/attributes/{name}/remove");
    browser.post(&path, &[("csrf", &token)]).await
}

/// A key that is lost or a row that somebody touched is no reason to lock its owner out.
#[tokio::test]
async fn what_cannot_be_read_blocks_no_login_and_can_be_deleted() {
    with(PROFILE, &more(), async |world| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        tokens(&world, &again(&world, &mut browser, &wallet).await).await;
        say(&mut browser, "postal_code", "0150").await;
        say(&mut browser, "riding_style", "road").await;
        let broken = "UPDATE account_attributes SET body = $1 WHERE name = 'postal_code'";
        execute!(world.db, sqlx::query(broken).bind(&b"broken"[..])).unwrap();
        tokens(&world, &again(&world, &mut browser, &wallet).await).await;
        // It is not known: the third login asks for it as for what was never said.
        let path = again(&world, &mut browser, &wallet).await.location();
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Postal code en");
        let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
        tokens(&world, &answer).await;
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "that we can no longer read");
        page.assert_page(StatusCode::OK, "Delete: Postal code en");
        page.assert_page(StatusCode::OK, "<bdi>road</bdi>");
        let file = export(&mut browser).await;
        assert_eq!(file["unreadable"], json!(["postal_code"]));
        assert_eq!(file["attributes"].as_array().unwrap().len(), 1);
        assert_eq!(stored(&world).await, 2);
        let removed = remove(&mut browser, "postal_code").await;
        assert_eq!(removed.location(), "/account");
        assert_eq!(stored(&world).await, 1);
        assert_eq!(export(&mut browser).await["unreadable"], json!([]));
    })
    .await;
}

/// What goes wrong where something is to follow a login, and does not pass, takes no login back.
#[tokio::test]
async fn a_question_that_cannot_begin_takes_no_login_back() {
    let asks = PROFILE.replace("user.logins >= 3 && ", "");
    with(&asks, &more(), async |world| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let path = again(&world, &mut browser, &wallet).await.location();
        assert!(path.starts_with("/login/"), "{path}");
        let page = browser.get(&path).await;
        let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
        let first = tokens(&world, &answer).await;
        world
            .execute("ALTER TABLE account_refusals RENAME TO gone")
            .await;
        let answer = again(&world, &mut browser, &wallet).await;
        let second = tokens(&world, &answer).await;
        assert_eq!(second.sub(), first.sub());
    })
    .await;
}

#[tokio::test]
async fn what_only_a_card_may_say_is_not_typed_and_not_taken_away_by_a_stolen_session() {
    let profile = PROFILE
        .replace("\"postal_code\"", "\"tier\"")
        .replace("\"pid_address\"", "\"membership\"");
    let card = "query_claim = \"membership_tier\"";
    let add = more().replacen(card, &format!("{card}\ntyped = false"), 1);
    assert_ne!(add, more());
    with(&profile, &add, async |world| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &wallet).await;
        page.assert_page(StatusCode::OK, "Only a card can say this.");
        assert!(!page.body.contains("value-tier"), "{}", page.body);
        let typed = [("value-tier", "mine"), ("agree", "yes")];
        let refused = send(&mut browser, (&path, &page), &typed).await;
        refused.assert_page(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Only a card can say this.",
        );
        send(&mut browser, (&path, &page), &[("wallet", "tier")]).await;
        let page = browser.get(&path).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        browser.get(&back).await;
        let page = browser.get(&path).await;
        let answer = send(&mut browser, (&path, &page), &[("card", "keep")]).await;
        tokens(&world, &answer).await;
        let one = export(&mut browser).await["attributes"][0].clone();
        assert_eq!(
            (&one["value"], &one["source"]),
            (&json!("gold"), &json!("wallet"))
        );
        let page = browser.get("/account").await;
        assert!(!page.body.contains("Correct: Tier"), "{}", page.body);
        let said = say(&mut browser, "tier", "mine").await;
        assert_eq!(said.status, StatusCode::FORBIDDEN);
        // What a card said goes as a card goes.
        later(&world, 601).await;
        let stale = remove(&mut browser, "tier").await;
        stale.assert_page(StatusCode::FORBIDDEN, "Show your card first");
        assert_eq!(stored(&world).await, 1);
        let answer = again(&world, &mut browser, &wallet).await;
        let answer = match answer.location() {
            path if path.starts_with("/login/") => {
                let page = browser.get(&path).await;
                send(&mut browser, (&path, &page), &[("skip", "1")]).await
            }
            _ => answer,
        };
        tokens(&world, &answer).await;
        assert_eq!(remove(&mut browser, "tier").await.location(), "/account");
        assert_eq!(stored(&world).await, 0);
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "Only a card can say this.");
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_kept_as_long_as_it_counts() {
    for (days, kept) in [(30, [1, 0, 0]), (60, [1, 1, 0])] {
        let profile = PROFILE.replace("cooldown_days = 30", &format!("cooldown_days = {days}"));
        with(&profile, &more(), async |world| {
            let wallet = member(&world, "M-1").await;
            let mut browser = world.browser().from(HOME);
            let (path, page) = third(&world, &mut browser, &wallet).await;
            let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
            tokens(&world, &answer).await;
            for (kept, later_s) in kept.into_iter().zip([29, 2, 30]) {
                later(&world, later_s * 86_400).await;
                world.tick().await;
                let refused = world.count("SELECT COUNT(*) FROM account_refusals").await;
                assert_eq!(refused, kept, "after {later_s} days more, of {days}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_said_is_refused_no_more() {
    with(PROFILE, &more(), async |world| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &wallet).await;
        let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
        tokens(&world, &answer).await;
        say(&mut browser, "riding_style", "road").await;
        let file = export(&mut browser).await;
        assert_eq!(file["refused"][0]["name"], "postal_code");
        say(&mut browser, "postal_code", "0150").await;
        assert_eq!(export(&mut browser).await["refused"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_file_of_an_account_has_all_notices_cards_and_the_language() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let world = World::with_config(db, |toml| toml + &config() + passkeys::ON).await;
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        log_in(&mut world.browser(), &wallet, &shop, "openid membership").await;
        // The account of the card is one that the organisation knew.
        let table = &b"external_id,locale\nC-1,de\n"[..];
        world.verifier.import_accounts(table).await.unwrap();
        let moved =
            "UPDATE subject_means SET subject_id = (SELECT subject_id FROM account_identifiers)";
        world.execute(moved).await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &shop, "openid membership").await;
        for n in 0..120 {
            let notice = "INSERT INTO account_notices (id, subject_id, kind, client_id, reference, told_at) \
                 SELECT $1, subject_id, 'step', 'shop', 'x', 1 FROM account_identifiers";
            let id = format!("notice-{n:03}");
            execute!(world.db, sqlx::query(notice).bind(id)).unwrap();
        }
        let file = export(&mut browser).await;
        assert_eq!(file["notices"].as_array().unwrap().len(), 120);
        assert_eq!(file["account"]["external_id"], "C-1");
        assert_eq!(file["account"]["locale"], "de");
        let card = &file["cards"][0];
        assert_eq!(card["question"], "membership");
        assert_eq!(card["type"], "urn:vouchsafe:membership:1");
        assert!(card["shown_at"].is_i64() && card["issuer"].is_string(), "{card}");
        let left_out = file["left_out"].as_array().unwrap();
        assert!(left_out.contains(&Value::from("risk_logins.features")));
        assert!(!file.to_string().contains("mac\":"), "no hash is in it");
    })
    .await;
}
