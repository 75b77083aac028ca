//! Issuer and verifier as separate real processes, with everybody who talks
//! to them.

mod setup;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use reqwest::Client;
use tempfile::TempDir;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, StatusMethod};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_service::config::{AllowedHost, DevConfig, FetchConfig};
use vouchsafe_service::fetch::Fetcher;
use vouchsafe_wallet_core::issuance::IssuancePolicy;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};
use vouchsafe_wallet_core::wallet::Config;

use crate::admin::Admin;
use crate::browser::Browser;
use crate::database::Kind;
use crate::process::{Conditions, Process, run};
use crate::relying_party::{Registration, RelyingParty};
use crate::tls;
use crate::wallet::Wallet;
use setup::{block, edit, http_client, registrations, tls_section};

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where both services keep their state.
    pub kind: Kind,
    /// Applications: id and host.
    pub clients: Vec<(&'static str, &'static str)>,
    /// Further arguments of `config generate`.
    pub arguments: Vec<String>,
    /// Both services on https.
    pub https: bool,
    /// Environment of both services.
    pub environment: Vec<(String, String)>,
    /// The issuer's database, where it is not a fresh one of `kind`.
    pub issuer_database: Option<String>,
    /// Applied to the issuer's configuration before it starts.
    pub edit_issuer: fn(String) -> String,
    /// Further sections of the issuer's configuration.
    pub issuer_sections: String,
    /// Applied to the verifier's configuration before it starts.
    pub edit_verifier: fn(String) -> String,
}

impl Options {
    /// One application `shop` on 127.0.0.1; statuses are looked at every second.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            clients: vec![("shop", "127.0.0.1")],
            arguments: Vec::new(),
            https: false,
            environment: Vec::new(),
            issuer_database: None,
            edit_issuer: |text| text,
            issuer_sections: String::new(),
            edit_verifier: |text| text,
        }
    }
}

/// An issuer and a verifier that trusts it.
#[derive(Debug)]
pub struct World {
    /// The issuer.
    pub issuer: Process,
    /// The verifier.
    pub verifier: Process,
    /// The issuer's public address.
    pub issuer_url: String,
    /// The verifier's public address.
    pub verifier_url: String,
    /// The issuer's database.
    pub issuer_database: String,
    /// The verifier's database.
    pub verifier_database: String,
    /// Where the metrics of issuer and verifier are, if they are served.
    pub metrics: [String; 2],
    /// Configurations, keys, databases.
    pub folder: PathBuf,
    /// The API key of the organisation.
    pub api_key: String,
    /// Plain HTTP, no redirects.
    pub client: Client,
    registrations: BTreeMap<String, Registration>,
    first_port: u16,
    tls: Option<tls::Files>,
    _temporary: TempDir,
}

impl World {
    /// A world with the usual options.
    pub async fn start(kind: Kind) -> Result<Self> {
        Self::with(Options::new(kind)).await
    }

    /// A world as described.
    pub async fn with(options: Options) -> Result<Self> {
        let temporary = tempfile::Builder::new()
            .prefix("vouchsafe-world")
            .tempdir()?;
        let first_port = block()?;
        let scheme = if options.https { "https" } else { "http" };
        let url = |port: u16| format!("{scheme}://127.0.0.1:{port}");
        let (issuer_url, verifier_url) = (url(first_port), url(first_port + 1));
        let issuer_database = match &options.issuer_database {
            Some(url) => url.clone(),
            None => options.kind.create(temporary.path(), "issuer")?,
        };
        let verifier_database = options.kind.create(temporary.path(), "verifier")?;
        let origins: Vec<(String, String)> = (2..)
            .zip(&options.clients)
            .map(|(offset, (id, host))| {
                let port = first_port + offset;
                ((*id).to_owned(), format!("{scheme}://{host}:{port}"))
            })
            .collect();
        let mut arguments: Vec<String> = ["config", "generate", "configuration"]
            .map(str::to_owned)
            .into();
        for (name, value) in [
            ("--issuer-url", issuer_url.as_str()),
            ("--verifier-url", &verifier_url),
            ("--issuer-database", &issuer_database),
            ("--verifier-database", &verifier_database),
        ] {
            arguments.extend([name.to_owned(), value.to_owned()]);
        }
        for (id, origin) in &origins {
            arguments.extend(["--client".to_owned(), format!("{id}={origin}")]);
        }
        arguments.push("--cross-device".to_owned());
        arguments.extend(options.arguments.iter().cloned());
        if !options.arguments.iter().any(|a| a == "--status-refresh-s") {
            arguments.extend(["--status-refresh-s", "1"].map(str::to_owned));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let secrets = run(&arguments, temporary.path()).await?;
        let folder = temporary.path().join("configuration");
        let tls = match options.https {
            true => Some(tls::make(&folder)?),
            false => None,
        };
        edit(&folder.join("issuer.toml"), |text| {
            let text = (options.edit_issuer)(text) + &options.issuer_sections;
            text + &tls_section(tls.as_ref(), None)
        })?;
        edit(&folder.join("verifier.toml"), |text| {
            (options.edit_verifier)(text) + &tls_section(tls.as_ref(), Some(first_port))
        })?;
        let api_key = run(
            &[
                "issuer",
                "api-key",
                "--config",
                "configuration/issuer.toml",
                "tests",
            ],
            temporary.path(),
        )
        .await?;
        let conditions = Conditions {
            clock_shift: None,
            environment: options.environment.clone(),
        };
        let serve = async |service: &str| {
            let config = format!("configuration/{service}.toml");
            Process::start(
                &[service, "serve", "--config", &config],
                temporary.path(),
                conditions.clone(),
            )
            .await
        };
        let (issuer, verifier) = (serve("issuer").await?, serve("verifier").await?);
        Ok(Self {
            issuer,
            verifier,
            registrations: registrations(&origins, &secrets)?,
            metrics: [
                format!("http://127.0.0.1:{}/metrics", first_port + 10),
                format!("http://127.0.0.1:{}/metrics", first_port + 11),
            ],
            issuer_url,
            verifier_url,
            issuer_database,
            verifier_database,
            folder,
            api_key: api_key.trim().to_owned(),
            client: http_client(tls.as_ref())?,
            first_port,
            tls,
            _temporary: temporary,
        })
    }

    /// The certificate authority of both services, where they are on https.
    pub fn authority(&self) -> Option<&std::path::Path> {
        self.tls.as_ref().map(|files| files.authority.as_path())
    }

    /// A browser with an empty profile.
    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone())
    }

    /// The organisation's own system.
    pub fn admin(&self) -> Admin {
        Admin::new(self.client.clone(), &self.issuer_url, &self.api_key)
    }

    /// A new person's wallet, which knows this issuer and this verifier.
    pub fn wallet(&self) -> Result<Wallet> {
        self.wallet_that_trusts(&[self])
    }

    /// A new person's wallet whose keys are in hardware, and stay there.
    pub fn phone(&self) -> Result<Wallet> {
        Wallet::phone(self.wallet_config(&[self])?, self.fetcher()?)
    }

    /// A new person's wallet that hears verifiers without a certificate, too.
    pub fn wallet_that_hears(&self, others: OtherVerifiers) -> Result<Wallet> {
        let mut config = self.wallet_config(&[self])?;
        config.trust.other_verifiers = others;
        Wallet::new(config, self.fetcher()?)
    }

    /// A wallet that also knows the issuers of other worlds.
    pub fn wallet_that_trusts(&self, worlds: &[&World]) -> Result<Wallet> {
        Wallet::new(self.wallet_config(worlds)?, self.fetcher()?)
    }

    fn wallet_config(&self, worlds: &[&World]) -> Result<Config> {
        let issuers = worlds.iter().map(|world| {
            Ok(KnownIssuer {
                credential_issuer: world.issuer_url.clone(),
                method: IssuerMethod::X509 {
                    anchors: Arc::new(world.issuer_anchors()?),
                    subject: None,
                },
                types: Vec::new(),
                status: StatusMethod::X509(Arc::new(world.status_anchors()?)),
            })
        });
        Ok(Config {
            trust: TrustList {
                issuers: issuers.collect::<Result<_>>()?,
                verifiers: self.verifier_anchors()?,
                unknown_issuers: UnknownIssuers::Refuse,
                other_verifiers: OtherVerifiers::default(),
            },
            urls: UrlRule::LoopbackAllowed,
            locales: vec!["en".to_owned()],
            redirect_uri: self.wallet_redirect_uri()?.parse()?,
            client_id: "vouchsafe-wallet".to_owned(),
            batch_size: 3,
            issuance: IssuancePolicy::default(),
            status: StatusPolicy {
                ask: true,
                least_s: 1,
            },
            transactions: false,
        })
    }

    /// Where the issuer sends browsers back to: what its configuration says of
    /// the one wallet that it knows.
    fn wallet_redirect_uri(&self) -> Result<String> {
        let text = std::fs::read_to_string(self.folder.join("issuer.toml"))?;
        text.split("redirect_uris = [\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .map(str::to_owned)
            .context("no wallet in the issuer's configuration")
    }

    /// The guarded fetcher, with the exceptions that loopback needs.
    pub fn fetcher(&self) -> Result<Fetcher> {
        let dev = DevConfig {
            loopback_http: self.tls.is_none(),
        };
        let allow = AllowedHost {
            host: "127.0.0.1".to_owned(),
            ports: vec![self.first_port, self.first_port + 1],
            private: true,
        };
        let config = match &self.tls {
            None => FetchConfig::default(),
            Some(files) => FetchConfig {
                allow: vec![allow],
                extra_ca: vec![files.authority.clone()],
            },
        };
        Ok(Fetcher::new(&config, &dev)?)
    }

    /// Anchors of the issuer's cards.
    pub fn issuer_anchors(&self) -> Result<TrustAnchors> {
        self.anchors(Role::Issuer, "wallet-issuer-anchors.pem")
    }

    /// Anchors of the status lists of the issuer.
    pub fn status_anchors(&self) -> Result<TrustAnchors> {
        self.anchors(Role::Status, "status-anchors.pem")
    }

    /// Anchors of the verifier's requests.
    pub fn verifier_anchors(&self) -> Result<TrustAnchors> {
        self.anchors(Role::VerifierAccess, "wallet-verifier-anchors.pem")
    }

    fn anchors(&self, role: Role, file: &str) -> Result<TrustAnchors> {
        let mut anchors = TrustAnchors::new(role);
        anchors.add_pem(&std::fs::read_to_string(self.folder.join(file))?)?;
        Ok(anchors)
    }

    /// An application; it listens for logout tokens.
    pub async fn relying_party(&self, id: &str) -> Result<RelyingParty> {
        let registration = self
            .registrations
            .get(id)
            .with_context(|| format!("no client {id}"))?;
        RelyingParty::start(
            registration.clone(),
            &self.verifier_url,
            self.client.clone(),
        )
        .await
    }

    /// How an application is registered.
    pub fn registration(&self, id: &str) -> Option<&Registration> {
        self.registrations.get(id)
    }
}
