//! A table of persons (CSV, RFC 4180) as claims of a credential type.
//!
//! The first row names the columns: `record_id`, and claims by their path with dots (`tier`,
//! `address.country`). A cell is read as the type of its claim says; an empty cell is a claim that
//! is not there.

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value};
use vouchsafe_credentials::credential_type::{ClaimKind, CredentialType};
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials::sd_jwt::PathElement;

/// The column of the organisation's own identifier.
const RECORD_ID: &str = "record_id";

/// One person.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of the row in the file; the row of names is 1.
    pub line: u64,
    /// The organisation's own identifier.
    pub record_id: String,
    /// What the credential will say.
    pub claims: Map<String, Value>,
}

/// Why a table cannot be read. Names places, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Not UTF-8, or quotes or columns that do not fit, from this row on.
    #[error("row {line} is not CSV with as many columns as the first row")]
    Csv {
        /// Number of the row.
        line: u64,
    },
    /// No row of names, or no row behind it.
    #[error("the first row names the columns, and at least one row must follow")]
    Empty,
    /// The column `record_id` is missing.
    #[error("there is no column record_id")]
    NoRecordId,
    /// A column that is no claim of the type, or that a cell cannot hold.
    #[error("column {column} is no claim of this type that a cell can hold, or occurs twice")]
    Column {
        /// Number of the column, from 1.
        column: usize,
    },
    /// More rows than one request may have.
    #[error("more than {limit} rows")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// A cell that is not what its claim needs.
    #[error("row {line}, column {column}: must be {expected}")]
    Cell {
        /// Number of the row.
        line: u64,
        /// Number of the column, from 1.
        column: usize,
        /// What should be there.
        expected: &'static str,
    },
}

/// What a column is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Record,
    Claim { path: Vec<String>, kind: ClaimKind },
}

/// Reads a table of at most `limit` rows.
pub fn read(kind: &CredentialType, bytes: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let names = reader.headers().map_err(|error| broken(&error, 1))?.clone();
    let columns = columns(kind, &names)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let line = rows.len() as u64 + 2;
        let record = record.map_err(|error| broken(&error, line))?;
        if rows.len() >= limit {
            return Err(TableError::TooMany { limit });
        }
        rows.push(row(&columns, &record, line)?);
    }
    match rows.is_empty() {
        true => Err(TableError::Empty),
        false => Ok(rows),
    }
}

fn broken(error: &csv::Error, line: u64) -> TableError {
    TableError::Csv {
        line: error.position().map_or(line, |at| at.record() + 1),
    }
}

fn columns(kind: &CredentialType, names: &StringRecord) -> Result<Vec<Column>, TableError> {
    if names.iter().all(str::is_empty) {
        return Err(TableError::Empty);
    }
    let mut columns = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let wrong = TableError::Column {
            column: position + 1,
        };
        let column = column(kind, name).ok_or(wrong.clone())?;
        if columns.contains(&column) {
            return Err(wrong);
        }
        columns.push(column);
    }
    match columns.contains(&Column::Record) {
        true => Ok(columns),
        false => Err(TableError::NoRecordId),
    }
}

fn column(kind: &CredentialType, name: &str) -> Option<Column> {
    if name == RECORD_ID {
        return Some(Column::Record);
    }
    kind.claims.iter().find_map(|claim| {
        let path = keys(claim.path.elements())?;
        let holds = !matches!(claim.kind, ClaimKind::Object | ClaimKind::Array);
        (holds && path.join(".") == name).then_some(Column::Claim {
            path,
            kind: claim.kind,
        })
    })
}

/// The path as names, if it leads through objects alone.
pub fn keys(path: &[PathElement]) -> Option<Vec<String>> {
    path.iter()
        .map(|element| match element {
            PathElement::Key(key) => Some(key.clone()),
            PathElement::Index(_) | PathElement::Any => None,
        })
        .collect()
}

fn row(columns: &[Column], record: &StringRecord, line: u64) -> Result<Row, TableError> {
    let (mut record_id, mut claims) = (String::new(), Map::new());
    for (position, (column, cell)) in columns.iter().zip(record).enumerate() {
        match column {
            Column::Record => record_id = cell.to_owned(),
            Column::Claim { .. } if cell.is_empty() => {}
            Column::Claim { path, kind } => {
                let value = value(*kind, cell).map_err(|expected| TableError::Cell {
                    line,
                    column: position + 1,
                    expected,
                })?;
                put(&mut claims, path, value);
            }
        }
    }
    Ok(Row {
        line,
        record_id,
        claims,
    })
}

/// A cell as the value that its claim needs, or what it should have been.
pub fn value(kind: ClaimKind, cell: &str) -> Result<Value, &'static str> {
    match kind {
        ClaimKind::String
        | ClaimKind::Date
        | ClaimKind::Country
        | ClaimKind::Bytes
        | ClaimKind::Picture => Ok(Value::String(cell.to_owned())),
        ClaimKind::Boolean => match cell.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("true or false"),
        },
        ClaimKind::Integer => cell
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| "a whole number"),
        ClaimKind::Number => match parse_strict(cell.as_bytes()) {
            Ok(number @ Value::Number(_)) => Ok(number),
            Ok(_) | Err(_) => Err("a number"),
        },
        // No column is made for these.
        ClaimKind::Object | ClaimKind::Array => Err("no cell"),
    }
}

/// Puts a value where its path leads.
pub fn put(claims: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        claims.insert(first.clone(), value);
        return;
    }
    let inner = claims
        .entry(first.clone())
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind() -> CredentialType {
        let claims = [
            ("[\"name\"]", "string"),
            ("[\"age\"]", "integer"),
            ("[\"height\"]", "number"),
            ("[\"adult\"]", "boolean"),
            ("[\"born\"]", "date"),
            ("[\"home\"]", "object"),
            ("[\"home\", \"country\"]", "string"),
            ("[\"tags\"]", "array"),
            ("[\"tags\", \"[]\"]", "string"),
        ];
        let claims: String = claims
            .iter()
            .map(|(path, kind)| {
                format!(
                    "[[claim]]\npath = {path}\ntype = \"{kind}\"\nsd = \"always\"\n\
                     required = false\ndisplay = {{ en = \"x\" }}\n"
                )
            })
            .collect();
        CredentialType::from_toml(&format!(
            "id = \"t\"\nvct = \"urn:example:t\"\nformat = \"dc+sd-jwt\"\nvalidity_days = 1\n\
             status = true\nkey_binding = true\n[display.en]\nname = \"T\"\n{claims}"
        ))
        .unwrap()
    }

    fn of(text: &str) -> Result<Vec<Row>, TableError> {
        read(&kind(), text.as_bytes(), 3)
    }

    #[test]
    fn cells_are_what_the_type_says() {
        let text = "\u{feff}record_id,name,age,height,adult,born,home.country\r\n\
            1,\"Ada, \"\"the first\"\"\",36,1.62,TRUE,1815-12-10,GB\r\n2,007,,,,,\r\n";
        let rows = of(text).unwrap();
        assert_eq!((rows[0].line, rows[1].line), (2, 3));
        assert_eq!(
            Value::from(rows[0].claims.clone()),
            json!({
                "name": "Ada, \"the first\"", "age": 36, "height": 1.62, "adult": true,
                "born": "1815-12-10", "home": { "country": "GB" },
            })
        );
        assert_eq!(rows[1].record_id, "2");
        assert_eq!(
            Value::from(rows[1].claims.clone()),
            json!({ "name": "007" })
        );
    }

    #[test]
    fn places_are_named_and_values_are_not() {
        let cell = |line, column, expected| TableError::Cell {
            line,
            column,
            expected,
        };
        for (text, error) in [
            ("", TableError::Empty),
            ("record_id,name\n", TableError::Empty),
            ("name\nAda", TableError::NoRecordId),
            ("record_id,shoe\n1,44", TableError::Column { column: 2 }),
            (
                "record_id,name,name\n1,a,b",
                TableError::Column { column: 3 },
            ),
            ("record_id,record_id\n1,2", TableError::Column { column: 2 }),
            ("record_id,home\n1,x", TableError::Column { column: 2 }),
            ("record_id,tags.[]\n1,x", TableError::Column { column: 2 }),
            ("record_id,\n1,x", TableError::Column { column: 2 }),
            ("record_id,name\n1,a\n2", TableError::Csv { line: 3 }),
            ("record_id,name\n1,a,b", TableError::Csv { line: 2 }),
            ("record_id,age\n1,a", cell(2, 2, "a whole number")),
            ("record_id,age\n1,1.5", cell(2, 2, "a whole number")),
            ("record_id,height\n1,NaN", cell(2, 2, "a number")),
            ("record_id,height\n1,\"[1]\"", cell(2, 2, "a number")),
            ("record_id,adult\n1,yes", cell(2, 2, "true or false")),
            ("record_id\n1\n2\n3\n4", TableError::TooMany { limit: 3 }),
        ] {
            assert_eq!(of(text), Err(error), "{text}");
        }
        assert!(matches!(
            read(&kind(), b"record_id,name\n1,\xff", 3),
            Err(TableError::Csv { line: 2 })
        ));
        assert_eq!(of("record_id\n1\n2\n3").unwrap().len(), 3);
    }
}
