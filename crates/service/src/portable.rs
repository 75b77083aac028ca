//! Exports: tables as lines of a file under a passphrase ([`crate::sealed_file`]), whatever service
//! they are of and whatever database they come from. `specs/export.md` describes the file.
//!
//! A service adds its first line (who it is, from which schema) and knows what its tables mean.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use crate::db::tables::{Cell, Kind, Shape};
use crate::db::{DbError, Tx};
use crate::sealed_file::{SealedFileError, SealedReader, SealedWriter};

/// Rows that are read or written at once.
const PAGE: u16 = 500;

/// Why an export was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file does not open.
    #[error(transparent)]
    File(#[from] SealedFileError),
    /// A file cannot be read or written.
    #[error("{path}: {problem}")]
    Path {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// What is in the file is not what the service exports.
    #[error("{0}")]
    Content(&'static str),
    /// A later version of the program wrote it.
    #[error("it was written by a newer version of the program")]
    Newer,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl ExportError {
    /// A file and what is wrong with it.
    pub fn path(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Path {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }

    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Path { .. } => "export_file_unusable",
            Self::Content(_) => "export_malformed",
            Self::Newer => "export_newer",
            Self::Db(_) => "database_failed",
        }
    }
}

impl From<serde_json::Error> for ExportError {
    fn from(_: serde_json::Error) -> Self {
        Self::Content("a line is not of its form")
    }
}

/// A line that begins a table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    /// The table.
    table: String,
    /// Its columns: name and `text`, `number`, `bytes` or `truth`.
    columns: Vec<(String, String)>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    /// Rows of all tables.
    rows: u64,
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
    fn of(shape: &Shape) -> Self {
        let columns = shape.columns.iter();
        let columns = columns.map(|column| (column.name.clone(), kind(column.kind).to_owned()));
        Self {
            table: shape.table.clone(),
            columns: columns.collect(),
        }
    }
}

/// A row as a line: texts and numbers are themselves, bytes are `{"b": base64url}`.
fn row_line(row: &[Cell]) -> Value {
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
fn row_of(line: &[Value], shape: &Shape) -> Result<Vec<Cell>, ExportError> {
    const UNFIT: ExportError = ExportError::Content("a row does not fit its table");
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

/// Writes an export.
#[derive(Debug)]
pub struct ExportWriter {
    file: SealedWriter<BufWriter<File>>,
    path: PathBuf,
    rows: u64,
}

impl ExportWriter {
    /// Makes a new file, which only its owner reads, with this first line.
    pub fn create(
        path: &Path,
        passphrase: &str,
        rng: &dyn Rng,
        manifest: &impl Serialize,
    ) -> Result<Self, ExportError> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(path)
            .map_err(|error| ExportError::path(path, error))?;
        let mut writer = Self {
            file: SealedWriter::begin(BufWriter::new(file), passphrase, rng)?,
            path: path.to_owned(),
            rows: 0,
        };
        writer.line(manifest)?;
        Ok(writer)
    }

    /// Writes all rows of a table, each as `change` leaves it.
    pub async fn table<E: From<ExportError>>(
        &mut self,
        tx: &mut Tx,
        table: &Shape,
        change: impl Fn(&mut [Cell]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.line(&Heading::of(table))?;
        let mut last = None;
        loop {
            let page = table.page(tx, last.as_deref(), PAGE).await;
            let page = page.map_err(ExportError::from)?;
            for row in &page {
                let mut row = row.clone();
                change(&mut row)?;
                self.line(&row_line(&row))?;
                self.rows += 1;
            }
            if page.len() < usize::from(PAGE) {
                return Ok(());
            }
            last = page.into_iter().next_back();
        }
    }

    /// Writes the end; how many rows there are. The file is on the disk then.
    pub fn finish(mut self) -> Result<u64, ExportError> {
        self.line(&End { rows: self.rows })?;
        let failed = |error: std::io::Error| ExportError::path(&self.path, error);
        let file = self.file.finish()?.into_inner();
        let file = file.map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        Ok(self.rows)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), ExportError> {
        let line = Zeroizing::new(serde_json::to_vec(value)?);
        Ok(self.file.line(&line)?)
    }
}

/// Reads rows, some of one table at a time.
pub struct ExportReader {
    file: SealedReader<BufReader<File>>,
    table: Option<usize>,
    waiting: Vec<Vec<Cell>>,
    count: u64,
    ended: bool,
}

impl std::fmt::Debug for ExportReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExportReader")
    }
}

/// Rows of a table, by its place among the tables.
pub type Rows = (usize, Vec<Vec<Cell>>);

impl ExportReader {
    /// Opens a file and reads its first line, which says its version in `member`.
    pub fn open<M: DeserializeOwned>(
        path: &Path,
        passphrase: &str,
        member: &'static str,
        version: u32,
    ) -> Result<(M, Self), ExportError> {
        let file = File::open(path).map_err(|error| ExportError::path(path, error))?;
        let mut file = SealedReader::open(BufReader::new(file), passphrase)?;
        let first = file.line()?;
        let first = first.ok_or(ExportError::Content("it is empty"))?;
        // The number before anything else: a later version may have a first line of another form.
        let said: Value = serde_json::from_slice(&first)?;
        match said.get(member).and_then(Value::as_u64) {
            Some(said) if said > u64::from(version) => return Err(ExportError::Newer),
            Some(said) if said == u64::from(version) => {}
            Some(_) => return Err(ExportError::Content("it is of another version")),
            None => return Err(ExportError::Content("it is of another kind of service")),
        }
        let reader = Self {
            file,
            table: None,
            waiting: Vec::new(),
            count: 0,
            ended: false,
        };
        Ok((serde_json::from_slice(&first)?, reader))
    }

    /// Reads all that is left: nothing is missing then, and nothing was changed.
    pub fn to_the_end(&mut self) -> Result<(), ExportError> {
        while self.file.line()?.is_some() {}
        Ok(())
    }

    /// The next rows. `None`: that was all, and their number is right.
    pub fn rows(&mut self, tables: &[Shape]) -> Result<Option<Rows>, ExportError> {
        loop {
            if self.waiting.len() >= usize::from(PAGE) {
                return Ok(self.taken());
            }
            let Some(line) = self.file.line()? else {
                return match (self.ended, self.taken()) {
                    (true, rows) => Ok(rows),
                    (false, _) => Err(ExportError::Content("it has no end")),
                };
            };
            if self.ended {
                return Err(ExportError::Content("it goes on behind its end"));
            }
            let value: Value = serde_json::from_slice(&line)?;
            let rows = self.line(value, tables)?;
            if rows.is_some() {
                return Ok(rows);
            }
        }
    }

    fn taken(&mut self) -> Option<Rows> {
        let rows = std::mem::take(&mut self.waiting);
        self.table
            .filter(|_| !rows.is_empty())
            .map(|table| (table, rows))
    }

    /// Takes a line. Rows of the table before, where another one begins.
    fn line(&mut self, line: Value, tables: &[Shape]) -> Result<Option<Rows>, ExportError> {
        if let Value::Array(row) = line {
            const NOWHERE: ExportError = ExportError::Content("a row belongs to no table");
            let shape = self.table.and_then(|table| tables.get(table));
            let row = row_of(&row, shape.ok_or(NOWHERE)?)?;
            self.waiting.push(row);
            self.count += 1;
            return Ok(None);
        }
        let rows = self.taken();
        if line.get("table").is_some() {
            let heading: Heading = serde_json::from_value(line)?;
            let known = tables.iter().position(|shape| {
                let own = Heading::of(shape);
                own.table == heading.table && own.columns == heading.columns
            });
            let unknown = ExportError::Content("a table is not one of this version");
            self.table = Some(known.ok_or(unknown)?);
        } else {
            let End { rows } = serde_json::from_value(line)?;
            if rows != self.count {
                return Err(ExportError::Content("rows are missing"));
            }
            self.ended = true;
        }
        Ok(rows)
    }
}

/// Writes text into a new file that only its owner reads.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
