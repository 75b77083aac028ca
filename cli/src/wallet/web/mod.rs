//! The wallet in a browser: pages that work without scripts.
//!
//! [`router`] shows an open wallet to whoever reaches it: for one person on one machine.
//! [`guarded`] puts a passphrase in front of it, and begins with the first run.

mod app;
mod cards;
mod error;
mod finders;
mod first_run;
mod guard;
mod history;
mod install;
mod keep;
mod keeper;
mod later;
mod letters;
mod offer;
mod passphrase;
mod profile;
mod request;
mod scan;
mod settings;
mod shell;
mod tries;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use vouchsafe_pages::PagesError;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::{ConfigError, HttpConfig, PublicUrl};
use vouchsafe_service::http::{Edge, Problem, limits, standard, standard_at};
use vouchsafe_service::id::Ids;
use vouchsafe_service::random::OsRandom;

pub use keeper::Keeper;
pub use profile::Profile;

use self::app::App;
use self::guard::Guard;
use self::shell::Shell;
use super::handle::WalletHandle;

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// A page is broken.
    #[error("the pages cannot be rendered")]
    Pages(#[from] PagesError),
    /// What stands around them is.
    #[error("the pages cannot be served")]
    Served(#[from] ConfigError),
}

/// How the web wallet is reached.
#[derive(Debug)]
pub struct WebConfig {
    /// Its address, as browsers see it. Requests to another host are refused.
    pub public_url: PublicUrl,
    /// Its name and language.
    pub profile: Profile,
}

/// The pages behind a passphrase.
pub struct Guarded {
    /// Serves them.
    pub router: Router,
    /// Where the first run begins, while there is no wallet: a secret path for the person alone.
    pub invitation: Option<String>,
}

/// The pages of an open wallet, for whoever reaches them.
pub fn router(wallet: WalletHandle, config: WebConfig) -> Result<Router, WebError> {
    let WebConfig {
        public_url,
        profile,
    } = config;
    let shell = Arc::new(Shell::new(&public_url, profile, false)?);
    let app = Arc::new(App::new(wallet, Arc::clone(&shell)));
    outside(pages(app), &shell, &public_url)
}

/// The pages of a wallet that opens with its passphrase, or has to be made first.
pub fn guarded(keeper: Arc<dyn Keeper>, config: WebConfig) -> Result<Guarded, WebError> {
    let WebConfig {
        public_url,
        profile,
    } = config;
    let shell = Arc::new(Shell::new(&public_url, profile, true)?);
    let guard = Arc::new(Guard::new(Arc::clone(&shell), keeper));
    let invitation = guard.invitation();
    Ok(Guarded {
        router: outside(guard::router(guard), &shell, &public_url)?,
        invitation,
    })
}

/// What stands around all pages.
fn outside(pages: Router, shell: &Arc<Shell>, public_url: &PublicUrl) -> Result<Router, WebError> {
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(OsRandom));
    let all = pages
        .merge(install::router(Arc::clone(shell)))
        .layer(from_fn_with_state(Arc::clone(shell), shell::only_this_host))
        .merge(vouchsafe_pages::assets_router());
    match shell.is_here() {
        true => Ok(standard(all, public_url, ids)),
        false => Ok(standard_at(&proxied(public_url)?, all, public_url, ids)),
    }
}

/// A wallet with a public name stands behind a proxy on this machine, which says where a request
/// comes from. Where there is none, nobody but this machine can say it.
fn proxied(public_url: &PublicUrl) -> Result<Edge, WebError> {
    Ok(Edge::new(&HttpConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        public_url: public_url.clone(),
        tls: None,
        metrics_listen: None,
        trusted_proxies: vec!["127.0.0.1".to_owned(), "::1".to_owned()],
        requests_per_minute: 0,
        burst: 0,
    })?)
}

/// The pages. `/present` takes requests to show a card and `/offer` takes
/// offers, both with the query of the `openid4vp:` and
/// `openid-credential-offer:` links; `/callback` is where a sign-in at an
/// issuer comes back.
fn pages(app: Arc<App>) -> Router {
    let picture = post(scan::picture).layer(DefaultBodyLimit::max(scan::LARGEST_UPLOAD));
    let restore = post(keep::restore).layer(DefaultBodyLimit::max(keep::LARGEST_BACKUP));
    Router::new()
        .route("/", get(cards::list))
        .route("/colours.css", get(cards::colours))
        .route("/cards/{id}", get(cards::show))
        .route("/cards/{id}/delete", post(cards::delete))
        .route("/later/{id}/resume", post(later::resume))
        .route("/later/{id}/forget", post(later::forget))
        .route("/add", get(offer::form).post(scan::paste))
        .route("/add/picture", picture)
        .route("/offer", get(offer::open))
        .route("/offers/{session}", get(offer::show).post(offer::answer))
        .route("/callback", get(offer::callback))
        .route("/present", get(request::open))
        .route(
            "/requests/{session}",
            get(request::show).post(request::answer),
        )
        .route("/history", get(history::list))
        .route("/history.json", get(history::export))
        .route("/history/{id}", get(history::show))
        .route("/history/{id}/delete", post(history::delete))
        .route("/history/{id}/withdraw", post(history::withdraw))
        .route("/history/{id}/erase", get(letters::erase))
        .route("/history/{id}/report", get(letters::report))
        .route("/backup", get(keep::show).post(keep::make))
        .route("/backup/restore", restore)
        .route("/settings", get(settings::show).post(settings::save))
        .fallback(async || Problem::not_found())
        .layer(DefaultBodyLimit::max(limits::FORM))
        .with_state(app)
}

#[cfg(test)]
mod tests;
