//! The four services of the demo, in one process.

use std::fmt::Write;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use axum::Router;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use vouchsafe_credentials::time::Clock;
use vouchsafe_issuer::Issuer;
use vouchsafe_service::config::{AllowedHost, DevConfig, FetchConfig, LogConfig, parse};
use vouchsafe_service::fetch::{Fetcher, Limits, Request};
use vouchsafe_service::http::{ServeError, bind, serve};
use vouchsafe_service::operators::Role as OperatorRole;
use vouchsafe_service::shutdown::{self, Shutdown, ShutdownTrigger};
use vouchsafe_service::telemetry;
use vouchsafe_shop::{Club, Secret, Shop};
use vouchsafe_verifier::Verifier;

use super::reach::{Addresses, Reach};
use super::wallet::{DemoWallet, People};
use super::{abroad, authority};
use crate::development::{Application, Placement, Plan, generate, secret};
use crate::wallet::handle::WalletHandle;

/// How long the demo's verifier may keep a status list, in seconds.
const STATUS_REFRESH_S: i64 = 1;

/// The demo, running.
pub struct Running {
    /// Where everything is.
    pub addresses: Addresses,
    /// From where it is reached.
    pub reach: Reach,
    /// Where a person begins who opens the wallet in a browser that is not on this machine.
    pub invitation: Option<String>,
    wallet: Option<WalletHandle>,
    people: Option<People>,
    /// The login service, for what its jobs do.
    pub verifier: Verifier,
    /// The way out, for a browser without a screen.
    pub fetcher: Arc<Fetcher>,
    /// The club's key to the issuer.
    pub api_key: String,
    /// The business's key to the numbers of the login service, where they are shown.
    pub numbers_key: Option<String>,
    /// A one-time link to the club's console. There is none at an IP address, where browsers know no passkeys.
    pub console: Option<String>,
    tasks: Vec<JoinHandle<Result<(), ServeError>>>,
    background: Vec<JoinHandle<()>>,
    trigger: ShutdownTrigger,
    shutdown: Shutdown,
    // The databases go with the demo.
    _folder: TempDir,
}

impl Running {
    /// Makes keys, certificates and databases, and starts everything.
    pub async fn start(
        reach: Reach,
        addresses: Addresses,
        log: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        telemetry::init(&LogConfig {
            filter: log.to_owned(),
            ..LogConfig::default()
        })?;
        let folder = tempfile::Builder::new()
            .prefix("vouchsafe-demo")
            .tempdir()?;
        let shop_secret = secret();
        let plan = plan(&reach, &addresses, &folder, &shop_secret);
        let mut generated = generate(&plan, &mut Placement::Inline)?;
        let fetch = fetch_config(&reach, &addresses, &folder)?;
        let exceptions = exceptions(&fetch)?;
        generated.issuer += &exceptions;
        generated.verifier += &exceptions;
        if reach.is_loopback() {
            generated.verifier = abroad::configure(&generated.verifier, folder.path())?;
        }
        // All listeners first: a port that is taken ends the demo before it began.
        let [shop_at, verifier_at, issuer_at, wallet_at] = addresses.listen;
        let listeners = (
            bind(shop_at)?,
            bind(verifier_at)?,
            bind(issuer_at)?,
            bind(wallet_at)?,
        );
        let authority = match (&reach, addresses.authority) {
            (Reach::Lan(lan), Some(at)) => Some((bind(at)?, authority::router(lan, &addresses)?)),
            _ => None,
        };

        let ports = vouchsafe_issuer::Ports {
            clock: Arc::clone(&clock),
            ..vouchsafe_issuer::Ports::system()
        };
        let issuer = Issuer::open(parse(&generated.issuer)?, ports).await?;
        let ports = vouchsafe_verifier::Ports {
            clock: Arc::clone(&clock),
            ..vouchsafe_verifier::Ports::system()
        };
        let verifier = Verifier::open(parse(&generated.verifier)?, ports).await?;
        let api_key = issuer.create_api_key("the club's counter").await?;
        let console = console(&issuer, &addresses).await?;
        let numbers_key = match reach.is_loopback() {
            true => Some(numbers_key(&verifier).await?),
            false => None,
        };
        let dev = DevConfig {
            loopback_http: reach.is_loopback(),
        };
        let fetcher = Arc::new(Fetcher::new(&fetch, &dev)?);
        let mut shop = shop_config(&addresses, &shop_secret, &api_key)?;
        shop.pretends = reach.is_loopback();
        let shop = Shop::new(shop, Arc::clone(&fetcher))?;
        let login = if reach.is_loopback() {
            abroad::choose(verifier.router())
        } else {
            verifier.router()
        };
        let wallet = DemoWallet::new(&reach, &addresses, &generated, fetch, clock)?;

        let (trigger, shutdown) = shutdown::channel();
        let listen = |listener, router: Router| {
            tokio::spawn(serve(listener, reach.tls(), router, shutdown.clone()))
        };
        let mut tasks = vec![
            listen(listeners.0, shop.router()),
            listen(listeners.1, login),
            listen(listeners.2, issuer.router()),
            listen(listeners.3, wallet.router),
        ];
        // Without https: its authority is what one gets there.
        if let Some((at, router)) = authority {
            tasks.push(tokio::spawn(serve(at, None, router, shutdown.clone())));
        }
        let (for_issuer, for_verifier) = (shutdown.clone(), shutdown.clone());
        let worker = verifier.clone();
        let background = vec![
            tokio::spawn(async move { issuer.run_background(for_issuer).await }),
            tokio::spawn(async move { worker.run_background(for_verifier).await }),
        ];
        Ok(Self {
            addresses,
            reach,
            invitation: wallet.invitation,
            wallet: wallet.open,
            people: wallet.people,
            verifier,
            fetcher,
            api_key,
            numbers_key,
            console,
            tasks,
            background,
            trigger,
            shutdown,
            _folder: folder,
        })
    }

    /// The wallet that the pages show, of a demo on this machine alone.
    pub fn wallet(&self) -> Result<&WalletHandle> {
        let wallet = self.wallet.as_ref();
        wallet.context("the wallet of this demo opens with its passphrase")
    }

    /// Other people, of a demo on this machine alone.
    pub fn people(&self) -> Result<&People> {
        let people = self.people.as_ref();
        people.context("there are other people on this machine alone")
    }

    /// Asks a REST interface with a key.
    pub async fn ask(&self, method: &str, url: &str, key: &str) -> Result<Value> {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {key}").parse()?);
        let body = (method == "POST").then(|| (b"{}".to_vec(), "application/json"));
        let request = Request {
            method: method.parse()?,
            url,
            headers,
            body,
            limits: Limits::EXCHANGE,
        };
        let response = self.fetcher.send(request).await?;
        ensure!(
            response.is_success(),
            "{} to {method} {url}",
            response.status
        );
        Ok(serde_json::from_slice(&response.body)?)
    }

    /// Every number of the login service with its formula, as the business reads them.
    pub async fn numbers(&self) -> Result<Value> {
        let key = self.numbers_key.as_ref();
        let key = key.context("the demo shows no numbers")?;
        let url = format!("{}/admin/numbers", self.addresses.verifier);
        self.ask("GET", &url, key).await
    }

    /// Runs until Ctrl-C or SIGTERM.
    pub async fn until_asked_to_stop(self) -> Result<()> {
        let (trigger, mut asked) = shutdown::channel();
        tokio::spawn(shutdown::on_signal(trigger));
        asked.wait().await;
        self.stop().await
    }

    /// Stops everything and waits for it.
    pub async fn stop(self) -> Result<()> {
        debug_assert!(!self.shutdown.is_requested());
        self.trigger.trigger();
        for task in self.tasks {
            task.await??;
        }
        for job in self.background {
            job.await?;
        }
        Ok(())
    }
}

/// What the services may ask: each other, at addresses that are not on the internet.
fn fetch_config(reach: &Reach, addresses: &Addresses, folder: &TempDir) -> Result<FetchConfig> {
    let mut fetch = FetchConfig::default();
    if let Reach::Lan(lan) = reach {
        let file = folder.path().join("authority.pem");
        std::fs::write(&file, &lan.authority)?;
        fetch.extra_ca.push(file);
    }
    for (host, ports) in reach.exceptions(addresses) {
        match fetch.allow.iter_mut().find(|known| known.host == host) {
            Some(known) => known.ports.extend(ports),
            None => fetch.allow.push(AllowedHost {
                host,
                ports,
                private: true,
            }),
        }
    }
    Ok(fetch)
}

/// The same as TOML, at the end of a configuration.
fn exceptions(fetch: &FetchConfig) -> Result<String> {
    let mut text = String::new();
    for (position, file) in fetch.extra_ca.iter().enumerate() {
        let file = toml::Value::from(file.to_str().context("a path that is not text")?);
        if position == 0 {
            writeln!(text, "\n[fetch]\nextra_ca = [{file}]")?;
        }
    }
    for AllowedHost {
        host,
        ports,
        private,
    } in &fetch.allow
    {
        let host = toml::Value::from(host.as_str());
        writeln!(
            text,
            "\n[[fetch.allow]]\nhost = {host}\nports = {ports:?}\nprivate = {private}"
        )?;
    }
    Ok(text)
}

fn plan(reach: &Reach, addresses: &Addresses, folder: &TempDir, shop_secret: &str) -> Plan {
    let [_, verifier_at, issuer_at, _] = addresses.listen;
    let database = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    Plan {
        issuer_url: addresses.issuer.clone(),
        issuer_listen: issuer_at.to_string(),
        issuer_database: database("issuer.sqlite"),
        verifier_url: addresses.verifier.clone(),
        verifier_listen: verifier_at.to_string(),
        verifier_database: database("verifier.sqlite"),
        metrics: None,
        offer_link: format!("{}/offer", addresses.wallet),
        wallet_endpoint: format!("{}/present", addresses.wallet),
        // On a phone any wallet may answer that follows HAIP 1.0, section 5.1; ours reads the code too.
        qr_endpoint: (!reach.is_loopback()).then(|| "haip-vp://".to_owned()),
        wallet_client: Some((
            "vouchsafe-wallet".to_owned(),
            format!("{}/callback", addresses.wallet),
        )),
        loopback_http: reach.is_loopback(),
        status_refresh_s: STATUS_REFRESH_S,
        clients: vec![Application {
            id: "shop".to_owned(),
            name: "The wine shop".to_owned(),
            secret: shop_secret.to_owned(),
            url: addresses.shop.clone(),
            pkce_optional: false,
            cross_device: true,
            alg: "RS256",
        }],
    }
}

async fn numbers_key(verifier: &Verifier) -> Result<String> {
    let scopes = ["numbers:read".to_owned()];
    Ok(verifier.create_api_key("the wine shop", &scopes).await?.key)
}

/// A link that works once: the addresses of the demo have no name, so no passkey is needed.
async fn console(issuer: &Issuer, addresses: &Addresses) -> Result<Option<String>> {
    let Some(console) = issuer.console() else {
        return Ok(None);
    };
    let operators = console.operators();
    let link = operators
        .invite("command", "Ada Keller", OperatorRole::Admin)
        .await?;
    let path = vouchsafe_issuer::console::invitation_path(link.secret());
    Ok(Some(format!("{}{path}", addresses.issuer)))
}

fn shop_config(
    addresses: &Addresses,
    secret: &str,
    api_key: &str,
) -> Result<vouchsafe_shop::Config> {
    Ok(vouchsafe_shop::Config {
        name: "The wine shop".to_owned(),
        public_url: addresses.shop.parse()?,
        provider: addresses.verifier.parse()?,
        client_id: "shop".to_owned(),
        client_secret: Secret::new(secret),
        club: Some(Club {
            issuer: addresses.issuer.parse()?,
            api_key: Secret::new(api_key),
        }),
        wallet: Some(addresses.wallet.parse()?),
        pretends: false,
    })
}
