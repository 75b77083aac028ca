//! `vouchsafe wallet web`: the pages of a wallet in a folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use url::Url;

use super::handle::WalletHandle;
use super::home;
use super::terminal::passphrase;
use super::web::{self, Keeper, Profile, WebConfig};

/// Name and language of the wallet, beside its records.
const PROFILE: &str = "profile.toml";

/// Makes and opens the wallet of a folder from its pages.
struct HomeKeeper {
    folder: PathBuf,
    redirect: Url,
}

#[async_trait]
impl Keeper for HomeKeeper {
    fn exists(&self) -> bool {
        home::exists(&self.folder)
    }

    async fn create(&self, passphrase: &str) -> anyhow::Result<WalletHandle> {
        home::init(&self.folder, passphrase, false, None)?;
        self.open(passphrase).await
    }

    async fn open(&self, passphrase: &str) -> anyhow::Result<WalletHandle> {
        home::open_at(&self.folder, passphrase, Some(self.redirect.clone())).await
    }
}

/// Serves the pages on this machine. Whoever gave the passphrase on the terminal gets an open
/// wallet; otherwise the pages ask for it, and make the wallet where there is none.
pub(super) async fn serve(folder: &Path, port: u16) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let redirect: Url = format!("{address}/callback").parse()?;
    let config = WebConfig {
        public_url: address.parse()?,
        profile: Profile::open(folder.join(PROFILE))?,
    };
    let given = match home::exists(folder) {
        true => passphrase().ok(),
        false => None,
    };
    let router = match given {
        Some(passphrase) => {
            let wallet = home::open_at(folder, &passphrase, Some(redirect)).await?;
            eprintln!("The wallet is at {address}. Stop it with Ctrl-C.");
            web::router(wallet, config)?
        }
        None => {
            let folder = folder.to_owned();
            let guarded =
                web::guarded(std::sync::Arc::new(HomeKeeper { folder, redirect }), config)?;
            match guarded.invitation {
                Some(path) => eprintln!("Make the wallet at {address}{path}"),
                None => eprintln!("The wallet is at {address}, locked with its passphrase."),
            }
            eprintln!("Stop it with Ctrl-C.");
            guarded.router
        }
    };
    let stop = async {
        // Without a signal handler the program ends by itself.
        let _ = tokio::signal::ctrl_c().await;
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await?)
}
