//! The REST API of the suite of the OpenID Foundation. It runs without login, with a certificate
//! of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::Server;
use crate::run::{cargo, output, succeed, target};

/// Where the suite is.
const VARIABLE: &str = "VOUCHSAFE_OIDF_SUITE";
/// The result of a module with a warning that is meant to be.
const EXCUSED: &str = "EXCUSED";
/// The result of a module that was not begun.
const LEFT_OUT: &str = "LEFT OUT";
/// How long a module may take: some wait until a code has ended.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many modules ended how.
pub type Counts = BTreeMap<String, u64>;

/// A line of `runs.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// The plan in the suite.
    pub plan: String,
    /// What is chosen there.
    pub variant: Value,
    /// The file for the suite.
    pub configuration: PathBuf,
    /// What opens the wallet, where the issuer begins.
    #[serde(default)]
    pub offer: Option<String>,
}

/// The runs of a folder.
pub fn runs(folder: &Path) -> Result<Vec<Run>> {
    let text = std::fs::read(folder.join("runs.json"))?;
    Ok(serde_json::from_slice(&text)?)
}

/// The program that is tested: one that is there, or a release build.
pub fn program(given: Option<&PathBuf>) -> Result<PathBuf> {
    if let Some(program) = given {
        return Ok(program.clone());
    }
    succeed(&mut cargo(&["build", "--release", "-p", "vouchsafe-cli"]))?;
    Ok(target().join("release/vouchsafe"))
}

/// Starts a program and waits until its address answers. What it says goes to `log`.
pub fn serve(command: &mut Command, log: &Path, ready: &str) -> Result<Server> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(log)?);
    let server = Server(command.spawn().context("the program does not start")?);
    let mut wait = Command::new("curl");
    wait.args(["-skf", "-o", "/dev/null", "--retry", "100"])
        .args(["--retry-delay", "1", "--retry-max-time", "30"])
        .args(["--retry-connrefused", ready]);
    succeed(&mut wait)?;
    Ok(server)
}

/// The certificates that the suite at this address shows.
pub fn certificates(url: &str) -> Result<String> {
    let host = url.strip_prefix("https://");
    let host = host.context("the suite must be at https")?;
    let mut ask = Command::new("openssl");
    ask.args(["s_client", "-showcerts", "-connect", host])
        .stdin(Stdio::null());
    let shown = ask.output().context("openssl cannot be started")?;
    let shown = String::from_utf8_lossy(&shown.stdout);
    let mut text = String::new();
    let mut inside = false;
    for line in shown.lines() {
        inside |= line.starts_with("-----BEGIN CERTIFICATE");
        if inside {
            text.push_str(line);
            text.push('\n');
        }
        inside &= !line.starts_with("-----END CERTIFICATE");
    }
    ensure!(!text.is_empty(), "the suite shows no certificate");
    Ok(text)
}

/// Whether every module ended as it must.
pub fn judge(counts: &Counts) -> Result<()> {
    println!("\n{counts:?}");
    let good = ["PASSED", "SKIPPED", "REVIEW", EXCUSED, LEFT_OUT];
    let bad = |result: &&String| !good.contains(&result.as_str());
    match (counts.len(), counts.keys().find(bad)) {
        (0, _) => bail!("nothing was run"),
        (_, None) => Ok(()),
        (_, Some(_)) => bail!("not every module passed"),
    }
}

#[derive(Debug, Deserialize)]
struct Plan {
    id: String,
    modules: Vec<Module>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Module {
    test_module: String,
    variant: Option<Value>,
}

/// What happens outside of the suite while a module runs.
pub trait Outside {
    /// The module is next, with what its plan chose for it: why it is left out, if it is.
    fn begin(&mut self, _module: &str, _variant: Option<&Value>) -> Option<&'static str> {
        None
    }

    /// The module waits; this is asked again and again.
    fn waiting(&mut self, suite: &Suite, id: &str) -> Result<()>;

    /// The module has ended: what is wrong although it passed.
    fn ended(&mut self, _result: &str) -> Option<String> {
        None
    }

    /// Why a module may end with warnings of these conditions.
    fn excuse(&self, _module: &str, _conditions: &[String]) -> Option<&'static str> {
        None
    }
}

/// A running suite.
pub struct Suite {
    /// Its address.
    pub url: String,
}

impl Suite {
    /// The one that the environment names.
    pub fn of_environment() -> Option<Self> {
        let Ok(url) = std::env::var(VARIABLE) else {
            println!("skipped: {VARIABLE} is no address of a suite (see examples/conformance)");
            return None;
        };
        let url = url.trim_end_matches('/').to_owned();
        Some(Self { url })
    }

    /// Calls it without a body.
    pub fn call(&self, method: &str, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        self.send(method, path, query, None)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Path>,
    ) -> Result<Value> {
        let mut command = Command::new("curl");
        command.args(["-skS", "--fail-with-body", "-X", method]);
        for (name, value) in query {
            command.args(["--url-query", &format!("{name}={value}")]);
        }
        if let Some(path) = body {
            command.args(["-H", "content-type: application/json", "--data-binary"]);
            command.arg(format!("@{}", path.display()));
        }
        let text = output(command.arg(format!("{}/{path}", self.url)))?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{path} is not JSON"))
    }

    /// Runs a plan, or its modules whose names contain `only`, and prints what was found.
    pub fn run(
        &self,
        (folder, run): (&Path, &Run),
        only: Option<&str>,
        outside: &mut dyn FnMut() -> Result<Box<dyn Outside>>,
        all: &mut Counts,
    ) -> Result<()> {
        let variant = run.variant.to_string();
        let query = [("planName", run.plan.as_str()), ("variant", &variant)];
        let configuration = folder.join(&run.configuration);
        let plan = self.send("POST", "api/plan", &query, Some(&configuration))?;
        let plan: Plan = serde_json::from_value(plan)?;
        let mut counts = Counts::new();
        for module in &plan.modules {
            let name = &module.test_module;
            if only.is_some_and(|only| !name.contains(only)) {
                continue;
            }
            let mut outside = outside()?;
            if let Some(why) = outside.begin(name, module.variant.as_ref()) {
                println!("{LEFT_OUT:11} {name}\n    {why}");
                *counts.entry(LEFT_OUT.to_owned()).or_default() += 1;
                continue;
            }
            let (id, mut result) = self.module(&plan, module, outside.as_mut())?;
            let findings = self.findings(&id)?;
            let mut remark = outside.ended(&result);
            if remark.is_some() {
                result = "WRONG".to_owned();
            } else if result == "WARNING" {
                let sources: Vec<String> = findings.iter().map(|it| it.source.clone()).collect();
                if let Some(excuse) = outside.excuse(name, &sources) {
                    result = EXCUSED.to_owned();
                    remark = Some(excuse.to_owned());
                }
            }
            println!("{result:11} {name} {id}");
            for line in remark.into_iter().chain(findings.iter().map(Finding::line)) {
                println!("    {line}");
            }
            *counts.entry(result).or_default() += 1;
        }
        println!("{}: {counts:?}", run.name);
        for (result, count) in counts {
            *all.entry(result).or_default() += count;
        }
        Ok(())
    }

    /// Runs a module to its end: its id in the suite, and its result.
    fn module(
        &self,
        plan: &Plan,
        module: &Module,
        outside: &mut dyn Outside,
    ) -> Result<(String, String)> {
        let variant = module.variant.as_ref().map(Value::to_string);
        let mut query = vec![("test", module.test_module.as_str()), ("plan", &plan.id)];
        query.extend(variant.as_deref().map(|variant| ("variant", variant)));
        let created = self.call("POST", "api/runner", &query)?;
        let id = text(&created, "id").context("the suite made no test")?;
        let (info, runner) = (format!("api/info/{id}"), format!("api/runner/{id}"));
        let began = Instant::now();
        let mut started = false;
        while began.elapsed() < PATIENCE {
            let state = self.call("GET", &info, &[])?;
            match text(&state, "status").as_deref() {
                Some("FINISHED") => {
                    let result = text(&state, "result").unwrap_or_default();
                    return Ok((id, result));
                }
                Some("INTERRUPTED") => return Ok((id, "INTERRUPTED".to_owned())),
                Some("CONFIGURED") if !started => {
                    self.call("POST", &runner, &[])?;
                    started = true;
                }
                Some("WAITING") => outside.waiting(self, &id)?,
                _ => {}
            }
            // The suite has no event for this.
            sleep(Duration::from_millis(300));
        }
        self.call("DELETE", &runner, &[])?;
        Ok((id, "TIMEOUT".to_owned()))
    }

    /// What a module exposes under this name.
    pub fn exposed(&self, id: &str, name: &str) -> Result<Option<String>> {
        let state = self.call("GET", &format!("api/runner/{id}"), &[])?;
        let value = state.get("exposed").and_then(|all| text(all, name));
        Ok(value)
    }

    /// What a module wrote down.
    pub fn log(&self, id: &str) -> Result<Vec<Value>> {
        let log = self.call("GET", &format!("api/log/{id}"), &[])?;
        Ok(log.as_array().cloned().unwrap_or_default())
    }

    /// What the module found.
    fn findings(&self, id: &str) -> Result<Vec<Finding>> {
        let found = |entry: &Value| {
            let result = text(entry, "result")?;
            ["FAILURE", "WARNING", "INTERRUPTED"]
                .contains(&result.as_str())
                .then(|| Finding {
                    result,
                    source: text(entry, "src").unwrap_or_default(),
                    message: text(entry, "msg").unwrap_or_default(),
                })
        };
        Ok(self.log(id)?.iter().filter_map(found).collect())
    }
}

/// What a condition does not like.
struct Finding {
    result: String,
    source: String,
    message: String,
}

impl Finding {
    fn line(&self) -> String {
        format!("{} {}: {}", self.result, self.source, self.message)
    }
}

/// A member that is text.
pub fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}
