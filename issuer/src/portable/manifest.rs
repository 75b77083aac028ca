//! The lines of an export.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_service::db::Db;
use vouchsafe_service::db::tables::{Cell, Kind, Shape};
use vouchsafe_service::keys::{MasterSecret, Purpose};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::PortableError;
use crate::store;

/// The version of the form.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// [`VERSION`].
    pub vouchsafe_issuer_export: u32,
    /// The issuer's public address.
    pub url: String,
    /// The epoch of its database.
    pub epoch: i64,
    /// UNIX seconds.
    pub exported_at: i64,
    /// Component, number and checksum of every step of the schema.
    pub schema: Vec<(String, i64, String)>,
    /// A hash that only the same master secret gives.
    pub master: String,
    /// The keys, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<KeyFile>>,
}

/// A key, as a file; wiped from memory when dropped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    /// Its name: letters, digits, hyphens and dots.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// A line that begins a table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Heading {
    /// The table.
    pub table: String,
    /// Its columns: name and `text`, `number`, `bytes` or `truth`.
    pub columns: Vec<(String, String)>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    /// Rows of all tables.
    pub rows: u64,
}

/// The schema of this program.
pub(super) fn schema() -> Vec<(String, i64, String)> {
    Db::known_migrations(&[store::MIGRATIONS])
}

/// A hash that only the same master secret gives.
pub(super) fn master_id(master: &MasterSecret) -> String {
    let key = master.derive(Purpose::Binding).child("export");
    b64url(&Sha256::digest(key.expose()))
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Bytes => "bytes",
        Kind::Truth => "truth",
    }
}

impl Heading {
    pub(super) fn of(shape: &Shape) -> Self {
        let columns = shape.columns.iter();
        let columns = columns.map(|column| (column.name.clone(), kind(column.kind).to_owned()));
        Self {
            table: shape.table.clone(),
            columns: columns.collect(),
        }
    }
}

/// A row as a line: texts and numbers are themselves, bytes are `{"b": base64url}`.
pub(super) fn row_line(row: &[Cell]) -> Value {
    let cell = |cell: &Cell| match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Number(number) => Value::from(*number),
        Cell::Truth(truth) => Value::from(*truth),
        Cell::Bytes(bytes) => serde_json::json!({ "b": b64url(bytes) }),
    };
    row.iter().map(cell).collect()
}

/// A row of a line, which fits the table.
pub(super) fn row_of(line: &[Value], shape: &Shape) -> Result<Vec<Cell>, PortableError> {
    const UNFIT: PortableError = PortableError::Content("a row does not fit its table");
    if line.len() != shape.columns.len() {
        return Err(UNFIT);
    }
    let cells = line.iter().zip(&shape.columns).map(|(value, column)| {
        if value.is_null() {
            return Some(Cell::Null);
        }
        match column.kind {
            Kind::Text => value.as_str().map(|text| Cell::Text(text.to_owned())),
            Kind::Number => value.as_i64().map(Cell::Number),
            Kind::Truth => value.as_bool().map(Cell::Truth),
            Kind::Bytes => {
                let text = value
                    .as_object()
                    .filter(|o| o.len() == 1)?
                    .get("b")?
                    .as_str()?;
                b64url_decode(text).ok().map(Cell::Bytes)
            }
        }
    });
    cells.collect::<Option<_>>().ok_or(UNFIT)
}
