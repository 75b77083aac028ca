//! What the service knows about a person who wants it to: said, corrected, exported, told, deleted.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_service::db::{execute, testing};
use vouchsafe_verifier::portable;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::portable::{OTHER, SECRET, WORDS};
use crate::world::browser::{Answer, Browser};
use crate::world::heard::Heard;
use crate::world::rp::{RelyingParty, Tokens};
use crate::world::steps::{log_in, same_device};
use crate::world::tables::places_of;
use crate::world::wallet::Wallet;
use crate::world::{NOW, World};

/// A text in every language.
fn texts(text: &str) -> String {
    let all = ["en", "de", "fr", "es", "it", "ar"].map(|tag| format!("{tag} = \"{text} {tag}\""));
    format!("{{ {} }}", all.join(", "))
}

/// Three attributes, and an application that may learn two of them.
pub fn config() -> String {
    let attribute = |name: &str, label: &str, more: &str| {
        let (label, purpose) = (texts(label), texts("tips"));
        format!(
            "\n[[attribute]]\nname = \"{name}\"\nlabel = {label}\npurpose = {purpose}\nkeep_days = 90\n{more}\n"
        )
    };
    let code = attribute(
        "postal_code",
        "Postal code",
        "type = \"text\"\nmax_length = 8\nscope = \"profile\"",
    );
    let style = attribute(
        "riding_style",
        "Riding style",
        "type = \"choice\"\noptions = [\"road\", \"mountain\", \"city\"]\nclaim = \"style\"",
    );
    let tier = attribute(
        "tier",
        "Tier",
        "type = \"text\"\nquery = \"membership\"\nquery_claim = \"membership_tier\"",
    );
    let client = r#"
[[client]]
id = "bikes"
name = "The Bikes"
secret = "bikes-secret-0123456789"
redirect_uris = ["http://127.0.0.3:9002/cb"]
backchannel_logout_uri = "http://127.0.0.3:9002/backchannel"
scopes = ["membership"]
default_query = "member-login"
attributes = ["postal_code", "riding_style"]
offline_access = true
"#;
    format!("{code}{style}{tier}{client}")
}

pub fn bikes(world: &World) -> RelyingParty {
    RelyingParty::new(
        world.router(),
        "bikes",
        Some("bikes-secret-0123456789"),
        "http://127.0.0.3:9002/cb",
    )
}

pub async fn on_each(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + &config()).await).await;
    })
    .await;
}

async fn here(world: &World, browser: &mut Browser, wallet: &Wallet) -> Tokens {
    log_in(browser, wallet, &world.shop(), "openid membership").await
}

pub fn csrf(page: &Answer) -> String {
    page.attribute("name=\"csrf\"", "value").expect("a form")
}

/// Says something on the account page.
pub async fn say(browser: &mut Browser, name: &str, value: &str) -> Answer {
    let csrf = csrf(&browser.get("/account").await);
    let fields = [("csrf", csrf.as_str()), ("value", value), ("agree", "yes")];
    let path = format!("/account/attributes/{name}");
    browser.post(&path, &fields).await
}

pub async fn export(browser: &mut Browser) -> Value {
    let answer = browser.get("/account/export").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    answer.json()
}

#[tokio::test]
async fn nothing_is_kept_that_is_wrong_or_that_nobody_agreed_to() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        here(&world, &mut browser, &wallet).await;
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "Add: Postal code en");
        let csrf = csrf(&page);
        let path = "/account/attributes/postal_code";
        let token = ("csrf", csrf.as_str());
        for (fields, said) in [
            (
                vec![token, ("value", "0150")],
                "We keep this only if you agree",
            ),
            (
                vec![token, ("value", "123456789"), ("agree", "yes")],
                "This is too long.",
            ),
            (
                vec![token, ("value", " "), ("agree", "yes")],
                "Say something here",
            ),
            (
                vec![token, ("value", "a\u{1}b"), ("agree", "yes")],
                "characters that we cannot take",
            ),
            (
                vec![token, ("value", "a\u{202e}b"), ("agree", "yes")],
                "characters that we cannot take",
            ),
            (
                vec![token, ("value", "a\u{200b}b"), ("agree", "yes")],
                "characters that we cannot take",
            ),
        ] {
            let answer = browser.post(path, &fields).await;
            answer.assert_page(StatusCode::UNPROCESSABLE_ENTITY, said);
            let problem =
                "aria-describedby=\"attribute-postal_code-why attribute-postal_code-problem\"";
            assert!(answer.body.contains(problem), "{}", answer.body);
        }
        let style = "/account/attributes/riding_style";
        let answer = browser
            .post(style, &[token, ("value", "unicycle"), ("agree", "yes")])
            .await;
        answer.assert_page(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Choose one of the answers.",
        );
        // What nobody configured is not asked, and what no form of ours sends is not read.
        let fields = [token, ("value", "x"), ("agree", "yes")];
        let unknown = browser.post("/account/attributes/shoe_size", &fields).await;
        assert_eq!(unknown.status, StatusCode::FORBIDDEN);
        let foreign = [("csrf", "x"), ("value", "x"), ("agree", "yes")];
        assert_eq!(
            browser.post(path, &foreign).await.status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            world.count("SELECT COUNT(*) FROM account_attributes").await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn what_somebody_says_is_listed_corrected_exported_and_deleted() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        here(&world, &mut browser, &wallet).await;
        assert_eq!(
            say(&mut browser, "postal_code", " 0150 ").await.location(),
            "/account"
        );
        world.clock.advance(60);
        say(&mut browser, "postal_code", "0151").await;
        say(&mut browser, "riding_style", "road").await;
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "<bdi>0151</bdi>");
        page.assert_page(StatusCode::OK, "Correct: Postal code en");
        let export = export(&mut browser).await;
        assert_eq!(
            export["attributes"][0],
            json!({
                "name": "postal_code", "value": "0151", "source": "self", "assurance": null,
                "verified_at": NOW.0 + 60, "agreed_at": NOW.0 + 60, "purpose": "tips en",
                "kept_until": NOW.0 + 60 + 90 * 86_400, "consent_id": null, "not_for": [],
            })
        );
        assert_eq!(export["attributes"].as_array().unwrap().len(), 2);
        assert_eq!(export["means"][0]["type"], "urn:vouchsafe:membership:1");
        assert_eq!(export["sessions"][0]["current"], true);
        assert_eq!(export["sessions"][0]["applications"], json!(["shop"]));
        assert_eq!(export["consents"][0]["application"], "shop");
        assert_eq!(export["account"]["logins"], 1);
        let csrf = csrf(&page);
        let gone = browser
            .post("/account/attributes/postal_code/remove", &[("csrf", &csrf)])
            .await;
        assert_eq!(gone.location(), "/account");
        assert_eq!(
            world.count("SELECT COUNT(*) FROM account_attributes").await,
            1
        );
        // What has been kept for as long as it may be is gone by itself.
        world.clock.advance(90 * 86_400);
        world.tick().await;
        assert_eq!(
            world.count("SELECT COUNT(*) FROM account_attributes").await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_reads_changes_or_deletes_what_is_known_of_somebody_else() {
    on_each(async |world| {
        let (one, two) = (world.person("M-1").await, world.person("M-2").await);
        let (mut mine, mut other) = (world.browser(), world.browser());
        here(&world, &mut mine, &one).await;
        here(&world, &mut other, &two).await;
        say(&mut mine, "postal_code", "0150").await;
        let theirs = export(&mut other).await;
        assert_eq!(theirs["attributes"], json!([]));
        assert!(!other.get("/account").await.body.contains("0150"));
        // The form of one browser is good for nothing in another.
        let foreign = csrf(&mine.get("/account").await);
        let path = "/account/attributes/postal_code/remove";
        let answer = other.post(path, &[("csrf", &foreign)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        // The own form reaches what is one's own.
        let own = csrf(&other.get("/account").await);
        other.post(path, &[("csrf", &own)]).await;
        say(&mut other, "postal_code", "9999").await;
        assert_eq!(export(&mut mine).await["attributes"][0]["value"], "0150");
        // Without a session there is nothing.
        let mut nobody = world.browser();
        let answer = nobody.get("/account/export").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let answer = nobody.post(path, &[("csrf", &own)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn an_application_learns_an_attribute_that_it_asks_for_and_the_person_agreed_to() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        here(&world, &mut browser, &wallet).await;
        say(&mut browser, "postal_code", "0150").await;
        say(&mut browser, "riding_style", "city").await;
        say(&mut browser, "tier", "mine").await;
        let bikes = bikes(&world);
        // Not asked for: not told.
        let tokens = log_in(&mut browser, &wallet, &bikes, "openid membership").await;
        assert_eq!(tokens.userinfo.get("postal_code"), None);
        // A scope asks for it, and the page of the question names it.
        let address = bikes.authorize("openid profile", &[]);
        let page = same_device(&mut browser, &wallet, &address).await;
        let tokens = bikes.tokens(&bikes.code(&page)).await;
        assert_eq!(tokens.userinfo["postal_code"], "0150");
        assert_eq!(tokens.userinfo.get("style"), None);
        // By the `claims` parameter, in both places; never what the application may not learn.
        let claims = json!({
            "userinfo": { "style": null, "tier": null },
            "id_token": { "style": { "value": "city" }, "postal_code": { "value": "no" } },
        });
        let claims = claims.to_string();
        let address = bikes.authorize("openid membership", &[("claims", &claims)]);
        let (path, page) = crate::world::steps::begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "Riding style en");
        assert!(path.starts_with("/login/") && !page.body.contains("Tier en"));
        let back = wallet
            .follow(&crate::world::steps::wallet_link(&page))
            .await;
        let page = browser.get(&back).await;
        let tokens = bikes.tokens(&bikes.code(&page)).await;
        assert_eq!(tokens.userinfo["style"], "city");
        assert_eq!(tokens.claims["style"], "city");
        assert_eq!(tokens.userinfo.get("tier"), None);
        assert_eq!(tokens.claims.get("postal_code"), None);
        // What is deleted is not told, by tokens of before either.
        let token = csrf(&browser.get("/account").await);
        let path = "/account/attributes/riding_style/remove";
        browser.post(path, &[("csrf", &token)]).await;
        let now = bikes.userinfo(&tokens.access_token).await.json();
        assert_eq!(now.get("style"), None);
        assert_eq!(now["sub"], tokens.claims["sub"]);
        // The shop may learn none.
        let shop = world.shop();
        let tokens = log_in(&mut browser, &wallet, &shop, "openid membership profile").await;
        assert_eq!(tokens.userinfo.get("postal_code"), None);
    })
    .await;
}

#[tokio::test]
async fn a_consent_that_is_taken_back_covers_no_attribute() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        here(&world, &mut browser, &wallet).await;
        say(&mut browser, "postal_code", "0150").await;
        let bikes = bikes(&world);
        let plain = ("openid profile", &[][..]);
        // With a consent of before, the session answers and the attribute is told.
        let address = bikes.authorize(plain.0, plain.1);
        let page = same_device(&mut browser, &wallet, &address).await;
        bikes.code(&page);
        let answer = browser.get(&address).await;
        let tokens = bikes.tokens(&bikes.code(&answer)).await;
        assert_eq!(tokens.userinfo["postal_code"], "0150");
        // What somebody changed in the database is no consent: the sealed record says another name.
        let card = r#"UPDATE consents SET claims = '["postal_code"]' WHERE client_id = 'bikes'"#;
        vouchsafe_service::each!(world.db, p => sqlx::query(card).execute(p).await.map(drop))
            .unwrap();
        let now = bikes.userinfo(&tokens.access_token).await.json();
        assert_eq!(now.get("postal_code"), None);
        let back =
            r#"UPDATE consents SET claims = '["attribute:postal_code"]' WHERE client_id = 'bikes'"#;
        vouchsafe_service::each!(world.db, p => sqlx::query(back).execute(p).await.map(drop))
            .unwrap();
        let now = bikes.userinfo(&tokens.access_token).await.json();
        assert_eq!(now["postal_code"], "0150");
        let sql = "UPDATE consents SET withdrawn_at = given_at WHERE client_id = 'bikes'";
        vouchsafe_service::each!(world.db, p => sqlx::query(sql).execute(p).await.map(drop))
            .unwrap();
        let now = bikes.userinfo(&tokens.access_token).await.json();
        assert_eq!(now.get("postal_code"), None);
    })
    .await;
}

/// Each login writes a consent of its own; who takes one back means what it names.
#[tokio::test]
async fn an_attribute_is_not_told_by_an_older_consent_once_one_is_taken_back() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let bikes = bikes(&world);
        let (mut one, mut two) = (world.browser(), world.browser());
        here(&world, &mut one, &wallet).await;
        say(&mut one, "postal_code", "0150").await;
        let address = bikes.authorize("openid profile", &[]);
        let login = async |browser: &mut Browser| {
            let page = same_device(browser, &wallet, &address).await;
            bikes.tokens(&bikes.code(&page)).await
        };
        let first = login(&mut one).await;
        world.clock.advance(60);
        let other = login(&mut two).await;
        assert_eq!(other.userinfo["postal_code"], "0150");
        world.clock.advance(60);
        let page = two.get("/account").await;
        page.assert_page(StatusCode::OK, "Postal code en");
        let withdraw = page.attribute("&#x2f;withdraw", "action").unwrap();
        two.post(&withdraw, &[("csrf", &csrf(&page))]).await;
        // What the first login brought rests on what was taken back too.
        let now = bikes.userinfo(&first.access_token).await;
        assert_eq!(now.status, StatusCode::UNAUTHORIZED);
        world.clock.advance(60);
        let again = login(&mut two).await;
        assert_eq!(again.userinfo["postal_code"], "0150");
    })
    .await;
}

/// Neither the database, the log nor a metric says what somebody said.
#[tokio::test]
async fn no_value_of_an_attribute_reaches_database_log_or_metric() {
    let heard = Heard::default();
    let listening = heard.listen();
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        here(&world, &mut browser, &wallet).await;
        say(&mut browser, "postal_code", "CANARY-7").await;
        say(&mut browser, "postal_code", "CANARY-TOO-LONG-7").await;
        let tokens = log_in(
            &mut browser,
            &wallet,
            &bikes(&world),
            "openid membership profile",
        )
        .await;
        assert_eq!(tokens.userinfo["postal_code"], "CANARY-7");
        assert!(export(&mut browser).await.to_string().contains("CANARY-7"));
        assert_eq!(places_of(&world.db, "CANARY").await, Vec::<String>::new());
        // What is looked for would be found, among texts and among bytes.
        let plain = "UPDATE account_attributes SET body = $1, name = $2";
        let bytes = &b"\x00\xffCANARY\x00"[..];
        execute!(world.db, sqlx::query(plain).bind(bytes).bind("xCANARYx")).unwrap();
        let found = places_of(&world.db, "CANARY").await;
        assert_eq!(
            found,
            ["account_attributes.name", "account_attributes.body"]
        );
    })
    .await;
    drop(listening);
    let said = heard.said();
    assert!(
        said.contains("vouchsafe_authentications_total") && said.contains("login finished"),
        "something is heard"
    );
    assert!(
        !said.contains("CANARY") && !said.contains("tips en"),
        "{said}"
    );
}

/// An operator who configures an attribute wrongly hears so, and the service does not start.
#[test]
fn an_attribute_that_cannot_be_held_stops_the_start() {
    let good = config();
    let parses = |toml: &str| {
        let pki = crate::world::pki::Pki::new();
        let config = crate::world::parse(&(crate::world::toml(&pki) + toml));
        vouchsafe_verifier::config::Settings::parse(&config).map(drop)
    };
    parses(&good).unwrap();
    for (from, to, code) in [
        (
            "name = \"postal_code\"",
            "name = \"Postal code\"",
            "a name is small letters",
        ),
        ("name = \"tier\"", "name = \"riding_style\"", "occurs twice"),
        ("max_length = 8", "max_length = 501", "between 1 and 500"),
        (
            "max_length = 8",
            "options = [\"a\", \"b\"]",
            "limit of another type",
        ),
        ("keep_days = 90", "keep_days = 0", "keep_days"),
        (
            "scope = \"profile\"",
            "scope = \"membership\"",
            "that of a query",
        ),
        ("claim = \"style\"", "claim = \"sub\"", "reserved"),
        (
            "query_claim = \"membership_tier\"",
            "query_claim = \"age\"",
            "no claim of the query",
        ),
        (
            "options = [\"road\", \"mountain\", \"city\"]",
            "options = [\"road\"]",
            "2 to 50",
        ),
        (
            "ar = \"Postal code ar\"",
            "ar = \"\"",
            "each of en de fr es it ar",
        ),
        (
            "scope = \"profile\"",
            "scope = \"profile\"\ntyped = false",
            "typed = false needs a query",
        ),
        (
            "attributes = [\"postal_code\"",
            "attributes = [\"shoe_size\"",
            "not configured",
        ),
    ] {
        let wrong = good.replacen(from, to, 1);
        assert_ne!(wrong, good, "{from}");
        let error = parses(&wrong).unwrap_err().to_string();
        assert!(error.contains(code), "{error}");
    }
}

/// The state of the service moves, and what is sealed in it is sealed again.
#[tokio::test]
async fn what_is_known_moves_to_another_database_under_another_secret() {
    let at = |url: &str, secret: &str| {
        let (url, secret) = (url.to_owned(), secret.to_owned());
        move |toml: String| toml.replace("sqlite:unused", &url).replace(SECRET, &secret) + &config()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export");
    let source = testing::sqlite(&[MIGRATIONS]).await;
    let target = testing::sqlite(&[MIGRATIONS]).await;
    let mut world = World::with_config(source.db.clone(), at(&source.url, SECRET)).await;
    let wallet = world.person("M-1").await;
    let mut browser = world.browser();
    here(&world, &mut browser, &wallet).await;
    say(&mut browser, "postal_code", "0150").await;
    let before = export(&mut browser).await;
    let (old, new) = (at(&source.url, SECRET), at(&target.url, OTHER));
    let written = portable::export(&world.configured(old), &world.ports(), &file, WORDS).await;
    written.unwrap();
    let read = portable::import(&world.configured(&new), &world.ports(), &file, WORDS).await;
    read.unwrap();
    world.moves(target.db.clone(), &new).await;
    let wallet = wallet.at(world.router());
    let mut browser = world.browser();
    here(&world, &mut browser, &wallet).await;
    let after = export(&mut browser).await;
    assert_eq!(after["attributes"], before["attributes"]);
    assert_eq!(after["account"]["logins"], 2);
}
