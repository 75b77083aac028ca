//! Applications that we did not write: servers that send people to log in.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::NamedTempFile;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use url::Url;

use crate::browser::Browser;
use crate::page::Page;
use crate::wait;
use crate::wallet::Wallet;

/// The longest that a server may take until it takes connections; some compile themselves first.
const START: Duration = Duration::from_secs(300);

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct Application {
    /// Where it is.
    pub url: Url,
    child: Child,
    log: NamedTempFile,
}

impl Application {
    /// Starts a server and returns when it takes connections at `origin`.
    pub async fn start(mut command: Command, origin: &str) -> Result<Self> {
        let log = NamedTempFile::new()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.reopen()?)
            .stderr(log.reopen()?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let url = Url::parse(origin)?;
        let mut application = Self { url, child, log };
        application.listens().await?;
        Ok(application)
    }

    async fn listens(&mut self) -> Result<()> {
        let address = self.url.socket_addrs(|| None)?;
        let (child, log) = (&mut self.child, &self.log);
        let told = || std::fs::read_to_string(log.path()).unwrap_or_default();
        wait::until("the application listens", START, async || {
            if let Some(status) = child.try_wait()? {
                bail!("it ended with {status}: {}", told());
            }
            Ok(TcpStream::connect(address.as_slice()).await.ok())
        })
        .await
        .with_context(told)?;
        Ok(())
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }
}

impl Drop for Application {
    /// Some start others, which would stay.
    fn drop(&mut self) {
        if let Some(id) = self.child.id() {
            let group = format!("-{id}");
            let kill = std::process::Command::new("kill")
                .args(["-9", "--", &group])
                .status();
            if !kill.is_ok_and(|status| status.success()) {
                eprintln!("the process group {id} was not ended");
            }
        }
    }
}

/// From the page that asks for a card back to the application: the page that the person sees there.
pub async fn show_card(browser: &mut Browser, wallet: &Wallet, asking: &Page) -> Result<Page> {
    ensure!(asking.status == 200, "{}: {}", asking.url, asking.body);
    let shown = wallet
        .show(&asking.attribute("id=\"show-card\"", "href")?)
        .await?;
    browser.travel(shown.redirect_uri.as_str()).await
}
