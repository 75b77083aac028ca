//! Pages that no story of the demo leads to, in a real browser, each in a language from left to right,
//! one with long words and one from right to left. `VOUCHSAFE_SHOTS` names a folder for pictures.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use crate::journey_profile::{PROFILE, again, member, more, send, tokens};
use crate::journey_wait::{HOLD, KEY};
use crate::journeys::{HOME, MEMBER, with_more};
use crate::numbers_pages::{enter, key};
use crate::passkey_browser::peer;
use crate::world::browser::Browser;
use crate::world::passkeys::{self, ON};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{OP, World};

/// German only where there are pictures to look at.
const LANGUAGES: [&str; 3] = ["en", "ar", "de"];

/// Somebody who looks at pages.
struct Eyes {
    child: Child,
    hears: ChildStdin,
    says: Option<BufReader<ChildStdout>>,
    found: Vec<Value>,
}

impl Eyes {
    fn open(script: &std::path::Path, port: u16) -> Self {
        let shots = std::env::var("VOUCHSAFE_SHOTS").unwrap_or_default();
        let mut child = Command::new("node")
            .arg(script)
            .env("OP", OP)
            .env("AT", port.to_string())
            .env("SHOTS", shots)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            hears: child.stdin.take().unwrap(),
            says: child.stdout.take().map(BufReader::new),
            child,
            found: Vec::new(),
        }
    }

    /// Looks at a page as this browser has it, after what is done there.
    async fn look(&mut self, browser: &Browser, language: &str, page: (&str, &str), more: Value) {
        let mut line = json!({
            "name": page.0, "path": page.1, "language": language, "cookies": browser.cookies(),
        });
        let all = line.as_object_mut().unwrap();
        all.extend(more.as_object().cloned().unwrap_or_default());
        writeln!(self.hears, "{line}").unwrap();
        let mut says = self.says.take().unwrap();
        let read = move || {
            let mut line = String::new();
            says.read_line(&mut line).unwrap();
            (says, line)
        };
        let (says, line) = spawn_blocking(read).await.unwrap();
        self.says = Some(says);
        let said: Value = serde_json::from_str(&line).unwrap();
        if said["findings"] != json!([]) {
            self.found.push(said);
        }
    }
}

async fn show(browser: &mut Browser, wallet: &Wallet, shop: &RelyingParty) -> String {
    let (path, page) = begin(browser, &shop.authorize("openid", &[])).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    assert_eq!(browser.get(&back).await.location(), path);
    path
}

/// The question after a login: typed, from a wallet, and from a wallet that said something.
async fn question(world: &World, eyes: &mut Eyes, language: &'static str) {
    let wallet = member(world, &format!("M-ask-{language}")).await;
    let mut browser = world.browser().from(HOME).speaking(language);
    for _ in 0..2 {
        let answer = again(world, &mut browser, &wallet).await;
        tokens(world, &answer).await;
    }
    let path = again(world, &mut browser, &wallet).await.location();
    let page = (path.as_str(), &browser.get(&path).await);
    let none = json!({});
    eyes.look(&browser, language, ("ask", &path), none.clone())
        .await;
    let wrong = json!({ "fill": { "#ask-postal_code": "0150" }, "press": "#ask button" });
    eyes.look(&browser, language, ("ask-wrong", &path), wrong)
        .await;
    send(&mut browser, page, &[("wallet", "postal_code")]).await;
    eyes.look(&browser, language, ("ask-wallet", &path), none.clone())
        .await;
    let page = browser.get(&path).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    browser.get(&back).await;
    eyes.look(&browser, language, ("ask-card", &path), none.clone())
        .await;
    let page = (path.as_str(), &browser.get(&path).await);
    let answer = send(&mut browser, page, &[("card", "keep")]).await;
    tokens(world, &answer).await;
    // The next one has a choice and no card.
    let path = again(world, &mut browser, &wallet).await.location();
    eyes.look(&browser, language, ("ask-choice", &path), none)
        .await;
}

/// What somebody sees who made the account, and who waits for it.
async fn hold(world: &World, eyes: &mut Eyes, language: &'static str) {
    let wallet = world.person(&format!("M-{language}")).await;
    let mut owner = world.browser().speaking(language);
    log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
    let mut waiting = world.browser().speaking(language);
    let path = show(&mut waiting, &wallet, &world.cafe()).await;
    let none = json!({});
    eyes.look(&waiting, language, ("wait", &path), none.clone())
        .await;
    let mut device = passkeys::device(world);
    if language == "en" {
        passkeys::add(&mut owner, &mut device, "My telephone").await;
    }
    eyes.look(&owner, language, ("account", "/account"), none.clone())
        .await;
    let bikes = crate::attributes::bikes(world);
    let mut fresh = world.browser().speaking(language);
    let path = show(&mut fresh, &wallet, &bikes).await;
    eyes.look(&fresh, language, ("new-passkey", &path), none.clone())
        .await;
    let delete = "/account/delete";
    eyes.look(&owner, language, ("account-delete", delete), none.clone())
        .await;
    let deleted = json!({ "press": "#delete button" });
    eyes.look(&owner, language, ("account-deleted", delete), deleted)
        .await;
}

async fn numbers(world: &World, eyes: &mut Eyes, language: &'static str) {
    let (_, key) = key(world).await;
    let mut browser = world.browser().speaking(language);
    enter(&mut browser, &key).await;
    let none = json!({});
    for name in ["", "/risk", "/clients", "/consents", "/audit", "/returns"] {
        let shown = format!("numbers{}", name.replace('/', "-"));
        let path = format!("/admin{name}");
        eyes.look(&browser, language, (&shown, &path), none.clone())
            .await;
    }
    let open = json!({ "open": "summary" });
    eyes.look(&browser, language, ("numbers-table", "/admin"), open)
        .await;
}

#[tokio::test]
async fn pages_that_nobody_comes_by_are_looked_at_in_chromium() {
    // It takes its time: it runs where somebody wants to look.
    if std::env::var_os("VOUCHSAFE_SHOTS").is_none() {
        return;
    }
    let Some(script) = peer("screens.mjs") else {
        return;
    };
    let held = HOLD.replace("\"suite\"", "\"cafe\"");
    let key = KEY.replace("\"suite\"", "\"bikes\"");
    let files = [
        ("member.toml", MEMBER),
        ("profile.toml", PROFILE),
        ("held.toml", held.as_str()),
        ("key.toml", key.as_str()),
    ];
    let on = format!("{}{ON}\n[numbers]\nsatisfaction = true\n", more());
    with_more(&files, &on, async |world, _| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = world.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let mut eyes = Eyes::open(&script, port);
        let most = std::env::var("VOUCHSAFE_SHOTS").map_or(2, |_| LANGUAGES.len());
        let languages = &LANGUAGES[..most];
        for language in languages {
            question(&world, &mut eyes, language).await;
            hold(&world, &mut eyes, language).await;
        }
        world.tick().await;
        for language in languages {
            numbers(&world, &mut eyes, language).await;
        }
        assert_eq!(eyes.found, Vec::<Value>::new());
        eyes.child.kill().unwrap();
        server.abort();
    })
    .await;
}
