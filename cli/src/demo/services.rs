//! The four services of the demo, in one process.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use url::Url;
use vouchsafe_credentials::sd_jwt_vc::IssuerMethod;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_issuer::Issuer;
use vouchsafe_service::config::{DevConfig, FetchConfig, LogConfig, parse};
use vouchsafe_service::fetch::Fetcher;
use vouchsafe_service::http::{ServeError, bind, serve};
use vouchsafe_service::operators::Role as OperatorRole;
use vouchsafe_service::shutdown::{self, Shutdown, ShutdownTrigger};
use vouchsafe_service::telemetry;
use vouchsafe_shop::{Club, Secret, Shop};
use vouchsafe_verifier::Verifier;
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};
use vouchsafe_wallet_core::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};

use crate::development::{Application, Generated, Placement, Plan, generate, secret};
use crate::wallet::handle::WalletHandle;
use crate::wallet::{open, web};

/// How long the demo's verifier may keep a status list, in seconds.
const STATUS_REFRESH_S: i64 = 1;

/// Where the services are.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The shop.
    pub shop: String,
    /// The OpenID Provider.
    pub verifier: String,
    /// The issuer.
    pub issuer: String,
    /// The wallet in the browser.
    pub wallet: String,
}

/// The demo, running.
pub struct Running {
    /// Where everything is.
    pub addresses: Addresses,
    /// The wallet, the same that the web pages show.
    pub wallet: WalletHandle,
    /// The way out, for a browser without a screen.
    pub fetcher: Arc<Fetcher>,
    /// The club's key to the issuer.
    pub api_key: String,
    /// A one-time link to the club's console.
    pub console: String,
    tasks: Vec<JoinHandle<Result<(), ServeError>>>,
    background: Vec<JoinHandle<()>>,
    trigger: ShutdownTrigger,
    shutdown: Shutdown,
    // The databases go with the demo.
    _folder: TempDir,
}

impl Addresses {
    /// Four ports from `first` on, or four free ones for 0.
    pub fn choose(first: u16) -> Result<Self> {
        let at = |offset: u16| -> Result<String> {
            let port = match first {
                0 => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
                    .local_addr()?
                    .port(),
                _ => first.checked_add(offset).context("a port beyond 65535")?,
            };
            Ok(format!("http://127.0.0.1:{port}"))
        };
        Ok(Self {
            shop: at(0)?,
            verifier: at(1)?,
            issuer: at(2)?,
            wallet: at(3)?,
        })
    }
}

impl Running {
    /// Makes keys, certificates and databases, and starts everything.
    pub async fn start(addresses: Addresses, log: &str) -> Result<Self> {
        telemetry::init(&LogConfig {
            filter: log.to_owned(),
            ..LogConfig::default()
        })?;
        let folder = tempfile::Builder::new()
            .prefix("vouchsafe-demo")
            .tempdir()?;
        let shop_secret = secret();
        let plan = plan(&addresses, &folder, &shop_secret);
        let generated = generate(&plan, &mut Placement::Inline)?;
        // All listeners first: a port that is taken ends the demo before it began.
        let shop_listener = listener(&addresses.shop)?;
        let verifier_listener = listener(&addresses.verifier)?;
        let issuer_listener = listener(&addresses.issuer)?;
        let wallet_listener = listener(&addresses.wallet)?;

        let issuer =
            Issuer::open(parse(&generated.issuer)?, vouchsafe_issuer::Ports::system()).await?;
        let verifier = Verifier::open(
            parse(&generated.verifier)?,
            vouchsafe_verifier::Ports::system(),
        )
        .await?;
        let api_key = issuer.create_api_key("the club's counter").await?;
        let console = console(&issuer, &addresses).await?;
        let dev = DevConfig {
            loopback_http: true,
        };
        let fetcher = Arc::new(Fetcher::new(&FetchConfig::default(), &dev)?);
        let shop = shop(&addresses, &shop_secret, &api_key, Arc::clone(&fetcher))?;
        let wallet = wallet(&addresses, &generated)?;
        let wallet_pages = web::router(
            wallet.clone(),
            web::WebConfig {
                public_url: addresses.wallet.parse()?,
            },
        )?;

        let (trigger, shutdown) = shutdown::channel();
        let listen = |listener, router: Router| {
            tokio::spawn(serve(listener, None, router, shutdown.clone()))
        };
        let tasks = vec![
            listen(shop_listener, shop.router()),
            listen(verifier_listener, verifier.router()),
            listen(issuer_listener, issuer.router()),
            listen(wallet_listener, wallet_pages),
        ];
        let (for_issuer, for_verifier) = (shutdown.clone(), shutdown.clone());
        let background = vec![
            tokio::spawn(async move { issuer.run_background(for_issuer).await }),
            tokio::spawn(async move { verifier.run_background(for_verifier).await }),
        ];
        Ok(Self {
            addresses,
            wallet,
            fetcher,
            api_key,
            console,
            tasks,
            background,
            trigger,
            shutdown,
            _folder: folder,
        })
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

fn listener(address: &str) -> Result<TcpListener> {
    let url = Url::parse(address)?;
    let port = url.port().context("an address without a port")?;
    Ok(bind(SocketAddr::new(
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        port,
    ))?)
}

fn plan(addresses: &Addresses, folder: &TempDir, shop_secret: &str) -> Plan {
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    let database = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    Plan {
        issuer_url: addresses.issuer.clone(),
        issuer_listen: host(&addresses.issuer),
        issuer_database: database("issuer.sqlite"),
        verifier_url: addresses.verifier.clone(),
        verifier_listen: host(&addresses.verifier),
        verifier_database: database("verifier.sqlite"),
        metrics: None,
        offer_link: format!("{}/offer", addresses.wallet),
        wallet_endpoint: format!("{}/present", addresses.wallet),
        wallet_client: Some((
            "vouchsafe-wallet".to_owned(),
            format!("{}/callback", addresses.wallet),
        )),
        loopback_http: true,
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

/// A link that works once: the addresses of the demo have no name, so no passkey is needed.
async fn console(issuer: &Issuer, addresses: &Addresses) -> Result<String> {
    let console = issuer.console().context("the demo has a console")?;
    let operators = console.operators();
    let link = operators
        .invite("command", "Ada Keller", OperatorRole::Admin)
        .await?;
    let path = vouchsafe_issuer::console::invitation_path(link.secret());
    Ok(format!("{}{path}", addresses.issuer))
}

fn shop(addresses: &Addresses, secret: &str, api_key: &str, fetcher: Arc<Fetcher>) -> Result<Shop> {
    let config = vouchsafe_shop::Config {
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
    };
    Ok(Shop::new(config, fetcher)?)
}

/// A wallet in memory that knows the demo's issuer and verifier.
fn wallet(addresses: &Addresses, generated: &Generated) -> Result<WalletHandle> {
    let mut anchors = TrustAnchors::new(Role::Issuer);
    anchors.add_pem(&generated.issuer_anchor)?;
    let mut verifiers = TrustAnchors::new(Role::VerifierAccess);
    verifiers.add_pem(&generated.verifier_anchor)?;
    let settings = open::Settings {
        trust: TrustList {
            issuers: vec![KnownIssuer {
                credential_issuer: addresses.issuer.clone(),
                method: IssuerMethod::X509 {
                    anchors: Arc::new(anchors),
                    subject: None,
                },
                types: Vec::new(),
            }],
            verifiers,
            unknown_issuers: UnknownIssuers::Refuse,
            other_verifiers: OtherVerifiers::default(),
        },
        fetch: FetchConfig::default(),
        loopback_http: true,
        locales: vec!["en".to_owned()],
        redirect_uri: format!("{}/callback", addresses.wallet).parse()?,
        issuance: open::Issuance::default(),
    };
    // Nobody can know this passphrase, and nobody needs it: the store is in memory.
    open::create(
        settings,
        Arc::new(MemoryStorage::new()),
        &secret(),
        KdfParams::MINIMUM,
    )
}
