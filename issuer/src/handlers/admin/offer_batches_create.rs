//! `POST /v1/offer-batches`: an offer for each row of a table.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_protocol::oauth::Params;
use vouchsafe_service::audit;

use super::body;
use super::caller::{Call, Scope};
use super::error::{ApiError, FieldProblem, Problem};
use super::idempotent::{self, Reply};
use super::offers_create::{self, CreatedOffer};
use super::views;
use crate::domain::offer::GrantKind;
use crate::paths::ADMIN_OFFER_BATCHES;
use crate::prepare::{self, PrepareError, PreparedOffer, Wanted};
use crate::table::{self, Row};

/// Rows of one request at most.
pub const MAX_ROWS: usize = 1000;
/// Problems that one answer names at most.
const MAX_PROBLEMS: usize = 100;

/// An offer of a batch.
#[derive(Serialize, ToSchema)]
pub struct BatchItem {
    /// Your own identifier, from the table.
    #[schema(example = "crm-4711")]
    record_id: String,
    /// The offer, its links and codes.
    #[serde(flatten)]
    offer: CreatedOffer,
}

/// All offers of a batch, in the order of the table.
#[derive(Serialize, ToSchema)]
pub struct OfferBatch {
    /// The offers. Links and codes are shown this once.
    items: Vec<BatchItem>,
}

/// What the query says of all rows.
struct ForAll {
    credential_type: String,
    grant: GrantKind,
    tx_code: bool,
    expires_in_s: Option<i64>,
}

/// Prepare an offer for each row of a table: all of them, or none.
///
/// The body is CSV. Its first row names the columns: `record_id`, and claims of the type (`tier`,
/// `address.country`). An empty cell is a claim that is left out.
#[utoipa::path(
    post, path = ADMIN_OFFER_BATCHES, tag = "offers", operation_id = "create_offer_batch",
    request_body(content = String, content_type = "text/csv"),
    params(
        ("credential_type" = String, Query, description = "The credential type"),
        ("grant" = views::Grant, Query, description = "How the persons get it"),
        ("tx_code" = Option<bool>, Query, description = "Whether each person must also type a transaction code"),
        ("expires_in_s" = Option<i64>, Query, description = "How long the offers are open, in seconds"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe"),
    ),
    responses(
        (status = 201, description = "The offers; codes are shown this once", body = OfferBatch),
        (status = 400, description = "Not CSV of this form, or a malformed parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `offers:write`", body = Problem),
        (status = 413, description = "More than 1,000 rows or 1 MiB", body = Problem),
        (status = 415, description = "Not `text/csv`", body = Problem),
        (status = 422, description = "A row does not fit the type; nothing was made", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    bytes: Bytes,
) -> Result<Reply, ApiError> {
    call.require(Scope::OffersWrite)?;
    let key = idempotent::key(&headers)?;
    if !body::is_media_type(&headers, "text/csv") {
        return Err(ApiError::CsvMediaType);
    }
    let query = query.unwrap_or_default();
    let all = for_all(&query)?;
    call.core.types.refresh(&call.core).await?;
    let kind = call.core.credential_type(&all.credential_type);
    let kind = kind.ok_or(PrepareError::UnknownType)?;
    let rows = table::read(&kind, &bytes, MAX_ROWS)?;
    let prepared = prepare_all(&call, &all, rows)?;
    let reply = reply(&call, &prepared)?;
    let content = idempotent::content(&format!("{ADMIN_OFFER_BATCHES}?{query}"), &bytes);
    let author = call.clone();
    // Records are locked in one order, and the log last: two tables wait for each other, not both.
    let mut prepared: Vec<PreparedOffer> = prepared.into_iter().map(|(_, offer)| offer).collect();
    prepared.sort_by(|a, b| a.record_hash().cmp(b.record_hash()));
    idempotent::run(&call, key, content, async move |tx| {
        let mut events = Vec::with_capacity(prepared.len());
        for offer in &prepared {
            let offer = prepare::store(tx, offer).await?;
            let (id, kind) = (offer.id.as_str(), &offer.credential_type);
            events.push(author.event("offer.create", id, kind));
        }
        audit::append_all(tx, &author.core.keys.audit, &events).await?;
        Ok(reply.clone())
    })
    .await
}

fn for_all(query: &str) -> Result<ForAll, ApiError> {
    let params = Params::parse(query).map_err(|_| ApiError::Query)?;
    let known = ["credential_type", "grant", "tx_code", "expires_in_s"];
    if params.iter().any(|(name, _)| !known.contains(&name)) {
        return Err(ApiError::Query);
    }
    let grant = params.get("grant").and_then(GrantKind::parse);
    let tx_code = match params.get("tx_code") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(ApiError::Query),
    };
    let seconds = params.get("expires_in_s").map(str::parse::<i64>);
    Ok(ForAll {
        credential_type: params
            .get("credential_type")
            .ok_or(ApiError::Query)?
            .to_owned(),
        grant: grant.ok_or(ApiError::Query)?,
        tx_code,
        expires_in_s: seconds.transpose().map_err(|_| ApiError::Query)?,
    })
}

/// Every offer, or what is wrong with the rows.
fn prepare_all(
    call: &Call,
    all: &ForAll,
    rows: Vec<Row>,
) -> Result<Vec<(String, PreparedOffer)>, ApiError> {
    let (mut prepared, mut problems) = (Vec::new(), Vec::new());
    for row in rows {
        let Row {
            line,
            record_id,
            claims,
        } = row;
        let wanted = Wanted {
            record_id: record_id.clone(),
            credential_type: all.credential_type.clone(),
            claims,
            grant: all.grant,
            tx_code: all.tx_code,
            wallet_initiated: false,
            redemptions: 1,
            expires_in_s: all.expires_in_s,
            hold: false,
        };
        match prepare::prepare(&call.core, wanted) {
            Ok(offer) => prepared.push((record_id, offer)),
            Err(error @ (PrepareError::Claims(_) | PrepareError::RecordId)) => {
                problems.extend(of_row(line, &error));
            }
            Err(error) => return Err(error.into()),
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    match problems.is_empty() {
        true => Ok(prepared),
        false => Err(ApiError::Rows(problems)),
    }
}

fn of_row(line: u64, error: &PrepareError) -> Vec<FieldProblem> {
    match error {
        PrepareError::Claims(problems) => problems
            .0
            .iter()
            .map(|problem| FieldProblem {
                pointer: format!("/rows/{line}{}", views::claim_pointer(&problem.path)),
                detail: views::expected_text(problem.expected).to_owned(),
            })
            .collect(),
        other => vec![FieldProblem {
            pointer: format!("/rows/{line}/record_id"),
            detail: other.to_string(),
        }],
    }
}

fn reply(call: &Call, prepared: &[(String, PreparedOffer)]) -> Result<Reply, ApiError> {
    let items = prepared
        .iter()
        .map(|(record_id, offer)| BatchItem {
            record_id: record_id.clone(),
            offer: offers_create::created(&call.core, offer),
        })
        .collect();
    Reply::json(StatusCode::CREATED, &OfferBatch { items })
}
