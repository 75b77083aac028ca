//! Chooses the parts and puts them together.

use std::num::NonZeroU32;
use std::sync::Arc;

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
use vouchsafe_service::http::{CookiePolicy, Edge, RateLimit, limits, standard_at};
use vouchsafe_service::id::Ids;
use vouchsafe_service::keys::{KeyError, Purpose};
use vouchsafe_service::seal::Sealer;
use vouchsafe_service::upstream::Upstream;
use vouchsafe_service::vc_api::{self, VcApi};
use vouchsafe_service::webhooks::{Busy, Delivery};

use crate::authentication::{Authentication, Method};
use crate::config::Config;
use crate::console::{self, Console};
use crate::core::{Core, Keys};
use crate::handlers::{self, admin::caller::Scope};
use crate::instance::{self, InstanceError};
use crate::ports::Ports;
use crate::request_keys::RequestKeys;
use crate::types::Types;
use crate::{paths, router};

/// How many long one-time codes a network may try in a minute.
const TYPED_CODES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(20).expect("twenty is not zero");
/// How many sign-ins at providers a network may begin in a minute, and at once; and as many questions
/// for cards.
const SIGN_INS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("sixty is not zero");
const SIGN_INS_AT_ONCE: NonZeroU32 = NonZeroU32::new(30).expect("thirty is not zero");

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
    /// The database is not this issuer's to use.
    #[error(transparent)]
    Instance(#[from] InstanceError),
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
    pub(crate) core: Core,
    config: Arc<Config>,
    vc_api: Option<VcApi>,
    console: Option<Console>,
    edge: Edge,
    pub(crate) webhooks: Delivery,
}

impl Issuer {
    /// Opens the database, brings it up to date and loads the keys.
    pub async fn open(config: Config, ports: Ports) -> Result<Self, OpenError> {
        config.settings()?;
        let db = instance::open_own(&config, ports.clock.now()).await?;
        let issuer = Self::with_db(config, ports, db).await?;
        issuer.core.types.refresh(&issuer.core).await?;
        Ok(issuer)
    }

    /// Closes the database. Nothing is served any more, and no job runs.
    pub async fn close(&self) {
        self.core.db.close().await;
    }

    /// The service on a database that is open and up to date.
    pub async fn with_db(config: Config, ports: Ports, db: Db) -> Result<Self, OpenError> {
        let settings = config.settings()?;
        let master = config.keys.master()?;
        // What is good for a while and stands in no table ends with the epoch.
        let epoch = instance::epoch(&db).await?;
        let nonces = epoch.key(master.derive(Purpose::CredentialNonce));
        let (nonce_key, server_nonce) = (*nonces.expose(), nonces.child("server nonce"));
        let flows = epoch.key(master.derive(Purpose::FlowState).child("issuer"));
        let keys = Keys {
            columns: Sealer::new(master.derive(Purpose::Sealing).child("issuer")),
            flows: Sealer::new(flows),
            records: master.derive(Purpose::Binding).child("issuer record"),
            requests: master.derive(Purpose::Binding).child("issuer request"),
            nonces: NonceKeys::new(&settings.issuer, 1, nonce_key),
            audit: master.derive(Purpose::Audit).child("issuer"),
            sealed_requests: RequestKeys::new(
                master.derive(Purpose::RequestEncryption).child("issuer"),
            ),
            server_nonces: ServerNonces::new(&settings.issuer, *server_nonce.expose()),
        };
        let forms = master.derive(Purpose::Csrf).child("issuer console");
        let Ports { clock, rng, crypto } = ports;
        let (types, signing) = config.issued(clock.now())?;
        let types = Types::new(&settings, types);
        let outbound = Fetcher::new(&config.fetch, &config.dev)?;
        let upstream = |rule: &Authentication| match &rule.method {
            Method::OpenIdConnect(method) => {
                let (settings, clock, rng) = (method.provider.clone(), &clock, &rng);
                tracing::info!(
                    provider = settings.issuer,
                    redirect_uri = settings.redirect_uri,
                    "persons sign in"
                );
                let (clock, rng) = (Arc::clone(clock), Arc::clone(rng));
                Some(Upstream::new(settings, outbound.clone(), clock, rng))
            }
            Method::Code | Method::Webhook(_) | Method::Presentation(_) => None,
        };
        let upstreams = settings.authentications.iter().map(upstream).collect();
        let core = Core {
            upstreams: Arc::new(upstreams),
            settings: Arc::new(settings),
            db,
            ids: Ids::new(Arc::clone(&clock), Arc::clone(&rng)),
            clock,
            rng,
            crypto,
            keys: Arc::new(keys),
            types: Arc::new(types),
            signing: Arc::new(signing),
            places: Arc::default(),
            shown: Arc::default(),
            other_lists: Arc::default(),
            bitstrings: Arc::default(),
            suites: Arc::new(vc_api::suites(false)),
            outbound,
            signed_metadata: Arc::default(),
            typed_codes: RateLimit::per_minute(TYPED_CODES_PER_MINUTE, TYPED_CODES_PER_MINUTE),
            sign_ins: RateLimit::per_minute(SIGN_INS_PER_MINUTE, SIGN_INS_AT_ONCE),
            questions: RateLimit::per_minute(SIGN_INS_PER_MINUTE, SIGN_INS_AT_ONCE),
            cookies: CookiePolicy::new(&config.http.public_url),
            pages: Pages::new()?,
        };
        let vc_api = vc_api(&config, &core)?;
        let public_url = &config.http.public_url;
        let console = match config.console.is_on(public_url) {
            true => Some(Console::new(&core, &config.console, public_url, forms)?),
            false => None,
        };
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
            console,
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
            .route(paths::DOCS, get(handlers::docs::handler))
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
        let router = match &self.console {
            Some(console) => router.merge(console::router(console.clone())),
            None => router,
        };
        let (url, ids) = (&self.config.http.public_url, self.core.ids.clone());
        standard_at(&self.edge, router, url, ids)
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
    pub(crate) fn usual_scopes(&self) -> impl Iterator<Item = String> {
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

    /// The console, where the configuration has one.
    pub fn console(&self) -> Option<&Console> {
        self.console.as_ref()
    }

    /// 200 when it can answer.
    pub(crate) async fn ready(&self) -> StatusCode {
        router::readiness(&self.core).await
    }

    /// Ids of requests.
    pub(crate) fn ids(&self) -> Ids {
        self.core.ids.clone()
    }

    /// The configuration that it was opened with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The parts, for this crate.
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
