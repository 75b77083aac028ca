//! The demo's wallet: in memory, with the demo's issuer and verifier on its list.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use async_trait::async_trait;
use axum::Router;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, StatusMethod};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_service::config::FetchConfig;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};
use vouchsafe_wallet_core::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};

use super::reach::{Addresses, Reach};
use crate::development::{Generated, secret};
use crate::wallet::handle::{Transport, WalletHandle};
use crate::wallet::open;
use crate::wallet::transport::FetcherTransport;
use crate::wallet::web::{self, Keeper, Profile, WebConfig};

/// The wallet and its pages.
pub struct DemoWallet {
    /// The pages.
    pub router: Router,
    /// The wallet, where it is open for everybody on this machine.
    pub open: Option<WalletHandle>,
    /// The path of the first run, where the wallet is to be made first.
    pub invitation: Option<String>,
    /// Wallets of other people, on this machine.
    pub people: Option<People>,
}

/// Makes wallets of people, each with a store of its own.
pub struct People {
    settings: open::Settings,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl People {
    /// The wallet of somebody who has none yet.
    pub fn somebody(&self) -> Result<WalletHandle> {
        let storage = Arc::new(MemoryStorage::new());
        let world = (Arc::clone(&self.transport), Arc::clone(&self.clock));
        let settings = self.settings.clone();
        // Nobody can know this passphrase, and nobody needs it: the store is in memory.
        open::create_in(settings, storage, &secret(), KdfParams::MINIMUM, world)
    }
}

impl DemoWallet {
    /// On this machine the wallet is there and open. Who reaches it over a network makes it, with a
    /// passphrase, from the link on the terminal.
    pub fn new(
        reach: &Reach,
        addresses: &Addresses,
        generated: &Generated,
        fetch: FetchConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let settings = settings(reach, addresses, generated, fetch)?;
        let config = WebConfig {
            public_url: addresses.wallet.parse()?,
            profile: Profile::default(),
        };
        if reach.is_loopback() {
            let transport = FetcherTransport::new(&settings.fetch, settings.loopback_http)?;
            let people = People {
                settings,
                transport: Arc::new(transport),
                clock,
            };
            let wallet = people.somebody()?;
            return Ok(Self {
                router: web::router(wallet.clone(), config)?,
                open: Some(wallet),
                invitation: None,
                people: Some(people),
            });
        }
        let storage = Arc::new(MemoryStorage::new());
        let keeper = Arc::new(MemoryKeeper {
            settings,
            storage,
            made: AtomicBool::new(false),
        });
        let guarded = web::guarded(keeper, config)?;
        Ok(Self {
            router: guarded.router,
            open: None,
            invitation: guarded
                .invitation
                .map(|path| format!("{}{path}", addresses.wallet)),
            people: None,
        })
    }
}

struct MemoryKeeper {
    settings: open::Settings,
    storage: Arc<MemoryStorage>,
    made: AtomicBool,
}

#[async_trait]
impl Keeper for MemoryKeeper {
    fn exists(&self) -> bool {
        self.made.load(Ordering::Acquire)
    }

    async fn create(&self, passphrase: &str) -> Result<WalletHandle> {
        let (settings, storage) = (self.settings.clone(), Arc::clone(&self.storage));
        let wallet = open::create(settings, storage, passphrase, KdfParams::RECOMMENDED)?;
        self.made.store(true, Ordering::Release);
        Ok(wallet)
    }

    async fn open(&self, passphrase: &str) -> Result<WalletHandle> {
        let (settings, storage) = (self.settings.clone(), Arc::clone(&self.storage));
        open::open(settings, storage, passphrase).await
    }
}

fn settings(
    reach: &Reach,
    addresses: &Addresses,
    generated: &Generated,
    fetch: FetchConfig,
) -> Result<open::Settings> {
    let mut anchors = TrustAnchors::new(Role::Issuer);
    anchors.add_pem(&generated.issuer_anchor)?;
    let mut statuses = TrustAnchors::new(Role::Status);
    statuses.add_pem(&generated.status_anchor)?;
    let mut verifiers = TrustAnchors::new(Role::VerifierAccess);
    verifiers.add_pem(&generated.verifier_anchor)?;
    Ok(open::Settings {
        trust: TrustList {
            issuers: vec![KnownIssuer {
                credential_issuer: addresses.issuer.clone(),
                method: IssuerMethod::X509 {
                    anchors: Arc::new(anchors),
                    subject: None,
                },
                types: Vec::new(),
                status: StatusMethod::X509(Arc::new(statuses)),
            }],
            verifiers,
            unknown_issuers: UnknownIssuers::Refuse,
            other_verifiers: OtherVerifiers::default(),
        },
        fetch,
        loopback_http: reach.is_loopback(),
        locales: vec!["en".to_owned()],
        redirect_uri: format!("{}/callback", addresses.wallet).parse()?,
        issuance: open::Issuance::default(),
        // Who plays with a revocation sees it at once.
        status: StatusPolicy {
            ask: true,
            least_s: 1,
        },
    })
}
