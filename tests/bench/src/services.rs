//! The real services, as an operator would run them: configurations of
//! `vouchsafe config generate`, SQLite files on disk, plain http on loopback.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_tests::process::{Conditions, Process, free_port, run};

/// The application of the scripted logins.
pub const CLIENT: &str = "bench";
/// Where the application would live; nothing listens there.
pub const APPLICATION: &str = "http://127.0.0.1:9";

/// An issuer and a verifier that know each other.
pub struct Services {
    /// The issuer's public address.
    pub issuer_url: String,
    /// The verifier's public address.
    pub verifier_url: String,
    /// A key of the issuer's administration interface.
    pub api_key: String,
    /// `client_secret` of [`CLIENT`].
    pub client_secret: String,
    issuer: Process,
    verifier: Process,
    configurations: PathBuf,
    _folder: TempDir,
}

/// A new folder beside the program, so that it is on a disk and not in memory.
pub fn folder() -> Result<TempDir> {
    let program = std::env::current_exe()?;
    let beside = program.parent().context("a program without a folder")?;
    Ok(tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(beside)?)
}

impl Services {
    /// Makes configurations and starts both.
    pub async fn start() -> Result<Self> {
        Self::start_with(|text| text, |_| Ok(String::new())).await
    }

    /// The same, with the issuer's configuration changed and a text behind it. The folder is for its
    /// files.
    pub async fn start_with(
        edit: impl FnOnce(String) -> String,
        more: impl FnOnce(&Path) -> Result<String>,
    ) -> Result<Self> {
        Self::start_edited(edit, more, |text| text).await
    }

    /// The same, with the verifier's configuration changed too.
    pub async fn start_edited(
        edit: impl FnOnce(String) -> String,
        more: impl FnOnce(&Path) -> Result<String>,
        logins: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let folder = folder()?;
        let configurations = folder.path().join("configurations");
        let issuer_url = format!("http://127.0.0.1:{}", free_port("127.0.0.1")?);
        let verifier_url = format!("http://127.0.0.1:{}", free_port("127.0.0.1")?);
        let client = format!("{CLIENT}={APPLICATION}");
        let printed = run(
            &[
                "config",
                "generate",
                text(&configurations)?,
                "--issuer-url",
                &issuer_url,
                "--verifier-url",
                &verifier_url,
                "--client",
                &client,
                "--id-token-alg",
                "ES256",
            ],
            folder.path(),
        )
        .await?;
        let (_, secret) = printed
            .trim()
            .split_once(' ')
            .context("no secret was printed")?;
        let issuer_file = configurations.join("issuer.toml");
        let verifier_file = configurations.join("verifier.toml");
        let configuration = edit(std::fs::read_to_string(&issuer_file)?);
        std::fs::write(&issuer_file, configuration + "\n" + &more(folder.path())?)?;
        // Without a scope of a query, people log in as members.
        let scopes = "scopes = [\"age\", \"membership\"]";
        let configuration_of_logins = std::fs::read_to_string(&verifier_file)?;
        ensure!(
            configuration_of_logins.contains(scopes),
            "no client in the configuration"
        );
        let default = format!("{scopes}\ndefault_query = \"membership\"");
        std::fs::write(
            &verifier_file,
            logins(configuration_of_logins.replace(scopes, &default)),
        )?;
        let key = [
            "issuer",
            "api-key",
            "--config",
            text(&issuer_file)?,
            "bench",
        ];
        let api_key = run(&key, folder.path()).await?.trim().to_owned();
        let serve = async |what: &str, file: &Path| {
            let arguments = [what, "serve", "--config", text(file)?];
            Process::start(&arguments, folder.path(), Conditions::default()).await
        };
        Ok(Self {
            issuer: serve("issuer", &issuer_file).await?,
            verifier: serve("verifier", &verifier_file).await?,
            client_secret: secret.to_owned(),
            issuer_url,
            verifier_url,
            api_key,
            configurations,
            _folder: folder,
        })
    }

    /// The issuer's process.
    pub fn issuer_process(&self) -> Result<u32> {
        self.issuer.id().context("the issuer has ended")
    }

    /// The issuer's database, a file of SQLite.
    pub fn issuer_database(&self) -> PathBuf {
        self.configurations.join("issuer.sqlite")
    }

    /// Ends the issuer and starts it again on the same database; gives the milliseconds until it
    /// says that it listens.
    pub async fn restart_issuer(&mut self) -> Result<f64> {
        self.issuer.kill().await?;
        let start = std::time::Instant::now();
        self.issuer.restart().await?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }

    /// The verifier's database, a file of SQLite.
    pub fn verifier_database(&self) -> PathBuf {
        self.configurations.join("verifier.sqlite")
    }

    /// Brings an account into the running verifier.
    pub async fn import_account(&self, external_id: &str) -> Result<()> {
        let table = self.configurations.join("accounts.csv");
        std::fs::write(&table, format!("external_id\n{external_id}\n"))?;
        let file = self.configurations.join("verifier.toml");
        let config = ["--config", text(&file)?];
        let command = ["verifier", "accounts", "import", text(&table)?];
        run(&[&command[..], &config].concat(), &self.configurations).await?;
        Ok(())
    }

    /// The verifier's process.
    pub fn verifier_process(&self) -> Result<u32> {
        self.verifier.id().context("the verifier has ended")
    }

    /// What wallets trust, as the configuration names it.
    pub fn anchors(&self, role: Role) -> Result<TrustAnchors> {
        let file = match role {
            Role::VerifierAccess => "wallet-verifier-anchors.pem",
            Role::Issuer | Role::Status => "wallet-issuer-anchors.pem",
            Role::MdocIssuer | Role::WalletProvider | Role::ListOperator | Role::Registrar => {
                anyhow::bail!("the configuration names no anchors for {role:?}")
            }
        };
        let mut anchors = TrustAnchors::new(role);
        anchors.add_pem(&std::fs::read_to_string(self.configurations.join(file))?)?;
        Ok(anchors)
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not text")
}
