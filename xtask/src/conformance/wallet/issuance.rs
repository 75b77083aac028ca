//! The suite issues: the wallet asks by itself, or follows an offer.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::home::{Home, Said};
use crate::conformance::suite::{Outside, Suite, text};
use crate::run::output;

/// What the wallet asks for, where nothing else is said.
const TYPE: &str = "eu.europa.ec.eudi.pid.1";
/// The transaction code of the suite.
const CODE: &str = "123456";
/// How long a module may take to end when the wallet has ended.
const GRACE: Duration = Duration::from_secs(60);

/// The modules in which the wallet must get no card, and what it must say.
const REFUSALS: [(&str, &str); 5] = [
    (
        "discovery-issuer-mismatch",
        "the metadata belong to another issuer",
    ),
    (
        "invalid-authorization-response-iss",
        "the answer comes from another server",
    ),
    (
        "remove-authorization-response-iss",
        "the answer does not say which server it comes from",
    ),
    (
        "response-with-invalid-state-fails",
        "the answer belongs to another request",
    ),
    (
        "response-with-invalid-missing-state-fails",
        "the answer belongs to another request",
    ),
];

/// One module.
pub struct Issuance {
    home: Home,
    variant: Value,
    module: String,
    said: Option<(Said, Instant)>,
}

impl Issuance {
    /// Before anything was asked.
    pub fn new(home: Home, variant: Value) -> Result<Self> {
        let details = text(&variant, "authorization_request_type");
        home.ask_by(if details.as_deref() == Some("rar") {
            "details"
        } else {
            "scope"
        })?;
        Ok(Self {
            home,
            variant,
            module: String::new(),
            said: None,
        })
    }

    fn add(&mut self, suite: &Suite, id: &str) -> Result<()> {
        let state = suite.call("GET", &format!("api/runner/{id}"), &[])?;
        let exposed = |name: &str| text(state.get("exposed")?, name);
        let chosen = |name: &str| text(&self.variant, name).unwrap_or_default();
        let said = if chosen("vci_authorization_code_flow_variant") == "wallet_initiated" {
            let issuer = exposed("credential_issuer").context("the suite names no issuer")?;
            let kind = exposed("credential_configuration_id_hint");
            let kind = kind.as_deref().unwrap_or(TYPE);
            self.run(&["request", "--yes", "--wait", "30", "--type", kind, &issuer])?
        } else {
            let urls = state.get("browser").and_then(|browser| browser.get("urls"));
            let Some(link) = urls.and_then(|urls| urls.get(0)).and_then(Value::as_str) else {
                return Ok(());
            };
            let mut arguments = vec!["add", "--yes", "--wait", "30", link];
            if chosen("vci_grant_type") == "pre_authorization_code" {
                arguments.extend(["--code", CODE]);
            }
            self.run(&arguments)?
        };
        self.said = Some((said, Instant::now()));
        Ok(())
    }

    fn run(&self, arguments: &[&str]) -> Result<Said> {
        let said = self.home.run(arguments, &sign_in)?;
        for line in said.words.lines().chain(said.data.lines()) {
            println!("    wallet: {line}");
        }
        Ok(said)
    }

    /// Whether the wallet refused, and for the reason that the module is about.
    fn refused(&self) -> bool {
        let known = |(module, _): &&(&str, &str)| self.module.ends_with(module);
        let words = REFUSALS.iter().find(known).map(|(_, words)| *words);
        let said = self.said.as_ref().map(|(said, _)| said);
        let last = said.and_then(|said| said.words.lines().last());
        match (said, last, words) {
            (Some(said), Some(last), Some(words)) => !said.good && last.contains(words),
            _ => false,
        }
    }

    fn must_refuse(&self) -> bool {
        REFUSALS
            .iter()
            .any(|(module, _)| self.module.ends_with(module))
    }
}

impl Outside for Issuance {
    fn begin(&mut self, module: &str, _variant: Option<&Value>) -> Option<&'static str> {
        self.module = module.to_owned();
        None
    }

    fn waiting(&mut self, suite: &Suite, id: &str) -> Result<()> {
        match &self.said {
            None => self.add(suite, id),
            Some((_, since)) if since.elapsed() > GRACE => {
                println!("    the module waits for something else");
                suite
                    .call("DELETE", &format!("api/runner/{id}"), &[])
                    .map(drop)
            }
            Some(_) => Ok(()),
        }
    }

    /// Where all is well the wallet has a card, and where it is not, none.
    fn ended(&mut self, result: &str) -> Option<String> {
        let good = match (result, &self.said) {
            ("PASSED", Some((said, _))) if !self.must_refuse() => said.good,
            ("PASSED", _) => self.refused(),
            _ => true,
        };
        (!good).then(|| "the wallet ended otherwise".to_owned())
    }
}

/// The browser of the person: the suite asks for nothing and sends it back.
fn sign_in(address: &str) -> Result<String> {
    let mut go = Command::new("curl");
    go.args(["-skS", "-o", "/dev/null", "-w", "%{redirect_url}", address]);
    let back = output(&mut go)?;
    ensure!(back.contains("://"), "the suite sends the browser nowhere");
    Ok(back)
}
