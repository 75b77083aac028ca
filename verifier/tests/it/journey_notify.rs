//! Steps that tell people and end what is old: in the transaction of the step, or not at all.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::db::{Tx, execute, testing};
use vouchsafe_service::webhooks::{Secrets, WebhookSecret};
use vouchsafe_verifier::config::Settings;
use vouchsafe_verifier::domain::account_notice::{Notice, NoticeKind};
use vouchsafe_verifier::domain::ids::{ClientId, SubjectId};
use vouchsafe_verifier::store::{MIGRATIONS, notices};

use crate::journeys::{leave, log_out, member, with, with_more, write};
use crate::world::World;
use crate::world::steps::{begin, log_in, rows, same_device, wallet_link};

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const NOTICES: &str = "SELECT COUNT(*) FROM account_notices";

/// Everybody is refused, and the owner of the account hears of it.
const REFUSED: &str = r#"
id = "refused"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"
when = '!session.exists'

[[step]]
id = "out"
kind = "deny"
code = "closed"
notify = ["user"]
"#;

#[tokio::test]
async fn who_owns_the_account_hears_of_a_refused_login() {
    with(&[("refused.toml", REFUSED)], async |world, _| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        let address = suite.authorize("openid", &[]);
        // Of an account that is not there yet nobody hears.
        let mut stranger = world.browser();
        let answer = same_device(&mut stranger, &wallet, &address).await;
        assert!(answer.location().starts_with("/login/"));
        assert_eq!(world.count(NOTICES).await, 0);

        let mut owner = world.browser();
        log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
        let page = owner.get("/account").await;
        assert!(!page.body.contains("What you should know"));
        let mut thief = world.browser();
        let (path, page) = begin(&mut thief, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        assert_eq!(thief.get(&back).await.location(), path);
        // The page that says so is loaded as often as anybody wants.
        for _ in 0..2 {
            assert_eq!(thief.get(&path).await.status, StatusCode::FORBIDDEN);
        }
        leave(&mut thief, &path).await;
        let page = owner.get("/account").await;
        page.assert_page(StatusCode::OK, "What you should know");
        page.assert_page(StatusCode::OK, "A login to your account at");
        page.assert_page(
            StatusCode::OK,
            path.trim_start_matches("/login/").get(..8).unwrap(),
        );
        assert_eq!(world.count(NOTICES).await, 1);

        // Another member's card, and a card that nobody showed: nobody hears of somebody else.
        let other = world.person("M-2").await;
        let mut browser = world.browser();
        log_in(&mut browser, &other, &world.shop(), "openid membership").await;
        let page = browser.get("/account").await;
        assert!(!page.body.contains("What you should know"));
    })
    .await;
}

#[derive(Clone, Default)]
pub struct System(Arc<Mutex<Vec<(HeaderMap, String)>>>);

impl System {
    pub async fn listen(&self) -> String {
        let hook = async |State(system): State<Self>, headers: HeaderMap, body: String| {
            system.0.lock().unwrap().push((headers, body));
            StatusCode::NO_CONTENT
        };
        let router = Router::new()
            .route("/hook", post(hook))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/hook")
    }

    pub async fn told(&self, world: &World) -> Vec<Value> {
        world.tick().await;
        let got = std::mem::take(&mut *self.0.lock().unwrap());
        let secrets = Secrets::of(WebhookSecret::parse(SECRET).unwrap(), None);
        let read = |(headers, body): (HeaderMap, String)| {
            let text = |name: &str| headers[name].to_str().unwrap().to_owned();
            let signed = secrets.header(&text("webhook-id"), world.clock.now(), &body);
            assert_eq!(text("webhook-signature"), signed);
            serde_json::from_str(&body).unwrap()
        };
        got.into_iter().map(read).collect()
    }
}

/// The end of a recovery.
const CLEAN: &str = r#"
id = "clean"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"
when = '!session.exists || "login" in request.prompt'

[[step]]
id = "clean"
kind = "notify"
notify = ["all_channels"]
revoke = ["sessions", "refresh_tokens"]
emit = ["webhook:recovery.completed"]

[[step]]
id = "in"
kind = "finish"
"#;

async fn cleaned(system: &System, test: impl AsyncFn(World, &Path)) {
    notified(system, CLEAN, test).await;
}

async fn notified(system: &System, text: &str, test: impl AsyncFn(World, &Path)) {
    let url = system.listen().await;
    let told =
        format!("\n[journeys.notify]\nurl = \"{url}\"\nsecret = \"{SECRET}\"\nsubject = true\n");
    with_more(&[("clean.toml", text)], &told, test).await;
}

#[tokio::test]
async fn row_47_old_sessions_and_tokens_end_with_the_step_and_the_system_is_told() {
    let system = System::default();
    cleaned(&system, async |world, _| {
        let wallet = world.person("M-1").await;
        let (mut old, mut new) = (world.browser(), world.browser());
        let scope = "openid membership offline_access";
        let shop = world.shop();
        let answer = same_device(&mut old, &wallet, &shop.authorize(scope, &[])).await;
        let stay = shop.redeem(&shop.code(&answer)).await.json();
        let refresh = stay["refresh_token"].as_str().unwrap().to_owned();
        let someone = world.person("M-2").await;
        let mut other = world.browser();
        log_in(&mut other, &someone, &world.shop(), "openid membership").await;
        assert_eq!(system.told(&world).await.len(), 0);

        let fresh = member(&world, &mut new, &wallet).await;
        let page = new.get("/account").await;
        page.assert_page(StatusCode::OK, "older logins of your account were ended");
        // The old ones are dead, here and at the application.
        let page = old.get("/account").await;
        assert!(
            !page.body.contains("older logins of your account"),
            "{}",
            page.body
        );
        let again = world.shop().refresh(&refresh).await;
        assert_eq!(again.json()["error"], "invalid_grant");
        // Somebody else's are not.
        let page = other.get("/account").await;
        page.assert_page(StatusCode::OK, "This browser");
        let told = system.told(&world).await;
        assert_eq!(world.network.logouts().len(), 2);
        let mut types: Vec<&str> = told
            .iter()
            .map(|one| one["type"].as_str().unwrap())
            .collect();
        types.sort_unstable();
        assert_eq!(types, ["journey.notify", "recovery.completed"]);
        for one in &told {
            assert_eq!(one["data"]["sub"], fresh.sub());
            assert_eq!(one["data"]["step"], "clean");
            assert!(!one.to_string().contains("M-1"));
        }
        assert_eq!(system.told(&world).await.len(), 0);
    })
    .await;
}

/// A request that nobody sees tells nobody; and a session that ended meanwhile does not either.
#[tokio::test]
async fn nothing_is_told_before_a_page_was_opened() {
    let system = System::default();
    let text = CLEAN.replace("revoke = [\"sessions\", \"refresh_tokens\"]\n", "");
    notified(&system, &text, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let (notices, sessions) = (
            world.count(NOTICES).await,
            rows(&world, "login_sessions").await,
        );
        system.told(&world).await;
        let silent = world.suite().authorize("openid", &[("prompt", "none")]);
        let answer = browser.get(&silent).await;
        assert_eq!(world.suite().error(&answer), "login_required");
        let address = world.suite().authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        assert_eq!(system.told(&world).await.len(), 0);
        assert_eq!(world.count(NOTICES).await, notices);
        assert_eq!(rows(&world, "login_sessions").await, sessions);
        let answer = browser.get(&path).await;
        world.suite().code(&answer);
        assert_eq!(system.told(&world).await.len(), 2);
        let path = browser.get(&address).await.location();
        let mut window = browser.window(world.router());
        log_out(&mut browser).await;
        assert_eq!(window.get(&path).await.location(), path);
        let page = window.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert_eq!(system.told(&world).await.len(), 0);
        assert_eq!(world.count(NOTICES).await, notices + 1);
    })
    .await;
}

/// Any site can send a browser with a session through a login: that ends nothing of the account.
#[tokio::test]
async fn nothing_ends_without_a_card() {
    let system = System::default();
    cleaned(&system, async |world, _| {
        let wallet = world.person("M-1").await;
        let (mut browser, mut other) = (world.browser(), world.browser());
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        log_in(&mut other, &wallet, &world.shop(), "openid membership").await;
        let address = world.suite().authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        assert_eq!(browser.get(&path).await.location(), path);
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        let page = other.get("/account").await;
        page.assert_page(StatusCode::OK, "This browser");
        assert_eq!(world.count(NOTICES).await, 0);
        assert_eq!(system.told(&world).await.len(), 0);
    })
    .await;
}

/// A refusal that tells somebody waits for its page, as every other word does.
#[tokio::test]
async fn a_refusal_tells_nobody_before_its_page_was_opened() {
    with(&[("refused.toml", REFUSED)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let silent = world.suite().authorize("openid", &[("prompt", "none")]);
        let answer = browser.get(&silent).await;
        assert_eq!(world.suite().error(&answer), "login_required");
        let address = world.suite().authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        assert_eq!(world.count(NOTICES).await, 0);
        for _ in 0..2 {
            browser.get(&path).await;
        }
        assert_eq!(world.count(NOTICES).await, 1);
    })
    .await;
}

/// Nobody fills the page of somebody; and a word of a later version is passed over.
#[tokio::test]
async fn an_account_keeps_ten_notices_of_one_kind_a_day() {
    with(&[("refused.toml", REFUSED)], async |world, _| {
        let subject = SubjectId::generate(&*world.rng);
        let at = world.clock.now();
        for (day, expected) in [(0, 10), (1, 20)] {
            for one in 0..12 {
                let notice = Notice {
                    id: format!("{day}-{one}"),
                    subject: subject.clone(),
                    kind: NoticeKind::Refused,
                    client: ClientId::from_text("suite"),
                    reference: "12345678".to_owned(),
                    told_at: at.plus(day * 86_400),
                };
                let write = async move |tx: &mut Tx| notices::insert(tx, &notice).await;
                world.db.write(write).await.unwrap();
            }
            let kept = notices::of_subject(&world.db, &subject, 50).await.unwrap();
            assert_eq!(kept.len(), expected);
        }
        let later = async |tx: &mut Tx| {
            execute!(tx, sqlx::query("UPDATE account_notices SET kind = 'later'"))
        };
        world.db.write(later).await.unwrap();
        let kept = notices::of_subject(&world.db, &subject, 50).await.unwrap();
        assert!(kept.is_empty());
    })
    .await;
}

#[tokio::test]
async fn whoever_cannot_be_told_stops_the_start() {
    let mail = CLEAN.replace("all_channels", "email");
    let caep = CLEAN
        .replace("notify = [\"all_channels\"]\n", "")
        .replace("webhook:recovery.completed", "caep:credential-change");
    let system =
        format!("\n[journeys.notify]\nurl = \"https://told.example/\"\nsecret = \"{SECRET}\"\n");
    let names = ["journey.notify", "verification.completed", "Done", "a..b"];
    let names = names.map(|name| CLEAN.replace("recovery.completed", name));
    let guest = REFUSED.replace("version = 1", "version = 1\nsubject = \"guest\"");
    let answers = format!("{system}answers = [\"risk\"]\n");
    let mut cases = vec![
        (
            CLEAN,
            "",
            "not_held: the configuration has no `[journeys.notify]`",
        ),
        (
            mail.as_str(),
            system.as_str(),
            "not_held: nobody is told by `email`",
        ),
        (
            caep.as_str(),
            system.as_str(),
            "not_held: `caep:credential-change`",
        ),
        (CLEAN, answers.as_str(), "who is told answers nothing"),
        (CLEAN, system.as_str(), ""),
        (REFUSED, "", ""),
        (
            guest.as_str(),
            "",
            "the questions lead to nobody who could be told",
        ),
    ];
    for text in &names {
        cases.push((text, &system, "is no name of an event of yours"));
    }
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::new(temporary.db.clone()).await;
    for (text, more, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[("j.toml", text)]);
        let dir = folder.path().display();
        let more = format!("\n[journeys]\ndir = \"{dir}\"\n{more}");
        let config = world.configured(|toml| toml + &more);
        let said =
            Settings::parse(&config).map_or_else(|error| error.to_string(), |_| String::new());
        assert!(said.contains(expected), "{expected}: {said}");
        assert_eq!(said.is_empty(), expected.is_empty(), "{said}");
    }
}
