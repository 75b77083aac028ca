//! Puts the parts together and runs them.

mod ports;

pub use ports::Ports;

use std::num::NonZeroU32;
use std::sync::{Arc, atomic::AtomicBool};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use vouchsafe_credentials::crypto::{AwsLcSigningKey, KeyError as CryptoKeyError};
use vouchsafe_pages::{Pages, PagesError};
use vouchsafe_protocol::oauth::ServerNonces;
use vouchsafe_protocol::oidc::subject::SubjectKey;
use vouchsafe_service::copies::Epoch;
use vouchsafe_service::db::{Db, DbError};
use vouchsafe_service::fetch::{FetchError, Fetcher};
use vouchsafe_service::http::{CookiePolicy, Csrf, Edge, RateLimit, standard_at};
use vouchsafe_service::id::Ids;
use vouchsafe_service::jobs::{Jobs, look_for_damage, purge_expired};
use vouchsafe_service::keys::{KeyError, MasterSecret, Purpose, SymmetricKey};
use vouchsafe_service::seal::Sealer;
use vouchsafe_service::shutdown::Shutdown;
use vouchsafe_service::upstream::Upstream;
use vouchsafe_service::vc_api::VcApi;
use vouchsafe_service::webhooks::{Busy, Delivery, deliver_due, start_due};

use crate::app::{App, Parts};
use crate::changes::Changes;
use crate::client_keys::PublishedKeys;
use crate::clients::document::Shelf;
use crate::config::{Config, ConfigError, Keys, Settings, UpstreamProvider};
use crate::domain::ids::UserCodeKey;
use crate::event_streams::EventStreams;
use crate::fingerprint::Fingerprints;
use crate::hooks::Hooks;
use crate::instance::{self, InstanceError, StateKeys};
use crate::journeys::{self, Journeys};
use crate::numbers::slips::Slips;
use crate::numbers::{self, Numbers};
use crate::outbound::{Guarded, Outbound};
use crate::own_identity::OwnIdentity;
use crate::references::References;
use crate::risk::{self, ValueKey};
use crate::signals::deliver;
use crate::status::{StatusLists, StatusPorts};
use crate::store::{StoreError, Vault};
use crate::tokens::TokenKeys;
use crate::verification::webhook;
use crate::{backchannel, consents, handlers, rejections, vc_api, watcher};

/// How often queued logout tokens are looked for.
const LOGOUT_EVERY: Duration = Duration::from_millis(500);
/// How often webhooks to send are looked for.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// How often logins are counted for the risk of others.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How often the folder of journeys is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often what was counted is written.
const WRITE_EVERY: Duration = Duration::from_secs(2);
/// Questions about references that a network may ask.
const SUPPORT_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// Sign-ins at other providers that a network may begin.
const SIGN_INS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// Answers to the question how it was that a network may give.
const ANSWERS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// How often expired rows are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration is refused.
    #[error("the configuration is refused: {0}")]
    Config(#[from] ConfigError),
    /// The database address cannot be read.
    #[error("the database address cannot be read: {0}")]
    Key(#[from] KeyError),
    /// The request key cannot be used.
    #[error("the request key cannot be used")]
    RequestKey(#[from] CryptoKeyError),
    /// The database.
    #[error("the database cannot be opened")]
    Db(#[from] DbError),
    /// It is not to be opened.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// Keys that came with an import.
    #[error("the keys that came with an import do not open under this master secret")]
    StateKeys(#[from] StoreError),
    /// The fetcher.
    #[error("outbound requests cannot be set up")]
    Fetch(#[from] FetchError),
    /// The pages.
    #[error("the pages are broken")]
    Pages(#[from] PagesError),
}

/// What the database says about keys.
struct Held {
    state: StateKeys,
    epoch: Epoch,
}

impl Held {
    async fn of(db: &Db, master: &MasterSecret, ports: &Ports) -> Result<Self, OpenError> {
        let vault = instance::vault(master, Arc::clone(&ports.rng));
        Ok(Self {
            state: StateKeys::of(db, master, &vault).await?,
            epoch: instance::epoch(db).await?,
        })
    }
}

/// The login service.
#[derive(Clone)]
pub struct Verifier {
    app: App,
    ids: Ids,
    vc_api: Option<VcApi>,
    edge: Edge,
    audit: SymmetricKey,
    webhooks: Delivery,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// Checks the configuration, opens the database and brings it up to date. Nothing listens yet.
    pub async fn open(config: Config, ports: Ports) -> Result<Self, OpenError> {
        let settings = Settings::parse(&config)?;
        let keys = Keys::parse(&config.keys)?;
        let db = instance::open_own(&config, ports.clock.now()).await?;
        let held = Held::of(&db, &keys.master, &ports).await?;
        Self::assemble(&config, settings, &keys, ports, db, held)
    }

    /// The service on a database that is open and up to date.
    pub async fn with_db(config: &Config, ports: Ports, db: Db) -> Result<Self, OpenError> {
        let settings = Settings::parse(config)?;
        let keys = Keys::parse(&config.keys)?;
        let held = Held::of(&db, &keys.master, &ports).await?;
        Self::assemble(config, settings, &keys, ports, db, held)
    }

    fn assemble(
        config: &Config,
        settings: Settings,
        keys: &Keys,
        ports: Ports,
        db: Db,
        held: Held,
    ) -> Result<Self, OpenError> {
        let Held { state, epoch } = held;
        let Ports {
            clock,
            rng,
            crypto,
            outbound,
        } = ports;
        let fetcher = Fetcher::new(&config.fetch, &config.dev)?;
        let outbound: Arc<dyn Outbound> = match outbound {
            Some(outbound) => outbound,
            None => Arc::new(Guarded::new(&config.fetch, &config.dev)?),
        };
        let upstream = |provider: &UpstreamProvider| {
            let (clock, rng) = (Arc::clone(&clock), Arc::clone(&rng));
            let settings = provider.settings.clone();
            let upstream = Upstream::new(settings, fetcher.clone(), clock, rng);
            (provider.id.clone(), upstream)
        };
        let upstreams = settings.providers.iter().map(upstream).collect();
        let master = &keys.master;
        let own_key = |purpose| master.derive(purpose).child("verifier");
        // What travels or waits for a while ends with the epoch.
        let brief_key = |purpose| epoch.key(own_key(purpose));
        let subject_key = |key: &SymmetricKey| SubjectKey::new(*key.expose());
        let status_ports = StatusPorts {
            outbound: Arc::clone(&outbound),
            crypto: Arc::clone(&crypto),
            clock: Arc::clone(&clock),
            rng: Arc::clone(&rng),
        };
        let statuses = StatusLists::new(status_ports, settings.trust.clone(), settings.status);
        let ids = Ids::new(Arc::clone(&clock), Arc::clone(&rng));
        let app = Parts {
            db,
            vault: instance::vault(master, Arc::clone(&rng)),
            cookies: Vault::new(Sealer::new(brief_key(Purpose::Cookie)), Arc::clone(&rng)),
            crypto,
            client_keys: PublishedKeys::new(Arc::clone(&outbound)),
            documents: Shelf::default(),
            open_registrations: crate::clients::open_registrations(&settings),
            upstreams,
            sign_ins: RateLimit::per_minute(SIGN_INS_PER_MINUTE, SIGN_INS_PER_MINUTE),
            support_questions: RateLimit::per_minute(SUPPORT_PER_MINUTE, SUPPORT_PER_MINUTE),
            satisfaction_answers: RateLimit::per_minute(ANSWERS_PER_MINUTE, ANSWERS_PER_MINUTE),
            slips: Slips::new(brief_key(Purpose::FlowState).child("satisfaction")),
            references: References::new(brief_key(Purpose::FlowState).child("references")),
            pages: Pages::new()?,
            journeys: Journeys::new(settings.journeys.as_ref()),
            hooks: Hooks::default(),
            numbers: Numbers::new(settings.events.clone()),
            statuses,
            changes: Changes::default(),
            verification_changes: Changes::default(),
            login_streams: EventStreams::default(),
            verification_streams: EventStreams::default(),
            ids: ids.clone(),
            webhook_sealer: Sealer::new(own_key(Purpose::Sealing).child("webhooks")),
            endpoints_woken: AtomicBool::new(false),
            fingerprints: Fingerprints::new(brief_key(Purpose::FlowState).child("idempotency")),
            logging_out: Busy::default(),
            pushing: Busy::default(),
            polling: Busy::default(),
            pairwise_key: subject_key(&state.pairwise),
            binding_key: subject_key(&state.binding),
            server_nonces: ServerNonces::new(
                &settings.issuer,
                *brief_key(Purpose::CredentialNonce).expose(),
            ),
            user_code_key: UserCodeKey::new(brief_key(Purpose::FlowState).child("user code")),
            risk_key: ValueKey::new(state.binding.child("risk")),
            audit_key: state.audit.clone(),
            csrf: Csrf::new(brief_key(Purpose::Csrf), &settings.public_url),
            cookie_policy: CookiePolicy::new(&settings.public_url),
            request_signer: Arc::new(AwsLcSigningKey::new(&keys.request)?),
            identity: OwnIdentity::parse(&settings.presentation, keys, clock.now())?,
            tokens: TokenKeys::new(keys)?,
            outbound,
            clock,
            rng,
            settings,
        };
        let webhooks = Delivery {
            db: app.db.clone(),
            clock: Arc::clone(&app.clock),
            sealer: app.webhook_sealer.clone(),
            post: Arc::new(fetcher),
            busy: Busy::default(),
        };
        let audit = state.audit;
        let vc_api = vc_api::open(config, &app, &ids, audit.clone())?;
        Ok(Self {
            app: Arc::new(app),
            ids,
            vc_api,
            audit,
            webhooks,
            edge: Edge::new(&config.http).map_err(|e| ConfigError::Shared(e.to_string()))?,
        })
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.ids
    }

    pub(crate) fn audit_key(&self) -> SymmetricKey {
        self.audit.clone()
    }

    /// Every route, with what surrounds each request.
    pub fn router(&self) -> Router {
        let router = handlers::router(Arc::clone(&self.app));
        let around = from_fn_with_state(Arc::clone(&self.app), rejections::layer);
        let router = router.layer(around);
        let router = match &self.vc_api {
            Some(api) => router.merge(api.verifier_router()),
            None => router,
        };
        let (url, ids) = (&self.app.settings.public_url, self.ids.clone());
        standard_at(&self.edge, router, url, ids)
    }

    /// Runs until shutdown: watches the status behind live sessions, delivers logout tokens,
    /// deletes what has expired.
    pub async fn run_background(&self, shutdown: Shutdown) {
        let mut jobs = Jobs::new(shutdown);
        let watch_every =
            Duration::from_secs(self.app.settings.status.min_refresh_s.unsigned_abs());
        let app = Arc::clone(&self.app);
        jobs.every("watch status", watch_every, move || {
            watcher::run_once(Arc::clone(&app))
        });
        let app = Arc::clone(&self.app);
        jobs.every("logout tokens", LOGOUT_EVERY, move || {
            backchannel::start(Arc::clone(&app))
        });
        if self.app.settings.serves_receivers() {
            let app = Arc::clone(&self.app);
            jobs.every("security events", LOGOUT_EVERY, move || {
                deliver::start(Arc::clone(&app))
            });
        }
        let app = Arc::clone(&self.app);
        jobs.every("purge logins", PURGE_EVERY, move || {
            watcher::purge(Arc::clone(&app))
        });
        if self.app.settings.risk.is_some() {
            let app = Arc::clone(&self.app);
            jobs.every("count logins", COUNT_EVERY, move || {
                risk::check::run_once(Arc::clone(&app))
            });
        }
        if self.app.settings.journeys.is_some() {
            let app = Arc::clone(&self.app);
            jobs.every("journeys", LOOK_EVERY, move || {
                journeys::look_again(Arc::clone(&app))
            });
        }
        let app = Arc::clone(&self.app);
        jobs.every("numbers", WRITE_EVERY, move || {
            numbers::job::counts(Arc::clone(&app))
        });
        let app = Arc::clone(&self.app);
        jobs.every("events", WRITE_EVERY, move || {
            numbers::job::events(Arc::clone(&app))
        });
        // Also where nobody is told any more: then the last endpoint goes.
        let app = Arc::clone(&self.app);
        jobs.every("webhook endpoints", PURGE_EVERY, move || {
            let app = Arc::clone(&app);
            async move { webhook::arrange(&app).await }
        });
        let app = Arc::clone(&self.app);
        jobs.every("consents that end", PURGE_EVERY, move || {
            let app = Arc::clone(&app);
            async move { consents::lapse(&app).await }
        });
        if self.app.settings.tells_callers() {
            self.tell_callers(&mut jobs);
        }
        look_for_damage(&mut jobs, self.app.db.clone());
        purge_expired(&mut jobs, self.app.db.clone(), Arc::clone(&self.app.clock));
        jobs.finish().await;
    }

    /// Closes the database. Nothing is served any more, and no job runs.
    pub async fn close(&self) {
        // What was counted in the last moments.
        numbers::tell::rest(&self.app);
        if let Err(error) = numbers::job::run_once(Arc::clone(&self.app)).await {
            tracing::warn!(error = %crate::views::chain(&error), "the last numbers are not written");
        }
        self.app.db.close().await;
    }

    /// Sends webhooks that are due, and does not wait for who receives them.
    fn tell_callers(&self, jobs: &mut Jobs) {
        let webhooks = self.webhooks.clone();
        jobs.every("webhooks", TELL_EVERY, move || {
            let webhooks = webhooks.clone();
            async move {
                start_due(&webhooks).await?.detach_all();
                Ok::<_, DbError>(())
            }
        });
    }

    /// Runs every background job once, now.
    pub async fn run_background_once(&self) -> Result<(), StoreError> {
        numbers::job::run_once(Arc::clone(&self.app)).await?;
        webhook::arrange(&self.app).await?;
        consents::lapse(&self.app).await?;
        deliver_due(&self.webhooks).await?;
        watcher::run_once(Arc::clone(&self.app)).await?;
        backchannel::run_once(Arc::clone(&self.app)).await?;
        deliver::run_once(Arc::clone(&self.app)).await?;
        risk::check::run_once(Arc::clone(&self.app)).await?;
        journeys::look_again(Arc::clone(&self.app)).await?;
        watcher::purge(Arc::clone(&self.app)).await?;
        Ok(numbers::job::run_once(Arc::clone(&self.app)).await?)
    }
}
