//! Reading an export: first as a whole, then into an empty database.

use std::path::Path;

use vouchsafe_service::audit::{self, Head};
use vouchsafe_service::db::{Db, Tx};
use vouchsafe_service::portable::{ExportReader, write_private};
use zeroize::Zeroizing;

use super::PortableError;
use super::manifest::{MEMBER, Manifest, VERSION, master_id, schema};
use crate::config::Config;
use crate::instance::{self, audit_key};
use crate::ports::Ports;
use crate::restore::{NewEpoch, StoppedJob};
use crate::store::state;

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
    let (_, mut reader) = open(input, passphrase)?;
    while let Some((_, rows)) = reader.rows(&kept)? {
        counted += rows.len() as u64;
    }
    instance::own(db, config).await?;
    let key = audit_key(config)?;
    let epoch = NewEpoch::of(config, ports, key.clone());
    let (input, passphrase) = (input.to_owned(), Zeroizing::new(passphrase.to_owned()));
    let (begun, head) = db
        .write_at_leisure(async move |tx| {
            let (_, mut reader) = open(&input, &passphrase)?;
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
    let (manifest, _) = open(input, passphrase)?;
    let keys = manifest.keys.ok_or(PortableError::NoKeys)?;
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
        let written = write_private(&path, key.text.as_bytes());
        written.map_err(|error| PortableError::path(&path, error))?;
    }
    Ok(keys.iter().map(|key| key.name.clone()).collect())
}

/// Reads the whole file: that it is whole, of this issuer and of this version.
fn check(config: &Config, input: &Path, passphrase: &str) -> Result<Manifest, PortableError> {
    let (manifest, mut reader) = open(input, passphrase)?;
    reader.to_the_end()?;
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

fn open(input: &Path, passphrase: &str) -> Result<(Manifest, ExportReader), PortableError> {
    Ok(ExportReader::open(input, passphrase, MEMBER, VERSION)?)
}
