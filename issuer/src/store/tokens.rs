//! Access tokens.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, RowError, STEP, Table, Tx, delete_step, each, execute};

use super::offers::{read_decision, read_renewed};
use crate::domain::ids::{CredentialId, OfferId, RecordId};
use crate::domain::offer::Decision;
use crate::domain::secret::SecretHash;

const TABLE: Table = Table("issuer_access_tokens");

/// What an access token allows.
#[derive(Debug, Clone)]
pub struct TokenGrant {
    /// The offer it came from.
    pub offer: OfferId,
    /// The credential type, and no other.
    pub credential_type: String,
    /// The subject record.
    pub record: RecordId,
    /// The wallet it was issued to; none after anonymous access.
    pub client_id: Option<String>,
    /// Thumbprint of the DPoP key the token is bound to.
    pub dpop_jkt: Option<String>,
    /// The claims, sealed under the token.
    pub claims_sealed: Vec<u8>,
    /// What belongs to the same authorization.
    pub family: Option<String>,
    /// Credential configurations that were granted with `authorization_details`; none: the
    /// token goes without credential identifiers.
    pub details: Vec<String>,
    /// When the token ends.
    pub expires_at: UnixTime,
    /// Until when it brings what waits, if that is longer.
    pub deferred_until: Option<UnixTime>,
}

/// What the offer of a token was like when the token was presented.
#[derive(Debug, Clone)]
pub struct OfferThen {
    /// What the organisation decided. Only what waits changes, and once.
    pub decision: Option<Decision>,
    /// The credential in whose place the offer was made. It never changes.
    pub renews: Option<CredentialId>,
    /// The version of its type that it was made with. It never changes.
    pub type_version: i64,
    /// Whether it had brought a credential already.
    pub brought: bool,
}

/// A token that is good, and its offer.
#[derive(Debug, Clone)]
pub struct Presented {
    /// What the token allows.
    pub grant: TokenGrant,
    /// The offer.
    pub offer: OfferThen,
}

/// A token that is still good, inside the transaction that issues.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its subject record.
    pub record: RecordId,
    /// Whether its offer has brought a credential already.
    pub brought: bool,
}

/// What a token is presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// To ask for credentials.
    Issue,
    /// For what waited: it lives as long as the decision may take.
    Deferred,
}

impl TokenUse {
    const fn deferred(self) -> i64 {
        match self {
            Self::Issue => 0,
            Self::Deferred => 1,
        }
    }
}

/// A list of configurations as a column; `NULL` is none.
pub(super) fn details_text(details: &[String]) -> Option<String> {
    (!details.is_empty()).then(|| details.join(" "))
}

/// The reverse of [`details_text`].
pub(super) fn details_list(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(' ');
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    offer_id: String,
    credential_type: String,
    record_id: String,
    client_id: Option<String>,
    dpop_jkt: Option<String>,
    claims_sealed: Vec<u8>,
    family: Option<String>,
    details: Option<String>,
    expires_at: i64,
    deferred_until: Option<i64>,
    decision: Option<String>,
    renews: Option<String>,
    type_version: i64,
    brought: bool,
}

impl TryFrom<TokenRow> for Presented {
    type Error = RowError;

    fn try_from(row: TokenRow) -> Result<Self, RowError> {
        let TokenRow {
            offer_id,
            credential_type,
            record_id,
            client_id,
            dpop_jkt,
            claims_sealed,
            family,
            details,
            expires_at,
            deferred_until,
            decision,
            renews,
            type_version,
            brought,
        } = row;
        let offer = OfferThen {
            decision: decision.as_deref().map(read_decision).transpose()?,
            renews: renews.as_deref().map(read_renewed).transpose()?,
            type_version,
            brought,
        };
        let grant = TokenGrant {
            offer: OfferId::parse(&offer_id).map_err(|e| TABLE.invalid("offer_id", e))?,
            credential_type,
            record: RecordId::parse(&record_id).map_err(|e| TABLE.invalid("record_id", e))?,
            client_id,
            dpop_jkt,
            claims_sealed,
            family,
            details: details_list(details.as_deref()),
            expires_at: UnixTime(expires_at),
            deferred_until: deferred_until.map(UnixTime),
        };
        Ok(Self { grant, offer })
    }
}

/// Adds a token.
pub async fn insert(tx: &mut Tx, token: &SecretHash, grant: &TokenGrant) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_access_tokens (token_hash, offer_id, credential_type, record_id,
            client_id, dpop_jkt, claims_sealed, expires_at, family, details, deferred_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        )
        .bind(token.as_bytes())
        .bind(grant.offer.as_str())
        .bind(&grant.credential_type)
        .bind(grant.record.as_str())
        .bind(grant.client_id.as_deref())
        .bind(grant.dpop_jkt.as_deref())
        .bind(grant.claims_sealed.as_slice())
        .bind(grant.expires_at.0)
        .bind(grant.family.as_deref())
        .bind(details_text(&grant.details))
        .bind(grant.deferred_until.map(|until| until.0))
    )
    .map(drop)
}

/// The token, if it is good now.
pub async fn find(
    db: &Db,
    token: &SecretHash,
    now: UnixTime,
    what: TokenUse,
) -> Result<Option<Presented>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, TokenRow>(
        "SELECT t.offer_id, t.credential_type, t.record_id, t.client_id, t.dpop_jkt,
            t.claims_sealed, t.family, t.details, t.expires_at, t.deferred_until,
            o.decision, o.renews, o.type_version,
            EXISTS (SELECT 1 FROM issuer_credentials c WHERE c.offer_id = t.offer_id) AS brought
         FROM issuer_access_tokens t JOIN issuer_offers o ON o.id = t.offer_id
         WHERE t.token_hash = $1 AND t.revoked_at IS NULL
           AND (t.expires_at > $2 OR ($3 = 1 AND t.deferred_until > $2))")
        .bind(token.as_bytes()).bind(now.0).bind(what.deferred()).fetch_optional(p).await)?;
    Ok(row.map(Presented::try_from).transpose()?)
}

/// A token that is still good, read inside the transaction that issues, behind the lock of its
/// offer. On PostgreSQL the row stays locked until the end of it, so no revocation slips between.
pub async fn hold(
    tx: &mut Tx,
    token: &SecretHash,
    now: UnixTime,
    what: TokenUse,
) -> Result<Option<Held>, DbError> {
    // An update that changes nothing locks the row on PostgreSQL; SQLite has one writer. No index
    // holds the column.
    let row = each!(tx, c => sqlx::query_as::<_, (String, bool)>(
        "UPDATE issuer_access_tokens SET record_id = record_id
         WHERE token_hash = $1 AND revoked_at IS NULL
           AND (expires_at > $2 OR ($3 = 1 AND deferred_until > $2))
         RETURNING record_id, EXISTS (SELECT 1 FROM issuer_credentials c
             WHERE c.offer_id = issuer_access_tokens.offer_id)")
        .bind(token.as_bytes()).bind(now.0).bind(what.deferred()).fetch_optional(c).await)?;
    row.map(|(record, brought)| {
        let record = RecordId::parse(&record).map_err(|e| TABLE.invalid("record_id", e))?;
        Ok(Held { record, brought })
    })
    .transpose()
}

/// Revokes every token of an authorization (RFC 6749, section 4.1.2: its code was used twice).
pub async fn revoke_family(tx: &mut Tx, family: &str, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_access_tokens SET revoked_at = $2
         WHERE family = $1 AND revoked_at IS NULL"
        )
        .bind(family)
        .bind(now.0)
    )
}

/// The offer of a family.
pub async fn offer_of_family(tx: &mut Tx, family: &str) -> Result<Option<OfferId>, DbError> {
    let id = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT offer_id FROM issuer_access_tokens WHERE family = $1
         UNION SELECT offer_id FROM issuer_refresh_tokens WHERE family = $1 LIMIT 1")
        .bind(family).fetch_optional(c).await)?;
    id.map(|id| OfferId::parse(&id).map_err(|e| TABLE.invalid("offer_id", e).into()))
        .transpose()
}

/// Revokes every token of an offer.
pub async fn revoke_of_offer(tx: &mut Tx, offer: &OfferId, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_access_tokens SET revoked_at = $2
         WHERE offer_id = $1 AND revoked_at IS NULL"
        )
        .bind(offer.as_str())
        .bind(now.0)
    )
}

/// Deletes tokens that are over, and the claims with them, [`STEP`] of them at most; returns how many.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "issuer_access_tokens",
            "token_hash",
            "expires_at <= $1 AND (deferred_until IS NULL OR deferred_until <= $1)"
        ))
        .bind(now.0)
        .bind(i64::from(STEP))
    )
}
