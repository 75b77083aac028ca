//! Authorization codes.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Row, RowError, Tx, each};

use crate::domain::ids::OfferId;
use crate::domain::secret::SecretHash;

const TABLE: Row = Row("issuer_authorization_codes");

/// What an authorization code stands for.
#[derive(Debug, Clone)]
pub struct CodeGrant {
    /// The offer that the person opened.
    pub offer: OfferId,
    /// The wallet's client id.
    pub client_id: String,
    /// The redirect URI of the request.
    pub redirect_uri: String,
    /// PKCE challenge, method S256.
    pub code_challenge: String,
    /// RFC 9449, section 10: the key that the token request must prove.
    pub dpop_jkt: Option<String>,
    /// The claims, sealed under the code.
    pub claims_sealed: Option<Vec<u8>>,
    /// When the code ends.
    pub expires_at: UnixTime,
    /// When it was used.
    pub used_at: Option<UnixTime>,
}

#[derive(sqlx::FromRow)]
struct CodeRow {
    offer_id: String,
    client_id: String,
    redirect_uri: String,
    code_challenge: String,
    dpop_jkt: Option<String>,
    claims_sealed: Option<Vec<u8>>,
    expires_at: i64,
    used_at: Option<i64>,
}

impl TryFrom<CodeRow> for CodeGrant {
    type Error = RowError;

    fn try_from(row: CodeRow) -> Result<Self, RowError> {
        let CodeRow {
            offer_id,
            client_id,
            redirect_uri,
            code_challenge,
            dpop_jkt,
            claims_sealed,
            expires_at,
            used_at,
        } = row;
        Ok(Self {
            offer: OfferId::parse(&offer_id).map_err(|e| TABLE.invalid("offer_id", e))?,
            client_id,
            redirect_uri,
            code_challenge,
            dpop_jkt,
            claims_sealed,
            expires_at: UnixTime(expires_at),
            used_at: used_at.map(UnixTime),
        })
    }
}

/// Adds a code.
pub async fn insert(tx: &mut Tx, code: &SecretHash, grant: &CodeGrant) -> Result<(), DbError> {
    each!(tx, c => sqlx::query(
        "INSERT INTO issuer_authorization_codes (code_hash, offer_id, client_id, redirect_uri,
            code_challenge, dpop_jkt, claims_sealed, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(code.as_bytes()).bind(grant.offer.as_str()).bind(&grant.client_id)
        .bind(&grant.redirect_uri).bind(&grant.code_challenge).bind(grant.dpop_jkt.as_deref())
        .bind(grant.claims_sealed.as_deref()).bind(grant.expires_at.0)
        .execute(c).await.map(drop))
}

/// The code, used or not.
pub async fn find(db: &Db, code: &SecretHash) -> Result<Option<CodeGrant>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, CodeRow>(
        "SELECT offer_id, client_id, redirect_uri, code_challenge, dpop_jkt, claims_sealed,
            expires_at, used_at
         FROM issuer_authorization_codes WHERE code_hash = $1")
        .bind(code.as_bytes()).fetch_optional(p).await)?;
    Ok(row.map(CodeGrant::try_from).transpose()?)
}

/// Uses a code up. True for exactly one caller.
pub async fn consume(tx: &mut Tx, code: &SecretHash, now: UnixTime) -> Result<bool, DbError> {
    let rows = each!(tx, c => sqlx::query(
        "UPDATE issuer_authorization_codes SET used_at = $2, claims_sealed = NULL
         WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2")
        .bind(code.as_bytes()).bind(now.0).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Deletes codes whose tokens are over as well; returns how many.
pub async fn purge(tx: &mut Tx, ended_before: UnixTime) -> Result<u64, DbError> {
    each!(tx, c => sqlx::query("DELETE FROM issuer_authorization_codes WHERE expires_at <= $1")
        .bind(ended_before.0).execute(c).await.map(|done| done.rows_affected()))
}
