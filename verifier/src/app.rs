//! What every handler and job shares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use url::Url;
use vouchsafe_credentials::crypto::{CryptoProvider, Signer};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_pages::Pages;
use vouchsafe_protocol::oauth::ServerNonces;
use vouchsafe_protocol::oidc::subject::SubjectKey;
use vouchsafe_service::db::Db;
use vouchsafe_service::http::{CookiePolicy, Csrf, RateLimit};
use vouchsafe_service::id::Ids;
use vouchsafe_service::seal::Sealer;
use vouchsafe_service::upstream::Upstream;
use vouchsafe_service::webhooks::Busy;

use crate::changes::Changes;
use crate::client_keys::PublishedKeys;
use crate::clients::document::Shelf;
use crate::config::Settings;
use crate::domain::ids::{TransactionId, UserCodeKey, VerificationId};
use crate::event_streams::EventStreams;
use crate::event_streams::told::{Told, View, Word};
use crate::fingerprint::Fingerprints;
use crate::hooks::Hooks;
use crate::journeys::Journeys;
use crate::numbers::Numbers;
use crate::numbers::slips::Slips;
use crate::outbound::Outbound;
use crate::own_identity::OwnIdentity;
use crate::references::References;
use crate::risk::ValueKey;
use crate::status::StatusLists;
use crate::store::Vault;
use crate::tokens::TokenKeys;

/// The parts of the running service. Chosen in [`crate::Verifier::open`] and nowhere else.
pub struct Parts {
    /// Checked configuration.
    pub settings: Settings,
    /// Database.
    pub db: Db,
    /// Sealed columns.
    pub vault: Vault,
    /// Sealed cookies.
    pub cookies: Vault,
    /// Wall clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Verification and key agreement.
    pub crypto: Arc<dyn CryptoProvider>,
    /// Network.
    pub outbound: Arc<dyn Outbound>,
    /// Keys that clients publish.
    pub client_keys: PublishedKeys,
    /// Documents of clients that were read a moment ago.
    pub documents: Shelf,
    /// Registrations without a token, for each network.
    pub open_registrations: RateLimit,
    /// Other providers at which people sign in, by their ids in the configuration.
    pub upstreams: BTreeMap<String, Upstream>,
    /// Sign-ins at other providers that a network begins.
    pub sign_ins: RateLimit,
    /// Questions about references, for each network.
    pub support_questions: RateLimit,
    /// How often networks may say how it was.
    pub satisfaction_answers: RateLimit,
    /// Says who may say how a login was.
    pub slips: Slips,
    /// Makes references of pages that belong to no login.
    pub references: References,
    /// Pages.
    pub pages: Pages,
    /// Journeys.
    pub journeys: Journeys,
    /// Systems that runs ask, as far as they fail.
    pub hooks: Hooks,
    /// What waits to be counted and told.
    pub numbers: Numbers,
    /// Status lists.
    pub statuses: StatusLists,
    /// Changes of logins.
    pub changes: Changes,
    /// Changes of verifications.
    pub verification_changes: Changes<VerificationId>,
    /// Streams that tell pages how their logins stand.
    pub login_streams: EventStreams<TransactionId, View, Word>,
    /// Streams that tell callers how their verifications stand.
    pub verification_streams: EventStreams<VerificationId, (), Told>,
    /// Makes ids that grow with time.
    pub ids: Ids,
    /// Chains the audit log.
    pub audit_key: vouchsafe_service::keys::SymmetricKey,
    /// Seals the secrets of webhooks.
    pub webhook_sealer: Sealer,
    /// Whether this process has used its endpoints of webhooks again that were given up.
    pub endpoints_woken: AtomicBool,
    /// Tells requests with an idempotency key apart.
    pub fingerprints: Fingerprints,
    /// Applications that somebody of this process sends logout tokens to.
    pub logging_out: Busy,
    /// Streams of security events that somebody of this process sends to.
    pub pushing: Busy,
    /// Streams of security events that an application waits for.
    pub polling: Busy,
    /// Key of pairwise subjects.
    pub pairwise_key: SubjectKey,
    /// Key of bindings.
    pub binding_key: SubjectKey,
    /// Makes and checks the nonces of DPoP proofs.
    pub server_nonces: ServerNonces,
    /// Key of the codes that devices show.
    pub user_code_key: UserCodeKey,
    /// Key of what is counted of logins.
    pub risk_key: ValueKey,
    /// Form tokens.
    pub csrf: Csrf,
    /// How cookies are written.
    pub cookie_policy: CookiePolicy,
    /// Signs request objects.
    pub request_signer: Arc<dyn Signer>,
    /// Who we are to a wallet.
    pub identity: OwnIdentity,
    /// Signs ID tokens and logout tokens.
    pub tokens: TokenKeys,
}

/// Shared parts; cheap to clone.
pub type App = Arc<Parts>;

impl Parts {
    /// The time now.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Issuer identifier, exactly as in discovery.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// An address of ours; `path` begins with `/`.
    pub fn url(&self, path: &str) -> Url {
        self.settings.url(path)
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}
