//! Issued credentials and their status.

use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::notification::Event;
use vouchsafe_service::db::{Db, DbError, RowError, Table, Tx, each, execute};

use super::offers::AFTER_ALL_IDS;
use crate::domain::credential::{Credential, CredentialStatus, StatusPlace, WalletEvent};
use crate::domain::ids::{CredentialId, OfferId, RecordId, StatusListId};
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
        })
    }
}

const BY_ID: &str = "SELECT id, offer_id, record_id, credential_type, format, holder_key, \
     list_id, idx, status, version, issued_at, expires_at, status_changed_at, notification_id, \
     event, event_at, family FROM issuer_credentials WHERE id = $1";
const PAGE: &str = "SELECT id, offer_id, record_id, credential_type, format, holder_key, \
     list_id, idx, status, version, issued_at, expires_at, status_changed_at, notification_id, \
     event, event_at, family FROM issuer_credentials WHERE id < $1 ORDER BY id DESC LIMIT $2";
const PAGE_OF_RECORD: &str = "SELECT id, offer_id, record_id, credential_type, format, \
     holder_key, list_id, idx, status, version, issued_at, expires_at, status_changed_at, \
     notification_id, event, event_at, family FROM issuer_credentials \
     WHERE id < $1 AND record_id = $3 ORDER BY id DESC LIMIT $2";
/// Adds a credential. False when its place in the status list is taken: the caller undoes the
/// transaction and draws again.
pub async fn insert(tx: &mut Tx, credential: &Credential) -> Result<bool, DbError> {
    let c = credential;
    // Token Status List, section 13.3: two credentials never share an index. The unique index
    // over (list_id, idx) decides.
    let rows =
        execute!(tx, sqlx::query(
        "INSERT INTO issuer_credentials (id, offer_id, record_id, credential_type, holder_key,
            list_id, idx, status, version, issued_at, expires_at, status_changed_at, format,
            notification_id, family)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (list_id, idx) DO NOTHING")
        .bind(c.id.as_str()).bind(c.offer.as_str()).bind(c.record.as_str())
        .bind(&c.credential_type).bind(&c.holder_key).bind(c.place.list.as_str())
        .bind(c.place.idx).bind(c.status.as_str()).bind(c.version).bind(c.issued_at.0)
        .bind(c.expires_at.0).bind(c.status_changed_at.0).bind(c.format.name())
        .bind(c.notification_id.as_deref()).bind(c.family.as_deref()))?;
    Ok(rows == 1)
}

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
    let rows = each!(tx, c => sqlx::query_as::<_, CredentialRow>(
        "UPDATE issuer_credentials
         SET status = 'revoked', version = version + 1, status_changed_at = $3
         WHERE offer_id = $1 AND holder_key = $2 AND format = $4 AND status = 'valid'
         RETURNING id, offer_id, record_id, credential_type, format, holder_key, list_id, idx,
            status, version, issued_at, expires_at, status_changed_at, notification_id, event,
            event_at, family")
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
         SET status = $3, version = version + 1, status_changed_at = $4
         WHERE id = $1 AND version = $2 AND status <> 'revoked'"
        )
        .bind(credential.id.as_str())
        .bind(credential.version)
        .bind(status.as_str())
        .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// Of these candidates in a list, the ones that are taken.
pub async fn taken(
    db: &Db,
    list: &StatusListId,
    candidates: &[i64; 16],
) -> Result<Vec<i64>, DbError> {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *candidates;
    each!(db, pool => sqlx::query_scalar::<_, i64>(
        "SELECT idx FROM issuer_credentials WHERE list_id = $1 AND idx IN
         ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)")
        .bind(list.as_str()).bind(a).bind(b).bind(c).bind(d).bind(e).bind(f).bind(g).bind(h)
        .bind(i).bind(j).bind(k).bind(l).bind(m).bind(n).bind(o).bind(p)
        .fetch_all(pool).await)
}
