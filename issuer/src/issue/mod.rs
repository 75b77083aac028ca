//! Issuing: from verified proofs to signed credentials, each in the books exactly once.
//!
//! Places are drawn and credentials signed first; then one transaction uses the nonce up, checks
//! the token again and writes the rows. Nothing leaves before it is durable, and a signer that
//! fails leaves no trace.

mod commit;

use std::sync::Arc;

use futures::future::try_join_all;
use serde_json::Value;
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_protocol::vci::nonce::CheckedNonce;
use vouchsafe_service::db::DbError;
use vouchsafe_service::jti::{self, Identifier};

use crate::claims::Origin;
use crate::claims_source::{self, SourceError};
use crate::core::Core;
use crate::domain::credential::{Credential, CredentialStatus};
use crate::domain::ids::CredentialId;
use crate::domain::secret::{Secret, SecretHash};
use crate::places;
use crate::sign::{Draft, SignError};
use crate::status::StatusListError;
use crate::store::credentials;
use crate::store::tokens::{OfferThen, TokenGrant};
use crate::types::TypeVersion;

pub(crate) use commit::{CommitError, use_up};
use commit::{commit, was_seen};

/// How often places are drawn again when others took them in between.
const MAX_DRAWS: usize = 16;

/// What is to be issued, with everything verified.
#[derive(Debug)]
pub struct Order<'a> {
    /// Digest of the access token.
    pub token: SecretHash,
    /// What the token allows.
    pub grant: TokenGrant,
    /// What its offer was like when the token was presented.
    pub offer: OfferThen,
    /// The DPoP proof of the request, if it is not used up yet.
    pub proof: Option<Identifier>,
    /// The format of the credentials.
    pub format: Format,
    /// Where what the credentials say comes from.
    pub claims: Origin,
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

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The token ended or was revoked in between.
    #[error("the access token is not valid any more")]
    TokenGone,
    /// The nonce was used by another request.
    #[error("the nonce was used before")]
    NonceUsed,
    /// The DPoP proof was used by another request.
    #[error("the DPoP proof was used before")]
    ProofUsed,
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
    /// The claims are not there, or do not fit the type any more.
    #[error("there are no claims that fit the type")]
    Claims(#[from] SourceError),
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

/// A credential and its row.
struct Signed {
    row: Credential,
    credential: Value,
}

/// Issues one credential for each key, all or none.
pub async fn issue(core: &Core, order: &Order<'_>) -> Result<Issued, IssueError> {
    let version = type_of(core, order).await?;
    let kind = &version.kind;
    look(core, order).await?;
    let prepared = claims_source::claims(core, &order.grant, kind, &order.claims).await?;
    // OpenID4VCI 1.0, section 8.3: one id for the credentials of a response.
    let notification_id = Secret::generate(&*core.rng).expose().to_owned();
    for _ in 0..MAX_DRAWS {
        let places = places::pick(core, order.holder_keys.len()).await?;
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
                count(order, signed.len());
                let credentials = signed.into_iter().map(|signed| signed.credential);
                return Ok(Issued {
                    credentials: credentials.collect(),
                    notification_id,
                });
            }
            Err(CommitError::PlaceTaken) => {}
            Err(error) => {
                core.places.forget();
                return Err(error.into());
            }
        }
    }
    Err(StatusListError::Full.into())
}

fn count(order: &Order<'_>, credentials: usize) {
    let flow = match order.transaction {
        Some(_) => "deferred",
        None => "immediate",
    };
    metrics::counter!(
        "vouchsafe_credentials_issued_total",
        "type" => order.grant.credential_type.clone(),
        "format" => order.format.name(),
        "flow" => flow
    )
    .increment(credentials as u64);
}

/// The type in the version of the offer.
async fn type_of(core: &Core, order: &Order<'_>) -> Result<Arc<TypeVersion>, IssueError> {
    let (id, version) = (&order.grant.credential_type, order.offer.type_version);
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
        ends_at: None,
        superseded_by: None,
        job: None,
    };
    Ok(Signed { row, credential })
}

/// A first look, before anything is signed: what is refused for certain costs no signature. The
/// transaction that issues decides.
async fn look(core: &Core, order: &Order<'_>) -> Result<(), IssueError> {
    if let Some(kind) = jti::seen(&core.db, &order.part().once).await? {
        return Err(was_seen(kind));
    }
    let so_far = match order.offer.brought {
        false => 0,
        true => {
            let (grant, format) = (&order.grant, order.format);
            let family = grant.family.as_deref();
            credentials::look_at_count(&core.db, &grant.offer, family, format).await?
        }
    };
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
