//! Consents: seen, and taken back, on the account page and by the wallet.

use axum::http::StatusCode;
use serde_json::json;

use crate::world::steps::{begin, log_in, rows, wallet_link};
use crate::world::{World, on_each_database, on_sqlite};

#[tokio::test]
async fn withdrawing_on_the_account_page_ends_the_session_and_tells_the_application() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let tokens = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "The &lt;Shop&gt;");
        page.assert_page(StatusCode::OK, "membership tier, membership valid until");
        assert!(
            !page.body.contains("gold") && !page.body.contains("2027-12-31"),
            "no values on the account page"
        );
        let action = page
            .attribute("/withdraw".replace('/', "&#x2f;").as_str(), "action")
            .unwrap();
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        assert_eq!(
            browser.post(&action, &[("csrf", "x")]).await.status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            browser.post(&action, &[("csrf", &csrf)]).await.location(),
            "/account"
        );
        assert_eq!(rows(&world, "consents").await, 0);
        assert_eq!(rows(&world, "login_sessions").await, 0);
        assert_eq!(
            world.shop().userinfo(&tokens.access_token).await.status,
            StatusCode::UNAUTHORIZED
        );
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 1);
    })
    .await;
}

/// Decision 0005: a wallet that did not ask for it is told what OpenID4VP 1.0, section 8.2, names.
#[tokio::test]
async fn consent_uri_is_for_who_prefers_it() {
    let prefer = [
        ("", false),
        ("consent", false),
        ("respond-async, wait=10", false),
        ("x=\"consent-uri\"", false),
        ("consent-uri", true),
        ("respond-async, Consent-URI; a=b", true),
    ];
    on_each_database(async |world| {
        for (prefer, told) in prefer {
            let wallet = world.person("M-1").await;
            let mut browser = world.browser();
            let (_, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
            let asked = wallet.open(&wallet_link(&page)).await;
            let (address, body) = (asked.request.response_uri(), wallet.response(&asked).await);
            let answer = wallet.post_preferring(address, &body, prefer).await.json();
            let names: Vec<_> = answer.as_object().unwrap().keys().collect();
            match told {
                false => assert_eq!(names, ["redirect_uri"], "{prefer}"),
                true => assert_eq!(names, ["redirect_uri", "consent_uri"], "{prefer}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_wallet_takes_a_consent_back_by_its_address() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (_, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let answer = wallet
            .answer(&wallet.open(&wallet_link(&page)).await)
            .await
            .json();
        let consent = answer["consent_uri"].as_str().unwrap().to_owned();
        let back = browser.get(answer["redirect_uri"].as_str().unwrap()).await;
        let tokens = world.shop().tokens(&world.shop().code(&back)).await;
        assert_eq!(
            wallet.withdraw(&consent).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            world.shop().userinfo(&tokens.access_token).await.status,
            StatusCode::UNAUTHORIZED
        );
        world.tick().await;
        let logouts = world.network.logouts();
        assert_eq!(logouts.len(), 1);
        assert_eq!(
            world.shop().logout_token(&logouts[0].1).await["sid"],
            tokens.sid()
        );
        // Twice is the same as once; a token that nobody gave out is nothing.
        assert_eq!(
            wallet.withdraw(&consent).await.status,
            StatusCode::NO_CONTENT
        );
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 1);
        let other = format!("{}/consents/{}", crate::world::OP, "x".repeat(43));
        assert_eq!(wallet.withdraw(&other).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn a_consent_taken_back_before_the_login_is_finished_stops_it() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, page) = begin(
            &mut browser,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        let answer = wallet
            .answer(&wallet.open(&wallet_link(&page)).await)
            .await
            .json();
        assert_eq!(
            wallet
                .withdraw(answer["consent_uri"].as_str().unwrap())
                .await
                .status,
            StatusCode::NO_CONTENT
        );
        browser
            .get(answer["redirect_uri"].as_str().unwrap())
            .await
            .assert_page(StatusCode::FORBIDDEN, "You withdrew your agreement");
        assert_eq!(
            world
                .shop()
                .error(&browser.get(&format!("{path}/leave")).await),
            "access_denied"
        );
        assert_eq!(
            rows(&world, "subjects").await + rows(&world, "login_sessions").await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_ends_what_belongs_to_somebody_else() {
    on_sqlite(async |world| {
        let mut one = world.browser();
        log_in(
            &mut one,
            &world.person("M-1").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let theirs = one.get("/account").await;
        let withdraw = theirs.attribute("&#x2f;withdraw", "action").unwrap();
        let end = theirs.attribute("&#x2f;end", "action").unwrap();
        let mut two = world.browser();
        log_in(
            &mut two,
            &world.person("M-2").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let csrf = two
            .get("/account")
            .await
            .attribute("name=\"csrf\"", "value")
            .unwrap();
        two.post(&withdraw, &[("csrf", &csrf)]).await;
        two.post(&end, &[("csrf", &csrf)]).await;
        assert_eq!(rows(&world, "consents").await, 2);
        assert_eq!(rows(&world, "login_sessions").await, 2);
        let csrf = theirs.attribute("name=\"csrf\"", "value").unwrap();
        one.post(&end, &[("csrf", &csrf)]).await;
        assert_eq!(rows(&world, "login_sessions").await, 1);
    })
    .await;
}

/// Nobody knows what a type of cards is called but who asks for it.
#[tokio::test]
async fn a_card_is_called_by_its_name_in_the_language_of_the_page() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        for (language, name) in [("en", "Membership card"), ("de", "Mitgliedskarte")] {
            let mut browser = world.browser().speaking(language);
            log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
            let page = browser.get("/account").await;
            page.assert_page(StatusCode::OK, &format!("<bdi>{name}</bdi>"));
            assert!(!page.body.contains("urn:vouchsafe"), "{}", page.body);
        }
    })
    .await;
}

/// Catalogue 460, 470: after logins of both kinds the database holds no claim of a card.
#[tokio::test]
async fn cat_460_the_database_holds_no_claim() {
    let temporary =
        vouchsafe_service::db::testing::sqlite(&[vouchsafe_verifier::store::MIGRATIONS]).await;
    let world = World::new(temporary.db.clone()).await;
    let mut wallet = world.wallet();
    let claims = json!({ "member_id": "canary-member-7391", "tier": "canary-tier-5528", "valid_until": "2027-12-31" });
    let hidden: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
    wallet
        .receive(
            &world,
            &world.issuer,
            "urn:vouchsafe:membership:1",
            claims,
            hidden,
        )
        .await;
    let tokens = log_in(
        &mut world.browser(),
        &wallet,
        &world.shop(),
        "openid membership offline_access",
    )
    .await;
    assert_eq!(rows(&world, "refresh_grants").await, 1);
    assert_eq!(tokens.userinfo["membership_tier"], "canary-tier-5528");
    let file = temporary.url.strip_prefix("sqlite:").unwrap();
    for suffix in ["", "-wal"] {
        let bytes = std::fs::read(format!("{file}{suffix}")).unwrap();
        for canary in [
            "canary-member-7391",
            "canary-tier-5528",
            tokens.access_token.as_str(),
            "M-1",
        ] {
            let found = bytes
                .windows(canary.len())
                .any(|window| window == canary.as_bytes());
            assert!(!found, "{canary} is in the database file{suffix}");
        }
    }
}
