//! Issued credentials and their status.

use sqlx::AssertSqlSafe;
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::notification::Event;
use vouchsafe_service::db::{Db, DbError, RowError, Table, Tx, each, execute};

use super::offers::AFTER_ALL_IDS;
use crate::domain::credential::{Credential, CredentialStatus, StatusPlace, WalletEvent};
use crate::domain::ids::{CredentialId, OfferId, RecordId, StatusJobId, StatusListId};
use crate::domain::page::{Page, PageRequest};

const TABLE: Table = Table("issuer_credentials");

#[derive(sqlx::FromRow)]
struct CredentialRow {
    id: String,
    offer_id: String,
    record_id: String,
    credential_type: String,
    format: String,
    holder_key: String,
    list_id: String,
    idx: i64,
    status: String,
    version: i64,
    issued_at: i64,
    expires_at: i64,
    status_changed_at: i64,
    notification_id: Option<String>,
    event: Option<String>,
    event_at: Option<i64>,
    family: Option<String>,
    ends_at: Option<i64>,
    superseded_by: Option<String>,
    job_id: Option<String>,
}

/// The columns of a row, the same in every question.
macro_rules! columns {
    () => {
        "id, offer_id, record_id, credential_type, format, holder_key, list_id, idx, status, \
         version, issued_at, expires_at, status_changed_at, notification_id, event, event_at, \
         family, ends_at, superseded_by, job_id"
    };
}

impl TryFrom<CredentialRow> for Credential {
    type Error = RowError;

    fn try_from(row: CredentialRow) -> Result<Self, RowError> {
        let CredentialRow {
            id,
            offer_id,
            record_id,
            credential_type,
            format,
            holder_key,
            list_id,
            idx,
            status,
            version,
            issued_at,
            expires_at,
            status_changed_at,
            notification_id,
            event,
            event_at,
            family,
            ends_at,
            superseded_by,
            job_id,
        } = row;
        let event = match (event, event_at) {
            (None, None) => None,
            (Some(event), Some(at)) => Some(WalletEvent {
                event: Event::from_wire(&event).ok_or_else(|| TABLE.invalid("event", "unknown"))?,
                at: UnixTime(at),
            }),
            (Some(_), None) | (None, Some(_)) => return Err(TABLE.invalid("event", "half of it")),
        };
        Ok(Self {
            id: CredentialId::parse(&id).map_err(|e| TABLE.invalid("id", e))?,
            offer: OfferId::parse(&offer_id).map_err(|e| TABLE.invalid("offer_id", e))?,
            record: RecordId::parse(&record_id).map_err(|e| TABLE.invalid("record_id", e))?,
            credential_type,
            format: Format::from_name(&format).ok_or_else(|| TABLE.invalid("format", "unknown"))?,
            holder_key,
            place: StatusPlace {
                list: StatusListId::parse(&list_id).map_err(|e| TABLE.invalid("list_id", e))?,
                idx,
            },
            status: CredentialStatus::parse(&status)
                .ok_or_else(|| TABLE.invalid("status", "unknown"))?,
            version,
            issued_at: UnixTime(issued_at),
            expires_at: UnixTime(expires_at),
            status_changed_at: UnixTime(status_changed_at),
            notification_id,
            event,
            family,
            ends_at: ends_at.map(UnixTime),
            superseded_by: superseded_by
                .map(|id| CredentialId::parse(&id).map_err(|e| TABLE.invalid("superseded_by", e)))
                .transpose()?,
            job: job_id
                .map(|id| StatusJobId::parse(&id).map_err(|e| TABLE.invalid("job_id", e)))
                .transpose()?,
        })
    }
}

const BY_ID: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM issuer_credentials WHERE id = $1"
);
const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM issuer_credentials WHERE id < $1 ORDER BY id DESC LIMIT $2"
);
const PAGE_OF_RECORD: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM issuer_credentials WHERE id < $1 AND record_id = $3 ORDER BY id DESC LIMIT $2"
);
const REVOKE_OF_KEY: &str = concat!(
    "UPDATE issuer_credentials
     SET status = 'revoked', version = version + 1, status_changed_at = $3, ends_at = NULL,
        job_id = NULL
     WHERE offer_id = $1 AND holder_key = $2 AND format = $4 AND status = 'valid'
     RETURNING ",
    columns!()
);

const SUPERSEDE_CARD: &str = concat!(
    "UPDATE issuer_credentials
     SET status = CASE WHEN status = 'expired' THEN status ELSE 'superseded' END,
        status_changed_at = CASE WHEN status = 'expired' THEN status_changed_at ELSE $4 END,
        version = version + 1, superseded_by = $5, ends_at = NULL, job_id = NULL
     WHERE offer_id = $1 AND (id = $2 OR family = $3) AND superseded_by IS NULL
        AND status IN ('valid', 'suspended', 'expired')
     RETURNING ",
    columns!()
);
const END_DUE: &str = concat!(
    "UPDATE issuer_credentials
     SET status = 'expired', version = version + 1, status_changed_at = $1, ends_at = NULL,
        job_id = NULL
     WHERE ends_at <= $1 AND status IN ('valid', 'suspended') AND id IN
        (SELECT id FROM issuer_credentials WHERE ends_at IS NOT NULL AND ends_at <= $1 LIMIT $2)
     RETURNING ",
    columns!()
);

/// The credential with this id.
pub async fn find(db: &Db, id: &CredentialId) -> Result<Option<Credential>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, CredentialRow>(BY_ID)
        .bind(id.as_str()).fetch_optional(p).await)?;
    Ok(row.map(Credential::try_from).transpose()?)
}

/// The credential with this id, inside a transaction.
pub async fn find_in(tx: &mut Tx, id: &CredentialId) -> Result<Option<Credential>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, CredentialRow>(BY_ID)
        .bind(id.as_str()).fetch_optional(c).await)?;
    Ok(row.map(Credential::try_from).transpose()?)
}

/// One page of credentials, newest first, of one record where it is given.
pub async fn page(
    db: &Db,
    request: &PageRequest<CredentialId>,
    record: Option<&RecordId>,
) -> Result<Page<Credential>, DbError> {
    let before = request
        .before
        .as_ref()
        .map_or(AFTER_ALL_IDS, CredentialId::as_str);
    let limit = i64::from(request.limit) + 1;
    let rows = match record {
        None => each!(db, p => sqlx::query_as::<_, CredentialRow>(PAGE)
            .bind(before).bind(limit).fetch_all(p).await)?,
        Some(record) => each!(db, p => sqlx::query_as::<_, CredentialRow>(PAGE_OF_RECORD)
            .bind(before).bind(limit).bind(record.as_str()).fetch_all(p).await)?,
    };
    let credentials = rows
        .into_iter()
        .map(Credential::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_overfetch(credentials, request.limit))
}

/// Revokes the valid credentials that are of the offer and the format of `new` and bound to its
/// key, and returns them as they are now. What was suspended stays as it is.
pub async fn revoke_of_key(
    tx: &mut Tx,
    new: &Credential,
    now: UnixTime,
) -> Result<Vec<Credential>, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, CredentialRow>(REVOKE_OF_KEY)
        .bind(new.offer.as_str()).bind(&new.holder_key).bind(now.0).bind(new.format.name())
        .fetch_all(c).await)?;
    let revoked = rows.into_iter().map(Credential::try_from);
    Ok(revoked.collect::<Result<_, _>>()?)
}

/// Writes down what a wallet did with the credentials of one response of an offer. The same event
/// again changes nothing. False when there is no such response.
pub async fn record_event(
    tx: &mut Tx,
    offer: &OfferId,
    notification_id: &str,
    event: &WalletEvent,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_credentials
         SET event_at = CASE WHEN event = $3 THEN event_at ELSE $4 END, event = $3
         WHERE notification_id = $1 AND offer_id = $2"
        )
        .bind(notification_id)
        .bind(offer.as_str())
        .bind(event.event.as_str())
        .bind(event.at.0)
    )?;
    Ok(rows > 0)
}

const COUNT: &str = "SELECT COUNT(*) FROM issuer_credentials \
     WHERE offer_id = $1 AND format = $2 AND (family = $3 OR family IS NULL)";

/// How many credentials of a format one redemption of an offer has brought so far, revoked ones
/// too.
pub async fn count_of_family(
    tx: &mut Tx,
    offer: &OfferId,
    family: Option<&str>,
    format: Format,
) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(COUNT)
        .bind(offer.as_str()).bind(format.name()).bind(family).fetch_one(c).await)
}

/// The same as [`count_of_family`], for a first look.
pub async fn look_at_count(
    db: &Db,
    offer: &OfferId,
    family: Option<&str>,
    format: Format,
) -> Result<i64, DbError> {
    each!(db, p => sqlx::query_scalar::<_, i64>(COUNT)
        .bind(offer.as_str()).bind(format.name()).bind(family).fetch_one(p).await)
}

/// Redemption and key of the credentials of an offer that are suspended now.
pub async fn suspended_of_offer(
    tx: &mut Tx,
    offer: &OfferId,
) -> Result<Vec<(Option<String>, String)>, DbError> {
    each!(tx, c => sqlx::query_as::<_, (Option<String>, String)>(
        "SELECT family, holder_key FROM issuer_credentials
         WHERE offer_id = $1 AND status = 'suspended'")
        .bind(offer.as_str()).fetch_all(c).await)
}

/// Changes a status if nobody changed it in between. False when somebody did.
pub async fn set_status(
    tx: &mut Tx,
    credential: &Credential,
    status: CredentialStatus,
    now: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_credentials
         SET status = $3, version = version + 1, status_changed_at = $4, job_id = NULL,
            ends_at = CASE WHEN $5 THEN NULL ELSE ends_at END
         WHERE id = $1 AND version = $2 AND status IN ('valid', 'suspended')"
        )
        .bind(credential.id.as_str())
        .bind(credential.version)
        .bind(status.as_str())
        .bind(now.0)
        .bind(status.is_final())
    )?;
    Ok(rows == 1)
}

/// Marks a credential as replaced if nobody changed it in between. False when somebody did.
pub async fn supersede(
    tx: &mut Tx,
    credential: &Credential,
    by: &CredentialId,
    now: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_credentials
         SET status = 'superseded', version = version + 1, status_changed_at = $3,
            superseded_by = $4, ends_at = NULL, job_id = NULL
         WHERE id = $1 AND version = $2 AND status IN ('valid', 'suspended')"
        )
        .bind(credential.id.as_str())
        .bind(credential.version)
        .bind(now.0)
        .bind(by.as_str())
    )?;
    Ok(rows == 1)
}

/// Marks a credential, and what the same redemption brought, as replaced by a new one. What ended
/// before keeps its status. Returns them as they are now; none where somebody was faster.
pub async fn supersede_card(
    tx: &mut Tx,
    old: &Credential,
    by: &CredentialId,
    now: UnixTime,
) -> Result<Vec<Credential>, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, CredentialRow>(SUPERSEDE_CARD)
        .bind(old.offer.as_str()).bind(old.id.as_str()).bind(old.family.as_deref())
        .bind(now.0).bind(by.as_str()).fetch_all(c).await)?;
    let replaced = rows.into_iter().map(Credential::try_from);
    Ok(replaced.collect::<Result<_, _>>()?)
}

/// Says when a credential will be ended, if nobody changed it in between. False when somebody did.
pub async fn end_at(tx: &mut Tx, credential: &Credential, at: UnixTime) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_credentials SET ends_at = $3, version = version + 1
         WHERE id = $1 AND version = $2 AND status IN ('valid', 'suspended')"
        )
        .bind(credential.id.as_str())
        .bind(credential.version)
        .bind(at.0)
    )?;
    Ok(rows == 1)
}

/// Whether there is a credential whose end has come.
pub async fn is_any_due(db: &Db, now: UnixTime) -> Result<bool, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT id FROM issuer_credentials WHERE ends_at IS NOT NULL AND ends_at <= $1 LIMIT 1")
        .bind(now.0).fetch_optional(p).await)?;
    Ok(found.is_some())
}

/// Ends credentials whose end has come, `limit` of them at most; returns them as they are now.
pub async fn end_due(tx: &mut Tx, now: UnixTime, limit: u8) -> Result<Vec<Credential>, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, CredentialRow>(END_DUE)
        .bind(now.0).bind(i64::from(limit)).fetch_all(c).await)?;
    let ended = rows.into_iter().map(Credential::try_from);
    Ok(ended.collect::<Result<_, _>>()?)
}

/// Of these candidates in a list, the ones that are taken.
pub async fn taken(db: &Db, list: &StatusListId, candidates: &[i64]) -> Result<Vec<i64>, DbError> {
    let numbers = (0..candidates.len()).map(|n| format!("${}", n + 2));
    let sql = format!(
        "SELECT idx FROM issuer_credentials WHERE list_id = $1 AND idx IN ({})",
        numbers.collect::<Vec<_>>().join(", ")
    );
    each!(db, pool => {
        let mut query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).bind(list.as_str());
        for candidate in candidates {
            query = query.bind(candidate);
        }
        query.fetch_all(pool).await
    })
}
