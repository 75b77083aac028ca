//! Writing an export.

use std::path::Path;

use vouchsafe_service::audit::{self, Head};
use vouchsafe_service::db::{Db, Tx};
use vouchsafe_service::portable::ExportWriter;

use super::PortableError;
use super::manifest::{KeyFile, Manifest, VERSION, master_id, schema};
use crate::config::Config;
use crate::instance::{self, audit_key};
use crate::ports::Ports;
use crate::restore::event;
use crate::store::{instance as rows, state};

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
    let mut writer = ExportWriter::create(output, passphrase, &*ports.rng, &manifest)?;
    let detail = if with_keys {
        "with keys"
    } else {
        "without keys"
    };
    let event = event(now, "issuer.export", detail.to_owned());
    let signing = key.clone();
    db.write(async move |tx| audit::append(tx, &signing, &event).await)
        .await?;
    let head = db
        .at_one_moment(async |tx: &mut Tx| {
            let head = audit::verify_in(tx, &key, None).await?;
            for table in state::of(tx).await?.kept {
                writer
                    .table(tx, &table, |_| Ok::<_, PortableError>(()))
                    .await?;
            }
            Ok::<_, PortableError>(head.ok())
        })
        .await?;
    Ok(Exported {
        rows: writer.finish()?,
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
