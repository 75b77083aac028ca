//! Writing an export.

use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use vouchsafe_service::audit::{self, Head};
use vouchsafe_service::db::tables::Shape;
use vouchsafe_service::db::{Db, Tx};
use vouchsafe_service::sealed_file::SealedWriter;
use zeroize::Zeroizing;

use super::PortableError;
use super::manifest::{End, Heading, KeyFile, Manifest, VERSION, master_id, row_line, schema};
use crate::config::Config;
use crate::instance::{self, audit_key};
use crate::ports::Ports;
use crate::restore::event;
use crate::store::{instance as rows, state};

/// Rows that are read at once.
const PAGE: u16 = 500;

/// What was exported.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Rows of all tables.
    pub rows: u64,
    /// Whether the keys are in it.
    pub with_keys: bool,
    /// Where the audit log in it ends. `None`: it was edited, and no database takes the export.
    pub head: Option<Head>,
}

/// Writes all state, as it is at one moment, into a new file under a passphrase. The audit log knows.
pub async fn export(
    config: &Config,
    ports: &Ports,
    output: &Path,
    passphrase: &str,
    with_keys: bool,
) -> Result<Exported, PortableError> {
    let db = instance::open_own(config, ports.clock.now()).await?;
    let written = write(&db, config, ports, output, passphrase, with_keys).await;
    db.close().await;
    written
}

async fn write(
    db: &Db,
    config: &Config,
    ports: &Ports,
    output: &Path,
    passphrase: &str,
    with_keys: bool,
) -> Result<Exported, PortableError> {
    let now = ports.clock.now();
    let key = audit_key(config)?;
    let keys = match with_keys {
        true => Some(key_files(config)?),
        false => None,
    };
    let manifest = Manifest {
        vouchsafe_issuer_export: VERSION,
        url: config.http.public_url.as_str().to_owned(),
        epoch: rows::read(db).await?.epoch,
        exported_at: now.0,
        schema: schema(),
        master: master_id(&config.keys.master()?),
        keys,
    };
    let failed = |error: std::io::Error| PortableError::path(output, error);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(output).map_err(failed)?;
    let detail = if with_keys {
        "with keys"
    } else {
        "without keys"
    };
    let event = event(now, "issuer.export", detail.to_owned());
    let signing = key.clone();
    db.write(async move |tx| audit::append(tx, &signing, &event).await)
        .await?;
    let mut writer = SealedWriter::begin(BufWriter::new(file), passphrase, &*ports.rng)?;
    let (rows, head) = db
        .at_one_moment(async |tx: &mut Tx| {
            let head = audit::verify_in(tx, &key, None).await?;
            line(&mut writer, &manifest)?;
            let mut rows = 0;
            for table in state::of(tx).await?.kept {
                rows += write_table(&mut writer, tx, &table).await?;
            }
            line(&mut writer, &End { rows })?;
            Ok::<_, PortableError>((rows, head.ok()))
        })
        .await?;
    let file = writer.finish()?.into_inner();
    let file = file.map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(Exported {
        rows,
        with_keys,
        head,
    })
}

fn key_files(config: &Config) -> Result<Vec<KeyFile>, PortableError> {
    let files = config.key_files()?.into_iter();
    let files = files.map(|(name, text)| KeyFile {
        name,
        text: text.to_string(),
    });
    Ok(files.collect())
}

async fn write_table<W: Write>(
    writer: &mut SealedWriter<W>,
    tx: &mut Tx,
    table: &Shape,
) -> Result<u64, PortableError> {
    line(writer, &Heading::of(table))?;
    let mut count = 0;
    let mut last = None;
    loop {
        let page = table.page(tx, last.as_deref(), PAGE).await?;
        for row in &page {
            line(writer, &row_line(row))?;
            count += 1;
        }
        if page.len() < usize::from(PAGE) {
            return Ok(count);
        }
        last = page.into_iter().next_back();
    }
}

fn line<W: Write>(
    writer: &mut SealedWriter<W>,
    value: &impl Serialize,
) -> Result<(), PortableError> {
    let line = Zeroizing::new(serde_json::to_vec(value)?);
    Ok(writer.line(&line)?)
}
