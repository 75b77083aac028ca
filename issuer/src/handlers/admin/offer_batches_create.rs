//! `POST /v1/offer-batches`: an offer for each row of a table or element of a list.

use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use vouchsafe_protocol::oauth::Params;

use super::body::{self, Payload};
use super::caller::{Call, Scope};
use super::error::{ApiError, BodyProblem, FieldProblem, Problem};
use super::idempotent::{self, Reply};
use super::offers_create::{self, CreatedOffer};
use super::views;
use crate::batch::{self, BatchError, ForAll, MAX_ROWS, Person, RowProblem};
use crate::domain::offer::GrantKind;
use crate::paths::ADMIN_OFFER_BATCHES;
use crate::prepare::{PrepareError, PreparedOffer};
use crate::table::{self, TableError};

/// A person of a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchPerson {
    /// Your own identifier of the person's record.
    #[schema(example = "crm-4711")]
    record_id: String,
    /// What the credential will say. Leave it out where the type has a claims source.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    claims: Option<Map<String, Value>>,
}

/// An offer of a batch.
#[derive(Serialize, ToSchema)]
pub struct BatchItem {
    /// Your own identifier, from the body.
    #[schema(example = "crm-4711")]
    record_id: String,
    /// The offer, its links and codes.
    #[serde(flatten)]
    offer: CreatedOffer,
}

/// All offers of a batch, in the order of the body.
#[derive(Serialize, ToSchema)]
pub struct OfferBatch {
    /// The offers. Links and codes are shown this once.
    items: Vec<BatchItem>,
}

/// Prepare an offer for each row of a table or element of a list: all of them, or none.
///
/// The body is CSV or JSON. The first row of CSV names the columns: `record_id`, and claims of the
/// type (`tier`, `address.country`). An empty cell is a claim that is left out. JSON is an array of
/// objects with `record_id` and `claims`. Where the type has a claims source, the claims may be
/// left out.
#[utoipa::path(
    post, path = ADMIN_OFFER_BATCHES, tag = "offers", operation_id = "create_offer_batch",
    request_body(content((String = "text/csv"), (Vec<BatchPerson> = "application/json"))),
    params(
        ("credential_type" = String, Query, description = "The credential type"),
        ("grant" = views::Grant, Query, description = "How the persons get it"),
        ("tx_code" = Option<bool>, Query, description = "Whether each person must also type a transaction code"),
        ("expires_in_s" = Option<i64>, Query, description = "How long the offers are open, in seconds"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe"),
    ),
    responses(
        (status = 201, description = "The offers; codes are shown this once", body = OfferBatch),
        (status = 400, description = "Not CSV or strict JSON of this form, or a malformed parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `offers:write`", body = Problem),
        (status = 413, description = "More than 1,000 rows or 1 MiB", body = Problem),
        (status = 415, description = "Neither `text/csv` nor `application/json`", body = Problem),
        (status = 422, description = "A row does not fit the type; nothing was made", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Payload(bytes): Payload,
) -> Result<Reply, ApiError> {
    call.require(Scope::OffersWrite)?;
    let key = idempotent::key(&headers)?;
    let query = query.unwrap_or_default();
    let all = for_all(&query)?;
    let content = idempotent::content(&format!("{ADMIN_OFFER_BATCHES}?{query}"), &bytes);
    if let Some(reply) = idempotent::kept(&call, key.as_deref(), &content).await? {
        return Ok(reply);
    }
    call.core.types.refresh(&call.core).await?;
    let kind = call.core.credential_type(&all.credential_type);
    let kind = kind.ok_or(PrepareError::UnknownType)?;
    let (place, persons) = if body::is_media_type(&headers, "text/csv") {
        let rows = table::read(&kind, &bytes, MAX_ROWS)?;
        ("/rows/", batch::of_table(&call.core, &kind, rows))
    } else if body::is_json(&headers) {
        ("/", of_list(body::read(&headers, &bytes)?)?)
    } else {
        return Err(ApiError::BatchMediaType);
    };
    let prepared = batch::prepare_all(&call.core, &all, persons);
    let prepared = prepared.map_err(|error| refused(place, error))?;
    let reply = reply(&call, &prepared)?;
    let (core, author) = (call.core.clone(), call.author());
    let prepared = batch::in_lock_order(&prepared);
    idempotent::run(&call, key, content, async move |tx| {
        batch::store_all(&core, tx, &author, &prepared).await?;
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

fn of_list(list: Vec<BatchPerson>) -> Result<Vec<Person>, ApiError> {
    if list.is_empty() {
        return Err(ApiError::Body(BodyProblem::Shape));
    }
    if list.len() > MAX_ROWS {
        return Err(TableError::TooMany { limit: MAX_ROWS }.into());
    }
    let person = |(position, one): (usize, BatchPerson)| Person {
        number: position as u64,
        record_id: one.record_id,
        claims: one.claims,
    };
    Ok(list.into_iter().enumerate().map(person).collect())
}

/// `place` is what stands before the number of a person in a pointer.
fn refused(place: &str, error: BatchError) -> ApiError {
    match error {
        BatchError::Rows(problems) => {
            let of_row = |row: &RowProblem| of_row(&format!("{place}{}", row.number), &row.error);
            ApiError::Rows(problems.iter().flat_map(of_row).collect())
        }
        BatchError::Prepare(error) => error.into(),
    }
}

fn of_row(place: &str, error: &PrepareError) -> Vec<FieldProblem> {
    match error {
        PrepareError::Claims(problems) => problems
            .0
            .iter()
            .map(|problem| FieldProblem {
                pointer: format!("{place}{}", views::claim_pointer(&problem.path)),
                detail: views::expected_text(problem.expected).to_owned(),
            })
            .collect(),
        PrepareError::ClaimsMissing => vec![FieldProblem {
            pointer: format!("{place}/claims"),
            detail: error.to_string(),
        }],
        other => vec![FieldProblem {
            pointer: format!("{place}/record_id"),
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
