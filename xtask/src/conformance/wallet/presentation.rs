//! The suite asks, behind a link or from a page of its own.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::home::{Home, Said};
use super::picture;
use crate::conformance::suite::{Outside, Suite, text};
use crate::run::output;

/// How long a module may take to want a picture of the refusal, or to end.
const GRACE: Duration = Duration::from_secs(20);

/// Why the wallet must refuse, in the last words that it says.
const REFUSALS: [(&str, &str); 9] = [
    (
        "invalid-request-object-signature",
        "signature verification failed",
    ),
    // Of several.
    (
        "invalid-request-object-signature",
        "no signature is acceptable",
    ),
    (
        "mismatched-client-id",
        "the client identifiers of link and request object differ",
    ),
    (
        "redirect-uri-with-direct-post",
        "redirect_uri must not be used with",
    ),
    ("missing-nonce", "the parameter nonce is missing"),
    ("wrong-expected-origins", "the origin"),
    (
        "invalid-client-id-prefix",
        "the client identifier prefix is not supported",
    ),
    ("unknown-transaction-data-type", "the type is not known"),
    (
        "required-non-matching-credential",
        "no credentials answer the query",
    ),
];

/// One module.
pub struct Presentation {
    home: Home,
    variant: Value,
    module: String,
    said: Option<(Said, Instant)>,
    kept: bool,
}

impl Presentation {
    /// Before anything was asked.
    pub fn new(home: Home, variant: Value) -> Self {
        Self {
            home,
            variant,
            module: String::new(),
            said: None,
            kept: false,
        }
    }

    /// Shows what is asked for, once.
    fn show(&mut self, suite: &Suite, id: &str) -> Result<()> {
        let state = suite.call("GET", &format!("api/runner/{id}"), &[])?;
        let browser = state.get("browser").cloned().unwrap_or_default();
        let first = |name: &str| browser.get(name)?.get(0).cloned();
        if let Some(asked) = first("browserApiRequests") {
            self.page(&asked)
        } else if let Some(link) = first("urls").as_ref().and_then(Value::as_str) {
            self.link(link)
        } else {
            Ok(())
        }
    }

    fn link(&mut self, link: &str) -> Result<()> {
        let arguments = ["present", "--yes", "--json", link];
        let said = self.said(&arguments)?;
        let data: Value = serde_json::from_str(&said.data).unwrap_or_default();
        self.said = Some((said, Instant::now()));
        match text(&data, "redirect_uri") {
            Some(address) => come_back(&address),
            None => Ok(()),
        }
    }

    fn page(&mut self, asked: &Value) -> Result<()> {
        let file = self.home.folder.join("request.json");
        let request = asked.get("request").context("a page that asks nothing")?;
        std::fs::write(&file, request.to_string())?;
        let file = file.to_string_lossy().into_owned();
        let origin = self.home.origin.clone();
        let said = self.said(&["page", "--yes", "--origin", &origin, &file])?;
        let answer = match said.good {
            true => serde_json::from_str(&said.data)?,
            // What a browser tells a page whose wallet refuses.
            false => json!({ "exception": { "name": "NotAllowedError", "message": said.words } }),
        };
        self.said = Some((said, Instant::now()));
        let to = text(asked, "submitUrl").context("a page without an address for the answer")?;
        post(&to, &answer.to_string())
    }

    fn said(&self, arguments: &[&str]) -> Result<Said> {
        let nobody = |_: &str| anyhow::bail!("nobody signs in to show a card");
        let said = self.home.run(arguments, &nobody)?;
        for line in said.words.lines() {
            println!("    wallet: {line}");
        }
        Ok(said)
    }

    /// Keeps a picture of the refusal where the module wants one.
    fn keep(&mut self, suite: &Suite, id: &str) -> Result<()> {
        let Some((said, since)) = &self.said else {
            return Ok(());
        };
        let wanted = suite
            .log(id)?
            .iter()
            .find_map(|entry| text(entry, "upload"));
        match wanted {
            Some(place) if !said.good => {
                let shown = format!("$ vouchsafe wallet present …\n{}", said.words);
                let picture = picture::of_terminal(&shown, &self.home.folder)?;
                post(
                    &format!("{}/api/log/{id}/images/{place}", suite.url),
                    &picture,
                )?;
                self.kept = true;
                Ok(())
            }
            _ if since.elapsed() > GRACE => {
                println!("    the module waits for something else");
                suite
                    .call("DELETE", &format!("api/runner/{id}"), &[])
                    .map(drop)
            }
            _ => Ok(()),
        }
    }
}

impl Presentation {
    /// Whether the wallet refused, and for the reason that the module is about.
    fn refused(&self) -> bool {
        let said = self.said.as_ref().map(|(said, _)| said);
        let last = said.and_then(|said| said.words.lines().last());
        let (Some(said), Some(last)) = (said, last) else {
            return false;
        };
        let fits =
            |(module, words): &(&str, &str)| self.module.ends_with(module) && last.contains(words);
        !said.good && REFUSALS.iter().any(fits)
    }
}

impl Outside for Presentation {
    /// The suite takes a module into a plan although it says that it is not applicable, where
    /// nothing would remain to choose (`TestModuleHolder.isApplicableForVariant`).
    fn begin(&mut self, module: &str, variant: Option<&Value>) -> Option<&'static str> {
        self.module = module.to_owned();
        let chosen = |name: &str| {
            let chosen = text(&self.variant, name).or_else(|| text(variant?, name));
            chosen.unwrap_or_default()
        };
        match module {
            "oid4vp-1final-wallet-negative-test-response-uri-not-client-id"
                if chosen("client_id_prefix") != "redirect_uri" =>
            {
                Some("the suite says that it is for redirect_uri alone")
            }
            "oid4vp-1final-wallet-multisigned-one-invalid-signature"
                if chosen("response_mode").starts_with("direct_post") =>
            {
                Some("the suite says that it is for requests with several signatures alone")
            }
            "oid4vp-1final-wallet-negative-test-invalid-client-id-prefix"
                if chosen("request_method") == "request_uri_multisigned" =>
            {
                Some(
                    "the suite ends with a fault: such a request has no client_id beside those of its signatures",
                )
            }
            // `CreateAuthorizationRequestSteps: replacement requested for missing condition`.
            "oid4vp-1final-wallet-alternate-happy-flow"
                if !chosen("response_mode").ends_with(".jwt") =>
            {
                Some("the suite ends with a fault where the answer is not encrypted")
            }
            _ => None,
        }
    }

    fn waiting(&mut self, suite: &Suite, id: &str) -> Result<()> {
        match (&self.said, self.kept) {
            (None, _) => self.show(suite, id),
            (Some(_), false) => self.keep(suite, id),
            (Some(_), true) => Ok(()),
        }
    }

    /// Whoever is told that all is well must have seen a card, and a picture is of a refusal.
    fn ended(&mut self, result: &str) -> Option<String> {
        let good = match (result, &self.said) {
            ("REVIEW", _) => self.refused() && self.kept,
            ("PASSED", Some((said, _))) => said.good || self.refused(),
            ("PASSED", None) => false,
            _ => true,
        };
        (!good).then(|| "the wallet ended otherwise".to_owned())
    }
}

/// The browser of the person opens the address that the verifier named: the page there tells the
/// suite the fragment.
fn come_back(address: &str) -> Result<()> {
    let (page, fragment) = address.split_once('#').unwrap_or((address, ""));
    let html = output(Command::new("curl").args(["-sk", page]))?;
    let to = html.split_once("xhr.open('POST', \"");
    let to = to.and_then(|(_, rest)| rest.split('"').next());
    let to = to.context("the page at the redirect URI has another form")?;
    post(&to.replace("\\/", "/"), &format!("#{fragment}"))
}

fn post(address: &str, body: &str) -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), body)?;
    let mut send = Command::new("curl");
    send.args(["-skS", "-o", "/dev/null", "-H", "content-type: text/plain"])
        .arg("--data-binary")
        .arg(format!("@{}", file.path().display()))
        .arg(address);
    output(&mut send).map(drop)
}
