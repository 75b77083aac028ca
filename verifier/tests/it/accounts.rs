//! Which account is this: said and proven, added in a session, known to the organisation before.

use std::time::Instant;

use axum::http::StatusCode;
use vouchsafe_verifier::{AccountsError, RowError};

use crate::world::World;
use crate::world::browser::{Answer, Browser};
use crate::world::rp::{RelyingParty, Tokens};
use crate::world::steps::{begin, log_in, rows, same_device, wallet_link};
use crate::world::wallet::Wallet;
use vouchsafe_service::audit;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

pub const QUERIES: &str = r#"
[[query]]
id = "asserted"
scope = "asserted"
dcql = '''{"credentials":[{"id":"card","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]}]}]}'''
purpose = { en = "Log in with your number" }
subject = { strategy = "asserted_lookup", claim = "member_id" }

[[query]]
id = "bound"
scope = "bound"
dcql = '''{"credentials":[{"id":"card","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]}]}]}'''
purpose = { en = "Log in with a card that you added" }
subject = { strategy = "session_binding", claim = "member_id" }

[[client]]
id = "portal"
name = "The Portal"
secret = "portal-secret-0123456789"
redirect_uris = ["http://127.0.0.1:9000/portal"]
scopes = ["asserted", "bound", "membership"]
external_id = true

[[client]]
id = "desk"
name = "The Desk"
secret = "desk-secret-0123456789"
redirect_uris = ["http://127.0.0.1:9000/desk"]
scopes = ["asserted", "bound"]
"#;

async fn on_each(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + QUERIES).await).await;
    })
    .await;
}

fn portal(world: &World) -> RelyingParty {
    let uri = "http://127.0.0.1:9000/portal";
    RelyingParty::new(
        world.router(),
        "portal",
        Some("portal-secret-0123456789"),
        uri,
    )
}

pub fn desk(world: &World) -> RelyingParty {
    let uri = "http://127.0.0.1:9000/desk";
    RelyingParty::new(world.router(), "desk", Some("desk-secret-0123456789"), uri)
}

/// A wallet with the card of a member of another club.
async fn other_card(world: &World, member_id: &str) -> Wallet {
    let mut wallet = world.wallet();
    wallet
        .receive_membership_of(world, &world.other_issuer, member_id)
        .await;
    wallet
}

/// Shows a card to a login that waits, as a wallet does, and goes where that leads.
async fn show(browser: &mut Browser, wallet: &Wallet, path: &str) -> (StatusCode, Answer) {
    let page = browser.get(path).await;
    let asked = wallet.open(&wallet_link(&page)).await;
    let answer = wallet.answer(&asked).await;
    let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
    (answer.status, browser.get(&back).await)
}

/// Begins to add a card on the account page; the path of its login.
async fn begin_adding(browser: &mut Browser) -> String {
    let page = browser.get("/account").await;
    page.assert_page(StatusCode::OK, "Add another card: Log in as a member");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let fields = [("csrf", csrf.as_str()), ("query", "membership")];
    let began = browser.post("/account/means", &fields).await;
    assert_eq!(began.status, StatusCode::SEE_OTHER, "{}", began.body);
    began.location()
}

async fn add(browser: &mut Browser, wallet: &Wallet) -> Answer {
    let path = begin_adding(browser).await;
    show(browser, wallet, &path).await.1
}

/// Says who one is; the page that follows.
pub async fn identify(browser: &mut Browser, path: &str, who: &str) -> Answer {
    let page = browser.get(path).await;
    page.assert_page(StatusCode::OK, "Who are you?");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let fields = [("csrf", csrf.as_str()), ("identifier", who)];
    let next = browser.post(&format!("{path}/identify"), &fields).await;
    assert_eq!(next.location(), path);
    browser.get(path).await
}

/// Adds a card through an invitation.
pub async fn invited(world: &World, wallet: &Wallet, external_id: &str) -> Answer {
    let link = world.verifier.invite(external_id, 3600).await.unwrap();
    let mut browser = world.browser();
    let page = browser.get(&link).await;
    page.assert_page(StatusCode::OK, "Add a card to your account");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let code = page.attribute("name=\"code\"", "value").unwrap();
    let fields = [("csrf", &*csrf), ("code", &*code), ("query", "membership")];
    let began = browser.post("/account/link", &fields).await;
    assert_eq!(began.status, StatusCode::SEE_OTHER, "{}", began.body);
    show(&mut browser, wallet, &began.location()).await.1
}

pub async fn import(world: &World, table: &str) -> vouchsafe_verifier::ImportedAccounts {
    world
        .verifier
        .import_accounts(table.as_bytes())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_second_card_leads_to_the_same_person() {
    on_each(async |world| {
        let (wallet, other) = (world.person("M-1").await, other_card(&world, "R-9").await);
        let shop = world.shop();
        let mut browser = world.browser();
        let first = log_in(&mut browser, &wallet, &shop, "openid membership").await;
        world.clock.advance(1);
        let added = add(&mut browser, &other).await;
        assert_eq!(added.location(), "/account", "{}", added.body);
        let second = log_in(&mut world.browser(), &other, &shop, "openid membership").await;
        assert_eq!(first.sub(), second.sub());
        assert_eq!(rows(&world, "subjects").await, 1);
        assert_eq!(rows(&world, "subject_means").await, 2);
        // Nobody agreed to anything with anybody by it.
        assert_eq!(rows(&world, "consents").await, 2);
        // Twice changes nothing.
        assert_eq!(add(&mut browser, &other).await.location(), "/account");
        assert_eq!(rows(&world, "subject_means").await, 2);

        // Taken away, it leads to nobody any more; the last one stays.
        let page = browser.get("/account").await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let removals: Vec<String> = page
            .body
            .split("action=\"")
            .filter_map(|part| Some(part.split('"').next()?.replace("&#x2f;", "/")))
            .filter(|action| action.ends_with("/remove"))
            .collect();
        assert_eq!(removals.len(), 2);
        let foreign = browser.post(&removals[1], &[("csrf", "x")]).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        for removal in [&removals[1], &removals[0]] {
            let done = browser.post(removal, &[("csrf", &csrf)]).await;
            assert_eq!(done.location(), "/account");
            assert_eq!(rows(&world, "subject_means").await, 1);
        }
        // One was taken away: the audit log says which, by whom, and nothing else.
        let log = audit::page(&world.db, None, None, 10).await.unwrap();
        let removed: Vec<_> = log.iter().filter(|e| e.action == "means.remove").collect();
        assert_eq!(removed.len(), 1);
        assert!(
            removals[1].contains(&removed[0].target),
            "{}",
            removed[0].target
        );
        assert!(
            removed[0].actor.starts_with("subject:"),
            "{}",
            removed[0].actor
        );
        assert_eq!(removed[0].detail, "");
        let again = log_in(&mut world.browser(), &wallet, &shop, "openid membership").await;
        assert_eq!(again.sub(), first.sub());
        let new = log_in(&mut world.browser(), &other, &shop, "openid membership").await;
        assert_ne!(new.sub(), first.sub());
    })
    .await;
}

#[tokio::test]
async fn cat_385_a_card_of_somebody_else_is_not_added_and_nobody_is_switched() {
    on_each(async |world| {
        let (one, two) = (world.person("M-1").await, world.person("M-2").await);
        let shop = world.shop();
        let mut browser = world.browser();
        let first = log_in(&mut browser, &one, &shop, "openid membership").await;
        let other = log_in(&mut world.browser(), &two, &shop, "openid membership").await;
        // The same words as for every card that does not fit.
        let refused = add(&mut browser, &two).await;
        refused.assert_page(StatusCode::FORBIDDEN, "Card and account do not match");
        assert_eq!(rows(&world, "subject_means").await, 2);
        let still = log_in(&mut world.browser(), &two, &shop, "openid membership").await;
        assert_eq!(still.sub(), other.sub());

        // Somebody else logs in to this browser before the card is shown.
        let path = begin_adding(&mut browser).await;
        let fields = [("prompt", "select_account")];
        let address = shop.authorize("openid membership", &fields);
        same_device(&mut browser, &two, &address).await;
        let new = other_card(&world, "R-1").await;
        let (_, refused) = show(&mut browser, &new, &path).await;
        let words = "This card belongs to another account";
        refused.assert_page(StatusCode::FORBIDDEN, words);
        assert_eq!(rows(&world, "subject_means").await, 2);
        // Whoever is not logged in adds nothing.
        let nobody = world.browser().post("/account/means", &[]).await;
        assert_eq!(nobody.status, StatusCode::FORBIDDEN);
        assert_ne!(first.sub(), other.sub());
    })
    .await;
}

#[tokio::test]
async fn accounts_come_from_a_table_and_the_first_card_by_a_link() {
    on_each(async |world| {
        let table =
            "external_id,locale\nC-1,de\nC-2,\n,en\n\"C\n3\",en\nC-4,xx\nC-5,fr,more\nC-1,fr\n";
        let done = import(&world, table).await;
        assert_eq!((done.new, done.known), (2, 1));
        let refused: Vec<(u64, &str)> = (done.refused.iter())
            .map(|RowError { line, code }| (*line, *code))
            .collect();
        let codes: Vec<&str> = refused.iter().map(|(_, code)| *code).collect();
        let expected = [
            "external_id_missing",
            "external_id_unusable",
            "locale_unknown",
            "not_csv",
        ];
        assert_eq!(codes, expected, "{refused:?}");
        // A second time nothing changes.
        let again = import(&world, table).await;
        assert_eq!((again.new, again.known), (0, 3));
        assert_eq!(rows(&world, "subjects").await, 2);
        let columns = world.verifier.import_accounts(&b"email\na@b\n"[..]).await;
        assert!(matches!(columns, Err(AccountsError::Columns)));
        let unknown = world.verifier.invite("C-9", 60).await;
        assert!(matches!(unknown, Err(AccountsError::Unknown)));

        let wallet = world.person("M-1").await;
        let added = invited(&world, &wallet, "C-1").await;
        added.assert_page(StatusCode::OK, "Your card was added");
        let tokens = log_in(
            &mut world.browser(),
            &wallet,
            &portal(&world),
            "openid bound",
        )
        .await;
        assert_eq!(tokens.userinfo["external_id"], "C-1");
        assert!(tokens.claims.get("external_id").is_none());
        // Only to whom the operator lets it go.
        let other = log_in(&mut world.browser(), &wallet, &desk(&world), "openid bound").await;
        assert!(other.userinfo.get("external_id").is_none());
        assert_eq!(rows(&world, "subjects").await, 2);
        // The card belongs to C-1 now, and a used link to nobody.
        let taken = invited(&world, &wallet, "C-2").await;
        taken.assert_page(StatusCode::FORBIDDEN, "Card and account do not match");
    })
    .await;
}

#[tokio::test]
async fn a_link_works_once_and_for_a_while() {
    on_each(async |world| {
        import(&world, "external_id\nC-1\n").await;
        let link = world.verifier.invite("C-1", 3600).await.unwrap();
        let newer = world.verifier.invite("C-1", 3600).await.unwrap();
        let over = "This link is not good any more";
        let page = world.browser().get(&link).await;
        page.assert_page(StatusCode::NOT_FOUND, over);
        let (wallet, late) = (world.person("M-1").await, other_card(&world, "R-1").await);
        // Two browsers open it; one gets through.
        let mut paths = Vec::new();
        for _ in 0..2 {
            let mut browser = world.browser();
            let page = browser.get(&newer).await;
            let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
            let code = page.attribute("name=\"code\"", "value").unwrap();
            let fields = [("csrf", &*csrf), ("code", &*code), ("query", "membership")];
            let began = browser.post("/account/link", &fields).await;
            paths.push((browser, began.location()));
        }
        let (mut browser, path) = paths.remove(0);
        let (_, added) = show(&mut browser, &wallet, &path).await;
        added.assert_page(StatusCode::OK, "Your card was added");
        let (mut browser, path) = paths.remove(0);
        let (_, refused) = show(&mut browser, &late, &path).await;
        refused.assert_page(StatusCode::FORBIDDEN, over);
        assert_eq!(rows(&world, "subject_means").await, 1);
        let link = world.verifier.invite("C-1", 60).await.unwrap();
        world.clock.advance(61);
        let page = world.browser().get(&link).await;
        page.assert_page(StatusCode::NOT_FOUND, over);
    })
    .await;
}

#[tokio::test]
async fn a_card_that_nobody_added_makes_no_account() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let address = portal(&world).authorize("openid bound", &[]);
        let refused = same_device(&mut world.browser(), &wallet, &address).await;
        let words = "This card does not lead to an account yet";
        refused.assert_page(StatusCode::FORBIDDEN, words);
        assert_eq!(rows(&world, "subjects").await, 0);
    })
    .await;
}

/// login.md, section 2, checks (a) and (c).
#[tokio::test]
async fn cat_385_who_is_named_is_proven_and_every_refusal_is_the_same() {
    on_each(async |world| {
        import(&world, "external_id\nC-1\nC-2\n").await;
        let (one, two) = (world.person("M-1").await, world.person("M-2").await);
        invited(&world, &one, "C-1").await;
        invited(&world, &two, "C-2").await;
        let portal = portal(&world);
        let address = portal.authorize("openid asserted", &[]);
        let login = async |wallet: &Wallet, who: &str| -> Tokens {
            let mut browser = world.browser();
            let path = browser.get(&address).await.location();
            identify(&mut browser, &path, who).await;
            let (_, answer) = show(&mut browser, wallet, &path).await;
            portal.tokens(&portal.code(&answer)).await
        };
        let first = login(&one, " C-1 ").await;
        assert_eq!(first.userinfo["external_id"], "C-1");
        // A new phone with a new card.
        let renewed = world.person("M-1").await;
        assert_eq!(login(&renewed, "C-1").await.sub(), first.sub());
        assert_ne!(login(&two, "C-2").await.sub(), first.sub());

        let rival = other_card(&world, "M-1").await;
        let refuse = async |wallet: &Wallet, who: &str, forged: bool| {
            let mut browser = world.browser();
            let path = browser.get(&address).await.location();
            let page = identify(&mut browser, &path, who).await;
            let asked = wallet.open(&wallet_link(&page)).await;
            let began = Instant::now();
            let answer = match forged {
                false => wallet.answer(&asked).await,
                true => {
                    let (audience, nonce) = (asked.request.client_id(), "another-nonce");
                    let paths: &[&[&str]] = &[&["member_id"]];
                    let shown = wallet.present(paths, audience.as_str(), nonce).await;
                    let payload = Wallet::payload(&asked, "card", &shown);
                    let body = wallet.encrypt(&asked, &payload);
                    wallet.post(&asked.request, &body).await
                }
            };
            let took = began.elapsed();
            assert!(took.as_millis() >= 250, "{took:?}");
            let told = answer.json();
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            let back = told["redirect_uri"].as_str().unwrap();
            let page = browser.get(back).await;
            let id = path.trim_start_matches("/login/");
            let page = page.body.replace(id, "ID").replace(&id[..8], "REF");
            let names: Vec<String> = told.as_object().unwrap().keys().cloned().collect();
            (told["reason"].clone(), told["error"].clone(), names, page)
        };
        let wrong = refuse(&two, "C-1", false).await;
        assert_eq!(wrong.0, "unmatched");
        assert!(wrong.3.contains("Card and account do not match"));
        for (wallet, who, forged) in [
            (&two, "nobody-has-this", false),
            (&two, "C-1", true),
            (&two, "nobody-has-this", true),
            (&rival, "C-1", false),
        ] {
            assert_eq!(refuse(wallet, who, forged).await, wrong, "{who} {forged}");
        }
        // Nor did any of it make an account.
        assert_eq!(rows(&world, "subjects").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_hint_of_the_application_names_the_account_and_proves_nothing() {
    on_each(async |world| {
        import(&world, "external_id\nC-1\n").await;
        let wallet = world.person("M-1").await;
        invited(&world, &wallet, "C-1").await;
        let portal = portal(&world);
        let hinted = portal.authorize("openid asserted", &[("login_hint", "C-1")]);
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &hinted).await;
        assert!(!page.body.contains("C-1"), "the hint is not shown");
        let (_, answer) = show(&mut browser, &wallet, &path).await;
        portal.code(&answer);
        // Without one nobody is named, and a question that is found by its address proves nobody.
        let mut browser = world.browser();
        let address = portal.authorize("openid asserted", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "Who are you?");
        assert!(page.attribute("id=\"show-card\"", "href").is_none());
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        for (csrf, who, status) in [
            ("x", "C-1", StatusCode::FORBIDDEN),
            (&csrf, "  ", StatusCode::OK),
            (&csrf, &"x".repeat(300), StatusCode::OK),
        ] {
            let fields = [("csrf", csrf), ("identifier", who)];
            let page = browser.post(&format!("{path}/identify"), &fields).await;
            assert_eq!(page.status, status, "{}", page.body);
        }
    })
    .await;
}

#[tokio::test]
async fn an_application_learns_the_id_only_if_the_page_said_so() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let before = QUERIES.replace("external_id = true\n", "");
        let mut world = World::with_config(db, |toml| toml + &before).await;
        import(&world, "external_id\nC-1\n").await;
        let wallet = world.person("M-1").await;
        invited(&world, &wallet, "C-1").await;
        let mut browser = world.browser();
        let address = portal(&world).authorize("openid bound", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        let asked_for = wallet.open(&wallet_link(&page)).await;
        let answer = wallet.answer(&asked_for).await.json();
        world.restart(|toml| toml + QUERIES).await;
        let mut browser = browser.at(world.router());
        let back = browser.get(answer["redirect_uri"].as_str().unwrap()).await;
        let tokens = portal(&world).tokens(&portal(&world).code(&back)).await;
        assert!(tokens.userinfo.get("external_id").is_none());
    })
    .await;
}
