//! Accounts elsewhere that lead to an account here: on its page, and where it moves or ends.

use axum::http::StatusCode;
use serde_json::json;
use vouchsafe_service::db::Db;
use vouchsafe_verifier::config::Settings;
use vouchsafe_verifier::portable::{export, import};
use vouchsafe_verifier::store::MIGRATIONS;

use crate::journeys::{ABROAD, HOME, write};
use crate::portable::{OTHER, SECRET, WORDS};
use crate::upstream::{LINK, SOCIAL, choose, leave, log_in, sign_in, with};
use crate::world::browser::{Answer, Browser};
use crate::world::provider::Provider;
use crate::world::steps::{self, begin, rows, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World};

/// The buttons that remove something, and the token of the page.
fn removals(page: &Answer) -> (String, Vec<String>) {
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let actions = page.body.split("action=\"");
    let actions = actions.filter_map(|part| Some(part.split('"').next()?.replace("&#x2f;", "/")));
    (
        csrf,
        actions
            .filter(|action| action.ends_with("/remove"))
            .collect(),
    )
}

/// Adds a card on the account page; what the browser gets.
async fn add_card(browser: &mut Browser, wallet: &Wallet) -> Answer {
    let page = browser.get("/account").await;
    let (csrf, _) = removals(&page);
    let fields = [("csrf", csrf.as_str()), ("query", "membership")];
    let began = browser.post("/account/means", &fields).await;
    if began.status != StatusCode::SEE_OTHER {
        return began;
    }
    let page = browser.get(&began.location()).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    browser.get(&back).await
}

#[tokio::test]
async fn the_person_stays_who_they_are_when_a_card_is_added() {
    with(&[("social.toml", SOCIAL)], async |world, _, (club, _)| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let first = log_in(&world, &mut browser, &club, "s").await;
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "Account elsewhere");
        page.assert_page(StatusCode::OK, "The Club&#x27;s accounts");
        // Nothing else leads to the account.
        let (csrf, none) = removals(&page);
        assert!(none.is_empty(), "{none:?}");

        world.clock.advance(1);
        let added = add_card(&mut browser, &wallet).await;
        assert_eq!(added.location(), "/account", "{}", added.body);
        let mut with_card = world.browser();
        let shop = world.shop();
        let card = steps::log_in(&mut with_card, &wallet, &shop, "openid membership").await;
        assert_ne!(card.sub(), first.sub(), "two applications");
        assert_eq!(rows(&world, "subjects").await, 1);
        let second = log_in(&world, &mut world.browser(), &club, "s").await;
        assert_eq!(second.sub(), first.sub());

        // Now there is a card, and an account elsewhere changes nothing about what leads here.
        let mut browser = world.browser();
        log_in(&world, &mut browser, &club, "s").await;
        let (csrf_of_other, both) = removals(&browser.get("/account").await);
        assert_eq!(both.len(), 2);
        let refused = browser.post(&both[0], &[("csrf", &csrf_of_other)]).await;
        refused.assert_page(StatusCode::FORBIDDEN, "Show your card first");
        assert_eq!(rows(&world, "subject_means").await, 2);

        // With the card it goes, and who signs in there is somebody new.
        let mut browser = with_card;
        let (csrf_of_card, both) = removals(&browser.get("/account").await);
        let foreign = browser.post(&both[0], &[("csrf", &csrf)]).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        let gone = browser.post(&both[0], &[("csrf", &csrf_of_card)]).await;
        assert_eq!(gone.location(), "/account", "{}", gone.body);
        assert_eq!(rows(&world, "subject_means").await, 1);
        assert_eq!(rows(&world, "login_sessions").await, 1);
        let (_, last) = removals(&browser.get("/account").await);
        assert!(last.is_empty());
        let somebody = log_in(&world, &mut world.browser(), &club, "s").await;
        assert_ne!(somebody.sub(), first.sub());
    })
    .await;
}

#[tokio::test]
async fn an_account_without_a_card_changes_soon_after_it_was_proven_and_not_later() {
    with(&[("social.toml", SOCIAL)], async |world, _, (club, _)| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&world, &mut browser, &club, "s").await;
        world.clock.advance(601);
        let stale = add_card(&mut browser, &wallet).await;
        stale.assert_page(StatusCode::FORBIDDEN, "Show your card first");
        assert_eq!(rows(&world, "subject_means").await, 1);
        // Nor where the person signed in there long before.
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
        let at = NOW.0 + 601;
        let claims = json!({ "sub": "s", "iat": at, "auth_time": NOW.0 - 10 });
        let done = sign_in(&mut browser, &path, &club, claims).await;
        world.suite().code(&done);
        assert_eq!(
            add_card(&mut browser, &wallet).await.status,
            StatusCode::FORBIDDEN
        );
        // Nor where nobody says when.
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
        let claims = json!({ "sub": "s", "iat": at });
        let done = sign_in(&mut browser, &path, &club, claims).await;
        let tokens = world.suite().tokens(&world.suite().code(&done)).await;
        assert_eq!(tokens.claims["auth_time"], at - 86_400);
        assert_eq!(
            add_card(&mut browser, &wallet).await.status,
            StatusCode::FORBIDDEN
        );
    })
    .await;
}

#[tokio::test]
async fn an_unusual_login_asks_for_the_card_where_there_is_one() {
    with(
        &[("social.toml", SOCIAL), ("link.toml", LINK)],
        async |world, _, (club, _)| {
            let login = async |browser: &mut Browser, sub: &str, passed: i64| {
                let (path, _) = begin(browser, &world.suite().authorize("openid", &[])).await;
                let claims = json!({ "sub": sub, "iat": NOW.0 + passed });
                let done = sign_in(browser, &path, &club, claims).await;
                (path, done)
            };
            // Somebody without a card has nothing else to show: it counts, and the risk took part.
            let (_, done) = login(&mut world.browser().from(HOME), "s", 0).await;
            world.suite().code(&done);
            world.tick().await;
            world.clock.advance(5);
            let (_, done) = login(&mut world.browser().from(ABROAD), "s", 5).await;
            let tokens = world.suite().tokens(&world.suite().code(&done)).await;
            assert_eq!(tokens.claims["amr"], json!(["rba"]));
            assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:1fa");

            // With a card the card is asked, and this journey has no step for it.
            let wallet = world.person("M-1").await;
            let mut home = world.browser().from(HOME);
            let address = world.suite().authorize("openid membership", &[]);
            let (path, page) = begin(&mut home, &address).await;
            let back = wallet.follow(&wallet_link(&page)).await;
            home.get(&back).await;
            let claims = json!({ "sub": "t", "iat": NOW.0 + 5 });
            let done = sign_in(&mut home, &path, &club, claims).await;
            world.suite().code(&done);
            world.tick().await;
            world.clock.advance(5);
            let mut abroad = world.browser().from(ABROAD);
            let (path, done) = login(&mut abroad, "t", 10).await;
            assert_eq!(done.location(), path);
            assert_eq!(abroad.get(&path).await.status, StatusCode::FORBIDDEN);
            let (_, done) = login(&mut world.browser().from(HOME), "t", 10).await;
            world.suite().code(&done);
        },
    )
    .await;
}

#[tokio::test]
async fn what_leads_to_an_account_moves_and_ends_with_it() {
    let club = Provider::start().await;
    let folder = tempfile::tempdir().unwrap();
    let journeys = folder.path().join("journeys");
    std::fs::create_dir(&journeys).unwrap();
    let only_club = SOCIAL.replace("\"club\", \"other\"", "\"club\"");
    write(&journeys, &[("social.toml", &only_club)]);
    let (section, dir) = (club.section("club", "Club"), journeys.display().to_string());
    let at = |file: &str, secret: &'static str| {
        let url = format!("sqlite:{}", folder.path().join(file).display());
        let more = format!("{section}\n[journeys]\ndir = \"{dir}\"\n");
        move |toml: String| toml.replace("sqlite:unused", &url).replace(SECRET, secret) + &more
    };
    let open = async |file: &str| {
        let url = format!("sqlite:{}", folder.path().join(file).display());
        let db = Db::open(&url).await.unwrap();
        db.migrate(&[MIGRATIONS], NOW).await.unwrap();
        db
    };
    let mut world = World::with_config(open("a").await, at("a", SECRET)).await;
    let before = log_in(&world, &mut world.browser(), &club, "canary-there").await;
    let file = folder.path().join("export");
    let old = world.configured(at("a", SECRET));
    export(&old, &world.ports(), &file, WORDS).await.unwrap();
    let new = world.configured(at("b", OTHER));
    import(&new, &world.ports(), &file, WORDS).await.unwrap();
    let url = format!("sqlite:{}", folder.path().join("b").display());
    world
        .moves(Db::open(&url).await.unwrap(), at("b", OTHER))
        .await;
    let mut browser = world.browser();
    let (path, _) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
    let claims = json!({ "sub": "canary-there", "auth_time": NOW.0 });
    let done = sign_in(&mut browser, &path, &club, claims).await;
    let after = world.suite().tokens(&world.suite().code(&done)).await;
    assert_eq!(after.sub(), before.sub());
    assert_eq!(rows(&world, "subjects").await, 1);

    // The file of the person names the provider, and not who they are there.
    let export = browser.get("/account/export").await;
    assert_eq!(export.json()["means"][0]["kind"], "upstream");
    assert_eq!(export.json()["means"][0]["issuer"], club.issuer);
    assert!(!export.body.contains("canary-there"));
    let page = browser.get("/account/delete").await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let gone = browser
        .post("/account/delete", &[("csrf", &csrf), ("sure", "yes")])
        .await;
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.body);
    assert_eq!(rows(&world, "subject_means").await, 0);
    let anew = log_in(&world, &mut world.browser(), &club, "canary-there").await;
    assert_ne!(anew.sub(), before.sub());
}

/// A browser is sent away ten times in one login, and a network thirty times in a minute.
#[tokio::test]
async fn nobody_is_sent_away_without_end() {
    with(&[("social.toml", SOCIAL)], async |world, _, (_, _)| {
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, _) = begin(&mut browser, &address).await;
        for _ in 0..10 {
            leave(&mut browser, &path, "club").await;
        }
        assert_eq!(choose(&mut browser, &path, "club").await.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, "The other provider let nobody in");
        // What names no provider is counted, too.
        let (path, page) = begin(&mut browser, &address).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let fields = [("csrf", csrf.as_str()), ("provider", "evil")];
        for _ in 0..1000 {
            let answer = browser.post(&format!("{path}/upstream"), &fields).await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                return;
            }
            assert_eq!(answer.location(), path);
        }
        panic!("a network begins as many as it likes");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_held_stops_the_start() {
    let club = Provider::start().await;
    let folder = tempfile::tempdir().unwrap();
    let journeys = folder.path().join("journeys");
    std::fs::create_dir(&journeys).unwrap();
    let pki = crate::world::pki::Pki::new();
    let parse = |text: &str, sections: &str| {
        write(&journeys, &[("social.toml", text)]);
        let dir = format!("\n[journeys]\ndir = \"{}\"\n", journeys.display());
        let toml = crate::world::toml(&pki) + sections + &dir;
        let settings = Settings::parse(&crate::world::parse(&toml));
        settings.map(drop).map_err(|error| error.to_string())
    };
    let social = SOCIAL.replace("\"club\", \"other\"", "\"club\"");
    let section = club.section("club", "Club");
    parse(&social, &section).unwrap();
    let wait = "kind = \"wait\"\nseconds = 60\nnotify = [\"user\"]\ncancel_link = true\n\n[[step]]\nid = \"in\"";
    let waits = social.replace("id = \"in\"", &format!("id = \"hold\"\n{wait}"));
    let guest = social.replace("clients =", "subject = \"guest\"\nclients =");
    for (text, sections, reason) in [
        (SOCIAL, section.as_str(), "there is no provider `other`"),
        (&waits, &section, "does not wait"),
        (&guest, &section, "`subject` says nobody"),
        (
            &social.replace("[\"club\"]", "[]"),
            &section,
            "`providers` names none",
        ),
        (&social, &section.replace("http://", "ftp://"), "https"),
        (&social, &section.replace("Club", ""), "name"),
        (&social, &section.replace("\"club\"", "\"The club\""), "id"),
        (&social, &(section.clone() + &section), "provider"),
        (
            &social,
            &(section.clone() + &section.replace("\"club\"", "\"again\"")),
            "provider issuer",
        ),
    ] {
        let refused = parse(text, sections).unwrap_err();
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
}
