//! Logins over the Digital Credentials API of the browser (OpenID4VP 1.0, appendix A).

use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_credentials::status_list::Status;
use vouchsafe_service::db::{Migrations, testing};
use vouchsafe_service::{each, execute};
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, Browser};
use crate::world::steps::{begin, rows, same_device, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{NOW, OP, World, on_each_database, on_sqlite};

const SIGNED: &str = "openid4vp-v1-signed";
const UNSIGNED: &str = "openid4vp-v1-unsigned";

/// A page of a login with its script.
pub struct Page {
    path: String,
    ask: String,
    csrf: String,
    html: Answer,
}

impl Page {
    pub async fn open(browser: &mut Browser, address: &str) -> Self {
        let (path, html) = begin(browser, address).await;
        let data = |name: &str| html.attribute("id=\"use-card\"", name).expect(name);
        Self {
            ask: data("data-ask"),
            csrf: data("data-csrf"),
            path,
            html,
        }
    }

    pub async fn post(&self, browser: &mut Browser, address: &str, body: &Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("x-vouchsafe-csrf", self.csrf.as_str()),
            ("origin", OP),
            ("sec-fetch-site", "same-origin"),
        ];
        browser
            .post_json(address, &headers, &body.to_string())
            .await
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// What the script hands to the browser, and where it brings the answer.
    pub async fn question(&self, browser: &mut Browser) -> (Vec<Value>, String) {
        let answer = self.post(browser, &self.ask, &json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        let body = answer.json();
        let requests = body["requests"].as_array().unwrap().clone();
        (requests, body["answer"].as_str().unwrap().to_owned())
    }

    /// The honest answer of a wallet, brought back by the script.
    async fn show(&self, browser: &mut Browser, wallet: &Wallet) -> Answer {
        let (requests, answer_to) = self.question(browser).await;
        let request = wallet.asked_by_page(OP, &requests[0]);
        let answer = wallet.returned(&request).await;
        self.post(browser, &answer_to, &answer).await
    }
}

async fn response_codes(world: &World) -> i64 {
    world.count("SELECT COUNT(*) FROM response_code").await
}

async fn state(world: &World) -> String {
    each!(world.db, p => sqlx::query_scalar::<_, String>("SELECT state FROM login_transactions").fetch_one(p).await)
        .unwrap()
}

fn with_both(toml: String) -> String {
    toml + &format!("\n[wallet]\ndigital_credentials = [\"{SIGNED}\", \"{UNSIGNED}\"]\n")
}

fn without(toml: String) -> String {
    toml + "\n[wallet]\ndigital_credentials = []\n"
}

#[tokio::test]
async fn a_whole_login_over_the_api() {
    on_each_database(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let page = Page::open(&mut browser, &shop.authorize("openid membership", &[])).await;
        let (requests, answer_to) = page.question(&mut browser).await;
        // Signed with the access certificate alone, as long as nothing else is configured.
        assert_eq!(requests.len(), 1);
        let request = wallet.asked_by_page(OP, &requests[0]);
        assert!(request.certificate().is_some());
        assert_eq!(
            request.client_name().unwrap().default,
            "The <Shop> (127.0.0.1)"
        );
        let answer = wallet.returned(&request).await;
        let brought = page.post(&mut browser, &answer_to, &answer).await;
        assert_eq!(brought.status, StatusCode::OK, "{}", brought.body);
        assert_eq!(brought.json(), json!({ "next": page.path }));
        assert_eq!(
            response_codes(&world).await,
            0,
            "nobody comes back from a wallet"
        );

        // Once: the first answer stands, and the login is finished once.
        let again = page.post(&mut browser, &answer_to, &answer).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
        let back = browser.get(&page.path).await;
        let tokens = shop.tokens(&shop.code(&back)).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        assert_eq!(tokens.claims["amr"], json!(["pop", "vp"]));
        assert_eq!(tokens.userinfo["membership_tier"], "gold");
        browser
            .get(&page.path)
            .await
            .assert_page(StatusCode::OK, "You are logged in");
        let again = page.post(&mut browser, &answer_to, &answer).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
        assert_eq!(rows(&world, "consents").await, 1);
        assert_eq!(rows(&world, "login_sessions").await, 1);

        // The same person as by a link.
        let mut other = world.browser();
        let by_link = same_device(
            &mut other,
            &wallet,
            &shop.authorize("openid membership", &[]),
        )
        .await;
        let by_link = shop.tokens(&shop.code(&by_link)).await;
        assert_eq!(tokens.sub(), by_link.sub());
    })
    .await;
}

#[tokio::test]
async fn one_of_many_answers_at_once_counts() {
    on_each_database(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let page = Page::open(&mut browser, &shop.authorize("openid age", &[])).await;
        let (requests, answer_to) = page.question(&mut browser).await;
        let request = wallet.asked_by_page(OP, &requests[0]);
        let cookie = browser.cookie("vs_op_browser").unwrap().to_owned();
        let mut tries = Vec::new();
        for _ in 0..8 {
            let answer = wallet.returned(&request).await;
            let mut same = world.browser();
            same.set_cookie("vs_op_browser", &cookie);
            let (page, answer_to) = (&page, &answer_to);
            tries.push(async move { page.post(&mut same, answer_to, &answer).await.status });
        }
        let statuses = futures::future::join_all(tries).await;
        let accepted = statuses.iter().filter(|status| status.is_success()).count();
        assert_eq!(accepted, 1, "{statuses:?}");
        assert_eq!(rows(&world, "consents").await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_question_is_one_for_each_login_and_unsigned_where_that_is_wanted() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), with_both).await;
    let (wallet, shop) = (world.person("M-1").await, world.shop());
    let mut browser = world.browser();
    let page = Page::open(&mut browser, &shop.authorize("openid age", &[])).await;
    let (first, answer_to) = page.question(&mut browser).await;
    let (second, same) = page.question(&mut browser).await;
    assert_eq!(answer_to, same);
    assert_eq!(first[0]["protocol"], SIGNED);
    assert_eq!(first[1]["protocol"], UNSIGNED);
    // OpenID4VP 1.0, appendix A.2: neither belongs into an unsigned request.
    for forbidden in [
        "client_id",
        "expected_origins",
        "response_uri",
        "state",
        "request",
    ] {
        assert!(first[1]["data"].get(forbidden).is_none(), "{forbidden}");
    }
    assert_eq!(first[1]["data"]["nonce"], second[1]["data"]["nonce"]);
    let request = wallet.asked_by_page(OP, &first[1]);
    let brought = page
        .post(&mut browser, &answer_to, &wallet.returned(&request).await)
        .await;
    assert_eq!(brought.status, StatusCode::OK, "{}", brought.body);
    let tokens = shop
        .tokens(&shop.code(&browser.get(&page.path).await))
        .await;
    assert_eq!(tokens.userinfo["age_over_18"], true);
}

#[tokio::test]
async fn nothing_is_offered_where_it_is_turned_off() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), without).await;
    let mut browser = world.browser();
    let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
    assert!(!page.body.contains("use-card") && !page.body.contains("verifier-card.js"));
    let policy = page.headers["permissions-policy"].to_str().unwrap();
    assert!(policy.contains("digital-credentials-get=()"), "{policy}");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let headers = [
        ("content-type", "application/json"),
        ("x-vouchsafe-csrf", csrf.as_str()),
    ];
    let asked = browser
        .post_json(&format!("{path}/dc-api"), &headers, "{}")
        .await;
    assert_eq!(asked.status, StatusCode::NOT_FOUND, "{}", asked.body);
}

#[tokio::test]
async fn only_the_page_with_the_button_may_ask_the_browser() {
    on_sqlite(async |world| {
        let mut browser = world.browser();
        let page = Page::open(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let policy = |answer: &Answer| {
            let policy = answer.headers["permissions-policy"].to_str().unwrap();
            let own = policy.contains("digital-credentials-get=(self)");
            assert_ne!(
                own,
                policy.contains("digital-credentials-get=()"),
                "{policy}"
            );
            own
        };
        assert!(policy(&page.html));
        // Hidden until the script finds that the browser can; nothing inline.
        let button = page.html.body.split("id=\"use-card\"").nth(1).unwrap();
        assert!(button.split('>').next().unwrap().ends_with("hidden"));
        page.html
            .assert_page(StatusCode::OK, "Use a card on this device");
        assert!(!page.html.body.contains("data-first"));
        for other in [
            &format!("{}/qr", page.path),
            "/account",
            "/vp/number",
            "/assets/verifier-card.js",
        ] {
            assert!(!policy(&browser.get(other).await), "{other}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_application_may_prefer_the_browser_to_a_code() {
    let prefer = |toml: String| {
        let wanted = "cross_device = true\nprefer_digital_credentials = true";
        toml.replacen("cross_device = true", wanted, 1)
    };
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), prefer).await;
    let shop = world.shop().authorize("openid age", &[]);
    let page = Page::open(&mut world.browser(), &shop).await;
    let first = page.html.attribute("id=\"use-card\"", "data-first");
    assert_eq!(first.as_deref(), Some("1"));
    // For browsers that cannot, the code is there.
    assert!(page.html.body.contains("other-device"));
}

/// What a page of somebody else, another browser or another login can do: nothing.
#[tokio::test]
async fn only_the_page_of_the_login_asks_and_answers() {
    on_each_database(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let page = Page::open(&mut browser, &shop.authorize("openid age", &[])).await;
        let (requests, answer_to) = page.question(&mut browser).await;
        let request = wallet.asked_by_page(OP, &requests[0]);
        let body = wallet.returned(&request).await.to_string();
        let json = ("content-type", "application/json");
        let token = ("x-vouchsafe-csrf", page.csrf.as_str());
        let forged: [&[(&str, &str)]; 7] = [
            &[json],
            &[json, ("x-vouchsafe-csrf", "AAAA")],
            &[token, ("content-type", "text/plain")],
            &[token, ("content-type", "application/x-www-form-urlencoded")],
            &[json, token, ("origin", "https://attacker.example")],
            &[
                json,
                token,
                ("origin", "null"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[json, token, ("sec-fetch-site", "same-site")],
        ];
        for headers in forged {
            for address in [&page.ask, &answer_to] {
                let refused = browser.post_json(address, headers, &body).await;
                assert_eq!(
                    refused.status,
                    StatusCode::FORBIDDEN,
                    "{headers:?} {}",
                    refused.body
                );
            }
        }
        // Another browser, with a login of its own.
        let mut thief = world.browser();
        let own = Page::open(&mut thief, &shop.authorize("openid age", &[])).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let (_, own_answer) = own.question(&mut thief).await;
        let request_id = answer_to.rsplit('/').next().unwrap();
        let own_id = own_answer.rsplit('/').next().unwrap();
        for address in [
            answer_to.clone(),
            page.ask.clone(),
            format!("{}/dc-api/{request_id}", own.path),
            format!("{}/dc-api/nothing", own.path),
        ] {
            let refused = own.post(&mut thief, &address, &body).await;
            assert_eq!(
                refused.status,
                StatusCode::NOT_FOUND,
                "{address} {}",
                refused.body
            );
        }
        // Its own question, with the answer to another: the key and the nonce are others.
        let address = format!("{}/dc-api/{own_id}", own.path);
        let refused = own.post(&mut thief, &address, &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.json()["code"], "jwe_other_key");
        assert_eq!(rows(&world, "consents").await, 0);
        // The control: what all of them sent is good where it belongs.
        let brought = page.post(&mut browser, &answer_to, &body).await;
        assert_eq!(brought.status, StatusCode::OK, "{}", brought.body);
    })
    .await;
}

/// Catalogue 148: an answer of one way is none on the other.
#[tokio::test]
async fn cat_148_a_question_of_the_api_has_no_addresses_and_the_others_no_page() {
    on_each_database(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let page = Page::open(&mut browser, &shop.authorize("openid age", &[])).await;
        let (requests, answer_to) = page.question(&mut browser).await;
        let request_id = answer_to.rsplit('/').next().unwrap();
        let returned = wallet
            .returned(&wallet.asked_by_page(OP, &requests[0]))
            .await;
        let jwe = returned["data"]["response"].as_str().unwrap();

        // Posted to the address that a question by reference would have.
        let response_uri = format!("{OP}/vp/response/{request_id}").parse().unwrap();
        for body in [format!("response={jwe}"), "error=access_denied".to_owned()] {
            let refused = wallet.post_to(&response_uri, &body).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
            assert_eq!(refused.json()["reason"], "unknown_request");
        }
        let fetched = browser.get(&format!("/vp/request/{request_id}")).await;
        assert_eq!(fetched.status, StatusCode::NOT_FOUND);

        // The answer to a question by reference, brought by the page, under either question.
        let asked = wallet.open(&wallet_link(&page.html)).await;
        let link_id = asked
            .request
            .response_uri()
            .path()
            .rsplit('/')
            .next()
            .unwrap();
        let posted = wallet.response(&asked).await;
        let jwe = posted.strip_prefix("response=").unwrap();
        let body = json!({ "protocol": SIGNED, "data": { "response": jwe } });
        let address = format!("{}/dc-api/{link_id}", page.path);
        let refused = page.post(&mut browser, &address, &body).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.body);
        let refused = page.post(&mut browser, &answer_to, &body).await;
        assert_eq!(refused.json()["code"], "jwe_other_key");
        assert_eq!(state(&world).await, "pending");
        let brought = page.post(&mut browser, &answer_to, &returned).await;
        assert_eq!(brought.status, StatusCode::OK, "{}", brought.body);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_answer_changes_nothing() {
    on_sqlite(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let page = Page::open(&mut browser, &shop.authorize("openid age", &[])).await;
        let (requests, answer_to) = page.question(&mut browser).await;
        let good = wallet
            .returned(&wallet.asked_by_page(OP, &requests[0]))
            .await;
        let jwe = good["data"]["response"].clone();
        for (body, code) in [
            (json!(null), "response_malformed"),
            (json!({ "protocol": SIGNED }), "response_malformed"),
            (
                json!({ "protocol": SIGNED, "data": {} }),
                "response_data_malformed",
            ),
            (
                json!({ "protocol": SIGNED, "data": { "response": "a.b.c" } }),
                "jwe_malformed",
            ),
            (
                json!({ "protocol": SIGNED, "data": { "vp_token": {} } }),
                "response_not_encrypted",
            ),
            (
                json!({ "protocol": UNSIGNED, "data": { "response": jwe } }),
                "response_other_protocol",
            ),
            (
                json!({ "protocol": "org-iso-mdoc", "data": { "response": jwe } }),
                "response_unknown_protocol",
            ),
        ] {
            let refused = page.post(&mut browser, &answer_to, &body).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(refused.json()["code"], code, "{body}");
            assert_eq!(state(&world).await, "pending", "{body}");
        }
        let brought = page.post(&mut browser, &answer_to, &good).await;
        assert_eq!(brought.status, StatusCode::OK, "{}", brought.body);
    })
    .await;
}

/// A page of somebody else got the person to answer, and its owner plays that into a login here.
#[tokio::test]
async fn cat_055_an_answer_for_another_origin_ends_the_login() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), with_both).await;
    let (wallet, shop) = (world.person("M-1").await, world.shop());
    let mut browser = world.browser();
    let page = Page::open(&mut browser, &shop.authorize("openid age", &[])).await;
    let (requests, answer_to) = page.question(&mut browser).await;
    let elsewhere = wallet.asked_by_page("https://attacker.example", &requests[1]);
    let body = wallet.returned(&elsewhere).await;
    let brought = page.post(&mut browser, &answer_to, &body).await;
    assert_eq!(brought.json(), json!({ "next": page.path }));
    browser
        .get(&page.path)
        .await
        .assert_page(StatusCode::FORBIDDEN, "The proof could not be checked");
    assert_eq!(rows(&world, "consents").await, 0);
}

#[tokio::test]
async fn a_no_of_the_wallet_and_a_revoked_card_lead_to_the_usual_pages() {
    on_each_database(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let address = shop.authorize("openid age", &[]);
        let page = Page::open(&mut browser, &address).await;
        let (_, answer_to) = page.question(&mut browser).await;
        let no = json!({ "protocol": SIGNED, "data": { "error": "access_denied" } });
        let brought = page.post(&mut browser, &answer_to, &no).await;
        assert_eq!(brought.json(), json!({ "next": page.path }));
        let failed = browser.get(&page.path).await;
        failed.assert_page(StatusCode::FORBIDDEN, "You did not show your card");
        // From there the person tries again, in a new login.
        let again = browser.get(&format!("{}/again", page.path)).await;
        assert_ne!(again.location(), page.path);

        let page = Page::open(&mut browser, &address).await;
        world.issuer.set(&wallet.cards[0].status, Status::Invalid);
        world.issuer.publish(NOW).await;
        let brought = page.show(&mut browser, &wallet).await;
        assert_eq!(brought.json(), json!({ "next": page.path }));
        browser
            .get(&page.path)
            .await
            .assert_page(StatusCode::FORBIDDEN, "This card is no longer valid");
    })
    .await;
}

#[tokio::test]
async fn too_late_is_too_late() {
    on_sqlite(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let page = Page::open(&mut browser, &shop.authorize("openid age", &[])).await;
        let (requests, answer_to) = page.question(&mut browser).await;
        let answer = wallet
            .returned(&wallet.asked_by_page(OP, &requests[0]))
            .await;
        world.clock.advance(301);
        for (address, body) in [(&page.ask, json!({})), (&answer_to, answer)] {
            let refused = page.post(&mut browser, address, &body).await;
            assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
            assert_eq!(refused.json()["code"], "login_over");
        }
    })
    .await;
}

/// Questions that are open while the service is brought up to date can still be answered.
#[tokio::test]
async fn open_questions_survive_the_new_channel() {
    const BEFORE: Migrations = Migrations {
        component: MIGRATIONS.component,
        steps: MIGRATIONS.steps.split_at(5).0,
    };
    assert_eq!(BEFORE.steps.last().unwrap().version, 1005);
    testing::for_each_database(&[BEFORE], async |db| {
        let insert = |id: &'static str, channel: &'static str| {
            let db = db.clone();
            async move {
                db.write(async move |tx| {
                    execute!(tx, sqlx::query(
                        "INSERT INTO presentation_requests (id, transaction_id, channel, secrets, created_at, fetch_until, expires_at) \
                         VALUES ($1, 't', $2, $3, 1, 2, 3)")
                        .bind(id).bind(channel).bind([7_u8].as_slice()))
                })
                .await
            }
        };
        insert("before", "qr").await.unwrap();
        insert("early", "dc_api").await.unwrap_err();
        db.migrate(&[MIGRATIONS], NOW).await.unwrap();
        insert("after", "dc_api").await.unwrap();
        insert("wrong", "pigeon").await.unwrap_err();
        let ids = each!(db, p => sqlx::query_scalar::<_, String>(
            "SELECT id FROM presentation_requests WHERE fetched_at IS NULL ORDER BY id").fetch_all(p).await);
        assert_eq!(ids.unwrap(), ["after", "before"]);
    })
    .await;
}
