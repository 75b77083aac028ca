//! The VC API (VCALM 1.0): issue, derive and verify credentials, verify presentations, resolve
//! DIDs, over HTTP. Off unless `[vc_api]` says `enabled = true`.
//!
//! Handlers parse a request, call one function of `vouchsafe_credentials` and write the answer;
//! they hold no cryptography. To add an endpoint: a file with its handler, a line in
//! [`VcApi::router`], a negative test in `tests`.

mod access;
mod budget;
mod check;
mod config;
mod derive;
mod identity;
mod issue;
mod key;
mod lists;
mod log;
mod problem;
mod related;
mod second_opinion;
mod secure;
mod status;
mod status_change;
mod status_list;
mod store;
#[cfg(test)]
mod tests;
mod verify;
mod verify_presentation;
mod warnings;
mod wire;

use std::future::Future;
use std::num::NonZero;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;
use vouchsafe_credentials::bitstring_status_list::StatusListSource;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::data_integrity::Suites;
use vouchsafe_credentials::did::Resolver;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vcdm::Delegation;
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::rdfc::Transformation;

pub use access::{ISSUE, VERIFY, issue_as};
pub use config::{IdentityConfig, TrustedIssuerConfig, VcApiConfig};
pub use key::{IssuerKey, KeyType};
pub use lists::GuardedLists;
pub use problem::Refusal;
pub use secure::add_context;

use crate::config::{ConfigError, DevConfig, FetchConfig, HttpConfig, PublicUrl};
use crate::db::Db;
use crate::did::{self, Reach};
use crate::fetch::{FetchError, Fetcher};
use crate::http::limits;
use crate::id::Ids;
use crate::keys::SymmetricKey;
use access::Gate;
use identity::Identity;

/// Requests that are worked on at once, beside one for each processor: those wait for a network.
const WAITING: usize = 2;

/// What the endpoints need of a service.
pub struct Ports {
    /// The database, for API keys, status lists and the audit log.
    pub db: Db,
    /// The key of the audit log: who issued and who revoked is written down.
    pub audit: SymmetricKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Verifies.
    pub crypto: Arc<dyn CryptoProvider>,
    /// Identifiers of status lists.
    pub ids: Ids,
    /// Network: DID documents and status lists.
    pub outbound: Outbound,
}

/// What the endpoints need from the network.
#[derive(Clone)]
pub struct Outbound {
    /// Resolves DIDs of those who signed.
    pub resolver: Arc<dyn Resolver>,
    /// Resolves DIDs that a caller asks for.
    pub identifiers: Arc<dyn Resolver>,
    /// Fetches status lists.
    pub status_lists: Arc<dyn StatusListSource>,
}

impl Outbound {
    /// Through the guarded fetcher, with the exceptions of the configuration. Where issuers are
    /// listed, no credential of a stranger makes the service ask for another's document.
    ///
    /// # Errors
    /// [`FetchError`].
    pub fn guarded(
        config: &VcApiConfig,
        fetch: &FetchConfig,
        dev: &DevConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FetchError> {
        let fetcher = Fetcher::new(fetch, dev)?;
        let reach = match config.known_dids() {
            dids if dids.is_empty() => Reach::Any,
            dids => Reach::Only(Arc::new(dids)),
        };
        Ok(Self {
            resolver: did::resolver(fetcher.clone(), Arc::clone(&clock), reach),
            identifiers: did::resolver(fetcher.clone(), clock, Reach::Any),
            status_lists: Arc::new(GuardedLists::new(fetcher)),
        })
    }
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbound")
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

/// What needs no API key.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) verifying: bool,
    pub(crate) issuing: bool,
}

/// The parts of the endpoints.
pub(crate) struct Parts {
    pub(crate) open: Open,
    pub(crate) second_opinion: bool,
    pub(crate) inline_contexts: bool,
    pub(crate) accepted_issuers: Vec<String>,
    pub(crate) delegations: Vec<Delegation>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) suites: Suites,
    pub(crate) public_url: PublicUrl,
    pub(crate) db: Db,
    pub(crate) audit: SymmetricKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) crypto: Arc<dyn CryptoProvider>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) identifiers: Arc<dyn Resolver>,
    pub(crate) status_lists: Arc<dyn StatusListSource>,
    pub(crate) ids: Ids,
    pub(crate) published: status::Published,
    permits: Arc<Semaphore>,
}

/// The endpoints. Cheap to clone.
#[derive(Clone)]
pub struct VcApi(Arc<Parts>);

impl VcApi {
    /// Loads keys and checks the configuration. `None` where the endpoints are off.
    ///
    /// # Errors
    /// [`ConfigError`] that names the setting.
    pub fn open(
        config: &VcApiConfig,
        http: &HttpConfig,
        ports: Ports,
    ) -> Result<Option<Self>, ConfigError> {
        config.check(http)?;
        if !config.enabled {
            return Ok(None);
        }
        let suites = suites(config.inline_vocab);
        let identities = config
            .identity
            .iter()
            .map(|identity| Identity::load(identity, &suites))
            .collect::<Result<_, _>>()?;
        let Ports {
            db,
            audit,
            clock,
            rng,
            crypto,
            ids,
            outbound:
                Outbound {
                    resolver,
                    identifiers,
                    status_lists,
                },
        } = ports;
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Some(Self(Arc::new(Parts {
            open: Open {
                verifying: config.open,
                issuing: config.open && config::is_local(http),
            },
            second_opinion: config.second_opinion,
            inline_contexts: config.inline_vocab,
            accepted_issuers: config.accepted_issuers.clone(),
            delegations: config.delegations(),
            identities,
            suites,
            public_url: http.public_url.clone(),
            db,
            audit,
            clock,
            rng,
            crypto,
            resolver,
            identifiers,
            status_lists,
            ids,
            published: status::Published::default(),
            permits: Arc::new(Semaphore::new(processors + WAITING)),
        }))))
    }

    /// Issuer identifiers in configuration order.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0
            .identities
            .iter()
            .map(|identity| identity.id.as_str())
    }

    /// Everything: issue, derive, status, verify.
    pub fn router(&self) -> Router {
        let issuing = Router::new()
            .route(paths::ISSUE, post(issue::handler))
            .route(paths::DERIVE, post(derive::handler))
            .route(paths::STATUS, post(status_change::handler));
        let lists = Router::new().route(paths::STATUS_LIST, get(status_list::handler));
        self.gated(issuing, ISSUE)
            .merge(lists.with_state(self.clone()))
            .merge(self.verifier_router())
    }

    /// Verify and resolve, for the login service.
    pub fn verifier_router(&self) -> Router {
        let verifying = Router::new()
            .route(paths::VERIFY, post(verify::handler))
            .route(
                paths::VERIFY_PRESENTATION,
                post(verify_presentation::handler),
            );
        let identifiers = did::http::router(Arc::clone(&self.0.identifiers));
        let gate = from_fn_with_state(self.gate(VERIFY), access::gate);
        self.gated(verifying, VERIFY).merge(identifiers.layer(gate))
    }

    fn gate(&self, scope: &'static str) -> Gate {
        Gate {
            api: self.clone(),
            scope,
        }
    }

    fn gated(&self, router: Router<Self>, scope: &'static str) -> Router {
        router
            .layer(DefaultBodyLimit::max(limits::VC_API))
            .layer(from_fn_with_state(self.gate(scope), access::gate))
            .with_state(self.clone())
    }

    fn parts(&self) -> &Parts {
        &self.0
    }

    /// Works on a request beside the threads that serve others. The place among those who are
    /// worked on is given back when the work ends, also where the caller went away.
    async fn work<F, T>(&self, job: impl FnOnce(Self) -> F + Send + 'static) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
        T: Send + 'static,
    {
        let permit = Arc::clone(&self.0.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Refusal::internal())?;
        self.beside(async move |api| {
            let done = job(api).await;
            drop(permit);
            done
        })
        .await
    }

    /// Works beside the threads that serve others, without a place among those who are worked on: the
    /// caller bounds how often.
    async fn beside<F, T>(&self, job: impl FnOnce(Self) -> F + Send + 'static) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
        T: Send + 'static,
    {
        let (api, span, runtime) = (self.clone(), tracing::Span::current(), Handle::current());
        let log = tracing::dispatcher::get_default(Clone::clone);
        let done = tokio::task::spawn_blocking(move || {
            let work = async { job(api).await }.instrument(span);
            runtime.block_on(work.with_subscriber(log))
        });
        done.await.unwrap_or_else(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the work broke off"
            );
            Err(Refusal::internal())
        })
    }
}

impl std::fmt::Debug for VcApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VcApi")
    }
}

/// The cryptosuites of this program. `inline_vocab`: whether a document may bring contexts of its
/// own, which no RDF signature covers, and set `@vocab` in them.
#[must_use]
pub fn suites(inline_vocab: bool) -> Suites {
    let mut transformation = Transformation::new(Arc::new(Contexts::bundled()));
    transformation.options.inline_contexts = inline_vocab;
    transformation.options.inline_vocab = inline_vocab;
    vouchsafe_credentials_jsonld::suites(&transformation)
}

/// Whether a JSON-LD context is part of this program. No other is ever fetched.
#[must_use]
pub fn knows_context(url: &str) -> bool {
    Contexts::bundled().text(url).is_some()
}

/// Paths, written once.
pub mod paths {
    /// Issue a credential.
    pub const ISSUE: &str = "/credentials/issue";
    /// Verify a credential.
    pub const VERIFY: &str = "/credentials/verify";
    /// Derive a credential.
    pub const DERIVE: &str = "/credentials/derive";
    /// Change a status.
    pub const STATUS: &str = "/credentials/status";
    /// A status list credential.
    pub const STATUS_LIST: &str = "/credentials/status/{list}";
    /// Verify a presentation.
    pub const VERIFY_PRESENTATION: &str = "/presentations/verify";
}
