//! Somebody new, in an empty folder, with nothing but README.md.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Command;
use vouchsafe_tests::application::Application;
use vouchsafe_tests::browser::Browser;
use vouchsafe_tests::process::{Conditions, Process, free_port, program};

use crate::applications::node;

const README: &str = include_str!("../../../README.md");

/// The commands of a terminal session of the section "Run it".
fn session(number: usize) -> Vec<&'static str> {
    let (_, section) = README.split_once("\n## Run it\n").unwrap();
    let session = section.split("```console\n").nth(number).unwrap();
    let lines = session.split("```").next().unwrap().lines();
    lines.filter_map(|line| line.strip_prefix("$ ")).collect()
}

/// The folder, and addresses that nobody else has instead of those of README.md.
pub struct Place {
    folder: tempfile::TempDir,
    pub issuer: String,
    pub verifier: String,
    pub app: String,
}

impl Place {
    pub fn new() -> Result<Self> {
        let address =
            || Ok::<_, anyhow::Error>(format!("http://127.0.0.1:{}", free_port("127.0.0.1")?));
        Ok(Self {
            folder: tempfile::tempdir()?,
            issuer: address()?,
            verifier: address()?,
            app: address()?,
        })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn words(&self, command: &str) -> Vec<String> {
        let here = command
            .replace("http://127.0.0.1:8702", &self.issuer)
            .replace("http://127.0.0.1:9000", &self.app);
        let words = here.split_whitespace().map(str::to_owned);
        words.filter(|word| word != "vouchsafe").collect()
    }

    /// What a command prints for others to read.
    pub async fn run(&self, command: &str) -> Result<String> {
        let output = self.output(command).await?;
        Ok(String::from_utf8(output.stdout)?)
    }

    /// What a command prints.
    pub async fn printed(&self, command: &str) -> Result<String> {
        let output = self.output(command).await?;
        Ok(String::from_utf8([output.stdout, output.stderr].concat())?)
    }

    async fn output(&self, command: &str) -> Result<std::process::Output> {
        let output = Command::new(program()?)
            .args(self.words(command))
            .current_dir(self.path())
            .env("VOUCHSAFE_PASSPHRASE", "a passphrase of tests")
            .output()
            .await?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command}: {error}");
        Ok(output)
    }

    /// The application, with what was printed when it was registered.
    pub async fn start(&self, mut app: Command, registered: &str) -> Result<Application> {
        let (id, secret) = registered.trim().split_once(' ').context("no secret")?;
        app.envs([
            ("ISSUER", self.verifier.as_str()),
            ("CLIENT_ID", id),
            ("CLIENT_SECRET", secret),
            ("ORIGIN", &self.app),
        ]);
        Application::start(app, &self.app).await
    }

    pub async fn serve(&self, command: &str) -> Result<Process> {
        let words = self.words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Process::start(&words, self.path(), Conditions::default()).await
    }
}

/// Three commands make an issuer and offer a card, four a login service beside it with an application;
/// the eighth starts the application, on a library that nobody here wrote.
#[tokio::test]
async fn eight_commands_with_a_type_of_ones_own() {
    let Some((_folder, command)) = node("node/app.mjs", "openid-client").unwrap() else {
        return;
    };
    step_by_step(command).await.unwrap();
}

async fn step_by_step(app: Command) -> Result<()> {
    let place = Place::new()?;
    let [init, serve, offer] = session(1)[..] else {
        bail!("not three commands: {:?}", session(1));
    };
    place.run(&format!("{init} --url {}", place.issuer)).await?;
    let _issuer = place.serve(serve).await?;
    let offered = place.run(offer).await?;

    let [init, trust, client, serve] = session(2)[..] else {
        bail!("not four commands: {:?}", session(2));
    };
    place
        .run(&format!("{init} --url {}", place.verifier))
        .await?;
    place.run(trust).await?;
    let registered = place.run(client).await?;
    let _verifier = place.serve(serve).await?;

    let app = place.start(app, &registered).await?;
    person(&place, offered.trim(), &app, "..").await
}

/// Five commands make both services at once, offer a card and start the application.
#[tokio::test]
async fn five_commands_from_nothing_to_a_person_who_is_logged_in() {
    let Some((_folder, command)) = node("node/app.mjs", "openid-client").unwrap() else {
        return;
    };
    at_once(command).await.unwrap();
}

async fn at_once(app: Command) -> Result<()> {
    let place = Place::new()?;
    let [generate, issuer, verifier, offer, start] = session(4)[..] else {
        bail!("not five commands: {:?}", session(4));
    };
    ensure!(start.ends_with("node app.mjs"), "{start}");
    let addresses = format!(
        "--issuer-url {} --verifier-url {}",
        place.issuer, place.verifier
    );
    let registered = place.run(&format!("{generate} {addresses}")).await?;
    let _issuer = place.serve(issuer).await?;
    let _verifier = place.serve(verifier).await?;
    let offered = place.run(offer).await?;

    let app = place.start(app, &registered).await?;
    person(&place, offered.trim(), &app, "../club").await
}

/// The person takes the card, opens the application and shows the card.
async fn person(place: &Place, offered: &str, app: &Application, anchors: &str) -> Result<()> {
    place.run("vouchsafe wallet init --dev-loopback").await?;
    trust(place, anchors)?;
    let add = format!("vouchsafe wallet add --yes {offered}");
    place.run(&add).await?;
    let plain = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let mut browser = Browser::new(plain).visiting(&app.url);
    let asking = browser.travel(app.url.as_str()).await?;
    let link = asking.attribute("id=\"show-card\"", "href")?;
    let show = format!("vouchsafe wallet present --yes --json {link}");
    let shown: Value = serde_json::from_str(&place.run(&show).await?)?;
    let back = shown["redirect_uri"].as_str().context("no way back")?;
    let page = browser.travel(back).await?;
    ensure!(page.body == "Hello, gold member!", "{page:?} {}", app.log());
    Ok(())
}

/// The wallet knows both services by what is in the folder `anchors`, as its file says how.
fn trust(place: &Place, anchors: &str) -> Result<()> {
    let file = place.path().join("vouchsafe-wallet/wallet.toml");
    let text = std::fs::read_to_string(&file)?.replace(
        "verifier_anchors = []",
        &format!("verifier_anchors = [\"{anchors}/wallet-verifier-anchors.pem\"]"),
    );
    let issuer = format!(
        "\n[[issuer]]\ncredential_issuer = \"{}\"\nanchors = \"{anchors}/wallet-issuer-anchors.pem\"\n",
        place.issuer
    );
    Ok(std::fs::write(&file, text + &issuer)?)
}
