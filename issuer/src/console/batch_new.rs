//! `/console/batches/new`: offers for all rows of a table.

use axum::extract::Multipart;
use axum::extract::multipart::MultipartRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use vouchsafe_credentials::credential_type::CredentialType;
use vouchsafe_service::http::Params;

use super::claims_form::Problems;
use super::offer_new::{Sent, shared, terms};
use super::{Acting, Failure, Visitor, cards, claims_form, paths, query, upload, view};
use crate::batch::{self, BatchError, ForAll, MAX_ROWS, RowProblem};
use crate::core::Core;
use crate::domain::ids::OfferId;
use crate::handlers::admin::error::ApiError;
use crate::links::OfferLinks;
use crate::prepare::{PrepareError, PreparedOffer};
use crate::store::batches::{self, Batch};
use crate::table::{self, TableError};

/// The form.
pub async fn page(Acting(visitor): Acting) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    core.types.refresh(core).await?;
    form(&visitor, &Params::default(), &[], StatusCode::OK)
}

/// Makes the offers: all, or none. Links and codes are shown this once.
pub async fn create(
    Acting(visitor): Acting,
    headers: HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    let upload = upload::read(&visitor, &headers, body).await?;
    let typed = &upload.fields;
    let core = &visitor.console.core;
    core.types.refresh(core).await?;
    let id = typed.get("type").unwrap_or_default();
    let kind = core.credential_type(id).ok_or(Failure::NotFound)?;
    let bytes = match upload.file.is_empty() {
        true => typed.get("table").unwrap_or_default().as_bytes(),
        false => &upload.file,
    };
    let prepared = match prepare(core, &kind, typed, bytes)? {
        Ok(prepared) => prepared,
        Err(problems) => {
            let refused = StatusCode::UNPROCESSABLE_ENTITY;
            return form(&visitor, typed, &problems, refused);
        }
    };
    let batch = store(&visitor, typed, &kind, &prepared).await?;
    made(&visitor, &kind, &batch, &prepared)
}

type Prepared = Vec<(String, PreparedOffer)>;

/// The offers, or what is wrong with the table, as a template shows it.
fn prepare(
    core: &Core,
    kind: &CredentialType,
    typed: &Params,
    bytes: &[u8],
) -> Result<Result<Prepared, Vec<Value>>, Failure> {
    let (grant, tx_code, expires_in_s) = terms(typed)?;
    let rows = match table::read(kind, bytes, MAX_ROWS) {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(vec![of_table(&error)])),
    };
    let all = ForAll {
        credential_type: kind.id.clone(),
        grant,
        tx_code,
        expires_in_s,
    };
    let persons = batch::of_table(core, kind, rows);
    match batch::prepare_all(core, &all, persons) {
        Ok(prepared) => Ok(Ok(prepared)),
        Err(BatchError::Rows(rows)) => {
            let problems = rows.iter().flat_map(|row| of_row(kind, row));
            Ok(Err(problems.collect()))
        }
        Err(BatchError::Prepare(PrepareError::TxCode)) => Ok(Err(vec![problem("tx-code", 0, 0)])),
        Err(BatchError::Prepare(error)) => Err(ApiError::Prepare(error).into()),
    }
}

fn problem(key: &str, line: u64, column: usize) -> Value {
    json!({ "key": key, "line": line, "column": column, "limit": MAX_ROWS })
}

fn of_table(error: &TableError) -> Value {
    match error {
        TableError::Csv { line } => problem("csv", *line, 0),
        TableError::Empty => problem("empty", 0, 0),
        TableError::NoRecordId => problem("no-record", 0, 0),
        TableError::Column { column } => problem("column", 1, *column),
        TableError::TooMany { limit: _ } => problem("too-many", 0, 0),
        TableError::Cell {
            line,
            column,
            expected: _,
        } => problem("cell", *line, *column),
    }
}

fn of_row(kind: &CredentialType, row: &RowProblem) -> Vec<Value> {
    let PrepareError::Claims(refused) = &row.error else {
        return vec![problem("record", row.number, 0)];
    };
    let named = claims_form::problems(kind, refused);
    let fields = claims_form::shown(kind, "en", &Params::default(), &named);
    let wrong = fields.iter().filter(|field| !field["problem"].is_null());
    wrong
        .map(|field| {
            let place = json!({ "field": field["label"], "code": field["problem"] });
            view::with(problem("claim", row.number, 0), place)
        })
        .collect()
}

async fn store(
    visitor: &Visitor,
    typed: &Params,
    kind: &CredentialType,
    prepared: &Prepared,
) -> Result<Batch, Failure> {
    let core = visitor.console.core.clone();
    let (author, sent) = (visitor.author(), Sent::of(visitor, typed)?);
    let batch = Batch {
        id: core.ids.next_text(),
        credential_type: kind.id.clone(),
        size: i64::try_from(prepared.len()).unwrap_or(i64::MAX),
        author: visitor.session.operator.actor(),
        created_at: core.clock.now(),
    };
    let offers: Vec<OfferId> = prepared
        .iter()
        .map(|(_, one)| one.new.offer.id.clone())
        .collect();
    let (stored, sorted) = (batch.clone(), batch::in_lock_order(prepared));
    let told = core.clone();
    core.db
        .write(async move |tx| {
            sent.first(tx).await?;
            // The log comes last, and the table refers to its offers.
            batch::store_offers(tx, &sorted).await?;
            batches::insert(tx, &stored, &offers).await?;
            batch::report(&told, tx, &author, &sorted).await?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(batch)
}

fn form(
    visitor: &Visitor,
    typed: &Params,
    problems: &[Value],
    status: StatusCode,
) -> Result<Response, Failure> {
    let chosen = query::filter(typed, "type").unwrap_or_default();
    let context = view::with(
        shared(visitor, typed, &Problems::new()),
        json!({
            "types": cards::all(visitor),
            "chosen": chosen,
            "rows": problems,
            "table": typed.get("table").unwrap_or_default(),
            "limit": MAX_ROWS,
        }),
    );
    visitor.page_with(status, "console/batch_new", context)
}

fn made(
    visitor: &Visitor,
    kind: &CredentialType,
    batch: &Batch,
    prepared: &Prepared,
) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    let rows: Vec<[String; 3]> = prepared
        .iter()
        .map(|(record, one)| {
            let links = OfferLinks::new(core, &one.new.offer, &one.reference);
            let code = one.code.clone().unwrap_or_default();
            [record.clone(), links.by_reference, code]
        })
        .collect();
    let context = json!({
        "type": { "name": kind.display.name(visitor.locale.tag()) },
        "size": batch.size,
        "rows": rows.iter().map(|[record, link, code]| json!({
            "record": record, "link": link, "code": code,
        })).collect::<Vec<_>>(),
        "download": download(&rows),
        "progress": paths::BATCH.replace("{id}", &batch.id),
    });
    visitor.page_with(StatusCode::CREATED, "console/batch_made", context)
}

/// Text that a spreadsheet takes for text, whoever wrote it: what would begin a formula has an
/// apostrophe before it.
fn inert(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

/// The result as a file. It stands in the page itself: links and codes are kept nowhere.
fn download(rows: &[[String; 3]]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory cannot fail.
    let _ = writer.write_record(["record_id", "link", "code"]);
    for row in rows {
        let _ = writer.write_record(row.iter().map(|cell| inert(cell)));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    format!("data:text/csv;base64,{}", BASE64_STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_of_the_download_is_a_formula() {
        let cell = |record: &str| {
            let row = [
                record.to_owned(),
                "https://a.example/".into(),
                "1234".into(),
            ];
            let link = download(&[row]);
            let file = link.strip_prefix("data:text/csv;base64,").unwrap();
            let bytes = BASE64_STANDARD.decode(file).unwrap();
            let mut reader = csv::Reader::from_reader(bytes.as_slice());
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!(&row[1], "https://a.example/");
            row[0].to_owned()
        };
        for bad in [
            "=HYPERLINK(\"https://evil.example\")",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
        ] {
            assert_eq!(cell(bad), format!("'{bad}"));
        }
        for good in ["42", "M-1", "ada@club.example", "'=1"] {
            assert_eq!(cell(good), good);
        }
    }
}
