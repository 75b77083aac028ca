//! The wallet: its folder, and its commands.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::conformance::suite::{Suite, certificates};
use crate::run::succeed;

/// The wallet is made for one run and thrown away.
const PASSPHRASE: (&str, &str) = ("VOUCHSAFE_PASSPHRASE", "a wallet for conformance tests");
/// Whose TLS the wallet believes: the suite and the issuer have certificates of their own.
const ROOTS: &str = "roots.pem";

/// A wallet that has a card of each type.
#[derive(Clone)]
pub struct Home {
    program: PathBuf,
    /// Everything of this run.
    pub folder: PathBuf,
    /// The origin of the suite's pages.
    pub origin: String,
}

/// How a command ended.
pub struct Said {
    /// Whether it did what was asked.
    pub good: bool,
    /// Data.
    pub data: String,
    /// What was said to the person.
    pub words: String,
}

impl Home {
    /// Makes the wallet and takes the cards that are offered.
    pub fn make(program: &Path, folder: &Path, suite: &Suite) -> Result<Self> {
        let home = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            origin: suite.url.clone(),
        };
        let tls = std::fs::read_to_string(folder.join("tls-authority.pem"))?;
        std::fs::write(folder.join(ROOTS), certificates(&suite.url)? + &tls)?;
        succeed(&mut home.command(&["init", "--dev-loopback"]))?;
        let settings = std::fs::read(folder.join("wallet.toml"))?;
        std::fs::write(home.place().join("wallet.toml"), settings)?;
        let offers = std::fs::read(folder.join("offers.json"))?;
        let offers: Vec<String> = serde_json::from_slice(&offers)?;
        for link in offers {
            succeed(home.command(&["add", "--yes"]).arg(link))?;
        }
        Ok(home)
    }

    /// How the wallet names what it asks an issuer for.
    pub fn ask_by(&self, way: &str) -> Result<()> {
        let file = self.place().join("wallet.toml");
        let mut settings: toml::Table = toml::from_str(&std::fs::read_to_string(&file)?)?;
        let issuance = settings.get_mut("issuance");
        let issuance = issuance.and_then(toml::Value::as_table_mut);
        let issuance = issuance.context("the wallet's settings have another form")?;
        issuance.insert("ask_by".to_owned(), way.into());
        Ok(std::fs::write(file, settings.to_string())?)
    }

    fn place(&self) -> PathBuf {
        self.folder.join("home")
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("wallet").args(verb).arg("--home");
        command.arg(self.place());
        command.env(PASSPHRASE.0, PASSPHRASE.1);
        command.env("SSL_CERT_FILE", self.folder.join(ROOTS));
        command
    }

    /// Runs a command of the wallet. The person says yes to what is asked, and `browser` goes to
    /// the address where they are to sign in and says where it came back to.
    pub fn run(
        &self,
        arguments: &[&str],
        browser: &dyn Fn(&str) -> Result<String>,
    ) -> Result<Said> {
        const SIGN_IN: &str = "Sign in here: ";
        let (verb, rest) = arguments.split_first().context("no command")?;
        let mut command = self.command(&[verb]);
        command
            .args(rest)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("the wallet does not start")?;
        let mut answers = child.stdin.take().context("no standard input")?;
        if *verb == "present" {
            // Whether they may be told that there is no card.
            answers.write_all(b"y\n")?;
        }
        let words = child.stderr.take().context("no standard error")?;
        let mut text = String::new();
        for line in BufReader::new(words).lines() {
            let line = line?;
            if let Some((_, address)) = line.split_once(SIGN_IN) {
                let back = browser(address)?;
                answers.write_all(format!("{back}\n").as_bytes())?;
            }
            text.push_str(&line);
            text.push('\n');
        }
        let ended = child.wait_with_output()?;
        Ok(Said {
            good: ended.status.success(),
            data: String::from_utf8_lossy(&ended.stdout).into_owned(),
            words: text,
        })
    }
}
