//! Status lists of W3C credentials (Bitstring Status List 1.0): the statuses of a Token Status List
//! at the same indices, one list for each purpose, signed once for a version.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};

use axum::body::Bytes;
use serde_json::Value;
use tokio::sync::Mutex;
use vouchsafe_credentials::bitstring_status_list::{
    Bitstring, Entry, ListOptions, MIN_BITS, StatusError, list_credential,
};
use vouchsafe_credentials::crypto;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vcdm::{DateTimeStamp, EnvelopeType};
use vouchsafe_service::db::DbError;

use crate::core::Core;
use crate::domain::credential::CredentialStatus;
use crate::domain::ids::StatusListId;
use crate::sign::{SignError, secure_w3c};
use crate::signing::NoKey;
use crate::store::status_lists::{self, StatusListRow};

/// Most signed lists in memory.
const KEPT: usize = 128;

/// What a list tells of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Not good any more, for good.
    Revocation,
    /// Not good for now.
    Suspension,
}

impl Purpose {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Revocation, Self::Suspension];

    /// `statusPurpose`, also the last part of the URL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
        }
    }

    /// The purpose with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    const fn is_set_for(self, status: CredentialStatus) -> bool {
        matches!(
            (self, status),
            (
                Self::Revocation,
                CredentialStatus::Revoked
                    | CredentialStatus::Expired
                    | CredentialStatus::Superseded
            ) | (Self::Suspension, CredentialStatus::Suspended)
        )
    }
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum BitstringError {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The list could not be encoded.
    #[error("the status list could not be encoded")]
    Encode(#[from] StatusError),
    /// The list could not be signed.
    #[error("the status list could not be signed")]
    Sign(#[from] SignError),
    /// Every key is retired, or not in use yet.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// A stored size or index is out of range.
    #[error("a stored size or index is out of range")]
    Range,
}

/// A signed list as it is sent.
#[derive(Debug)]
pub struct Signed {
    version: i64,
    until: UnixTime,
    /// Its media type.
    pub media_type: &'static str,
    /// The credential.
    pub body: Bytes,
    /// Strong entity tag, quoted.
    pub etag: String,
}

type Key = (StatusListId, Purpose);

/// Signed lists in memory.
#[derive(Debug, Default)]
pub struct SignedLists {
    kept: SyncMutex<HashMap<Key, Arc<Signed>>>,
    /// Held by who signs: a list is signed once, however many ask for it.
    signing: Mutex<()>,
}

impl SignedLists {
    fn get(&self, key: &Key, version: i64, now: UnixTime) -> Option<Arc<Signed>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.get(key)?;
        (known.version == version && now < known.until).then(|| Arc::clone(known))
    }

    fn keep(&self, key: Key, signed: Arc<Signed>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT && !kept.contains_key(&key) {
            let oldest = kept.iter().min_by_key(|(_, signed)| signed.until);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                kept.remove(&oldest);
            }
        }
        kept.insert(key, signed);
    }
}

/// The entries of a credential: one for each purpose.
pub fn entries(core: &Core, list: &StatusListId, idx: u64) -> Value {
    let entry = |purpose: Purpose| {
        let list = core.settings.bitstring_uri(list, purpose.name());
        Entry::new(purpose.name(), list, idx).to_json()
    };
    Purpose::ALL.into_iter().map(entry).collect()
}

/// The signed list. `None`: there is no such list, or no W3C credentials are issued.
pub async fn published(
    core: &Core,
    id: &StatusListId,
    purpose: Purpose,
) -> Result<Option<Arc<Signed>>, BitstringError> {
    if core.signing.w3c().is_empty() {
        return Ok(None);
    }
    let key = (id.clone(), purpose);
    let lists = &core.bitstrings;
    let Some(row) = status_lists::find(&core.db, id).await? else {
        return Ok(None);
    };
    if let Some(known) = lists.get(&key, row.version, core.clock.now()) {
        return Ok(Some(known));
    }
    let _one = lists.signing.lock().await;
    // Who was here before may have signed it; what changed meanwhile belongs into it.
    let Some(row) = status_lists::find(&core.db, id).await? else {
        return Ok(None);
    };
    let now = core.clock.now();
    if let Some(known) = lists.get(&key, row.version, now) {
        return Ok(Some(known));
    }
    // The version was read before the entries: a change in between makes the next answer new.
    let signed = Arc::new(sign(core, &row, purpose, now).await?);
    lists.keep(key, Arc::clone(&signed));
    Ok(Some(signed))
}

async fn sign(
    core: &Core,
    row: &StatusListRow,
    purpose: Purpose,
    now: UnixTime,
) -> Result<Signed, BitstringError> {
    let (id, version) = (&row.id, row.version);
    // Bitstring Status List 1.0, section 3.4: 16 KB at least.
    let size = u64::try_from(row.size).map_err(|_| BitstringError::Range)?;
    let mut bits = Bitstring::new(size.max(MIN_BITS), 1)?;
    if row.restored && purpose == Purpose::Revocation {
        for idx in 0..size {
            bits.set(idx, 1)?;
        }
        for idx in status_lists::known(&core.db, id).await? {
            bits.set(u64::try_from(idx).map_err(|_| BitstringError::Range)?, 0)?;
        }
    }
    for (idx, status) in status_lists::not_valid(&core.db, id).await? {
        if purpose.is_set_for(status) {
            let idx = u64::try_from(idx).map_err(|_| BitstringError::Range)?;
            bits.set(idx, 1)?;
        }
    }
    let settings = &core.settings.status;
    let uri = core.settings.bitstring_uri(id, purpose.name());
    let key = core.signing.w3c().at(now)?;
    let options = ListOptions {
        id: &uri,
        issuer: key.iss.as_deref().unwrap_or_default(),
        purpose: purpose.name(),
        valid_from: Some(DateTimeStamp::from_time(now)),
        valid_until: Some(DateTimeStamp::from_time(now.plus(settings.lifetime_s))),
        ttl_ms: Some(u64::from(settings.ttl_s) * 1000),
    };
    let credential = list_credential(&options, &bits);
    let format = core.signing.w3c_format();
    let (media_type, body) = match secure_w3c(core, key, format, &credential, now).await? {
        Value::String(jwt) => (EnvelopeType::VcJwt.media_type(), jwt),
        secured => ("application/vc", secured.to_string()),
    };
    let body = Bytes::from(body);
    Ok(Signed {
        version,
        until: now.plus(settings.lifetime_s / 2),
        media_type,
        etag: format!("\"{}\"", b64url(&crypto::sha256(&body))),
        body,
    })
}
