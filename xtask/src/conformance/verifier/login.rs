//! A browser without a screen that logs in to an application and lets the suite be the wallet.

use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::folder::{APPLICATION, CALLBACK, SCOPE};
use crate::conformance::suite::{Outside, Suite};
use crate::run::output;

/// Redirects that are followed.
const MOST_REDIRECTS: usize = 10;

/// How a login ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The application got a code.
    Code,
    /// The application got an error.
    Error,
    /// The person sees a page of this status.
    Page(String),
}

/// A login for a module.
pub struct Login {
    verifier: String,
    folder: TempDir,
    end: Option<End>,
}

/// What an address answers.
struct Answer {
    status: String,
    redirect: String,
    html: String,
}

impl Login {
    /// A browser with an empty profile.
    pub fn new(verifier: &str) -> Result<Self> {
        Ok(Self {
            verifier: verifier.to_owned(),
            folder: tempfile::tempdir()?,
            end: None,
        })
    }

    fn walk(&self) -> Result<End> {
        let state = self.folder.path().file_name().unwrap_or_default();
        let begin = format!(
            "{}/authorize?response_type=code&client_id={APPLICATION}&redirect_uri={CALLBACK}\
             &scope=openid%20{SCOPE}&state={}",
            self.verifier,
            state.to_string_lossy().trim_start_matches('.')
        );
        let (_, page) = self.open(begin)?;
        let link = link(&page.html, "show-card").context("the login has no link to a wallet")?;
        let (address, page) = self.open(link)?;
        let Some(told) = address.strip_prefix(CALLBACK) else {
            return Ok(End::Page(page.status));
        };
        match (told.contains("code="), told.contains("error=")) {
            (true, false) => Ok(End::Code),
            (false, true) => Ok(End::Error),
            _ => bail!("the application got neither a code nor an error"),
        }
    }

    /// Opens an address, and where it leads to. The application is no address that is opened.
    fn open(&self, mut address: String) -> Result<(String, Answer)> {
        for _ in 0..MOST_REDIRECTS {
            let answer = self.get(&address)?;
            if answer.redirect.is_empty() {
                return Ok((address, answer));
            }
            address.clone_from(&answer.redirect);
            if address.starts_with(CALLBACK) {
                return Ok((address, answer));
            }
        }
        bail!("more than {MOST_REDIRECTS} redirects")
    }

    fn get(&self, address: &str) -> Result<Answer> {
        let (cookies, body) = (
            self.folder.path().join("cookies"),
            self.folder.path().join("body"),
        );
        let mut command = Command::new("curl");
        command
            .args(["-sk", "-w", "%{http_code} %{redirect_url}", "-b"])
            .arg(&cookies)
            .arg("-c")
            .arg(&cookies)
            .arg("-o")
            .arg(&body)
            .arg(address);
        let text = output(&mut command)?;
        let (status, redirect) = text.trim_end().split_once(' ').unwrap_or((&text, ""));
        Ok(Answer {
            status: status.trim().to_owned(),
            redirect: redirect.to_owned(),
            html: std::fs::read_to_string(&body).unwrap_or_default(),
        })
    }
}

impl Outside for Login {
    /// Logs in, once.
    fn waiting(&mut self, _suite: &Suite, _id: &str) -> Result<()> {
        if self.end.is_none() {
            self.end = Some(self.walk()?);
        }
        Ok(())
    }

    /// The suite looks at the answer to its wallet. Whoever is told that all is well must be
    /// logged in, and nobody else.
    fn ended(&mut self, result: &str) -> Option<String> {
        let good = match (result, &self.end) {
            ("REVIEW", end) => *end == Some(End::Code),
            ("PASSED", end) => matches!(end, Some(End::Page(_) | End::Error)),
            _ => true,
        };
        (!good).then(|| format!("the login ended otherwise: {:?}", self.end))
    }
}

/// The address of the link with this `id`.
fn link(html: &str, id: &str) -> Option<String> {
    let at = html.find(&format!("id=\"{id}\""))?;
    let start = html.get(..at)?.rfind('<')?;
    let tag = html.get(start..)?.split('>').next()?;
    let from = tag.find("href=\"")? + "href=\"".len();
    let address = tag.get(from..)?.split('"').next()?;
    Some(address.replace("&#x2f;", "/").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_their_id() {
        let page =
            r#"<a href="/no">x</a><a id="go" href="https:&#x2f;&#x2f;w.example?a=1&amp;b=2">y</a>"#;
        assert_eq!(link(page, "go").unwrap(), "https://w.example?a=1&b=2");
        assert_eq!(link(page, "other"), None);
    }

    #[test]
    fn a_result_that_the_login_contradicts_is_wrong() {
        let mut login = Login::new("https://login.example").unwrap();
        for (result, end, good) in [
            ("REVIEW", End::Code, true),
            ("REVIEW", End::Page("200".to_owned()), false),
            ("PASSED", End::Page("200".to_owned()), true),
            ("PASSED", End::Code, false),
            ("FAILED", End::Code, true),
        ] {
            login.end = Some(end);
            assert_eq!(login.ended(result).is_none(), good, "{result}");
        }
        login.end = None;
        assert!(login.ended("PASSED").is_some());
    }
}
