//! Issuing: from verified proofs to signed credentials, each in the books exactly once.
//!
//! Places are drawn and credentials signed first; then one transaction uses the nonce up, checks
//! the token again and writes the rows. Nothing leaves before it is durable, and a signer that
//! fails leaves no trace.

use std::sync::Arc;

use futures::future::try_join_all;
use serde_json::Value;
use vouchsafe_credentials::credential_type::{ClaimProblems, Format};
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::nonce::CheckedNonce;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::jti::{self, IdentifierKind};

use crate::claims::Claims;
use crate::core::Core;
use crate::domain::credential::{Credential, CredentialStatus};
use crate::domain::ids::{CredentialId, RecordId};
use crate::domain::secret::{Secret, SecretHash};
use crate::events::{self, Event};
use crate::sign::{Draft, SignError};
use crate::status::{self, StatusListError};
use crate::store::tokens::{TokenGrant, TokenUse};
use crate::store::{credentials, offers, status_lists, tokens, transactions};
use crate::types::TypeVersion;

/// How often places are drawn again when others took them in between.
const MAX_DRAWS: usize = 16;
/// Whose the nonces are.
const NONCE_SCOPE: &str = "issuer";

/// What is to be issued, with everything verified.
#[derive(Debug)]
pub struct Order<'a> {
    /// Digest of the access token.
    pub token: SecretHash,
    /// What the token allows.
    pub grant: TokenGrant,
    /// The format of the credentials.
    pub format: Format,
    /// What the credentials say.
    pub claims: Claims,
    /// The keys they are bound to, all different.
    pub holder_keys: &'a [PublicKey],
    /// The nonces of the proofs.
    pub nonces: Vec<CheckedNonce>,
    /// The transaction that ends with it, after a deferral.
    pub transaction: Option<SecretHash>,
}

/// What came of an order.
#[derive(Debug)]
pub struct Issued {
    /// The credentials, in the order of the keys.
    pub credentials: Vec<Value>,
    /// Names them in notifications.
    pub notification_id: String,
}

/// What an order uses up, in the form that a transaction takes with it.
#[derive(Debug, Clone)]
pub struct Part {
    token: SecretHash,
    record: RecordId,
    nonces: Vec<CheckedNonce>,
    what: TokenUse,
}

impl Order<'_> {
    /// What it uses up.
    pub fn part(&self) -> Part {
        Part {
            token: self.token.clone(),
            record: self.grant.record.clone(),
            nonces: self.nonces.clone(),
            what: match self.transaction {
                Some(_) => TokenUse::Deferred,
                None => TokenUse::Issue,
            },
        }
    }
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The token ended or was revoked in between.
    #[error("the access token is not valid any more")]
    TokenGone,
    /// The nonce was used by another request.
    #[error("the nonce was used before")]
    NonceUsed,
    /// The offer brought as many credentials as it may.
    #[error("the offer is used up")]
    UsedUp,
    /// A credential of this offer is suspended: it is not issued anew until it is resumed.
    #[error("a credential of the offer is suspended")]
    Suspended,
    /// The organisation waits, or denied it.
    #[error("the organisation did not approve")]
    NotApproved,
    /// The transaction ended in between.
    #[error("the transaction ended")]
    TransactionEnded,
    /// The record of the token changed in between: a fault of ours.
    #[error("the subject record of the token changed")]
    RecordMismatch,
    /// The type is not configured any more.
    #[error("the credential type is not configured")]
    UnknownType,
    /// The claims do not fit the type any more.
    #[error("the claims do not fit the type")]
    Claims(#[from] ClaimProblems),
    /// No place in a status list.
    #[error("no place in a status list")]
    Status(#[from] StatusListError),
    /// The credential could not be signed.
    #[error("the credential could not be signed")]
    Sign(#[from] SignError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why the transaction was undone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// A place in a status list was taken in between.
    #[error("a place was taken in between")]
    PlaceTaken,
    /// Nothing may be issued.
    #[error(transparent)]
    Refused(#[from] Box<IssueError>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<CommitError> for IssueError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::PlaceTaken => StatusListError::Full.into(),
            CommitError::Refused(error) => *error,
            CommitError::Db(error) => error.into(),
        }
    }
}

/// A credential and its row.
struct Signed {
    row: Credential,
    credential: Value,
}

/// Issues one credential for each key, all or none.
pub async fn issue(core: &Core, order: &Order<'_>) -> Result<Issued, IssueError> {
    let version = type_of(core, &order.grant).await?;
    let kind = &version.kind;
    let prepared = kind.prepare(order.claims.0.clone())?;
    // OpenID4VCI 1.0, section 8.3: one id for the credentials of a response.
    let notification_id = Secret::generate(&*core.rng).expose().to_owned();
    look(core, order).await?;
    for _ in 0..MAX_DRAWS {
        let places = status::pick(core, order.holder_keys.len()).await?;
        let now = core.clock.now();
        let drafts = order.holder_keys.iter().zip(&places);
        let drafts = drafts.map(|(holder_key, place)| Draft {
            kind,
            integrity: version.metadata.as_ref().map(|one| one.integrity.as_str()),
            format: order.format,
            prepared: &prepared,
            holder_key,
            place,
            now,
        });
        let signing = drafts.map(|draft| sign(core, order, draft));
        let mut signed = try_join_all(signing).await?;
        for Signed { row, credential: _ } in &mut signed {
            row.notification_id = Some(notification_id.clone());
        }
        match commit(core, order, &signed, now).await {
            Ok(()) => {
                metrics::counter!("vouchsafe_credentials_issued_total", "type" => kind.id.clone())
                    .increment(signed.len() as u64);
                let credentials = signed.into_iter().map(|signed| signed.credential);
                return Ok(Issued {
                    credentials: credentials.collect(),
                    notification_id,
                });
            }
            Err(CommitError::PlaceTaken) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StatusListError::Full.into())
}

/// The type in the version of the offer.
async fn type_of(core: &Core, grant: &TokenGrant) -> Result<Arc<TypeVersion>, IssueError> {
    let id = &grant.credential_type;
    if core.types.are_all_files() {
        return core.types.version(id, 0).ok_or(IssueError::UnknownType);
    }
    let version = offers::type_version(&core.db, &grant.offer).await?;
    let version = version.ok_or(IssueError::UnknownType)?;
    if let Some(found) = core.types.version(id, version) {
        return Ok(found);
    }
    // Another process may have it since a moment.
    core.types.refresh(core).await?;
    let found = core.types.version(id, version);
    found.ok_or(IssueError::UnknownType)
}

async fn sign(core: &Core, order: &Order<'_>, draft: Draft<'_>) -> Result<Signed, IssueError> {
    let credential = draft.sign(core).await?;
    let row = Credential {
        id: CredentialId::new(core.ids.next()),
        offer: order.grant.offer.clone(),
        record: order.grant.record.clone(),
        credential_type: draft.kind.id.clone(),
        format: draft.format,
        holder_key: draft.holder_key.thumbprint(),
        place: draft.place.clone(),
        status: CredentialStatus::Valid,
        version: 1,
        issued_at: draft.now,
        expires_at: draft.expires_at(),
        status_changed_at: draft.now,
        notification_id: None,
        event: None,
        family: order.grant.family.clone(),
    };
    Ok(Signed { row, credential })
}

/// A first look, before anything is signed: what is refused for certain costs no signature. The
/// transaction that issues decides.
async fn look(core: &Core, order: &Order<'_>) -> Result<(), IssueError> {
    let (now, grant, part) = (core.clock.now(), &order.grant, order.part());
    let held = tokens::find(&core.db, &part.token, now, part.what).await?;
    if held.is_none() {
        return Err(IssueError::TokenGone);
    }
    for nonce in &part.nonces {
        let kind = IdentifierKind::CredentialNonce;
        if jti::was_used(&core.db, kind, NONCE_SCOPE, &b64url(&nonce.consume_key)).await? {
            return Err(IssueError::NonceUsed);
        }
    }
    let (family, format) = (grant.family.as_deref(), order.format);
    let so_far = credentials::look_at_count(&core.db, &grant.offer, family, format).await?;
    check_limit(core, so_far, order.holder_keys.len())
}

/// One redemption brings so many credentials of a format and no more.
fn check_limit(core: &Core, so_far: i64, more: usize) -> Result<(), IssueError> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    if so_far.saturating_add(more) > core.settings.max_credentials_per_offer {
        return Err(IssueError::UsedUp);
    }
    Ok(())
}

/// Uses up what an order stands on: the token must be good, its nonces new.
pub(crate) async fn use_up(tx: &mut Tx, part: &Part, now: UnixTime) -> Result<(), CommitError> {
    let held = tokens::hold(tx, &part.token, now, part.what).await?;
    let held = held.ok_or_else(|| Box::new(IssueError::TokenGone))?;
    // Catalogue 284: the subject is looked at again where it is written down.
    if held != part.record {
        return Err(Box::new(IssueError::RecordMismatch).into());
    }
    for CheckedNonce {
        consume_key,
        expires,
    } in &part.nonces
    {
        let kind = IdentifierKind::CredentialNonce;
        let nonce = b64url(consume_key);
        if !jti::first_use(tx, kind, NONCE_SCOPE, &nonce, *expires).await? {
            return Err(Box::new(IssueError::NonceUsed).into());
        }
    }
    Ok(())
}

/// One transaction: token, nonces, rows.
async fn commit(
    core: &Core,
    order: &Order<'_>,
    signed: &[Signed],
    now: UnixTime,
) -> Result<(), CommitError> {
    let rows: Vec<Credential> = signed.iter().map(|signed| signed.row.clone()).collect();
    let part = order.part();
    let (offer, format) = (order.grant.offer.clone(), order.format);
    let transaction = order.transaction.clone();
    let (family, told) = (order.grant.family.clone(), core.clone());
    let replaced = core
        .db
        .write(async move |tx| {
            offers::lock(tx, &offer).await?;
            use_up(tx, &part, now).await?;
            if let Some(transaction) = &transaction
                && !transactions::finish(tx, transaction, now).await?
            {
                return Err(Box::new(IssueError::TransactionEnded).into());
            }
            let family = family.as_deref();
            let so_far = credentials::count_of_family(tx, &offer, family, format).await?;
            check_limit(&told, so_far, rows.len()).map_err(Box::new)?;
            // What is suspended is not issued anew, neither to its redemption nor to its key.
            let suspended = credentials::suspended_of_offer(tx, &offer).await?;
            if suspended.iter().any(|(of, key)| {
                of.is_none() || of.as_deref() == family || rows.iter().any(|r| r.holder_key == *key)
            }) {
                return Err(Box::new(IssueError::Suspended).into());
            }
            let mut replaced = false;
            for row in &rows {
                replaced |= replace_older(&told, tx, row, now).await?;
                if !credentials::insert(tx, row).await? {
                    return Err(CommitError::PlaceTaken);
                }
                events::of_credential(&told, tx, Event::CredentialIssued, row, now).await?;
            }
            Ok(replaced)
        })
        .await;
    // Whether a transaction with an error counts is not known here.
    if *replaced.as_ref().unwrap_or(&true) {
        core.shown.changed();
    }
    replaced.map(drop)
}

/// A wallet that repeats a request because the answer was lost gets a new credential for the
/// same key; the one that it never saw is revoked, so one data set and one key have one active
/// credential of a format. True when there was one.
async fn replace_older(
    core: &Core,
    tx: &mut Tx,
    row: &Credential,
    now: UnixTime,
) -> Result<bool, DbError> {
    let revoked = credentials::revoke_of_key(tx, row, now).await?;
    for older in &revoked {
        status_lists::touch(tx, &older.place.list).await?;
        events::of_credential(core, tx, Event::CredentialRevoked, older, now).await?;
    }
    Ok(!revoked.is_empty())
}
