//! The way through a login on the same device.

use axum::http::StatusCode;
use serde_json::json;

use crate::world::steps::{begin, log_in, rows, same_device, wallet_link};
use crate::world::{on_each_database, on_sqlite};

#[tokio::test]
async fn age_tells_one_boolean_and_leaves_no_account() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let tokens = log_in(&mut world.browser(), &wallet, &world.shop(), "openid age").await;
        assert_eq!(
            tokens.userinfo,
            json!({ "sub": tokens.sub(), "age_over_18": true })
        );
        assert_eq!(tokens.claims["age_over_18"], true);
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        assert_eq!(tokens.claims["amr"], json!(["pop", "vp"]));
        assert_eq!(tokens.claims["auth_time"], crate::world::NOW.seconds());
        let mut names: Vec<&String> = tokens.claims.as_object().unwrap().keys().collect();
        names.sort();
        let expected = [
            "acr",
            "age_over_18",
            "amr",
            "at_hash",
            "aud",
            "auth_time",
            "exp",
            "iat",
            "iss",
            "nonce",
            "sid",
            "sub",
        ];
        assert_eq!(names, expected);
        assert_eq!(rows(&world, "subjects").await, 0);
        assert_eq!(rows(&world, "subject_means").await, 0);
        assert_eq!(rows(&world, "consents").await, 1);
    })
    .await;
}

#[tokio::test]
async fn membership_tells_the_tier_in_userinfo_only() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let tokens = log_in(&mut world.browser(), &wallet, &world.shop(), "openid membership").await;
        let expected = json!({ "sub": tokens.sub(), "membership_tier": "gold", "membership_valid_until": "2027-12-31" });
        assert_eq!(tokens.userinfo, expected);
        assert!(tokens.claims.get("membership_tier").is_none());
        assert_eq!(rows(&world, "subjects").await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_page_says_who_asks_why_and_what_for() {
    on_sqlite(async |world| {
        let (path, page) = begin(
            &mut world.browser(),
            &world.shop().authorize("openid age", &[]),
        )
        .await;
        // Catalogue 383: the name of the application is text, whatever is in it.
        page.assert_page(StatusCode::OK, "The &lt;Shop&gt;");
        page.assert_page(StatusCode::OK, "That you are 18 or older");
        page.assert_page(StatusCode::OK, "Buy wine: are you 18 or older?");
        assert!(
            page.body
                .contains(&format!("{path}/qr").replace('/', "&#x2f;")),
            "{}",
            page.body
        );
        let (_, german) = begin(
            &mut world.browser().speaking("de-AT"),
            &world.shop().authorize("openid age", &[]),
        )
        .await;
        german.assert_page(StatusCode::OK, "Wein kaufen: Sind Sie 18 oder älter?");
        let asked = world
            .shop()
            .authorize("openid age", &[("ui_locales", "de")]);
        let (_, german) = begin(&mut world.browser(), &asked).await;
        german.assert_page(StatusCode::OK, "lang=\"de\"");
    })
    .await;
}

/// OpenID Connect Discovery 1.0, section 3: `ui_locales_supported` names what is spoken, no more.
#[tokio::test]
async fn each_language_that_discovery_names_is_spoken() {
    on_sqlite(async |world| {
        let document = world
            .browser()
            .get("/.well-known/openid-configuration")
            .await
            .json();
        let named = &document["ui_locales_supported"];
        assert_eq!(*named, json!(["en", "de", "fr", "es", "it", "ar"]));
        for (asked, lang, dir, words) in [
            ("en", "en", "ltr", "Show my card"),
            ("de", "de", "ltr", "Meine Karte zeigen"),
            ("fr", "fr", "ltr", "Montrer ma carte"),
            ("es", "es", "ltr", "Mostrar mi tarjeta"),
            ("it", "it", "ltr", "Mostra la mia carta"),
            ("ar", "ar", "rtl", "أظهِر بطاقتي"),
            ("fr-CA", "fr", "ltr", "Montrer ma carte"),
            ("pt ar-EG", "ar", "rtl", "أظهِر بطاقتي"),
            ("pt", "en", "ltr", "Show my card"),
        ] {
            let address = world
                .shop()
                .authorize("openid age", &[("ui_locales", asked)]);
            let (path, page) = begin(&mut world.browser(), &address).await;
            let start = format!("<html lang=\"{lang}\" dir=\"{dir}\">");
            page.assert_page(StatusCode::OK, &start);
            assert!(
                page.body.contains(words),
                "{asked} at {path}: {}",
                page.body
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_login_of_another_browser_does_not_exist() {
    on_sqlite(async |world| {
        let (path, _) = begin(
            &mut world.browser(),
            &world.shop().authorize("openid age", &[]),
        )
        .await;
        for address in [
            path.clone(),
            format!("{path}/qr"),
            format!("{path}/events?view=choose"),
            format!("{path}/leave"),
            format!("{path}/again"),
        ] {
            world
                .browser()
                .get(&address)
                .await
                .assert_page(StatusCode::NOT_FOUND, "There is no login here");
        }
    })
    .await;
}

#[tokio::test]
async fn cat_316_same_device_answer_in_another_browser_logs_nobody_in() {
    on_each_database(async |world| {
        // The attacker starts the login and sends the link to the victim.
        let mut attacker = world.browser();
        let (path, page) = begin(
            &mut attacker,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        let victim = world.person("M-victim").await;
        let back = victim.follow(&wallet_link(&page)).await;
        let page = world.browser().get(&back).await;
        page.assert_page(StatusCode::FORBIDDEN, "This login began in another browser");
        assert!(
            !page.body.contains("leave"),
            "another browser gets no link back"
        );
        // The attacker gets nothing: not by waiting, and not with the code of the address.
        attacker
            .get(&path)
            .await
            .assert_page(StatusCode::FORBIDDEN, "This login began in another browser");
        attacker
            .get(&back)
            .await
            .assert_page(StatusCode::NOT_FOUND, "There is no login here");
        let left = attacker.get(&format!("{path}/leave")).await;
        assert_eq!(world.shop().error(&left), "access_denied");
        assert_eq!(rows(&world, "subjects").await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_314_a_response_code_works_once_and_for_a_minute() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (_, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let first = browser.get(&back).await;
        world.shop().code(&first);
        browser
            .get(&back)
            .await
            .assert_page(StatusCode::FORBIDDEN, "This login has to begin again");
        let mut other = world.browser();
        let page = other.get(&back).await;
        page.assert_page(StatusCode::NOT_FOUND, "There is no login here");

        let (_, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        world.clock.advance(61);
        browser
            .get(&back)
            .await
            .assert_page(StatusCode::NOT_FOUND, "There is no login here");
    })
    .await;
}

#[tokio::test]
async fn cat_319_a_request_may_be_fetched_twice_and_by_get_or_post() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let (_, page) = begin(
            &mut world.browser(),
            &world.shop().authorize("openid age", &[]),
        )
        .await;
        let link = wallet_link(&page);
        let first = wallet.open_by_get(&link).await;
        for again in [
            wallet.open(&link).await,
            wallet.open_by_get(&link).await,
            wallet.open(&link).await,
        ] {
            let again = again.request;
            assert_eq!(first.request.nonce().as_str(), again.nonce().as_str());
            assert_eq!(first.request.response_uri(), again.response_uri());
        }
        let last = wallet.open_by_get(&link).await;
        assert_eq!(wallet.answer(&last).await.status, StatusCode::OK);
        // Once answered there is nothing left to fetch.
        assert_eq!(wallet.fetch(&link).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn a_login_ends_after_five_minutes() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let body = wallet.response(&asked).await;
        world.clock.advance(301);
        let late = wallet.post(&asked.request, &body).await;
        assert_eq!(late.status, StatusCode::BAD_REQUEST);
        assert_eq!(late.json()["reason"], "unknown_request");
        browser
            .get(&path)
            .await
            .assert_page(StatusCode::FORBIDDEN, "This took too long");
        assert_eq!(
            world
                .shop()
                .error(&browser.get(&format!("{path}/leave")).await),
            "access_denied"
        );
    })
    .await;
}

#[tokio::test]
async fn not_now_tells_the_application_and_changes_nothing_else() {
    on_sqlite(async |world| {
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let foreign = browser
            .post(&format!("{path}/cancel"), &[("csrf", "x")])
            .await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        let answer = browser
            .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
            .await;
        assert_eq!(world.shop().error(&answer), "access_denied");
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_failed_login_can_be_started_again() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let declined = crate::world::browser::form(&[
            ("error", "access_denied"),
            ("state", asked.request.state().unwrap().as_str()),
        ]);
        let answer = wallet.post(&asked.request, &declined).await;
        assert_eq!(answer.status, StatusCode::OK);
        let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
        browser
            .get(&back)
            .await
            .assert_page(StatusCode::FORBIDDEN, "You did not show your card");
        let again = browser.get(&format!("{path}/again")).await.location();
        assert_ne!(again, path);
        let page = browser.get(&again).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        world.shop().tokens(&world.shop().code(&answer)).await;
    })
    .await;
}

#[tokio::test]
async fn form_post_carries_the_answer_in_a_form() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let address = world.shop().authorize(
            "openid age",
            &[("response_mode", "form_post"), ("state", "a\"><script>b")],
        );
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        // Catalogue 355: escaped, and to the registered address.
        answer.assert_page(StatusCode::OK, "data-submit");
        assert!(!answer.body.contains("<script>b"));
        assert_eq!(
            answer.attribute("data-submit", "action").as_deref(),
            Some("http://127.0.0.1:9000/cb")
        );
        assert_eq!(
            answer.attribute("name=\"iss\"", "value").as_deref(),
            Some(crate::world::OP)
        );
        assert_eq!(
            answer.attribute("name=\"state\"", "value").as_deref(),
            Some("a\"><script>b")
        );
        let code = answer.attribute("name=\"code\"", "value").unwrap();
        assert_eq!(world.shop().redeem(&code).await.status, StatusCode::OK);
    })
    .await;
}
