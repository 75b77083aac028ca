//! From a table of members to their cards with the console alone: the commands of README.md in an
//! empty folder, then pages and forms, without JavaScript.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Client;
use serde_json::Value;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, StatusMethod};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_service::config::{DevConfig, FetchConfig};
use vouchsafe_service::fetch::Fetcher;
use vouchsafe_tests::browser::Browser;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::process::{Conditions, Process, run};
use vouchsafe_tests::wallet::Wallet;
use vouchsafe_wallet_core::issuance::IssuancePolicy;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};
use vouchsafe_wallet_core::wallet::Config;

use crate::support::rounds;

/// Plain HTTP forms, wherever the tests run.
#[tokio::test]
async fn a_table_in_the_console_becomes_cards() {
    play(rounds(100, 1000), None).await.unwrap();
}

/// The same in Chromium, with JavaScript turned off.
#[tokio::test]
async fn a_table_in_a_browser_becomes_cards() {
    let Some(script) = peer::script("playwright-core", "console-table.mjs") else {
        return;
    };
    play(rounds(100, 1000), Some(&script)).await.unwrap();
}

async fn play(members: usize, script: Option<&Path>) -> Result<()> {
    let place = tempfile::tempdir()?;
    let began = Instant::now();
    let url = format!("http://127.0.0.1:{}", free_port()?);
    run(&["issuer", "init", "--url", &url], place.path()).await?;
    let serve = ["issuer", "serve"];
    let _issuer = Process::start(&serve, place.path(), Conditions::default()).await?;
    let invite = ["admin", "invite", "--config", "issuer.toml", "Ada"];
    let link = run(&invite, place.path()).await?;
    let file = place.path().join("members.csv");
    std::fs::write(&file, table(members))?;
    let (mut desk, offers) = match script {
        None => Desk::forms(&url, link.trim(), &file).await?,
        Some(script) => Desk::chromium(script, &url, link.trim(), &file).await?,
    };
    ensure!(offers.len() == members, "{} offers", offers.len());
    ensure!(desk.progress().await? == (0, members, true));
    let made = began.elapsed();

    let wallet = wallet(&url, place.path())?;
    for (taken, offer) in (1..).zip(&offers) {
        wallet.take(&offer.link, None).await?;
        if taken % (members / 10) == 0 {
            // The page offers to look again until the last one is picked up.
            let expected = (taken, members, taken < members);
            assert_eq!(desk.progress().await?, expected);
        }
    }
    assert_eq!(desk.credentials("").await?, members);
    let last = &offers[members - 1].record;
    assert_eq!(desk.credentials(&format!("?record={last}")).await?, 1);
    let all = began.elapsed();
    eprintln!("{members} offers after {made:.1?}, {members} cards after {all:.1?}");
    Ok(())
}

fn table(members: usize) -> String {
    let rows = (1..=members).map(|n| format!("crm-{n},M-{n},gold,2030-12-31\n"));
    "record_id,member_id,tier,valid_until\n".to_owned() + &rows.collect::<String>()
}

/// A row of the file that the console gives.
struct Offered {
    record: String,
    link: String,
}

/// The rows of that file.
fn offers(file: &str) -> Result<Vec<Offered>> {
    let offer = |line: &str| {
        let (record, rest) = line.split_once(',').context("no record")?;
        let (link, _) = rest.split_once(',').context("no link")?;
        Ok(Offered {
            record: record.to_owned(),
            link: link.to_owned(),
        })
    };
    file.lines().skip(1).map(offer).collect()
}

/// An operator at the console, after the table was uploaded.
enum Desk {
    Forms {
        url: String,
        browser: Browser,
        progress: String,
    },
    Chromium(Box<Peer>),
}

impl Desk {
    /// Signs in with the link, uploads the table and reads the file with the links.
    async fn forms(url: &str, link: &str, file: &Path) -> Result<(Self, Vec<Offered>)> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        let mut browser = Browser::new(client.build()?);
        let invitation = browser.get(link).await?;
        let csrf = invitation.attribute("name=\"csrf\"", "value")?;
        let joined = browser.post(link, &[("csrf", &csrf)]).await?;
        ensure!(joined.location()?.path() == "/console/");

        let address = format!("{url}/console/batches/new");
        let form = browser.get(&address).await?;
        let csrf = form.attribute("name=\"csrf\"", "value")?;
        let once = form.attribute("name=\"once\"", "value")?;
        let fields = [
            ("csrf", csrf.as_str()),
            ("once", &once),
            ("type", "membership"),
            ("table", ""),
            ("grant", "pre_authorized_code"),
            ("lifetime", "604800"),
        ];
        let table = std::fs::read_to_string(file)?;
        let made = browser.upload(&address, &fields, ("file", &table)).await?;
        ensure!(made.status == 201, "{}: {}", made.status, made.body);
        let download = made.attribute("id=\"download\"", "href")?;
        let download = download.strip_prefix("data:text/csv;base64,");
        let download = BASE64_STANDARD.decode(download.context("no file")?)?;
        let offers = offers(&String::from_utf8(download)?)?;
        let desk = Self::Forms {
            url: url.to_owned(),
            browser,
            progress: made.attribute("id=\"progress\"", "href")?,
        };
        Ok((desk, offers))
    }

    /// The same in Chromium.
    async fn chromium(
        script: &Path,
        url: &str,
        link: &str,
        file: &Path,
    ) -> Result<(Self, Vec<Offered>)> {
        let file = file.to_str().context("no path")?;
        let variables = [("LINK", link), ("ISSUER", url), ("TABLE", file)];
        let mut browser = Peer::start(script, &variables)?;
        let made = browser.says().await?;
        let file = made["file"].as_str().with_context(|| made.to_string())?;
        Ok((Self::Chromium(Box::new(browser)), offers(file)?))
    }

    /// What the page of the table says: how many are picked up, of how many, and whether to look
    /// again.
    async fn progress(&mut self) -> Result<(usize, usize, bool)> {
        match self {
            Self::Forms {
                url,
                browser,
                progress,
            } => {
                let page = browser.get(&format!("{url}{progress}")).await?;
                let number =
                    |name| -> Result<usize> { Ok(page.attribute("id=\"bar\"", name)?.parse()?) };
                let again = page.attribute("Look again", "href").is_ok();
                Ok((number("value")?, number("max")?, again))
            }
            Self::Chromium(browser) => {
                browser.hears("progress").await?;
                let said = browser.says().await?;
                let again = said["again"].as_bool().with_context(|| said.to_string())?;
                Ok((number(&said, "redeemed")?, number(&said, "size")?, again))
            }
        }
    }

    /// Counts the rows of the list of credentials, page by page.
    async fn credentials(&mut self, query: &str) -> Result<usize> {
        let (url, browser) = match self {
            Self::Forms { url, browser, .. } => (url, browser),
            Self::Chromium(browser) => {
                browser.hears(query).await?;
                return number(&browser.says().await?, "rows");
            }
        };
        let mut address = format!("{url}/console/credentials{query}");
        let mut rows = 0;
        loop {
            let page = browser.get(&address).await?;
            ensure!(page.status == 200, "{}: {}", page.status, page.body);
            rows += page.body.matches("<th scope=\"row\">").count();
            match page.attribute(">Older", "href") {
                Ok(next) => address = format!("{url}{next}"),
                Err(_) => return Ok(rows),
            }
        }
    }
}

fn number(said: &Value, name: &str) -> Result<usize> {
    let number = said[name].as_u64().with_context(|| said.to_string())?;
    Ok(usize::try_from(number)?)
}

/// A wallet that knows the authority which `issuer init` made.
fn wallet(issuer: &str, place: &Path) -> Result<Wallet> {
    let mut anchors = TrustAnchors::new(Role::Issuer);
    let pem = std::fs::read_to_string(place.join("wallet-issuer-anchors.pem"))?;
    anchors.add_pem(&pem)?;
    let config = Config {
        trust: TrustList {
            issuers: vec![KnownIssuer {
                credential_issuer: issuer.to_owned(),
                method: IssuerMethod::X509 {
                    anchors: Arc::new(anchors),
                    subject: None,
                },
                types: Vec::new(),
                status: StatusMethod::SameIssuer,
            }],
            verifiers: TrustAnchors::new(Role::VerifierAccess),
            unknown_issuers: UnknownIssuers::Refuse,
            other_verifiers: OtherVerifiers::default(),
        },
        urls: UrlRule::LoopbackAllowed,
        locales: vec!["en".to_owned()],
        redirect_uri: "http://127.0.0.1/back".parse()?,
        client_id: "vouchsafe-wallet".to_owned(),
        batch_size: 1,
        issuance: IssuancePolicy::default(),
        status: StatusPolicy::default(),
        transactions: false,
    };
    let dev = DevConfig {
        loopback_http: true,
    };
    Wallet::new(config, Fetcher::new(&FetchConfig::default(), &dev)?)
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
