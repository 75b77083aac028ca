//! The end of an account: all that is known of it goes, and nothing of it comes back behind it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Notify;
use vouchsafe_service::db::{DbError, Tx, each, execute};
use vouchsafe_verifier::domain::ids::{ClientId, SessionId, Sid};
use vouchsafe_verifier::domain::session::{Authentication, SessionClient};
use vouchsafe_verifier::store::refresh_grants::{self, NewRefreshGrant};
use vouchsafe_verifier::store::sessions;

use crate::attributes::{bikes, csrf, export, on_each, say};
use crate::journeys::{HOME, with_more};
use crate::world::browser::{Answer, Browser};
use crate::world::rp::Tokens;
use crate::world::steps::{begin, log_in, rows, same_device, wallet_link};
use crate::world::tables::{count, of_accounts};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World};

const SCOPE: &str = "openid membership offline_access";

async fn delete(browser: &mut Browser) -> Answer {
    let token = csrf(&browser.get("/account/delete").await);
    browser.post("/account/delete", &[("csrf", &token)]).await
}

async fn here(world: &World, browser: &mut Browser, wallet: &Wallet) -> Tokens {
    log_in(browser, wallet, &bikes(world), SCOPE).await
}

/// The session of the one browser that there is, and its account.
async fn session(world: &World) -> (SessionId, String) {
    let sql = "SELECT id, subject_id FROM login_sessions WHERE cookie_hash IS NOT NULL \
         AND ended_at IS NULL";
    let row = each!(world.db, p => sqlx::query_as::<_, (String, String)>(sql).fetch_one(p).await);
    let (id, subject) = row.unwrap();
    (SessionId::from_text(id), subject)
}

#[tokio::test]
async fn an_account_that_is_deleted_ends_everywhere_and_its_card_makes_a_new_one() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let first = here(&world, &mut browser, &wallet).await;
        say(&mut browser, "postal_code", "0150").await;
        let page = browser.get("/account/delete").await;
        page.assert_page(StatusCode::OK, "Delete your account?");
        let token = csrf(&page);
        let refused = browser.post("/account/delete", &[("csrf", "x")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        // A session whose card was shown long ago may be a stolen one.
        world.clock.advance(601);
        let stale = browser.post("/account/delete", &[("csrf", &token)]).await;
        stale.assert_page(StatusCode::FORBIDDEN, "Show your card first");
        let stale = browser.get("/account/export").await;
        stale.assert_page(StatusCode::FORBIDDEN, "Show your card first");
        assert_eq!(rows(&world, "subjects").await, 1);
        let address = bikes(&world).authorize(SCOPE, &[]);
        let again = same_device(&mut browser, &wallet, &address).await;
        let again = bikes(&world)
            .redeem(&bikes(&world).code(&again))
            .await
            .json();
        let token = |name: &str| again[name].as_str().unwrap().to_owned();
        let done = delete(&mut browser).await;
        done.assert_page(StatusCode::OK, "Your account is deleted");
        assert_eq!(browser.cookie("vs_op_session"), None);
        assert_eq!(rows(&world, "login_sessions").await, 0);
        assert_eq!(rows(&world, "access_tokens").await, 0);
        let answer = bikes(&world).userinfo(&token("access_token")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let answer = bikes(&world).refresh(&token("refresh_token")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["error"], "invalid_grant");
        world.tick().await;
        assert!(
            !world.network.logouts().is_empty(),
            "the application is told"
        );
        browser
            .get("/account")
            .await
            .assert_page(StatusCode::OK, "You are not logged in here");
        let new = log_in(&mut browser, &wallet, &bikes(&world), "openid membership").await;
        assert_ne!(new.sub(), first.sub());
    })
    .await;
}

/// A row of a table for an account; of a table that nobody thought of there is none, and the test fails.
fn filling(table: &str) -> &'static str {
    match table {
        "account_attributes" => {
            "INSERT INTO account_attributes (id, subject_id, name, source, rank, body, verified_at, agreed_at, expires_at) \
             VALUES ($1, $2, 'x', 'self', 1, '', 1, 1, 1)"
        }
        "account_authenticators" => {
            "INSERT INTO account_authenticators (id, subject_id, secret, last_step, created_at) \
             VALUES ($1, $2, '', 1, 1)"
        }
        "authenticator_guesses" => {
            "INSERT INTO authenticator_guesses (subject_id, wrong, last_at, wait_until) \
             VALUES ($2, LENGTH($1), 1, 1)"
        }
        "account_bindings" => {
            "INSERT INTO account_bindings (subject_id, name, value_mac, client_id, about, bound_at) \
             VALUES ($2, $1, 'x', 'x', 'x', 1)"
        }
        "account_cards" => {
            "INSERT INTO account_cards (subject_id, query_id, position, issuer, credential_type, shown_at) \
             VALUES ($2, $1, 0, 'x', 'x', 1)"
        }
        "account_identifiers" => {
            "INSERT INTO account_identifiers (subject_id, identifier_mac, external_id, created_at) \
             VALUES ($2, $1, '', 1)"
        }
        "account_invitations" => {
            "INSERT INTO account_invitations (code_hash, subject_id, created_at, expires_at) \
             VALUES ($1, $2, 1, 1)"
        }
        "account_notices" => {
            "INSERT INTO account_notices (id, subject_id, kind, client_id, reference, told_at) \
             VALUES ($1, $2, 'step', 'x', 'x', 1)"
        }
        "account_refusals" => {
            "INSERT INTO account_refusals (subject_id, name, refused_at) VALUES ($2, $1, 1)"
        }
        "journey_holds" => {
            "INSERT INTO journey_holds (login_id, subject_id, client_id, ends_at) VALUES ($1, $2, 'x', 9000000000)"
        }
        "passkey_handles" => {
            "INSERT INTO passkey_handles (subject_id, user_handle) VALUES ($2, $1)"
        }
        "risk_accounts" => "INSERT INTO risk_accounts (subject_id, logins) VALUES ($2, LENGTH($1))",
        "risk_failures" => {
            "INSERT INTO risk_failures (login_id, at, address, subject_id) VALUES ($1, 1, 1, $2)"
        }
        "risk_logins" => {
            "INSERT INTO risk_logins (id, subject_id, at, features, device, place, folded) \
             VALUES ($1, $2, 1, '', 1, '', 0)"
        }
        other => panic!("nothing fills {other}: does the end of an account empty it?"),
    }
}

#[tokio::test]
async fn no_table_names_an_account_that_was_deleted() {
    on_each(async |world| {
        let (mine, theirs) = (world.person("M-1").await, world.person("M-2").await);
        let mut browser = world.browser();
        here(&world, &mut browser, &mine).await;
        let (_, subject) = session(&world).await;
        let mut other = world.browser();
        here(&world, &mut other, &theirs).await;
        say(&mut other, "postal_code", "0150").await;
        let of_me = |table: &str| {
            // What is left of a session is its end.
            let but = match table {
                "login_sessions" => "AND ended_at IS NULL",
                _ => "",
            };
            format!("SELECT COUNT(*) FROM {table} WHERE subject_id = '{subject}' {but}")
        };
        let of_others =
            |table: &str| format!("SELECT COUNT(*) FROM {table} WHERE subject_id <> '{subject}'");
        let tables = of_accounts(&world.db).await;
        assert!(tables.len() > 10, "{tables:?}");
        let mut before = Vec::new();
        for table in &tables {
            if count(&world.db, of_me(table)).await == 0 {
                let (row, id) = (filling(table), format!("mine-{table}"));
                let mine = subject.as_str();
                execute!(world.db, sqlx::query(row).bind(id.as_str()).bind(mine)).unwrap();
            }
            assert_ne!(count(&world.db, of_me(table)).await, 0, "{table}");
            before.push(count(&world.db, of_others(table)).await);
        }
        let done = delete(&mut browser).await;
        done.assert_page(StatusCode::OK, "Your account is deleted");
        for (table, before) in tables.iter().zip(before) {
            assert_eq!(count(&world.db, of_me(table)).await, 0, "{table}");
            assert_eq!(count(&world.db, of_others(table)).await, before, "{table}");
        }
        let me = format!("SELECT COUNT(*) FROM subjects WHERE id = '{subject}'");
        assert_eq!(count(&world.db, me).await, 0);
        assert_eq!(export(&mut other).await["attributes"][0]["value"], "0150");
    })
    .await;
}

/// A grant that began in a session, as a redemption writes it, and is not committed when the other is
/// asked for.
async fn meanwhile<T>(world: &World, ends: impl Future<Output = T>) -> T {
    let (login_session, _) = session(world).await;
    let (held, db) = (Arc::new(Notify::new()), world.db.clone());
    let tell = Arc::clone(&held);
    let redemption = tokio::spawn(async move {
        let begin = async move |tx: &mut Tx| {
            let until = sessions::hold(tx, &login_session, NOW).await?;
            let grant = NewRefreshGrant {
                family: "family".to_owned(),
                member: SessionClient {
                    sid: Sid::from_text("sid".to_owned()),
                    session: SessionId::from_text("away".to_owned()),
                    client: ClientId::from_text("bikes".to_owned()),
                    sub: "sub".to_owned(),
                },
                login_session: login_session.clone(),
                authentication: Authentication {
                    auth_time: NOW,
                    acr: "vc".to_owned(),
                    amr: vec!["vp".to_owned()],
                },
                expires_at: until.expect("a session"),
            };
            assert!(refresh_grants::insert(tx, &grant, NOW).await?);
            tell.notify_one();
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok::<_, DbError>(())
        };
        db.write(begin).await.unwrap();
    });
    held.notified().await;
    let ended = ends.await;
    redemption.await.unwrap();
    ended
}

#[tokio::test]
async fn a_grant_that_begins_meanwhile_ends_with_the_account() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        here(&world, &mut browser, &wallet).await;
        let done = meanwhile(&world, delete(&mut browser)).await;
        done.assert_page(StatusCode::OK, "Your account is deleted");
        let away = "SELECT COUNT(*) FROM refresh_grants WHERE family = 'family'";
        assert_eq!(world.count(away).await, 1);
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_begins_meanwhile_ends_with_the_card_that_is_taken_away() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        here(&world, &mut browser, &wallet).await;
        let (_, subject) = session(&world).await;
        let means = "INSERT INTO subject_means (id, kind, framework, issuer, credential_type, claim_mac, subject_id, created_at) \
             VALUES ('lost', 'credential', 'x', 'x', 'x', 'x', $1, 1)";
        execute!(world.db, sqlx::query(means).bind(subject.as_str())).unwrap();
        let token = csrf(&browser.get("/account").await);
        let fields = [("csrf", token.as_str())];
        let removed = browser.post("/account/means/lost/remove", &fields);
        let answer = meanwhile(&world, removed).await;
        assert_eq!(answer.location(), "/account");
        let lost = "SELECT COUNT(*) FROM subject_means WHERE id = 'lost'";
        assert_eq!(world.count(lost).await, 0);
        // The session of this browser stays, and it alone.
        assert_eq!(rows(&world, "login_sessions").await, 1);
        let away = "SELECT COUNT(*) FROM login_sessions WHERE id = 'away' AND ended_at IS NULL";
        assert_eq!(world.count(away).await, 0);
    })
    .await;
}

/// A card, a question, and whoever says no is told of it.
const TOLD: &str = r#"
id = "told"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "ask"
kind = "consent"
receipt = "iso27560"
on = { declined = "no" }

[[step]]
id = "done"
kind = "finish"

[[step]]
id = "no"
kind = "deny"
code = "closed"
notify = ["user"]
"#;

#[tokio::test]
async fn nobody_is_told_of_an_account_that_was_deleted() {
    with_more(
        &[("told.toml", TOLD)],
        crate::consents::CONTROLLER,
        async |world, _| {
            let wallet = world.person("M-1").await;
            let mut owner = world.browser().from(HOME);
            let notices = "SELECT COUNT(*) FROM account_notices";
            for (deleted, written) in [(false, 1), (true, 0)] {
                log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
                let mut browser = world.browser().from(HOME);
                let address = world.suite().authorize("openid", &[]);
                let (path, page) = begin(&mut browser, &address).await;
                let back = wallet.follow(&wallet_link(&page)).await;
                browser.get(&back).await;
                let page = browser.get(&path).await;
                page.assert_page(StatusCode::OK, "Do you agree");
                if deleted {
                    let done = delete(&mut owner).await;
                    done.assert_page(StatusCode::OK, "Your account is deleted");
                }
                let (csrf, notice) = (
                    csrf(&page),
                    page.attribute("name=\"notice\"", "value").unwrap(),
                );
                let fields = [
                    ("csrf", csrf.as_str()),
                    ("notice", &notice),
                    ("answer", "no"),
                ];
                browser.post(&format!("{path}/agree"), &fields).await;
                assert_eq!(world.count(notices).await, written);
            }
        },
    )
    .await;
}
