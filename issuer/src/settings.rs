//! Settings as the service uses them: checked, in plain units.

use std::collections::BTreeMap;

use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_protocol::oauth::{RedirectUris, WalletProviders};
use vouchsafe_protocol::vci::metadata::reuse::ReusePolicy;

use crate::authentication::{Authentication, Method};
use crate::claims_source::ClaimsSource;
use crate::domain::ids::StatusListId;
use crate::profile::{Profile, Rules};

/// Checked settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The profile that the service speaks.
    pub profile: Profile,
    /// Whether refresh tokens are issued.
    pub refresh_tokens: bool,
    /// Whether proofs of client attestations carry a challenge of ours.
    pub attestation_challenges: bool,
    /// Credential issuer identifier and authorization server issuer: the public URL without a
    /// slash at its end.
    pub issuer: String,
    /// The issuer's name by language tag; holds at least one.
    pub names: BTreeMap<String, String>,
    /// What an offer link begins with, `openid-credential-offer://` for native wallets.
    pub wallet_link: String,
    /// Whether a wallet without `client_id` may redeem a pre-authorized code.
    pub anonymous_access: bool,
    /// Wallets that may use the authorization code flow, by client id.
    pub clients: BTreeMap<String, WalletClient>,
    /// Who may attest wallets and their keys.
    pub wallet_providers: WalletProviders,
    /// Credential types that are bound to attested keys alone.
    pub key_attestations: Vec<KeyAttestationRule>,
    /// Whether `di_vp` proofs are taken.
    pub di_vp: bool,
    /// Encrypted requests and responses.
    pub encryption: EncryptionSettings,
    /// How often wallets show one credential.
    pub reuse_policies: Vec<ReuseRule>,
    /// How persons who begin in the wallet are known.
    pub authentications: Vec<Authentication>,
    /// Systems of the organisation that say what cards say.
    pub claims_sources: Vec<ClaimsSource>,
    /// Proofs in one credential request at most; 1 means no batch.
    pub batch_size: u32,
    /// Credentials that one offer may bring in all, repeated requests included.
    pub max_credentials_per_offer: i64,
    /// Lifetimes.
    pub lifetimes: Lifetimes,
    /// Status lists.
    pub status: StatusSettings,
}

/// A registered wallet.
#[derive(Debug, Clone)]
pub struct WalletClient {
    /// Shown to the person.
    pub name: String,
    /// Where answers may go.
    pub redirect_uris: RedirectUris,
    /// How it authenticates, and no other way.
    pub auth: ClientAuth,
}

/// How a wallet authenticates.
#[derive(Debug, Clone)]
pub enum ClientAuth {
    /// Not at all: a public client.
    None,
    /// With an assertion signed by one of these keys.
    PrivateKeyJwt(JwkSet),
    /// With an attestation.
    Attested {
        /// Name of the provider that attests it, and no other.
        provider: String,
        /// Whether the DPoP proof is the proof of the attested key.
        combined: bool,
    },
}

/// What attestations of keys must say, for some credential types.
#[derive(Debug, Clone)]
pub struct KeyAttestationRule {
    /// Ids of the types.
    pub credential_types: Vec<String>,
    /// Accepted values of `key_storage`; empty: no demand.
    pub key_storage: Vec<String>,
    /// Accepted values of `user_authentication`; empty: no demand.
    pub user_authentication: Vec<String>,
    /// Whether it may stand in a `jwt` proof.
    pub in_jwt: bool,
    /// Whether it may be the proof.
    pub alone: bool,
}

/// How often wallets show one credential of some types.
#[derive(Debug, Clone)]
pub struct ReuseRule {
    /// Ids of the types.
    pub credential_types: Vec<String>,
    /// The policy.
    pub policy: ReusePolicy,
}

/// Whether messages are encrypted, from never to always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Never.
    Off,
    /// Where the wallet wants it.
    Offered,
    /// Always.
    Required,
}

/// Encrypted messages.
#[derive(Debug, Clone, Copy)]
pub struct EncryptionSettings {
    /// Credential requests.
    pub requests: Encryption,
    /// Credential responses.
    pub responses: Encryption,
}

/// Lifetimes in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// A pre-authorized code, unless the offer says otherwise.
    pub pre_authorized_s: i64,
    /// A prepared record that waits for a one-time code, unless the offer says otherwise.
    pub prepared_s: i64,
    /// Any offer at most.
    pub offer_max_s: i64,
    /// A pushed authorization request, until the page is shown.
    pub pushed_s: i64,
    /// An authorization code.
    pub code_s: i64,
    /// An access token.
    pub token_s: i64,
    /// A refresh token, however often it is used.
    pub refresh_s: i64,
    /// The page that asks for the one-time code.
    pub page_s: i64,
    /// The answer to a request with an `Idempotency-Key`.
    pub idempotency_s: i64,
    /// A request that waits for a decision.
    pub transaction_s: i64,
    /// How long a wallet waits before it asks again for what waits.
    pub interval_s: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            pre_authorized_s: 600,
            prepared_s: 7 * 86_400,
            offer_max_s: 30 * 86_400,
            pushed_s: 60,
            code_s: 60,
            token_s: 300,
            refresh_s: 30 * 86_400,
            page_s: 600,
            idempotency_s: 86_400,
            transaction_s: 30 * 86_400,
            interval_s: 30,
        }
    }
}

/// Status lists.
#[derive(Debug, Clone, Copy)]
pub struct StatusSettings {
    /// How long a relying party may keep a list, in seconds.
    pub ttl_s: u32,
    /// How long a token is valid, in seconds.
    pub lifetime_s: i64,
    /// Entries of a list.
    pub list_size: u32,
}

impl Settings {
    /// What the profile demands.
    pub fn rules(&self) -> Rules {
        self.profile.rules()
    }

    /// An absolute URL of this service; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The URI of a status list.
    pub fn status_uri(&self, id: &StatusListId) -> String {
        self.url(&format!("/status/{id}"))
    }

    /// What attestations of keys must say for a credential type, where they are demanded.
    pub fn key_attestation(&self, credential_type: &str) -> Option<&KeyAttestationRule> {
        self.key_attestations
            .iter()
            .find(|rule| rule.credential_types.iter().any(|id| id == credential_type))
    }

    /// The URI of the same list for W3C credentials and one purpose.
    pub fn bitstring_uri(&self, id: &StatusListId, purpose: &str) -> String {
        self.url(&format!("/status/{id}/{purpose}"))
    }

    /// How often wallets show one credential of a type, where the issuer says so.
    pub fn reuse_policy(&self, credential_type: &str) -> Option<&ReusePolicy> {
        let of_type =
            |rule: &&ReuseRule| rule.credential_types.iter().any(|id| id == credential_type);
        self.reuse_policies
            .iter()
            .find(of_type)
            .map(|rule| &rule.policy)
    }

    /// How persons who ask for a card of a type are known.
    pub fn authentication(&self, credential_type: &str) -> &Method {
        let position = self.authentication_position(credential_type);
        let rule = position.and_then(|position| self.authentications.get(position));
        rule.map_or(&Method::Code, |rule| &rule.method)
    }

    /// Which rule says so.
    pub fn authentication_position(&self, credential_type: &str) -> Option<usize> {
        let rules = self.authentications.iter();
        of_type(rules.map(|rule| &rule.credential_types), credential_type)
    }

    /// The system that says what cards of a type say, where there is one.
    pub fn claims_source(&self, credential_type: &str) -> Option<&ClaimsSource> {
        let sources = self.claims_sources.iter();
        let types = sources.map(|source| &source.credential_types);
        self.claims_sources.get(of_type(types, credential_type)?)
    }

    /// The issuer's name in a language, or in any.
    pub fn name(&self, locale: &str) -> &str {
        self.names
            .get(locale)
            .or_else(|| self.names.get("en"))
            .or_else(|| self.names.values().next())
            .map_or("", String::as_str)
    }
}

/// The position of the rule that names a type, or else of the one that names none.
fn of_type<'a>(
    mut rules: impl Iterator<Item = &'a Vec<String>> + Clone,
    credential_type: &str,
) -> Option<usize> {
    let mut named = rules.clone();
    let found = named.position(|types| types.iter().any(|id| id == credential_type));
    found.or_else(|| rules.position(Vec::is_empty))
}
