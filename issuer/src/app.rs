//! Chooses the parts and puts them together.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use vouchsafe_pages::{Pages, PagesError, assets_router};
use vouchsafe_protocol::oauth::ServerNonces;
use vouchsafe_protocol::vci::NonceKeys;
use vouchsafe_service::api_keys::{self, ApiKeySecret, NewApiKey};
use vouchsafe_service::audit;
use vouchsafe_service::config::ConfigError;
use vouchsafe_service::db::{Db, DbError};
use vouchsafe_service::fetch::{FetchError, Fetcher};
use vouchsafe_service::http::{CookiePolicy, Edge, RateLimit, limits, standard};
use vouchsafe_service::id::Ids;
use vouchsafe_service::jobs::Jobs;
use vouchsafe_service::keys::{KeyError, Purpose};
use vouchsafe_service::seal::Sealer;
use vouchsafe_service::shutdown::Shutdown;
use vouchsafe_service::vc_api::{self, VcApi};
use vouchsafe_service::webhooks::{self, Busy, Delivery};

use crate::config::Config;
use crate::core::{Core, Keys};
use crate::handlers::{self, admin::caller::Scope};
use crate::ports::Ports;
use crate::request_keys::RequestKeys;
use crate::router;
use crate::status::StatusListError;
use crate::store;
use crate::types::Types;
use crate::{paths, purge, status};

/// How many long one-time codes a network may try in a minute.
const TYPED_CODES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(20).expect("twenty is not zero");
/// How often the background job looks for status lists to publish.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// How often the background job looks for webhooks to send.
const DELIVER_EVERY: Duration = Duration::from_secs(1);
/// How often what has ended is forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// How often the audit log is read as a whole.
const AUDIT_EVERY: Duration = Duration::from_secs(86_400);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration is wrong.
    #[error("the configuration is wrong")]
    Config(#[from] ConfigError),
    /// A key is missing or unsafe.
    #[error("a key is missing or unsafe")]
    Key(#[from] KeyError),
    /// The database cannot be opened or migrated.
    #[error("the database cannot be opened")]
    Db(#[from] DbError),
    /// The fetcher.
    #[error("outbound requests cannot be set up")]
    Fetch(#[from] FetchError),
    /// The pages are broken.
    #[error("the pages are broken")]
    Pages(#[from] PagesError),
}

/// The issuing service.
#[derive(Debug, Clone)]
pub struct Issuer {
    core: Core,
    config: Arc<Config>,
    vc_api: Option<VcApi>,
    edge: Edge,
    webhooks: Delivery,
}

impl Issuer {
    /// Opens the database, brings it up to date and loads the keys.
    pub async fn open(config: Config, ports: Ports) -> Result<Self, OpenError> {
        config.settings()?;
        let db = Db::open(&config.database.resolve()?).await?;
        db.migrate(&[store::MIGRATIONS], ports.clock.now()).await?;
        let issuer = Self::with_db(config, ports, db)?;
        issuer.core.types.refresh(&issuer.core).await?;
        Ok(issuer)
    }

    /// The service on a database that is open and up to date.
    pub fn with_db(config: Config, ports: Ports, db: Db) -> Result<Self, OpenError> {
        let settings = config.settings()?;
        let master = config.keys.master()?;
        let nonce_key = *master.derive(Purpose::CredentialNonce).expose();
        let server_nonce = master
            .derive(Purpose::CredentialNonce)
            .child("server nonce");
        let keys = Keys {
            columns: Sealer::new(master.derive(Purpose::Sealing).child("issuer")),
            flows: Sealer::new(master.derive(Purpose::FlowState).child("issuer")),
            records: master.derive(Purpose::Binding).child("issuer record"),
            requests: master.derive(Purpose::Binding).child("issuer request"),
            nonces: NonceKeys::new(&settings.issuer, 1, nonce_key),
            audit: master.derive(Purpose::Audit).child("issuer"),
            sealed_requests: RequestKeys::new(
                master.derive(Purpose::RequestEncryption).child("issuer"),
            ),
            server_nonces: ServerNonces::new(&settings.issuer, *server_nonce.expose()),
        };
        let Ports { clock, rng, crypto } = ports;
        let (types, signing) = config.issued(clock.now())?;
        let types = Types::new(&settings, types);
        let core = Core {
            settings: Arc::new(settings),
            db,
            ids: Ids::new(Arc::clone(&clock), Arc::clone(&rng)),
            clock,
            rng,
            crypto,
            keys: Arc::new(keys),
            types: Arc::new(types),
            signing: Arc::new(signing),
            shown: Arc::default(),
            bitstrings: Arc::default(),
            suites: Arc::new(vc_api::suites(false)),
            outbound: Fetcher::new(&config.fetch, &config.dev)?,
            signed_metadata: Arc::default(),
            typed_codes: RateLimit::per_minute(TYPED_CODES_PER_MINUTE, TYPED_CODES_PER_MINUTE),
            cookies: CookiePolicy::new(&config.http.public_url),
            pages: Pages::new()?,
        };
        let vc_api = vc_api(&config, &core)?;
        Ok(Self {
            edge: Edge::new(&config.http)?,
            webhooks: Delivery {
                db: core.db.clone(),
                clock: Arc::clone(&core.clock),
                sealer: core.keys.columns.clone(),
                post: Arc::new(core.outbound.clone()),
                busy: Busy::default(),
            },
            core,
            config: Arc::new(config),
            vc_api,
        })
    }

    /// Everything that the service answers.
    pub fn router(&self) -> Router {
        let (admin, _) = handlers::openapi::routes().split_for_parts();
        let admin = admin.layer(DefaultBodyLimit::max(limits::ADMIN));
        let router = Router::new()
            .route(paths::STATUS, get(handlers::status::handler))
            .route(paths::STATUS_W3C, get(handlers::status_w3c::handler))
            .route(paths::TYPE_METADATA, get(handlers::type_metadata::handler))
            .route(paths::DID_DOCUMENT, get(handlers::wellknown_did::handler))
            .route(paths::PICTURE, get(handlers::picture::handler))
            .route(paths::OPENAPI, get(handlers::openapi::handler))
            .route(paths::HEALTHZ, get(|| async { StatusCode::OK }))
            .route(paths::READYZ, get(router::ready))
            .merge(router::wallets(&self.core))
            .merge(admin)
            .merge(assets_router())
            .with_state(self.core.clone());
        let router = match &self.vc_api {
            Some(api) => router.merge(api.router()),
            None => router,
        };
        self.edge.around(standard(
            router,
            &self.config.http.public_url,
            self.core.ids.clone(),
        ))
    }

    /// Publishes status lists, sends webhooks, forgets what has ended and reads the audit log, until
    /// asked to stop. A run that fails or panics ends neither its job nor another one.
    pub async fn run_background(&self, shutdown: Shutdown) {
        let mut jobs = Jobs::new(shutdown);
        let own = self.clone();
        jobs.every("webhooks", DELIVER_EVERY, move || {
            let own = own.clone();
            async move { own.start_webhooks().await }
        });
        let own = self.clone();
        jobs.every("publish", PUBLISH_EVERY, move || {
            let own = own.clone();
            async move {
                own.core.types.follow(&own.core).await;
                own.publish_status_lists().await.map(drop)
            }
        });
        let own = self.clone();
        jobs.every("purge", PURGE_EVERY, move || {
            let own = own.clone();
            async move { own.purge().await }
        });
        let own = self.clone();
        jobs.every("audit log", AUDIT_EVERY, move || {
            let own = own.clone();
            async move { own.watch_audit().await }
        });
        jobs.finish().await;
    }

    /// Catalogue 404: an edited log raises an alarm, as an error line and as a metric.
    async fn watch_audit(&self) -> Result<(), DbError> {
        let broken = match self.verify_audit(None).await? {
            Ok(_) => 0.0,
            Err(broken) => {
                tracing::error!(
                    event = broken.seq(),
                    "the audit log was changed in the database"
                );
                1.0
            }
        };
        metrics::gauge!("vouchsafe_audit_log_broken").set(broken);
        Ok(())
    }

    /// Publishes up to a hundred status lists that are due; returns how many.
    pub async fn publish_status_lists(&self) -> Result<usize, StatusListError> {
        status::publish_due(&self.core).await
    }

    /// Starts to send webhooks that are due, and does not wait for who receives them.
    async fn start_webhooks(&self) -> Result<(), DbError> {
        webhooks::start_due(&self.webhooks).await?.detach_all();
        Ok(())
    }

    /// Forgets what has ended: claims of offers, tokens, codes, nonces, kept answers.
    pub async fn purge(&self) -> Result<(), DbError> {
        purge::purge(&self.core).await
    }

    /// Recomputes the chain of the audit log. `known` is a head that was kept elsewhere.
    pub async fn verify_audit(
        &self,
        known: Option<&audit::Head>,
    ) -> Result<Result<audit::Head, audit::Broken>, DbError> {
        audit::verify(&self.core.db, &self.core.keys.audit, known).await
    }

    /// What a key may be allowed, in the words that are stored with it.
    pub fn scopes(&self) -> Vec<String> {
        let issuers = self.vc_api.iter().flat_map(VcApi::issuers);
        let mut named: Vec<String> = issuers.map(vc_api::issue_as).collect();
        named.dedup();
        self.usual_scopes().chain(named).collect()
    }

    /// Everything but issuing in the name of one of several identities, which is said by name.
    fn usual_scopes(&self) -> impl Iterator<Item = String> {
        let own = Scope::ALL.map(Scope::as_str).into_iter();
        let all = own.chain([vc_api::ISSUE, vc_api::VERIFY]);
        all.map(str::to_owned)
    }

    /// Makes a key of the administration API that may do everything, but issue in the name of one of
    /// several identities of the VC API. It is shown this once.
    pub async fn create_api_key(&self, name: &str) -> Result<String, DbError> {
        self.create_api_key_for(name, self.usual_scopes().collect())
            .await
    }

    /// Makes a key that may do this and nothing else; see [`Self::scopes`]. It is shown this once.
    pub async fn create_api_key_for(
        &self,
        name: &str,
        scopes: Vec<String>,
    ) -> Result<String, DbError> {
        let secret = ApiKeySecret::generate(&*self.core.rng);
        let shown = secret.expose().to_owned();
        let key = NewApiKey {
            id: self.core.ids.next_text(),
            name: name.to_owned(),
            scopes,
            created_at: self.core.clock.now(),
            expires_at: None,
        };
        let (audit_key, event) = (
            self.core.keys.audit.clone(),
            audit::Event {
                at: key.created_at,
                actor: "command".to_owned(),
                action: "api_key.create",
                target: key.id.clone(),
                detail: key.scopes.join(" "),
            },
        );
        self.core
            .db
            .write(async move |tx| {
                api_keys::insert(tx, &key, &secret).await?;
                audit::append(tx, &audit_key, &event).await
            })
            .await?;
        Ok(shown)
    }

    /// The configuration that it was opened with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The parts, for tests of this crate.
    #[cfg(test)]
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

/// The VC API, where the configuration turns it on.
fn vc_api(config: &Config, core: &Core) -> Result<Option<VcApi>, OpenError> {
    if !config.vc_api.enabled {
        return Ok(None);
    }
    let ports = vc_api::Ports {
        db: core.db.clone(),
        audit: core.keys.audit.clone(),
        clock: Arc::clone(&core.clock),
        rng: Arc::clone(&core.rng),
        crypto: Arc::clone(&core.crypto),
        ids: core.ids.clone(),
        outbound: vc_api::Outbound::guarded(
            &config.vc_api,
            &config.fetch,
            &config.dev,
            Arc::clone(&core.clock),
        )?,
    };
    Ok(VcApi::open(&config.vc_api, &config.http, ports)?)
}
