//! Passkeys in a real browser, with a virtual authenticator.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use url::Url;

use crate::world::passkeys::ON;
use crate::world::{OP, with_config};

const CALLBACK: &str = "https://suite.example/cb";

/// A script, where Node and its packages are there. `VOUCHSAFE_PEERS=1` requires them.
pub fn peer(name: &str) -> Option<std::path::PathBuf> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers");
    let there = peers.join("node_modules/playwright-core").is_dir();
    let required = std::env::var("VOUCHSAFE_PEERS").is_ok_and(|value| value == "1");
    assert!(there || !required, "run `npm ci` in {}", peers.display());
    there.then(|| peers.join(name))
}

struct Script {
    child: Child,
    hears: ChildStdin,
    says: Option<BufReader<ChildStdout>>,
}

impl Script {
    fn start(script: &Path, port: u16, link: &str) -> Self {
        let shots = std::env::var("VOUCHSAFE_SHOTS").unwrap_or_default();
        let mut child = Command::new("node")
            .arg(script)
            .env("LINK", link)
            .env("OP", OP)
            .env("CALLBACK", CALLBACK)
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
        }
    }

    async fn says(&mut self) -> Value {
        let mut says = self.says.take().unwrap();
        let read = move || {
            let mut line = String::new();
            says.read_line(&mut line).unwrap();
            (says, line)
        };
        let (says, line) = spawn_blocking(read).await.unwrap();
        self.says = Some(says);
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("a step, not {line:?}"))
    }
}

/// The parameter `code` of an address.
fn code(step: &Value) -> String {
    let url = step["url"].as_str().unwrap_or_else(|| panic!("{step}"));
    let url = Url::parse(url).unwrap();
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(name, _)| name == "code");
    found
        .unwrap_or_else(|| panic!("a code in {url}"))
        .1
        .into_owned()
}

#[tokio::test]
async fn a_person_adds_a_passkey_and_comes_back_with_it_in_chromium() {
    let Some(script) = peer("passkeys.mjs") else {
        return;
    };
    with_config(ON, async |world| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = world.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let (wallet, suite) = (world.person("M-1").await, world.suite());
        let mut browser = Script::start(&script, port, &suite.authorize("openid", &[]));

        let asked = browser.says().await;
        let back = wallet.follow(asked["link"].as_str().unwrap()).await;
        writeln!(browser.hears, "{back}").unwrap();
        let first = suite.tokens(&code(&browser.says().await)).await;
        let added = json!({ "step": "added", "passkeys": 1, "resident": true, "named": true });
        assert_eq!(browser.says().await, added);
        let again = browser.says().await;
        assert_eq!(again["step"], "by passkey", "{again}");
        let second = suite.tokens(&code(&again)).await;
        assert_eq!(first.sub(), second.sub());
        assert_eq!(second.claims["amr"], json!(["mfa", "swk", "user"]));
        let end = browser.says().await;
        assert_eq!(end, json!({ "step": "end", "findings": [] }));
        assert!(browser.child.wait().unwrap().success());
        server.abort();
    })
    .await;
}
