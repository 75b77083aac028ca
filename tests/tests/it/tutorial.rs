//! `docs/tutorial.md`, word for word.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Command;
use vouchsafe_tests::application::Application;
use vouchsafe_tests::browser::Browser;
use vouchsafe_tests::page::Page;
use vouchsafe_tests::process::free_port;

use crate::applications::node;
use crate::newcomer::Place;

const TUTORIAL: &str = include_str!("../../../docs/tutorial.md");

/// The blocks of one kind, in order.
fn blocks(kind: &str) -> Vec<&'static str> {
    let parts = TUTORIAL.split("```").skip(1).step_by(2);
    parts
        .filter_map(|block| block.strip_prefix(kind)?.strip_prefix('\n'))
        .collect()
}

/// The commands of all terminal sessions that begin so.
fn commands(start: &str) -> Vec<&'static str> {
    let lines = blocks("console").into_iter().flat_map(str::lines);
    let commands = lines.filter_map(|line| line.strip_prefix("$ "));
    commands.filter(|one| one.starts_with(start)).collect()
}

/// The only one.
fn command(start: &str) -> Result<&'static str> {
    match commands(start)[..] {
        [command] => Ok(command),
        ref others => bail!("{start}: {others:?}"),
    }
}

/// What the text says that a command prints.
fn said(command: &str) -> &'static str {
    let block = TUTORIAL.split_once(command).map_or("", |(_, rest)| rest);
    let lines = block.trim_start_matches('\n');
    let end = lines.find("$ ").into_iter().chain(lines.find("```")).min();
    end.map_or("", |end| &lines[..end])
}

#[tokio::test]
async fn the_tutorial_runs_as_it_is_written() {
    let Some((_folder, app)) = node("node/app.mjs", "openid-client").unwrap() else {
        return;
    };
    ten_minutes(app).await.unwrap();
}

async fn ten_minutes(app: Command) -> Result<()> {
    let place = Place::new()?;
    let addresses = format!(
        "--issuer-url {} --verifier-url {}",
        place.issuer, place.verifier
    );
    let generate = command("vouchsafe config generate")?;
    let registered = place.run(&format!("{generate} {addresses}")).await?;
    let metrics = move_metrics(&place)?;
    let [issuer] = commands("vouchsafe issuer serve")[..] else {
        bail!("no issuer is started");
    };
    let [verifier, again] = commands("vouchsafe verifier serve")[..] else {
        bail!("the login service is not started twice");
    };
    let _issuer = place.serve(issuer).await?;
    let without_rule = place.serve(verifier).await?;

    let offers = commands("vouchsafe issuer offer");
    let made = commands("vouchsafe wallet init");
    let added = commands("vouchsafe wallet add");
    ensure!((offers.len(), made.len(), added.len()) == (2, 2, 2));
    for ((offer, init), add) in offers.iter().zip(made).zip(added) {
        let link = place.run(offer).await?;
        place.run(init).await?;
        let add = add.replace("'openid-credential-offer://…'", link.trim());
        place.run(&add).await?;
    }

    let app = place.start(app, &registered).await?;
    let welcome = show(&place, &app, "ada").await?;
    ensure!(welcome.body == "Hello, gold member!", "{welcome:?}");

    on_paper(&place).await?;
    drop(without_rule);
    let _verifier = place.serve(again).await?;
    let welcome = show(&place, &app, "ada").await?;
    ensure!(welcome.body == "Hello, gold member!", "{welcome:?}");
    let refused = show(&place, &app, "ben").await?;
    ensure!(
        refused.body.contains("The lounge is for gold members."),
        "{refused:?}"
    );
    traced(&place, &refused).await?;

    let numbers = reqwest::Client::builder().no_proxy().build()?;
    let numbers = numbers.get(metrics).send().await?.text().await?;
    for outcome in ["denied", "success"] {
        let counted = format!(
            "vouchsafe_journey_finished_total{{journey=\"lounge\",stage=\"retention\",channel=\"same_device\",outcome=\"{outcome}\"}} 1"
        );
        ensure!(numbers.contains(&counted), "{counted}: {numbers}");
    }
    Ok(())
}

/// Gives the numbers of the login service a port that nobody else has.
fn move_metrics(place: &Place) -> Result<String> {
    ensure!(command("curl")?.ends_with("http://127.0.0.1:8711/metrics"));
    let mut metrics = String::new();
    for name in ["club/issuer.toml", "club/verifier.toml"] {
        let file = place.path().join(name);
        let text = std::fs::read_to_string(&file)?;
        metrics = format!("127.0.0.1:{}", free_port("127.0.0.1")?);
        let moved = text.lines().map(|line| match line.split_once(" = ") {
            Some(("metrics_listen", _)) => format!("metrics_listen = \"{metrics}\"\n"),
            _ => format!("{line}\n"),
        });
        let moved: String = moved.collect();
        ensure!(moved.contains(&metrics), "{name} has no metrics");
        std::fs::write(&file, moved)?;
    }
    Ok(format!("http://{metrics}/metrics"))
}

/// Writes the files of the text, and looks at them with its commands.
async fn on_paper(place: &Place) -> Result<()> {
    let [journey, setting] = blocks("toml")[..] else {
        bail!("not a journey and a setting");
    };
    let [case] = blocks("json")[..] else {
        bail!("not one case");
    };
    std::fs::create_dir(place.path().join("journeys"))?;
    std::fs::write(place.path().join("journeys/lounge.toml"), journey)?;
    std::fs::write(place.path().join("ben.json"), case)?;
    let file = place.path().join("club/verifier.toml");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, format!("{text}\n{setting}"))?;
    for start in ["vouchsafe journey", "vouchsafe config check"] {
        for command in commands(start) {
            let printed = place.printed(command).await?;
            let said = said(command);
            ensure!(printed == said, "{command}\n{printed}\ninstead of\n{said}");
        }
    }
    let drawn = std::fs::read_to_string(place.path().join("lounge.svg"))?;
    ensure!(drawn.contains("not_gold"), "{drawn}");
    Ok(())
}

/// The reference of the page leads to the rules that the text shows.
async fn traced(place: &Place, refused: &Page) -> Result<()> {
    let (_, rest) = refused
        .body
        .split_once("Reference")
        .context("no reference")?;
    let rest = rest.trim_start_matches(|one: char| !one.is_ascii_alphanumeric());
    let (reference, _) = rest
        .split_once(|one: char| !one.is_ascii_alphanumeric() && one != '-' && one != '_')
        .context("no reference")?;
    let trace = command("vouchsafe verifier trace")?;
    let printed = place
        .printed(&trace.replace("REFERENCE", reference))
        .await?;
    let said = said(trace);
    ensure!(printed == said, "{printed}\ninstead of\n{said}");
    Ok(())
}

/// A person opens the application in a new browser and shows the card of a wallet.
async fn show(place: &Place, app: &Application, wallet: &str) -> Result<Page> {
    let plain = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let mut browser = Browser::new(plain).visiting(&app.url);
    let asking = browser.travel(app.url.as_str()).await?;
    let link = asking.attribute("id=\"show-card\"", "href")?;
    // What the wallet's page at this address hands on.
    let link = link.replacen("http://127.0.0.1:4010/present", "openid4vp://", 1);
    let present = format!("vouchsafe wallet present --home {wallet} --yes --json {link}");
    let shown: Value = serde_json::from_str(&place.run(&present).await?)?;
    let back = shown["redirect_uri"].as_str().context("no way back")?;
    browser.travel(back).await
}
