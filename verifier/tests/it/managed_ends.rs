//! What ends when an administrator removes an application or ends a session, and who is told.

use axum::http::StatusCode;
use serde_json::json;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::World;
use crate::world::admin::{ADMINISTRATION, Admin, on_each_database, refused, settings};
use crate::world::receiver::{REVOKED, Receiver, polled, receivers};
use crate::world::rp::RelyingParty;
use crate::world::steps::{log_in, rows, same_device};

const STAY: &str = "openid membership offline_access";

#[tokio::test]
async fn cat_388_what_a_removed_application_was_given_is_over_and_it_is_told() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        let made = admin.made("app").await;
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let app = made.rp();
        let answer = same_device(&mut browser, &wallet, &app.authorize(STAY, &[])).await;
        let tokens = app.redeem(&app.code(&answer)).await.json();
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        // The same session answers the shop.
        let shop = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        // And a code that is on its way.
        let address = app.authorize("openid membership", &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let code = app.code(&answer);
        let answer = admin.delete("/v1/clients/app", &[]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
        refused(&admin.delete("/v1/clients/app", &[]).await, 404, "not_found");
        refused(&admin.get("/v1/clients/app").await, 404, "not_found");
        assert_eq!(app.userinfo(&text("access_token")).await.status, StatusCode::UNAUTHORIZED);
        let answer = app.refresh(&text("refresh_token")).await;
        assert_eq!(answer.json()["error"], "invalid_client");
        assert_eq!(app.redeem(&code).await.json()["error"], "invalid_client");
        assert_eq!(world.browser().get(&address).await.status, StatusCode::BAD_REQUEST);
        // The shop goes on.
        assert_eq!(world.shop().userinfo(&shop.access_token).await.status, StatusCode::OK);
        world.tick().await;
        let told = world.network.logouts();
        let uris: Vec<&str> = told.iter().map(|(uri, _)| uri.as_str()).collect();
        assert!(!uris.is_empty() && uris.iter().all(|uri| *uri == "https://app.example/backchannel"), "{uris:?}");
        let (_, token) = told.first().unwrap();
        assert_eq!(app.logout_token(token).await["aud"], "app");
        // What it was given does not come back with its name.
        refused(&admin.put("app", &[], &settings(json!({}))).await, 409, "removed_recently");
        world.later(601).await;
        let again = admin.made("app").await;
        let answer = again.rp().refresh(&text("refresh_token")).await;
        assert_eq!(answer.json()["error"], "invalid_grant");
        assert_eq!(again.rp().userinfo(&text("access_token")).await.status, StatusCode::UNAUTHORIZED);
        // Nothing is left of one that has been told.
        assert_eq!(admin.delete("/v1/clients/app", &[]).await.status, StatusCode::NO_CONTENT);
        world.clock.advance(3600);
        world.tick().await;
        assert_eq!(world.count("SELECT COUNT(*) FROM managed_clients").await, 0);
        let audited = "SELECT COUNT(*) FROM audit_event WHERE action = 'client.remove' AND actor LIKE 'key:%'";
        assert_eq!(world.count(audited).await, 2);
    })
    .await;
}

const TWIN: &str = r#"
[[client]]
id = "app"
name = "The Twin"
secret = "twin-secret-0123456789"
redirect_uris = ["https://twin.example/cb"]
scopes = ["membership"]
"#;

/// What an administrator kept under an id that the configuration file has taken is removed here, and does
/// not come back when the file lets the id go.
#[tokio::test]
async fn cat_388_one_behind_the_configuration_is_removed_and_does_not_come_back() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let mut world = World::with_config(db, |toml| toml + ADMINISTRATION).await;
        let made = Admin::new(&world).await.made("app").await;
        world.restart(|toml| toml + TWIN + ADMINISTRATION).await;
        let wallet = world.person("M-1").await;
        let twin = RelyingParty::new(
            world.router(),
            "app",
            Some("twin-secret-0123456789"),
            "https://twin.example/cb",
        );
        let tokens = log_in(&mut world.browser(), &wallet, &twin, "openid membership").await;
        let admin = Admin::new(&world).await;
        let view = admin.get("/v1/clients/app").await.json();
        assert_eq!(view["kept_in"], "configuration");
        let wrong = [("if-match", "\"x\"")];
        let answer = admin.delete("/v1/clients/app", &wrong).await;
        refused(&answer, 412, "version_mismatch");
        let answer = admin.delete("/v1/clients/app", &[]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
        let answer = admin.delete("/v1/clients/app", &[]).await;
        refused(&answer, 409, "configured_client");
        // What the file's application was given is its own.
        let answer = twin.userinfo(&tokens.access_token).await;
        assert_eq!(answer.status, StatusCode::OK);
        let audited = "SELECT COUNT(*) FROM audit_event WHERE action = 'client.remove'";
        assert_eq!(world.count(audited).await, 1);
        world.restart(|toml| toml + ADMINISTRATION).await;
        let admin = Admin::new(&world).await;
        let answer = admin.get("/v1/clients/app").await;
        refused(&answer, 404, "not_found");
        let address = made.rp().authorize("openid membership", &[]);
        let page = world.browser().get(&address).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

/// Another one under the name of one that was removed: nothing that was meant for that one reaches it.
#[tokio::test]
async fn cat_388_the_next_application_of_an_id_has_nothing_of_the_one_before() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        let made = admin.made("app").await;
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        log_in(&mut browser, &wallet, &made.rp(), "openid membership").await;
        let live = "SELECT COUNT(*) FROM consents WHERE client_id = 'app' AND over_at IS NULL";
        assert_eq!(world.count(live).await, 1);
        let answer = admin.delete("/v1/clients/app", &[]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
        // What people agreed to with it is over, and they still see it.
        assert_eq!(world.count(live).await, 0);
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "The app was removed on");
        let all = browser.get("/account/consents.json").await;
        assert!(all.body.contains("dpv:ConsentRevoked"), "{}", all.body);
        let shop = "SELECT COUNT(*) FROM consents WHERE client_id = 'shop' AND over_at IS NULL";
        assert_eq!(world.count(shop).await, 1);
        // As long as its logout tokens wait, the id is nobody's.
        world.later(601).await;
        let body = settings(json!({ "backchannel_logout_uri": "https://app.example/next" }));
        let answer = admin.put("app", &[], &body).await;
        refused(&answer, 409, "removed_recently");
        world.tick().await;
        let told = world.network.logouts();
        let uris: Vec<&str> = told.iter().map(|(uri, _)| uri.as_str()).collect();
        assert_eq!(uris, ["https://app.example/backchannel"]);
        let answer = admin.put("app", &[], &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        // The person is asked again.
        let address = made
            .rp()
            .authorize("openid membership", &[("prompt", "none")]);
        let answer = browser.get(&address).await;
        let error = made.rp().error(&answer);
        assert!(
            error == "login_required" || error == "consent_required",
            "{error}"
        );
        assert_eq!(world.count(live).await, 0);
        world.tick().await;
        assert_eq!(world.network.logouts().len(), told.len());
    })
    .await;
}

/// A stop is the command line's, and so is its end.
#[tokio::test]
async fn cat_388_a_stop_outlives_the_application() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        admin.made("app").await;
        assert!(world.verifier.disable_client("app").await.unwrap());
        let answer = admin.delete("/v1/clients/app", &[]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        world.later(601).await;
        let again = admin.made("app").await;
        let view = admin.get("/v1/clients/app").await.json();
        assert_eq!(view["served"], false);
        let address = again.rp().authorize("openid membership", &[]);
        let off = world.browser().get(&address).await;
        assert_eq!(off.status, StatusCode::BAD_REQUEST);
        assert!(world.verifier.enable_client("app").await.unwrap());
        let on = world.browser().get(&address).await;
        assert_eq!(on.status, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn nothing_changes_where_the_audit_log_cannot_be_written() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        let made = admin.made("app").await;
        world.execute("DROP TABLE audit_event").await;
        let body = settings(json!({ "name": "Another" }));
        let tag = [("if-match", made.tag.as_str())];
        for answer in [
            admin.put("app", &tag, &body).await,
            admin.put("fresh", &[], &body).await,
            admin.rotate("app", &tag, &json!({})).await,
            admin.delete("/v1/clients/app", &[]).await,
        ] {
            assert!(answer.status.is_server_error(), "{}", answer.body);
        }
        let view = admin.get("/v1/clients/app").await;
        assert_eq!(view.json()["settings"]["name"], "The App");
        refused(&admin.get("/v1/clients/fresh").await, 404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_and_its_applications_are_told() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let world = World::with_config(db, |toml| receivers(toml) + ADMINISTRATION).await;
        let shop = world.shop();
        let receiver = Receiver::new(&world, &shop, "ssf.manage").await;
        let stream = receiver.stream(&polled()).await;
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let one = log_in(&mut browser, &wallet, &shop, "openid membership").await;
        log_in(&mut browser, &wallet, &world.cafe(), "openid membership").await;
        let other = world.person("M-2").await;
        let stays = log_in(&mut world.browser(), &other, &shop, "openid membership").await;
        let admin = Admin::new(&world).await;
        let list = admin.get("/v1/sessions?client=shop").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 2);
        let path = format!("/v1/sessions?client=shop&sub={}", one.sub());
        let list = admin.get(&path).await.json();
        let [session] = list["items"].as_array().unwrap().as_slice() else {
            panic!("one session: {list}");
        };
        assert_eq!(session["clients"].as_array().unwrap().len(), 2);
        let account = session["account"].as_str().unwrap();
        let of_account = admin
            .get(&format!("/v1/sessions?account={account}"))
            .await
            .json();
        assert_eq!(of_account["items"][0]["id"], session["id"]);
        // What the card said is not there.
        assert!(!list.to_string().contains("gold") && !list.to_string().contains("M-1"));
        let path = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
        let reader = Admin::with(&world, &["sessions:read"]).await;
        refused(&reader.delete(&path, &[]).await, 403, "forbidden");
        assert_eq!(
            admin.delete(&path, &[]).await.status,
            StatusCode::NO_CONTENT
        );
        refused(&admin.delete(&path, &[]).await, 404, "not_found");
        assert_eq!(
            shop.userinfo(&one.access_token).await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            shop.userinfo(&stays.access_token).await.status,
            StatusCode::OK
        );
        let polled = receiver.poll(&stream, &[]).await;
        let (_, token) = polled["sets"].as_object().unwrap().iter().next().unwrap();
        let event = shop.security_event(token.as_str().unwrap()).await;
        assert_eq!(event["events"][REVOKED]["initiating_entity"], "admin");
        world.tick().await;
        let mut told: Vec<String> = world
            .network
            .logouts()
            .into_iter()
            .map(|(uri, _)| uri)
            .collect();
        told.sort();
        assert_eq!(
            told,
            [
                "http://127.0.0.1:9000/backchannel",
                "http://127.0.0.2:9001/backchannel"
            ]
        );
        assert_eq!(rows(&world, "login_sessions").await, 1);
        let audited = "SELECT COUNT(*) FROM audit_event WHERE action = 'session.end'";
        assert_eq!(world.count(audited).await, 1);
    })
    .await;
}

#[tokio::test]
async fn cat_392_sessions_are_looked_for_by_ids_alone() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        for wrong in [
            "",
            "?limit=5",
            "?sub=x",
            "?client=",
            "?account=",
            "?name=x",
            "?client=shop&client=cafe",
            "?client=%00",
            "?client=shop&after=%27%20OR%201",
            "?client=shop&limit=999",
        ] {
            refused(
                &admin.get(&format!("/v1/sessions{wrong}")).await,
                400,
                "invalid_query",
            );
        }
        for nobody in ["client=nobody", "account=%27--", "client=shop&sub=%25"] {
            let list = admin.get(&format!("/v1/sessions?{nobody}")).await.json();
            assert_eq!(list, json!({ "items": [] }), "{nobody}");
        }
        for id in ["x", "%00", &"s".repeat(43), &"s".repeat(4000)] {
            let path = format!("/v1/sessions/{id}");
            refused(&admin.delete(&path, &[]).await, 404, "not_found");
        }
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        for _ in 0..5 {
            log_in(&mut world.browser(), &wallet, &shop, "openid membership").await;
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = admin
                .get(&format!("/v1/sessions?client=shop&limit=2{after}"))
                .await
                .json();
            let items = page["items"].as_array().unwrap();
            seen.extend(
                items
                    .iter()
                    .map(|one| one["id"].as_str().unwrap().to_owned()),
            );
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5);
    })
    .await;
}
