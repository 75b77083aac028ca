//! Pages with the numbers: for whoever has a key, without a script, in every language.

use axum::http::StatusCode;

use crate::journeys::{AGE, MEMBER, with_more};
use crate::numbers::play;
use crate::world::browser::{Answer, Browser};
use crate::world::{World, on_sqlite, with_config};

pub async fn enter(browser: &mut Browser, key: &str) -> Answer {
    let page = browser.get("/admin").await;
    page.assert_page(StatusCode::OK, "id=\"key\"");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let fields = [("csrf", csrf.as_str()), ("key", key)];
    browser.post("/admin/sign-in", &fields).await
}

pub async fn key(world: &World) -> (String, String) {
    let scopes = ["numbers:read".to_owned()];
    let made = world.verifier.create_api_key("dashboard", &scopes).await;
    let made = made.unwrap();
    (made.id, made.key)
}

/// The text of an element.
pub fn shown(page: &Answer, id: &str) -> String {
    let rest = page.body.split(&format!("id=\"{id}\">")).nth(1).unwrap();
    let inner = rest.split("</dd>").next().unwrap();
    let inner = inner.replace("<bdi>", "").replace("</bdi>", "");
    inner.trim().to_owned()
}

#[tokio::test]
async fn the_pages_show_what_was_played() {
    let files = [("age.toml", AGE), ("member.toml", MEMBER)];
    with_more(&files, "\n[numbers]\n", async |world, _| {
        play(&world).await;
        let (_, key) = key(&world).await;
        let mut browser = world.browser();
        assert_eq!(enter(&mut browser, &key).await.location(), "/admin");
        let page = browser.get("/admin").await;
        page.assert_page(
            StatusCode::OK,
            "Succeeded ÷ (started − abandoned before the first input)",
        );
        assert_eq!(shown(&page, "registrations"), "1");
        assert_eq!(shown(&page, "success_rate"), "85.7 %");
        assert_eq!(shown(&page, "step_up_rate"), "12.5 %");
        assert_eq!(shown(&page, "credential_acceptance"), "100.0 %");
        assert_eq!(shown(&page, "time_to_login_p50"), "0 s");
        assert!(page.body.contains("id=\"trend\"") && !page.body.contains("<script"));
        let journey = browser.get("/admin/journeys/member-login").await;
        journey.assert_page(StatusCode::OK, "id=\"step-card\"");
        let picture = browser.get("/admin/journeys/member-login/picture").await;
        assert!(picture.body.starts_with("<svg"), "{}", picture.body);
        let mut german = world.browser().speaking("de");
        enter(&mut german, &key).await;
        let page = german.get("/admin").await;
        page.assert_page(StatusCode::OK, "Gelungene Anmeldungen");
    })
    .await;
}

#[tokio::test]
async fn nobody_without_a_good_key_sees_numbers() {
    with_config("\n[numbers]\n", async |world| {
        let (id, key) = key(&world).await;
        let mut browser = world.browser();
        let wrong = enter(&mut browser, "vsk_wrong").await;
        assert_eq!(wrong.status, StatusCode::FORBIDDEN);
        let forged = [("csrf", "forged"), ("key", key.as_str())];
        let forged = browser.post("/admin/sign-in", &forged).await;
        forged.assert_page(StatusCode::FORBIDDEN, "This form cannot be accepted");
        browser.set_cookie("vs_op_numbers", "forged");
        browser
            .get("/admin")
            .await
            .assert_page(StatusCode::OK, "id=\"key\"");
        let mut browser = world.browser();
        enter(&mut browser, &key).await;
        browser
            .get("/admin")
            .await
            .assert_page(StatusCode::OK, "id=\"registrations\"");
        let missing = browser.get("/admin/journeys/nothing").await;
        assert!(missing.status.is_client_error());
        world.verifier.revoke_api_key(&id).await.unwrap();
        browser
            .get("/admin")
            .await
            .assert_page(StatusCode::OK, "id=\"key\"");
        let picture = browser.get("/admin/journeys/nothing/picture").await;
        assert_eq!(picture.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn without_numbers_in_the_configuration_nothing_of_them_is_there() {
    on_sqlite(async |world| {
        for path in ["/admin", "/admin/numbers", "/support/errors/AAAAAAAA"] {
            let answer = world.browser().get(path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    })
    .await;
}
