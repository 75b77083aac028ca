//! Reading an export: first as a whole, then into an empty database.

use std::path::Path;
use std::sync::Arc;

use vouchsafe_service::audit::{self, Head};
use vouchsafe_service::db::{Db, Tx};
use vouchsafe_service::portable::{ExportError, ExportReader};
use zeroize::Zeroizing;

use super::PortableError;
use super::manifest::{MEMBER, Manifest, VERSION, schema, sectors};
use crate::config::{Config, Keys, Settings};
use crate::instance;
use crate::restore::NewEpoch;
use crate::store::state::{self, State};
use crate::store::{instance as rows, state::sealed};
use crate::verifier::Ports;

/// What was imported.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Rows of all tables.
    pub rows: u64,
    /// The epoch that began.
    pub epoch: i64,
    /// Logins that were left behind: each application in one is told that it is over.
    pub ended: u64,
    /// Where the audit log of the export ends.
    pub head: Head,
    /// Applications of the other configuration that this one does not have.
    pub missing: Vec<String>,
}

/// Puts an export into the empty database of a configuration: all of it, or nothing. A file that
/// is cut off, changed or foreign is refused before anything is written.
pub async fn import(
    config: &Config,
    ports: &Ports,
    input: &Path,
    passphrase: &str,
) -> Result<Imported, PortableError> {
    let settings = Settings::parse(config)?;
    let manifest = check(&settings, input, passphrase)?;
    let here = sectors(&settings);
    let missing = manifest.sectors.keys().filter(|id| !here.contains_key(*id));
    let missing = missing.cloned().collect();
    let db = instance::open_any(config, ports.clock.now()).await?;
    let filled = fill(&db, config, settings, ports, (manifest, input, passphrase)).await;
    db.close().await;
    let (rows, begun, head) = filled?;
    Ok(Imported {
        rows,
        epoch: begun.epoch,
        ended: begun.ended,
        head,
        missing,
    })
}

/// All rows, or none.
async fn fill(
    db: &Db,
    config: &Config,
    settings: Settings,
    ports: &Ports,
    (manifest, input, passphrase): (Manifest, &Path, &str),
) -> Result<(u64, crate::restore::Begun, Head), PortableError> {
    let State { kept, ended } = db.at_one_moment(state::of).await?;
    // The whole file once more, for nothing: that every row fits is known before the first is written.
    let mut counted = 0;
    let (_, mut reader) = open(input, passphrase)?;
    while let Some((_, rows)) = reader.rows(&kept)? {
        counted += rows.len() as u64;
    }
    let master = Keys::parse(&config.keys)?.master;
    let vault = instance::vault(&master, Arc::clone(&ports.rng));
    let keys = manifest.keys.keys()?;
    let epoch = NewEpoch::of(settings, ports, keys.audit.clone());
    let (input, passphrase) = (input.to_owned(), Zeroizing::new(passphrase.to_owned()));
    let (begun, head) = db
        .write_at_leisure(async move |tx| {
            empty(tx, kept.iter().chain(&ended)).await?;
            let (_, mut reader) = open(&input, &passphrase)?;
            while let Some((table, mut rows)) = reader.rows(&kept)? {
                for row in &mut rows {
                    sealed(&vault, &kept[table], row)?;
                }
                kept[table].insert(tx, &rows).await?;
            }
            let head = audit::verify_in(tx, &keys.audit, None).await?;
            let head = head.map_err(|broken| PortableError::Edited(broken.seq()))?;
            keys.keep(tx, &master, &vault).await?;
            let begun = epoch.begin(tx, manifest.epoch, "verifier.import").await?;
            Ok::<_, PortableError>((begun, head))
        })
        .await?;
    Ok((counted, begun, head))
}

/// Nothing is written over.
async fn empty<'a>(
    tx: &mut Tx,
    tables: impl Iterator<Item = &'a vouchsafe_service::db::tables::Shape>,
) -> Result<(), PortableError> {
    for table in tables {
        if !table.is_empty(tx).await? {
            return Err(PortableError::NotEmpty(table.table.clone()));
        }
    }
    match rows::has_keys(tx).await? {
        false => Ok(()),
        true => Err(PortableError::NotEmpty("verifier_keys".to_owned())),
    }
}

/// Reads the whole file: that it is whole, of this service and of this version.
fn check(settings: &Settings, input: &Path, passphrase: &str) -> Result<Manifest, PortableError> {
    let (manifest, mut reader) = open(input, passphrase)?;
    reader.to_the_end()?;
    let own = schema();
    if manifest.schema != own {
        let newer = manifest.schema.iter().any(|step| !own.contains(step));
        return Err(match newer {
            true => PortableError::Newer,
            false => PortableError::Older,
        });
    }
    if manifest.issuer != settings.issuer {
        return Err(PortableError::OtherService {
            owner: manifest.issuer,
            here: settings.issuer.clone(),
        });
    }
    for (client, now) in sectors(settings) {
        if let Some(before) = manifest
            .sectors
            .get(&client)
            .filter(|before| **before != now)
        {
            return Err(PortableError::Sector {
                before: before.clone(),
                client,
                now,
            });
        }
    }
    Ok(manifest)
}

fn open(input: &Path, passphrase: &str) -> Result<(Manifest, ExportReader), ExportError> {
    ExportReader::open(input, passphrase, MEMBER, VERSION)
}
