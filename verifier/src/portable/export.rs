//! Writing an export.

use std::path::Path;
use std::sync::Arc;

use vouchsafe_service::audit::{self, Head};
use vouchsafe_service::db::{Db, Tx};
use vouchsafe_service::portable::ExportWriter;

use super::PortableError;
use super::manifest::{KeyTexts, Manifest, VERSION, schema, sectors};
use crate::config::{Config, Keys, Settings};
use crate::instance::{self, StateKeys};
use crate::restore::event;
use crate::store::{instance as rows, state};
use crate::verifier::Ports;

/// What was exported.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Rows of all tables.
    pub rows: u64,
    /// Where the audit log in it ends. `None`: it was edited, and no database takes the export.
    pub head: Option<Head>,
}

/// Writes all state, as it is at one moment, into a new file under a passphrase. The audit log knows.
pub async fn export(
    config: &Config,
    ports: &Ports,
    output: &Path,
    passphrase: &str,
) -> Result<Exported, PortableError> {
    let db = instance::open_own(config, ports.clock.now()).await?;
    let written = write(&db, config, ports, output, passphrase).await;
    db.close().await;
    written
}

async fn write(
    db: &Db,
    config: &Config,
    ports: &Ports,
    output: &Path,
    passphrase: &str,
) -> Result<Exported, PortableError> {
    let now = ports.clock.now();
    let settings = Settings::parse(config)?;
    let master = Keys::parse(&config.keys)?.master;
    let vault = instance::vault(&master, Arc::clone(&ports.rng));
    let keys = StateKeys::of(db, &master, &vault).await?;
    let manifest = Manifest {
        vouchsafe_verifier_export: VERSION,
        issuer: settings.issuer.clone(),
        epoch: rows::read(db).await?.epoch,
        exported_at: now.0,
        schema: schema(),
        sectors: sectors(&settings),
        keys: KeyTexts::of(&keys),
    };
    let mut writer = ExportWriter::create(output, passphrase, &*ports.rng, &manifest)?;
    let (event, signing) = (
        event(now, "verifier.export", String::new()),
        keys.audit.clone(),
    );
    db.write(async move |tx| audit::append(tx, &signing, &event).await)
        .await?;
    let head = db
        .at_one_moment(async |tx: &mut Tx| {
            let head = audit::verify_in(tx, &keys.audit, None).await?;
            for table in state::of(tx).await?.kept {
                writer
                    .table(tx, &table, |row| {
                        state::opened(&vault, &table, row).map_err(PortableError::from)
                    })
                    .await?;
            }
            Ok::<_, PortableError>(head.ok())
        })
        .await?;
    Ok(Exported {
        rows: writer.finish()?,
        head,
    })
}
