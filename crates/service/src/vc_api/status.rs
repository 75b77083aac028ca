//! Bitstring Status Lists: a random place for each credential, and the signed list.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use serde_json::Value;
use vouchsafe_credentials::bitstring_status_list::{
    Bitstring, Entry, ListOptions, list_credential,
};
use vouchsafe_credentials::data_integrity::{ProofOptions, ProofPurpose, add_proof};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vcdm::DateTimeStamp;
use vouchsafe_credentials::{crypto, random};

use super::identity::Identity;
use super::log::{self, Record};
use super::problem::Refusal;
use super::store::{self, ListRow};
use super::{Parts, VcApi, paths};
use crate::db::DbError;

/// The one purpose of our lists.
pub(super) const PURPOSE: &str = "revocation";
/// Bitstring Status List 1.0, section 3.4: 16 KB at least, so that one credential hides among many.
const SIZE: i64 = 131_072;
/// Draws before another list is opened; a whole series hits taken places at about three quarters full.
const DRAWS: usize = 16;
/// Lists that are opened for one request at most.
const MAX_LISTS: usize = 4;
/// How long a signed list is valid, in seconds.
const LIFETIME_S: i64 = 86_400;
/// How long a relying party may keep a list, in milliseconds.
const TTL_MS: u64 = 300_000;
/// Signed lists that are kept.
const KEPT: usize = 256;

/// Signed lists by id, each with the version that it shows.
#[derive(Default)]
pub(crate) struct Published {
    lists: Mutex<HashMap<String, Signed>>,
    /// Held by who signs: a list is signed once, however many ask for it.
    signing: tokio::sync::Mutex<()>,
    #[cfg(test)]
    pub(crate) signed: std::sync::atomic::AtomicUsize,
}

/// A signed list as it is answered.
#[derive(Clone)]
pub(super) struct Signed {
    version: i64,
    until: UnixTime,
    /// The credential.
    pub(super) body: Bytes,
    /// Another one for every other body (RFC 9110, section 8.8.3).
    pub(super) tag: String,
}

/// A place in a list that is nobody's yet.
pub(super) struct Place {
    list: String,
    idx: i64,
    /// The `BitstringStatusListEntry`.
    pub entry: Value,
}

/// Takes a random free place. It has no credential until [`assign`].
pub(super) async fn allocate(parts: &Parts, identity: &Identity) -> Result<Place, Refusal> {
    for _ in 0..MAX_LISTS {
        let list = match store::current(&parts.db, &identity.id, PURPOSE).await? {
            Some(list) => list,
            None => open(parts, identity, 1).await?,
        };
        if let Some(idx) = draw(parts, &list).await? {
            let entry = entry(parts, &list, idx)?;
            return Ok(Place {
                list: list.id,
                idx,
                entry,
            });
        }
        open(parts, identity, list.seq + 1).await?;
    }
    tracing::error!("no free place in a status list");
    Err(Refusal::internal())
}

async fn draw(parts: &Parts, list: &ListRow) -> Result<Option<i64>, Refusal> {
    for _ in 0..DRAWS {
        // Section 5.2: a random place says nothing about when or for whom a credential was made.
        // SIZE is a power of two, so the remainder is uniform.
        let random = u32::from_be_bytes(random::bytes::<4>(&*parts.rng));
        let idx = i64::from(random) % list.size;
        let id = list.id.clone();
        let taken = parts
            .db
            .write(async move |tx| store::take(tx, &id, idx).await)
            .await;
        if taken? {
            return Ok(Some(idx));
        }
    }
    Ok(None)
}

/// Gives the place to a credential of this issuer: its id is taken from now on, and the log has it.
pub(super) async fn assign(
    parts: &Parts,
    identity: &Identity,
    place: &Place,
    credential_id: &str,
    record: Record,
) -> Result<(), Refusal> {
    let hash = hash(&identity.id, credential_id);
    let (list, idx) = (place.list.clone(), place.idx);
    let assigned = parts
        .db
        .write(async move |tx| {
            store::assign(tx, &list, idx, &hash).await?;
            record.append(tx, log::place(&list, idx)).await
        })
        .await;
    match assigned {
        Err(DbError::Duplicate) => Err(Refusal::duplicate()),
        other => Ok(other?),
    }
}

/// Gives back a place whose credential was not made.
pub(super) async fn release(parts: &Parts, place: &Place) {
    let (list, idx) = (place.list.clone(), place.idx);
    let released = parts
        .db
        .write(async move |tx| store::release(tx, &list, idx).await)
        .await;
    if let Err(error) = released {
        // Lost is one place of a list, and no credential has it.
        tracing::warn!(error = &error as &dyn std::error::Error, "a place is lost");
    }
}

async fn open(parts: &Parts, identity: &Identity, seq: i64) -> Result<ListRow, Refusal> {
    let list = ListRow {
        id: parts.ids.next_text(),
        issuer: identity.id.clone(),
        purpose: PURPOSE.to_owned(),
        seq,
        size: SIZE,
        version: 1,
    };
    let new = list.clone();
    parts
        .db
        .write(async move |tx| store::open(tx, &new).await)
        .await?;
    // Another process may have opened it first.
    let current = store::current(&parts.db, &identity.id, PURPOSE).await?;
    Ok(current.unwrap_or(list))
}

fn entry(parts: &Parts, list: &ListRow, idx: i64) -> Result<Value, Refusal> {
    let idx = u64::try_from(idx).map_err(|_| Refusal::internal())?;
    Ok(Entry::new(&list.purpose, url(parts, &list.id), idx).to_json())
}

fn url(parts: &Parts, list: &str) -> String {
    parts
        .public_url
        .join(&paths::STATUS_LIST.replace("{list}", list))
}

/// The signed list of this id, `None` where there is none. It is signed when it changed, and when half
/// of its time is over; in between everybody gets the same bytes. Verifications that hold a place among
/// those who are worked on wait for this list, so signing takes none: one list at a time is signed.
pub(super) async fn published(api: &VcApi, id: &str) -> Result<Option<Signed>, Refusal> {
    let parts = api.parts();
    let Some(list) = store::find(&parts.db, id).await? else {
        return Ok(None);
    };
    if keeper(parts, &list).is_none() {
        return Ok(None);
    }
    if let Some(known) = parts.published.get(&list, parts.clock.now()) {
        return Ok(Some(known));
    }
    let _one = parts.published.signing.lock().await;
    // Who was here before may have signed it; what was set meanwhile belongs into it.
    let Some(list) = store::find(&parts.db, id).await? else {
        return Ok(None);
    };
    if let Some(known) = parts.published.get(&list, parts.clock.now()) {
        return Ok(Some(known));
    }
    let work = api.beside(async move |api| renew(api.parts(), &list).await);
    work.await.map(Some)
}

/// The identity in whose name a list is published.
fn keeper<'p>(parts: &'p Parts, list: &ListRow) -> Option<&'p Identity> {
    let mut identities = parts.identities.iter();
    identities.find(|one| one.status && one.id == list.issuer)
}

/// Signs a list and keeps it. Its version was read before its entries: a change in between makes the
/// next answer new.
async fn renew(parts: &Parts, list: &ListRow) -> Result<Signed, Refusal> {
    let identity = keeper(parts, list).ok_or_else(Refusal::not_found)?;
    let now = parts.clock.now();
    let body = Bytes::from(sign(parts, identity, list, now).await?.to_string());
    let signed = Signed {
        version: list.version,
        until: now.plus(LIFETIME_S / 2),
        tag: b64url(&crypto::sha256(&body)),
        body,
    };
    parts.published.keep(&list.id, signed.clone());
    Ok(signed)
}

async fn sign(
    parts: &Parts,
    identity: &Identity,
    list: &ListRow,
    now: UnixTime,
) -> Result<Value, Refusal> {
    let url = url(parts, &list.id);
    let size = u64::try_from(list.size).map_err(|_| Refusal::internal())?;
    let mut bits = Bitstring::new(size, 1)?;
    for idx in store::set(&parts.db, &list.id).await? {
        let idx = u64::try_from(idx).map_err(|_| Refusal::internal())?;
        bits.set(idx, 1)?;
    }
    let options = ListOptions {
        id: &url,
        issuer: &identity.id,
        purpose: &list.purpose,
        valid_from: Some(DateTimeStamp::from_time(now)),
        valid_until: Some(DateTimeStamp::from_time(now.plus(LIFETIME_S))),
        ttl_ms: Some(TTL_MS),
    };
    let credential = list_credential(&options, &bits);
    let suite = identity
        .list_suite()
        .and_then(|name| parts.suites.get(name));
    let suite = suite.ok_or_else(Refusal::internal)?;
    let mut options =
        ProofOptions::new(&identity.verification_method, ProofPurpose::AssertionMethod);
    options.created = Some(DateTimeStamp::from_time(now));
    Ok(add_proof(
        &credential,
        &options,
        suite,
        identity.key.signer(),
        &*parts.rng,
    )
    .await?)
}

/// Revokes a credential of this issuer. False: there is none.
pub(super) async fn revoke(
    parts: &Parts,
    issuer: &str,
    credential_id: &str,
    record: Record,
) -> Result<bool, Refusal> {
    let hash = hash(issuer, credential_id);
    let at = parts.clock.now();
    let changed = parts
        .db
        .write(async move |tx| {
            let Some((list, idx)) = store::set_now(tx, &hash, PURPOSE, at).await? else {
                return Ok(false);
            };
            record.append(tx, log::place(&list, idx)).await?;
            Ok::<_, DbError>(true)
        })
        .await?;
    Ok(changed)
}

/// Ids of credentials may name persons, so the database has their hash. The issuer is part of it:
/// one cannot touch, or take, what is another's. The length of its name keeps the two apart.
fn hash(issuer: &str, credential_id: &str) -> String {
    let text = format!("{}:{issuer}{credential_id}", issuer.len());
    b64url(&crypto::sha256(text.as_bytes()))
}

impl Published {
    /// The list where it shows the current version and has not lived for half of its time.
    fn get(&self, list: &ListRow, now: UnixTime) -> Option<Signed> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lists.get(&list.id)?;
        (known.version == list.version && now < known.until).then(|| known.clone())
    }

    fn keep(&self, id: &str, signed: Signed) {
        #[cfg(test)]
        self.signed
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= KEPT && !lists.contains_key(id) {
            let oldest = lists.iter().min_by_key(|(_, signed)| signed.until);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                lists.remove(&oldest);
            }
        }
        lists.insert(id.to_owned(), signed);
    }
}
