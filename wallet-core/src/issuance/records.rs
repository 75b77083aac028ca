//! What the vault keeps of dealings with issuers: access, cards that come later, where cards came
//! from, and what issuers are to hear.
//!
//! One collection holds all four kinds; the first letter of an id tells them apart. Every change
//! that belongs together is one batch, so that a crash leaves the old state or the new one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vouchsafe_credentials::crypto::{PublicKey, SigningKey};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::notification::Event;
use vouchsafe_protocol::vci::request::Requested;
use zeroize::{Zeroize, Zeroizing};

use crate::WalletError;
use crate::credential::CredentialId;
use crate::secure_area::{KeyHandle, KeyId};
use crate::storage::{Collection, RecordId, RecordName, StorageError, Vault, VaultBatch};
use crate::text::PlainText;

/// A kind of record.
pub(super) trait Filed: Serialize + DeserializeOwned {
    /// First letter of its ids.
    const LETTER: char;
}

/// Names an [`Access`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct AccessId(String);

/// Tokens of one issuance, and what proves that they are ours.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Access {
    /// Who issues.
    pub credential_issuer: String,
    /// Issuer identifier of the authorization server.
    pub server: String,
    /// As whom; `None` after anonymous access.
    pub client_id: Option<String>,
    /// PKCS#8 of the key that the tokens are bound to.
    dpop: Option<String>,
    /// The access token.
    pub token: String,
    /// When it ends, where the server said it.
    pub expires_at: Option<UnixTime>,
    /// For the next one.
    pub refresh_token: Option<String>,
    /// Whether the issuer was confirmed by the person and is not remembered yet.
    pub confirmed: bool,
}

/// Where a card came from: enough to ask for new copies.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The access it came with.
    pub access: AccessId,
    /// Its configuration.
    pub configuration: String,
    /// Its dataset, where the token response named one.
    identifier: Option<String>,
    /// Where the issuer wants to hear of it.
    pub notification_endpoint: Option<String>,
    /// Names of the responses that brought its copies.
    pub notification_ids: Vec<String>,
}

/// A card that comes later.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// The access to ask with.
    pub access: AccessId,
    /// The configuration.
    pub configuration: String,
    /// The dataset, where the token response named one.
    identifier: Option<String>,
    /// Names what waits.
    pub transaction_id: String,
    /// Keys that the card will be bound to.
    keys: Vec<WaitingKey>,
    /// The card whose copies these are; `None` for a new card.
    pub renews: Option<CredentialId>,
    /// Not to be asked for before.
    pub not_before: UnixTime,
    /// Since when.
    pub since: UnixTime,
    /// What the card is called.
    pub title: PlainText,
    /// Who issues it.
    pub issuer: PlainText,
}

#[derive(Clone, Serialize, Deserialize)]
struct WaitingKey {
    id: KeyId,
    jwk: serde_json::Value,
}

/// What an issuer is to hear.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Notice {
    /// The access to tell it with.
    pub access: AccessId,
    /// Where.
    pub endpoint: String,
    /// Names the response.
    pub notification_id: String,
    /// What happened.
    pub event: String,
    /// Not to be sent before.
    pub not_before: UnixTime,
    /// How often it was sent without success.
    pub tries: u32,
}

/// The key of this wallet at one authorization server.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InstanceKey {
    pub server: String,
    id: KeyId,
    jwk: serde_json::Value,
}

impl Filed for Access {
    const LETTER: char = 'a';
}
impl Filed for Origin {
    const LETTER: char = 'o';
}
impl Filed for Waiting {
    const LETTER: char = 'w';
}
impl Filed for Notice {
    const LETTER: char = 'n';
}
impl Filed for InstanceKey {
    const LETTER: char = 'i';
}

impl Drop for Access {
    fn drop(&mut self) {
        self.token.zeroize();
        self.dpop.zeroize();
        self.refresh_token.zeroize();
    }
}

impl Access {
    pub(super) fn new(
        credential_issuer: &str,
        server: &str,
        client_id: Option<String>,
        dpop: Option<&SigningKey>,
        confirmed: bool,
    ) -> Self {
        Self {
            credential_issuer: credential_issuer.to_owned(),
            server: server.to_owned(),
            client_id,
            dpop: dpop.map(|key| b64url(&key.to_pkcs8_der())),
            token: String::new(),
            expires_at: None,
            refresh_token: None,
            confirmed,
        }
    }

    /// The key that the tokens are bound to.
    pub(super) fn dpop_key(&self) -> Result<Option<SigningKey>, WalletError> {
        let damaged = || StorageError::Damaged(name::<Self>("a"));
        let Some(text) = &self.dpop else {
            return Ok(None);
        };
        let der = Zeroizing::new(b64url_decode(text).map_err(|_| damaged())?);
        let key = SigningKey::from_pkcs8_der(&der).map_err(|_| damaged())?;
        Ok(Some(key))
    }

    /// Whether the token is of no more use at this time.
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether the issuer can be asked with it, at once or after a refresh.
    pub(super) fn serves(&self, now: UnixTime) -> bool {
        self.refresh_token.is_some() || !self.is_over(now)
    }
}

impl Origin {
    pub(super) fn new(access: AccessId, configuration: &str, requested: &Requested) -> Self {
        Self {
            access,
            configuration: configuration.to_owned(),
            identifier: identifier(requested),
            notification_endpoint: None,
            notification_ids: Vec::new(),
        }
    }

    pub(super) fn requested(&self) -> Requested {
        requested(&self.configuration, self.identifier.as_ref())
    }
}

impl Waiting {
    #[expect(clippy::too_many_arguments, reason = "each is a field of its own")]
    pub(super) fn new(
        access: AccessId,
        configuration: &str,
        requested: &Requested,
        transaction_id: &str,
        keys: &[KeyHandle],
        times: (UnixTime, UnixTime),
        title: PlainText,
        issuer: PlainText,
    ) -> Self {
        let keys = keys.iter().map(|key| WaitingKey {
            id: key.id.clone(),
            jwk: key.public_key.to_jwk(),
        });
        Self {
            access,
            configuration: configuration.to_owned(),
            identifier: identifier(requested),
            transaction_id: transaction_id.to_owned(),
            keys: keys.collect(),
            renews: None,
            since: times.0,
            not_before: times.1,
            title,
            issuer,
        }
    }

    pub(super) fn requested(&self) -> Requested {
        requested(&self.configuration, self.identifier.as_ref())
    }

    pub(super) fn keys(&self) -> Result<Vec<KeyHandle>, WalletError> {
        let keys = self.keys.iter().map(|key| handle(&key.id, &key.jwk));
        let keys: Option<Vec<_>> = keys.collect();
        Ok(keys.ok_or_else(|| StorageError::Damaged(name::<Self>("w")))?)
    }

    pub(super) fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.iter().map(|key| &key.id)
    }
}

impl Notice {
    pub(super) fn new(access: AccessId, endpoint: &str, id: &str, event: Event) -> Self {
        Self {
            access,
            endpoint: endpoint.to_owned(),
            notification_id: id.to_owned(),
            event: event.as_str().to_owned(),
            not_before: UnixTime(0),
            tries: 0,
        }
    }
}

impl InstanceKey {
    pub(super) fn new(server: &str, key: &KeyHandle) -> Self {
        Self {
            server: server.to_owned(),
            id: key.id.clone(),
            jwk: key.public_key.to_jwk(),
        }
    }

    pub(super) fn handle(&self) -> Option<KeyHandle> {
        handle(&self.id, &self.jwk)
    }

    pub(super) fn id(&self) -> &KeyId {
        &self.id
    }
}

fn handle(id: &KeyId, jwk: &serde_json::Value) -> Option<KeyHandle> {
    Some(KeyHandle {
        id: id.clone(),
        public_key: PublicKey::from_jwk(jwk).ok()?,
    })
}

fn identifier(requested: &Requested) -> Option<String> {
    match requested {
        Requested::Identifier(id) => Some(id.clone()),
        Requested::Configuration(_) => None,
    }
}

fn requested(configuration: &str, identifier: Option<&String>) -> Requested {
    match identifier {
        Some(id) => Requested::Identifier(id.clone()),
        None => Requested::Configuration(configuration.to_owned()),
    }
}

/// A fresh id.
pub(super) fn new_id(vault: &Vault) -> String {
    vault.new_id().as_str().to_owned()
}

impl AccessId {
    pub(super) fn new(vault: &Vault) -> Self {
        Self(new_id(vault))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Name of a record. Ids are made by us, or were parsed as ids of records.
fn name<K: Filed>(id: &str) -> RecordName {
    let text = format!("{}-{id}", K::LETTER);
    let id = RecordId::parse(&text).unwrap_or_else(|_| RecordId::from_bytes(&[0]));
    RecordName::new(Collection::Issuance, id)
}

pub(super) fn get<K: Filed>(vault: &Vault, id: &str) -> Result<Option<K>, WalletError> {
    let name = name::<K>(id);
    let Some(bytes) = vault.get(&name)? else {
        return Ok(None);
    };
    let record = serde_json::from_slice(&bytes).map_err(|_| StorageError::Damaged(name))?;
    Ok(Some(record))
}

/// All records of a kind with their ids.
pub(super) fn all<K: Filed>(vault: &Vault) -> Result<Vec<(String, K)>, WalletError> {
    let mut found = Vec::new();
    for id in vault.list(Collection::Issuance)? {
        let rest = id.as_str().strip_prefix(K::LETTER);
        let Some(id) = rest.and_then(|rest| rest.strip_prefix('-')) else {
            continue;
        };
        if let Some(record) = get(vault, id)? {
            found.push((id.to_owned(), record));
        }
    }
    Ok(found)
}

pub(super) fn put<K: Filed>(
    batch: VaultBatch,
    id: &str,
    record: &K,
) -> Result<VaultBatch, WalletError> {
    let name = name::<K>(id);
    let bytes = serde_json::to_vec(record).map_err(|_| StorageError::Damaged(name.clone()))?;
    Ok(batch.put(name, Zeroizing::new(bytes)))
}

/// Puts an access where there is none yet. One that is there may have newer tokens than ours.
pub(super) fn put_access(
    vault: &Vault,
    batch: VaultBatch,
    id: &AccessId,
    access: &Access,
) -> Result<VaultBatch, WalletError> {
    match get::<Access>(vault, id.as_str())? {
        Some(_) => Ok(batch),
        None => put(batch, id.as_str(), access),
    }
}

pub(super) fn remove<K: Filed>(batch: VaultBatch, id: &str) -> VaultBatch {
    batch.delete(name::<K>(id))
}
