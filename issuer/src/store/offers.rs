//! Offers.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, RowError, Table, Tx, each, execute};

use crate::domain::ids::{CredentialId, OfferId, RecordId};
use crate::domain::offer::{Decision, GrantKind, Offer};
use crate::domain::page::{Page, PageRequest};
use crate::domain::secret::{MAX_TRIES, SecretHash};

const TABLE: Table = Table("issuer_offers");

/// A new offer with the digests of its secrets.
#[derive(Debug, Clone)]
pub struct NewOffer {
    /// The offer.
    pub offer: Offer,
    /// Digest of the token in the by-reference URL.
    pub reference: SecretHash,
    /// Digest of the pre-authorized code or `issuer_state`.
    pub grant: SecretHash,
    /// Digest of the code that the person types.
    pub code: Option<SecretHash>,
    /// Keyed hash of a long code, which finds the offer by itself.
    pub code_lookup: Option<Vec<u8>>,
    /// The claims, sealed.
    pub claims_sealed: Vec<u8>,
}

/// Offers that are forgotten in one transaction.
pub const SLICE: u8 = 200;

/// How an offer ended that can be redeemed no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nobody redeemed it in time.
    Expired,
    /// Its time is over and it was redeemed, though not as often as it might have been.
    Used,
    /// The typed code was wrong too often.
    Locked,
}

impl End {
    fn of_expired(redeemed: i64) -> Self {
        match redeemed {
            0 => Self::Expired,
            _ => Self::Used,
        }
    }
}

/// An offer with what is needed to redeem it.
#[derive(Debug, Clone)]
pub struct Redeemable {
    /// The offer.
    pub offer: Offer,
    /// The claims, sealed; gone once redeemed or expired.
    pub claims_sealed: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct OfferRow {
    id: String,
    record_id: String,
    credential_type: String,
    type_version: i64,
    grant_kind: String,
    code_hash: Option<Vec<u8>>,
    tries: i64,
    claims_sealed: Option<Vec<u8>>,
    created_at: i64,
    expires_at: i64,
    redeemed_at: Option<i64>,
    opened_at: Option<i64>,
    decision: Option<String>,
    redemptions: i64,
    redeemed: i64,
    renews: Option<String>,
}

impl TryFrom<OfferRow> for Redeemable {
    type Error = RowError;

    fn try_from(row: OfferRow) -> Result<Self, RowError> {
        let OfferRow {
            id,
            record_id,
            credential_type,
            type_version,
            grant_kind,
            code_hash,
            tries,
            claims_sealed,
            created_at,
            expires_at,
            redeemed_at,
            opened_at,
            decision,
            redemptions,
            redeemed,
            renews,
        } = row;
        let offer = Offer {
            id: OfferId::parse(&id).map_err(|e| TABLE.invalid("id", e))?,
            record: RecordId::parse(&record_id).map_err(|e| TABLE.invalid("record_id", e))?,
            credential_type,
            type_version,
            grant: GrantKind::parse(&grant_kind)
                .ok_or_else(|| TABLE.invalid("grant_kind", "unknown"))?,
            code_required: code_hash.is_some(),
            tries,
            created_at: UnixTime(created_at),
            expires_at: UnixTime(expires_at),
            redemptions,
            redeemed,
            redeemed_at: redeemed_at.map(UnixTime),
            opened_at: opened_at.map(UnixTime),
            decision: decision.as_deref().map(read_decision).transpose()?,
            renews: renews.as_deref().map(read_renewed).transpose()?,
        };
        Ok(Self {
            offer,
            claims_sealed,
        })
    }
}

pub(super) fn read_decision(text: &str) -> Result<Decision, RowError> {
    Decision::parse(text).ok_or_else(|| TABLE.invalid("decision", "unknown"))
}

pub(super) fn read_renewed(text: &str) -> Result<CredentialId, RowError> {
    CredentialId::parse(text).map_err(|error| TABLE.invalid("renews", error))
}

const COLUMNS_BY_ID: &str = "SELECT id, record_id, credential_type, type_version, grant_kind, code_hash, tries, \
     claims_sealed, created_at, expires_at, redeemed_at, opened_at, decision, redemptions, redeemed, renews FROM issuer_offers WHERE id = $1";
const COLUMNS_BY_GRANT: &str = "SELECT id, record_id, credential_type, type_version, grant_kind, code_hash, \
     tries, claims_sealed, created_at, expires_at, redeemed_at, opened_at, decision, redemptions, redeemed, renews FROM issuer_offers \
     WHERE grant_hash = $1 AND grant_kind = $2";
const COLUMNS_BY_CODE: &str = "SELECT id, record_id, credential_type, type_version, grant_kind, code_hash, \
     tries, claims_sealed, created_at, expires_at, redeemed_at, opened_at, decision, \
     redemptions, redeemed, renews FROM issuer_offers WHERE code_lookup = $1";
const COLUMNS_BY_REFERENCE: &str = "SELECT id, record_id, credential_type, type_version, grant_kind, code_hash, \
     tries, claims_sealed, created_at, expires_at, redeemed_at, opened_at, decision, redemptions, redeemed, renews FROM issuer_offers \
     WHERE reference_hash = $1";
const COLUMNS_PAGE: &str = "SELECT id, record_id, credential_type, type_version, grant_kind, code_hash, tries, \
     claims_sealed, created_at, expires_at, redeemed_at, opened_at, decision, redemptions, redeemed, renews FROM issuer_offers \
     WHERE id < $1 ORDER BY id DESC LIMIT $2";

/// Behind every identifier: ids are lower-case hexadecimal.
pub(super) const AFTER_ALL_IDS: &str = "g";

/// Adds an offer.
pub async fn insert(tx: &mut Tx, new: &NewOffer) -> Result<(), DbError> {
    let NewOffer {
        offer,
        reference,
        grant,
        code,
        code_lookup,
        claims_sealed,
    } = new;
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_offers (id, record_id, credential_type, grant_kind, reference_hash,
            grant_hash, code_hash, tries, claims_sealed, created_at, expires_at, redemptions,
            redeemed, code_lookup, decision, type_version, renews)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        )
        .bind(offer.id.as_str())
        .bind(offer.record.as_str())
        .bind(&offer.credential_type)
        .bind(offer.grant.as_str())
        .bind(reference.as_bytes())
        .bind(grant.as_bytes())
        .bind(code.as_ref().map(SecretHash::as_bytes))
        .bind(offer.tries)
        .bind(claims_sealed.as_slice())
        .bind(offer.created_at.0)
        .bind(offer.expires_at.0)
        .bind(offer.redemptions)
        .bind(offer.redeemed)
        .bind(code_lookup.as_deref())
        .bind(offer.decision.map(Decision::as_str))
        .bind(offer.type_version)
        .bind(offer.renews.as_ref().map(CredentialId::as_str))
    )
    .map(drop)
}

/// The offer with this id.
pub async fn find(db: &Db, id: &OfferId) -> Result<Option<Offer>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, OfferRow>(COLUMNS_BY_ID)
        .bind(id.as_str()).fetch_optional(p).await)?;
    Ok(row
        .map(Redeemable::try_from)
        .transpose()?
        .map(|found| found.offer))
}

/// The offer of a pre-authorized code or an `issuer_state`.
pub async fn find_by_grant(
    db: &Db,
    kind: GrantKind,
    grant: &SecretHash,
) -> Result<Option<Redeemable>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, OfferRow>(COLUMNS_BY_GRANT)
        .bind(grant.as_bytes()).bind(kind.as_str()).fetch_optional(p).await)?;
    Ok(row.map(Redeemable::try_from).transpose()?)
}

/// The offer of a long one-time code.
pub async fn find_by_code(db: &Db, code_lookup: &[u8]) -> Result<Option<Redeemable>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, OfferRow>(COLUMNS_BY_CODE)
        .bind(code_lookup).fetch_optional(p).await)?;
    Ok(row.map(Redeemable::try_from).transpose()?)
}

/// Lets one transaction after the other act on an offer: issue, defer, decide, refresh, revoke.
/// It comes first, so that everything read after it is what the one before left.
pub async fn lock(tx: &mut Tx, id: &OfferId) -> Result<(), DbError> {
    tx.lock(&format!("offer {id}")).await
}

/// [`lock`] for several, in an order of its own: two that lock the same offers wait for each other
/// and not for ever.
pub async fn lock_all<'a>(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = &'a OfferId>,
) -> Result<(), DbError> {
    let names = ids.into_iter().map(|id| format!("offer {id}"));
    tx.lock_all(names.collect()).await
}

/// Ends an offer whose credential was revoked by hand, and forgets its claims.
pub async fn close(tx: &mut Tx, id: &OfferId, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_offers SET closed_at = $2, claims_sealed = NULL,
            expires_at = CASE WHEN expires_at > $2 THEN $2 ELSE expires_at END
         WHERE id = $1 AND closed_at IS NULL"
        )
        .bind(id.as_str())
        .bind(now.0)
    )
    .map(drop)
}

/// Whether an offer was closed.
pub async fn is_closed(tx: &mut Tx, id: &OfferId) -> Result<bool, DbError> {
    let found = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM issuer_offers WHERE id = $1 AND closed_at IS NOT NULL")
        .bind(id.as_str()).fetch_one(c).await)?;
    Ok(found > 0)
}

/// The offer behind a by-reference URL.
pub async fn find_by_reference(db: &Db, reference: &SecretHash) -> Result<Option<Offer>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, OfferRow>(COLUMNS_BY_REFERENCE)
        .bind(reference.as_bytes()).fetch_optional(p).await)?;
    Ok(row
        .map(Redeemable::try_from)
        .transpose()?
        .map(|found| found.offer))
}

/// One page of offers, newest first.
pub async fn page(db: &Db, request: &PageRequest<OfferId>) -> Result<Page<Offer>, DbError> {
    let before = request
        .before
        .as_ref()
        .map_or(AFTER_ALL_IDS, OfferId::as_str);
    let rows = each!(db, p => sqlx::query_as::<_, OfferRow>(COLUMNS_PAGE)
        .bind(before).bind(i64::from(request.limit) + 1).fetch_all(p).await)?;
    let offers = rows
        .into_iter()
        .map(|row| Redeemable::try_from(row).map(|found| found.offer))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_overfetch(offers, request.limit))
}

/// Counts one try of the typed code and returns the count and the digest; `None` when the offer
/// is dead. The count and its limit are one statement, so no number of connections buys a sixth
/// try.
pub async fn count_try(
    tx: &mut Tx,
    id: &OfferId,
    now: UnixTime,
) -> Result<Option<(i64, Vec<u8>)>, DbError> {
    each!(tx, c => sqlx::query_as::<_, (i64, Vec<u8>)>(
        "UPDATE issuer_offers SET tries = tries + 1
         WHERE id = $1 AND tries < $2 AND redeemed < redemptions AND expires_at > $3
           AND code_hash IS NOT NULL
         RETURNING tries, code_hash")
        .bind(id.as_str()).bind(MAX_TRIES).bind(now.0).fetch_optional(c).await)
}

/// Takes the count of a try back: the typed code was right. In the transaction of
/// [`count_try`], which holds the row.
pub async fn uncount_try(tx: &mut Tx, id: &OfferId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE issuer_offers SET tries = tries - 1 WHERE id = $1").bind(id.as_str())
    )
    .map(drop)
}

/// Redeems an offer once and forgets its claims with the last time. True for exactly as many
/// callers as the offer allows.
pub async fn redeem(tx: &mut Tx, id: &OfferId, now: UnixTime) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_offers SET redeemed_at = $2, redeemed = redeemed + 1,
            claims_sealed = CASE WHEN redeemed + 1 >= redemptions THEN NULL
                ELSE claims_sealed END
         WHERE id = $1 AND redeemed < redemptions AND expires_at > $2 AND closed_at IS NULL"
        )
        .bind(id.as_str())
        .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// The offer with this id, inside a transaction.
pub async fn find_in(tx: &mut Tx, id: &OfferId) -> Result<Option<Offer>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, OfferRow>(COLUMNS_BY_ID)
        .bind(id.as_str()).fetch_optional(c).await)?;
    let found = row.map(Redeemable::try_from).transpose()?;
    Ok(found.map(|found| found.offer))
}

/// Forgets the claims of one offer that has expired: without them it is never open again.
///
/// How it ended, for the first caller.
pub async fn forget_expired(
    tx: &mut Tx,
    id: &OfferId,
    now: UnixTime,
) -> Result<Option<End>, DbError> {
    let redeemed = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "UPDATE issuer_offers SET claims_sealed = NULL
         WHERE id = $1 AND expires_at <= $2 AND claims_sealed IS NOT NULL
         RETURNING redeemed")
        .bind(id.as_str()).bind(now.0).fetch_optional(c).await)?;
    Ok(redeemed.map(End::of_expired))
}

/// Notes that somebody looked at an offer. True for the first one.
pub async fn open(tx: &mut Tx, id: &OfferId, now: UnixTime) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query("UPDATE issuer_offers SET opened_at = $2 WHERE id = $1 AND opened_at IS NULL")
            .bind(id.as_str())
            .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// Forgets the claims of offers that nobody can redeem any more, of [`SLICE`] of them at most;
/// returns which, and how each ended. Fewer: there are no more.
pub async fn forget_dead(tx: &mut Tx, now: UnixTime) -> Result<Vec<(OfferId, End)>, DbError> {
    // That they are not forgotten is asked again for where another process waits for the same rows.
    let expired = each!(tx, c => sqlx::query_as::<_, (String, i64)>(
        "UPDATE issuer_offers SET claims_sealed = NULL
         WHERE claims_sealed IS NOT NULL AND id IN
            (SELECT id FROM issuer_offers
             WHERE claims_sealed IS NOT NULL AND expires_at <= $1 LIMIT $2)
         RETURNING id, redeemed")
        .bind(now.0).bind(i64::from(SLICE)).fetch_all(c).await)?;
    let room = i64::from(SLICE) - i64::try_from(expired.len()).unwrap_or(i64::MAX);
    let locked = each!(tx, c => sqlx::query_scalar::<_, String>(
        "UPDATE issuer_offers SET claims_sealed = NULL
         WHERE claims_sealed IS NOT NULL AND id IN
            (SELECT id FROM issuer_offers
             WHERE claims_sealed IS NOT NULL AND code_hash IS NOT NULL AND tries >= $1 LIMIT $2)
         RETURNING id")
        .bind(MAX_TRIES).bind(room).fetch_all(c).await)?;
    let expired = expired
        .into_iter()
        .map(|(id, redeemed)| (id, End::of_expired(redeemed)));
    let locked = locked.into_iter().map(|id| (id, End::Locked));
    let ended = expired.chain(locked).map(|(id, end)| {
        let id = OfferId::parse(&id).map_err(|e| TABLE.invalid("id", e))?;
        Ok((id, end))
    });
    ended.collect()
}
