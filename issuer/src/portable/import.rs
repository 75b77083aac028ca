//! Reading an export: first as a whole, then into an empty database.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use serde_json::Value;
use vouchsafe_service::audit::{self, Head};
use vouchsafe_service::db::tables::{Cell, Shape};
use vouchsafe_service::db::{Db, Tx};
use vouchsafe_service::sealed_file::SealedReader;
use zeroize::Zeroizing;

use super::PortableError;
use super::manifest::{End, Heading, Manifest, VERSION, master_id, row_of, schema};
use crate::config::Config;
use crate::instance::{self, audit_key};
use crate::ports::Ports;
use crate::restore::{NewEpoch, StoppedJob};
use crate::store::state;

/// Rows that are written at once.
const PAGE: usize = 500;

/// What was imported.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Rows of all tables.
    pub rows: u64,
    /// The epoch that began.
    pub epoch: i64,
    /// Jobs that were not finished: they are cancelled.
    pub jobs: Vec<StoppedJob>,
    /// Where the audit log of the export ends.
    pub head: Head,
}

/// Puts an export into the empty database of a configuration: all of it, or nothing. A file that
/// is cut off, changed or foreign is refused before anything is written.
pub async fn import(
    config: &Config,
    ports: &Ports,
    input: &Path,
    passphrase: &str,
) -> Result<Imported, PortableError> {
    let manifest = check(config, input, passphrase)?;
    let db = instance::open_any(config, ports.clock.now()).await?;
    let filled = fill(&db, config, ports, manifest.epoch, input, passphrase).await;
    db.close().await;
    filled
}

/// All rows, or none.
async fn fill(
    db: &Db,
    config: &Config,
    ports: &Ports,
    epoch_before: i64,
    input: &Path,
    passphrase: &str,
) -> Result<Imported, PortableError> {
    let state = db.at_one_moment(state::of).await?;
    let (kept, empty) = (state.kept.clone(), state.kept);
    db.at_one_moment(async |tx: &mut Tx| {
        for table in &empty {
            if !table.is_empty(tx).await? {
                return Err(PortableError::NotEmpty(table.table.clone()));
            }
        }
        Ok(())
    })
    .await?;
    // The whole file once more, for nothing: that every row fits is known before the first is written.
    let mut counted = 0;
    let mut reader = open(input, passphrase)?;
    while let Some((_, rows)) = reader.rows(&kept)? {
        counted += rows.len() as u64;
    }
    instance::own(db, config).await?;
    let key = audit_key(config)?;
    let epoch = NewEpoch::of(config, ports, key.clone());
    let (input, passphrase) = (input.to_owned(), Zeroizing::new(passphrase.to_owned()));
    let (begun, head) = db
        .write_at_leisure(async move |tx| {
            let mut reader = open(&input, &passphrase)?;
            while let Some((table, rows)) = reader.rows(&kept)? {
                kept[table].insert(tx, &rows).await?;
            }
            let head = audit::verify_in(tx, &key, None).await?;
            let head = head.map_err(|broken| PortableError::Edited(broken.seq()))?;
            let begun = epoch.begin(tx, epoch_before, "issuer.import").await?;
            Ok::<_, PortableError>((begun, head))
        })
        .await?;
    Ok(Imported {
        rows: counted,
        epoch: begun.epoch,
        jobs: begun.jobs,
        head,
    })
}

/// Writes the keys of an export as new files of a folder, which only their owner reads; their names.
pub fn write_keys(
    input: &Path,
    passphrase: &str,
    folder: &Path,
) -> Result<Vec<String>, PortableError> {
    let reader = open(input, passphrase)?;
    let keys = reader.manifest.keys.ok_or(PortableError::NoKeys)?;
    let plain = |name: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        !name.starts_with('.') && name.bytes().all(fits)
    };
    // Catalogue 409: a name leads nowhere else.
    if !keys.iter().all(|key| plain(&key.name)) {
        return Err(PortableError::Content("a key has a name that is none"));
    }
    std::fs::create_dir_all(folder).map_err(|error| PortableError::path(folder, error))?;
    for key in &keys {
        let path = folder.join(&key.name);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&path).and_then(|mut file| {
            file.write_all(key.text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| PortableError::path(&path, error))?;
    }
    Ok(keys.iter().map(|key| key.name.clone()).collect())
}

/// Reads the whole file: that it is whole, of this issuer and of this version.
fn check(config: &Config, input: &Path, passphrase: &str) -> Result<Manifest, PortableError> {
    let mut reader = open(input, passphrase)?;
    while reader.file.line()?.is_some() {}
    let manifest = reader.manifest;
    if manifest.schema != schema() {
        return Err(PortableError::Schema);
    }
    let here = config.http.public_url.as_str();
    if manifest.url != here {
        return Err(PortableError::OtherIssuer {
            owner: manifest.url,
            here: here.to_owned(),
        });
    }
    if manifest.master != master_id(&config.keys.master()?) {
        return Err(PortableError::OtherSecret);
    }
    Ok(manifest)
}

fn open(input: &Path, passphrase: &str) -> Result<Reader, PortableError> {
    let file = File::open(input).map_err(|error| PortableError::path(input, error))?;
    let mut file = SealedReader::open(BufReader::new(file), passphrase)?;
    let first = file.line()?.ok_or(PortableError::Content("it is empty"))?;
    let manifest: Manifest = serde_json::from_slice(&first)?;
    if manifest.vouchsafe_issuer_export != VERSION {
        return Err(PortableError::Content("it is of another version"));
    }
    Ok(Reader {
        file,
        manifest,
        table: None,
        waiting: Vec::new(),
        count: 0,
        ended: false,
    })
}

/// Reads rows, some of one table at a time.
struct Reader {
    file: SealedReader<BufReader<File>>,
    manifest: Manifest,
    table: Option<usize>,
    waiting: Vec<Vec<Cell>>,
    count: u64,
    ended: bool,
}

/// Rows of a table, by its place among the tables.
type Rows = (usize, Vec<Vec<Cell>>);

impl Reader {
    /// The next rows. `None`: that was all, and their number is right.
    fn rows(&mut self, tables: &[Shape]) -> Result<Option<Rows>, PortableError> {
        loop {
            if self.waiting.len() >= PAGE {
                return Ok(self.taken());
            }
            let Some(line) = self.file.line()? else {
                return match (self.ended, self.taken()) {
                    (true, rows) => Ok(rows),
                    (false, _) => Err(PortableError::Content("it has no end")),
                };
            };
            if self.ended {
                return Err(PortableError::Content("it goes on behind its end"));
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
    fn line(&mut self, line: Value, tables: &[Shape]) -> Result<Option<Rows>, PortableError> {
        if let Value::Array(row) = line {
            const NOWHERE: PortableError = PortableError::Content("a row belongs to no table");
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
            let unknown = PortableError::Content("a table is not one of this version");
            self.table = Some(known.ok_or(unknown)?);
        } else {
            let End { rows } = serde_json::from_value(line)?;
            if rows != self.count {
                return Err(PortableError::Content("rows are missing"));
            }
            self.ended = true;
        }
        Ok(rows)
    }
}
