//! What every part of the service works with: database, clock, randomness, keys, types.

use std::sync::Arc;

use vouchsafe_credentials::credential_type::{CredentialType, Format};
use vouchsafe_credentials::crypto::{CryptoProvider, hmac_sha256};
use vouchsafe_credentials::data_integrity::Suites;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_pages::Pages;
use vouchsafe_protocol::oauth::ServerNonces;
use vouchsafe_protocol::vci::NonceKeys;
use vouchsafe_service::db::Db;
use vouchsafe_service::fetch::Fetcher;
use vouchsafe_service::http::{CookiePolicy, RateLimit};
use vouchsafe_service::id::Ids;
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_service::seal::Sealer;
use vouchsafe_service::upstream::Upstream;

use crate::authentication::{Method, OpenIdConnect};
use crate::bitstring::SignedLists;
use crate::domain::ids::RecordId;
use crate::domain::offer::Offer;
use crate::handlers::code_page::Flow;
use crate::places::Places;
use crate::presentation::{OtherLists, Presentation};
use crate::request_keys::RequestKeys;
use crate::settings::Settings;
use crate::shown::ShownLists;
use crate::signed_metadata::LastSigned;
use crate::signing::Signing;
use crate::types::Types;

/// Parts of the service. `app` makes one; everything else takes a reference to it.
#[derive(Clone)]
pub struct Core {
    /// Checked settings.
    pub settings: Arc<Settings>,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Time-ordered ids.
    pub ids: Ids,
    /// Verifies what wallets signed.
    pub crypto: Arc<dyn CryptoProvider>,
    /// Keys derived from the master secret.
    pub keys: Arc<Keys>,
    /// Credential types.
    pub types: Arc<Types>,
    /// Signs credentials and status lists.
    pub signing: Arc<Signing>,
    /// Where new credentials have their places.
    pub places: Arc<Places>,
    /// Status lists in memory.
    pub shown: Arc<ShownLists>,
    /// The metadata as they were last signed.
    pub signed_metadata: Arc<LastSigned>,
    /// How many long one-time codes a network may try.
    pub typed_codes: RateLimit,
    /// How many sign-ins at providers a network may begin.
    pub sign_ins: RateLimit,
    /// How many questions for cards a network may have put.
    pub questions: RateLimit,
    /// Status lists of W3C credentials in memory.
    pub bitstrings: Arc<SignedLists>,
    /// Cryptosuites of Data Integrity.
    pub suites: Arc<Suites>,
    /// How cookies are written.
    pub cookies: CookiePolicy,
    /// The way out.
    pub outbound: Fetcher,
    /// What persons see.
    pub pages: Pages,
    /// Status lists of others, whose cards are shown to us.
    pub other_lists: Arc<OtherLists>,
    /// The relying party at the provider of each rule of `settings.authentications`.
    pub upstreams: Arc<Vec<Option<Upstream>>>,
}

/// Keys derived from the master secret.
#[derive(Debug)]
pub struct Keys {
    /// Seals columns.
    pub columns: Sealer,
    /// Seals the state of the code page.
    pub flows: Sealer,
    /// Finds a subject record without storing its name.
    pub records: SymmetricKey,
    /// Tells whether an idempotency key comes with the same request again.
    pub requests: SymmetricKey,
    /// Makes and checks c_nonce values.
    pub nonces: NonceKeys,
    /// Chains the audit log.
    pub audit: SymmetricKey,
    /// Opens encrypted requests.
    pub sealed_requests: RequestKeys,
    /// Makes and checks the nonces of DPoP proofs and the challenges of client attestations.
    pub server_nonces: ServerNonces,
}

impl Keys {
    /// The keyed hash under which a subject record is found.
    pub fn record_hash(&self, record_id: &str) -> Vec<u8> {
        hmac_sha256(self.records.expose(), record_id.as_bytes()).to_vec()
    }

    /// The credential identifier of a record in a configuration (OpenID4VCI 1.0, section 6.2): the
    /// same in every token response, and telling nothing about the record.
    pub fn credential_identifier(&self, record: &RecordId, configuration: &str) -> String {
        let key = self.records.child("credential identifier");
        let subject = format!("{} {configuration}", record.as_str());
        let hash = hmac_sha256(key.expose(), subject.as_bytes());
        vouchsafe_credentials::encoding::b64url(&hash[..16])
    }

    /// The keyed hash under which a long one-time code, normalised, finds its offer.
    pub fn code_lookup(&self, code: &str) -> Vec<u8> {
        let key = self.records.child("one-time code");
        hmac_sha256(key.expose(), code.as_bytes()).to_vec()
    }

    /// A keyed hash of a request. Bodies hold claims that are easy to guess, so a plain hash in a
    /// copy of the database would confirm a guess.
    pub fn request_hash(&self, content: &[u8]) -> Vec<u8> {
        hmac_sha256(self.requests.expose(), content).to_vec()
    }
}

impl Core {
    /// The credential type with this id, in its newest version.
    pub fn credential_type(&self, id: &str) -> Option<Arc<CredentialType>> {
        let found = self.types.current(id)?;
        Some(Arc::clone(&found.kind))
    }

    /// The provider that signs in persons who ask for a card of a type.
    pub fn provider(&self, credential_type: &str) -> Option<(&OpenIdConnect, &Upstream)> {
        let position = self.settings.authentication_position(credential_type)?;
        match &self.settings.authentications.get(position)?.method {
            Method::OpenIdConnect(method) => {
                let upstream = self.upstreams.get(position)?.as_ref()?;
                Some((method, upstream))
            }
            Method::Code | Method::Webhook(_) | Method::Presentation(_) => None,
        }
    }

    /// The card that is asked for in a flow.
    pub fn presentation_of(&self, flow: &Flow) -> Option<&Presentation> {
        match self.settings.authentication(flow.types.first()?) {
            Method::Presentation(method) => Some(method),
            Method::Code | Method::Webhook(_) | Method::OpenIdConnect(_) => None,
        }
    }

    /// The type of an offer, in the version that the offer was made with.
    pub fn type_of(&self, offer: &Offer) -> Option<Arc<CredentialType>> {
        let found = self
            .types
            .version(&offer.credential_type, offer.type_version)?;
        Some(Arc::clone(&found.kind))
    }

    /// The formats in which a type is offered: those that its file describes and that there are
    /// keys for.
    pub fn formats(&self, kind: &CredentialType) -> impl Iterator<Item = Format> {
        let has_keys = |format: &Format| !self.signing.of(*format).is_empty();
        kind.formats().filter(has_keys)
    }

    /// The type and the format of a credential configuration that is offered.
    pub fn configuration(&self, id: &str) -> Option<(Arc<CredentialType>, Format)> {
        let (kind, format) = CredentialType::split_configuration_id(id)?;
        let kind = self.credential_type(kind)?;
        let offered = self.formats(&kind).any(|own| own == format);
        offered.then_some((kind, format))
    }

    /// Whether a credential configuration is one of this type.
    pub fn is_configuration_of(&self, id: &str, credential_type: &str) -> bool {
        let found = self.configuration(id);
        found.is_some_and(|(kind, _)| kind.id == credential_type)
    }

    /// The credential configurations of a type, SD-JWT VC first. Each id is also its scope.
    pub fn configuration_ids(&self, kind: &CredentialType) -> Vec<String> {
        let formats = self.formats(kind);
        formats.map(|one| kind.configuration_id(one)).collect()
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
