//! Questions over REST, without OpenID Connect: a system of an organisation with plain HTTP, the
//! real program, our wallet.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::process::Command;
use vouchsafe_tests::canary::{Canary, scan};
use vouchsafe_tests::database::{self, Kind};
use vouchsafe_tests::process::run;
use vouchsafe_tests::world::{Options, World};

use crate::rest::{CHECKS, schemathesis};
use crate::support::{on_each_database, rounds};

/// The lines of README.md.
fn with_callers(text: String) -> String {
    let readme = include_str!("../../../README.md");
    let section = readme
        .split("```toml\n[[verifications.caller]]")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("README.md shows how to ask over REST");
    format!("{text}\n[[verifications.caller]]{section}")
}

/// A system of the organisation.
struct System<'a> {
    world: &'a World,
    key: String,
}

impl<'a> System<'a> {
    async fn new(world: &'a World) -> Result<Self> {
        let command = ["verifier", "api-key", "--config", "verifier.toml", "door"];
        let key = run(&command, &world.folder).await?;
        Ok(Self {
            world,
            key: key.trim().to_owned(),
        })
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response> {
        let url = format!("{}{path}", self.world.verifier_url);
        let mut request = self
            .world
            .client
            .request(method, url)
            .bearer_auth(&self.key);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        Ok(request.send().await?)
    }

    async fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let response = self.call(method, path, body).await?;
        let status = response.status();
        let text = response.text().await?;
        ensure!(status.is_success(), "{status} {text}");
        Ok(serde_json::from_str(&text)?)
    }
}

#[tokio::test]
async fn cat_461_a_door_asks_and_nothing_of_the_answer_is_kept_in_plain() {
    on_each_database(async |kind| {
        let world = World::with(Options {
            arguments: vec!["--metrics".to_owned()],
            environment: vec![("VOUCHSAFE_VERIFIER_LOG__FILTER".to_owned(), "debug".to_owned())],
            edit_verifier: with_callers,
            ..Options::new(kind)
        })
        .await?;
        let door = System::new(&world).await?;
        let wallet = world.wallet()?;
        let claims = json!({ "member_id": "canary-member-7731", "tier": "canary-tier-8842", "valid_until": "2031-07-19" });
        let card = json!({ "record_id": "canary-record-5599", "credential_type": "membership",
            "claims": claims, "grant": "pre_authorized_code" });
        wallet.take(&world.admin().offer(&card).await?.link, None).await?;

        let body = json!({ "query": "membership", "purpose": "Members alone" });
        let asked = door.json(Method::POST, "/v1/verifications", Some(&body)).await?;
        let text = |value: &Value, name: &str| value[name].as_str().map(str::to_owned).context("missing");
        let id = text(&asked, "id")?;
        let path = format!("/v1/verifications/{id}");
        let mut events = door.call(Method::GET, &format!("{path}/events"), None).await?;
        let mut heard = String::new();
        hear(&mut events, &mut heard, "pending").await?;
        let answer = wallet.prepared(&text(&asked, "link")?).await?;
        hear(&mut events, &mut heard, "scanned").await?;
        let told = wallet.send(&answer).await?;
        ensure!(told.status == 200, "{}", String::from_utf8_lossy(&told.body));
        hear(&mut events, &mut heard, "verified").await?;
        ensure!(events.chunk().await?.is_none() && !heard.contains("canary"), "{heard}");
        let read = door.json(Method::GET, &path, None).await?;
        ensure!(read["result"]["claims"]["membership_tier"] == "canary-tier-8842", "{read}");
        // The answer again, by somebody who listened.
        ensure!(wallet.send(&answer).await?.status == 400);
        ensure!(door.json(Method::GET, &path, None).await? == read);

        // On the same device: the browser brings a code.
        let body = json!({ "query": "membership", "return_url": "https://door.example/back" });
        let asked = door.json(Method::POST, "/v1/verifications", Some(&body)).await?;
        let back = wallet.show(&text(&asked, "link")?).await?.redirect_uri;
        let second = format!("/v1/verifications/{}", text(&asked, "id")?);
        ensure!(door.json(Method::GET, &second, None).await?["status"] == "scanned");
        let (_, code) = back.query_pairs().next().context("no code")?;
        let redeem = json!({ "response_code": code });
        let path = format!("{second}/redeem");
        let redeemed = door.json(Method::POST, &path, Some(&redeem)).await?;
        ensure!(redeemed["status"] == "verified", "{redeemed}");
        ensure!(door.call(Method::POST, &path, Some(&redeem)).await?.status() == 422);
        ensure!(door.call(Method::DELETE, &second, None).await?.status() == 204);

        let canaries = [
            Canary::new("member_id", "canary-member-7731"),
            Canary::new("tier", "canary-tier-8842"),
            Canary::new("valid_until", "2031-07-19"),
            Canary::new("response code", &code),
            Canary::new("API key", &door.key),
            Canary::new("link", &text(&asked, "link")?[80..]),
        ];
        let log = world.verifier.log();
        ensure!(log.contains("DEBUG") && log.contains("wallet answered"), "nothing is logged");
        let metrics = world.client.get(&world.metrics[1]).send().await?.text().await?;
        ensure!(metrics.contains("vouchsafe_verifications_total{caller=\"door\""), "{metrics}");
        let mut places = vec![("log".to_owned(), log.into_bytes()), ("metrics".to_owned(), metrics.into_bytes())];
        for (file, bytes) in database::bytes(&world.verifier_database)? {
            places.push((file.display().to_string(), bytes));
        }
        let looked_at = places.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let found = scan(&canaries, looked_at);
        ensure!(found.is_empty(), "found {found:?}");
        Ok(())
    })
    .await;
}

/// Reads events until this status was told.
async fn hear(events: &mut Response, heard: &mut String, status: &str) -> Result<()> {
    while !heard.contains(&format!("\"status\":\"{status}\"")) {
        let part = events.chunk().await?.context("the stream ended")?;
        heard.push_str(&String::from_utf8(part.to_vec())?);
    }
    Ok(())
}

#[tokio::test]
async fn schemathesis_finds_no_fault_in_the_login_service_and_nothing_undocumented() {
    let Some(program) = schemathesis() else {
        return;
    };
    let world = World::with(Options {
        edit_verifier: |text| {
            let text = with_callers(text) + "\n[administration]\n";
            text.replacen("[http]", "[http]\nrequests_per_minute = 10000000", 1)
        },
        ..Options::new(Kind::Sqlite)
    });
    let world = world.await.unwrap();
    let scopes = [
        "verifications:read",
        "verifications:write",
        "clients:read",
        "clients:write",
        "sessions:read",
        "sessions:end",
        "keys:read",
        "trust:read",
        "queries:read",
    ];
    let mut command = vec!["verifier", "api-key", "--config", "verifier.toml", "door"];
    command.extend(scopes.iter().flat_map(|scope| ["--scope", *scope]));
    let key = run(&command, &world.folder).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .args(["run", &format!("{}/openapi.json", world.verifier_url)])
        .args(["--header", &format!("Authorization: Bearer {}", key.trim())])
        .args([
            "--checks",
            CHECKS,
            "--max-examples",
            &rounds(15, 300).to_string(),
        ])
        // A stream of events has no end that a tester of descriptions waits for.
        .args(["--exclude-path", "/v1/verifications/{id}/events"])
        .args(["--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--seed", "1", "--generation-deterministic", "--no-color"])
        .args(["--suppress-health-check", "all"])
        .current_dir(folder.path())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    let log = world.verifier.log();
    assert!(!log.contains("panicked"), "{log}");
}
