//! Copies of the database of a login service, and what happens when one is put to use: whoever was
//! logged in is not, no code or token of before is good, and the applications are told.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vouchsafe_credentials::random::{self, Rng};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit::{self, Head};
use vouchsafe_service::copies::{self, CopyError};
use vouchsafe_service::db::{Db, DbError, Tx, sqlite_file};
use vouchsafe_service::keys::{KeyError, SymmetricKey};

use crate::config::{Config, ConfigError, Keys, Settings};
use crate::instance::{self, InstanceError, StateKeys};
use crate::login::end;
use crate::store::{MIGRATIONS, StoreError, instance as rows, state};
use crate::verifier::Ports;

/// Why a copy was not made or not put to use.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The configuration is refused.
    #[error("the configuration is refused")]
    Config(#[from] ConfigError),
    /// The database address cannot be read.
    #[error("the database address cannot be read")]
    Key(#[from] KeyError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// What is kept in the database cannot be read.
    #[error("the database does not open under this master secret")]
    Store(#[from] StoreError),
    /// The database is not opened.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// A file cannot be read or written.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// Another program reads the database.
    #[error("another program has the database open: end it, then `vouchsafe verifier restored`")]
    InUse,
    /// PostgreSQL has tools of its own.
    #[error(
        "PostgreSQL is copied with pg_dump and restored with pg_restore; then `vouchsafe verifier restored`"
    )]
    Postgres,
    /// The copy was edited, or is of another master secret.
    #[error(
        "the audit log of the copy was changed at event {0}, or the master secret is another one"
    )]
    Edited(i64),
}

impl From<CopyError> for RestoreError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Db(error) => Self::Db(error),
            CopyError::File { path, problem } => Self::File { path, problem },
            CopyError::Postgres => Self::Postgres,
        }
    }
}

/// What a restore did, and what is known to be lost.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The epoch that began.
    pub epoch: i64,
    /// Logins that ended: each application in one is told.
    pub ended: u64,
    /// Where the audit log of the copy ends.
    pub head: Head,
    /// When its last event happened: what was done later is lost.
    pub last_event: Option<UnixTime>,
    /// How many events are lost at least, where a later head was known.
    pub lost: Option<i64>,
    /// Names of the API keys that work: some may have been revoked since.
    pub api_keys: Vec<String>,
}

/// Copies a SQLite database into a new file while the service runs. The audit log knows, and the
/// end of it in the copy is returned.
pub async fn backup(config: &Config, ports: &Ports, output: &Path) -> Result<Head, RestoreError> {
    let now = ports.clock.now();
    let db = instance::open_own(config, now).await?;
    copies::can_copy(&db, output)?;
    let key = audit_key(config, ports, &db).await?;
    let event = event(now, "verifier.backup", String::new());
    let signing = key.clone();
    db.write(async move |tx| audit::append(tx, &signing, &event).await)
        .await?;
    db.copy_to(output, rows::MARK).await?;
    db.close().await;
    let copy = Db::open(&copies::address(output)?).await?;
    let checked = audit::verify(&copy, &key, None).await;
    copy.close().await;
    checked?.map_err(|broken| RestoreError::Edited(broken.seq()))
}

/// Puts a copy in the place of the configuration's SQLite database, where there is none, and makes
/// it fit for use.
pub async fn restore(
    config: &Config,
    ports: &Ports,
    input: &Path,
    since: Option<&Head>,
) -> Result<Restored, RestoreError> {
    let target = sqlite_file(&config.database.resolve()?)?.ok_or(RestoreError::Postgres)?;
    copies::place(input, &target, rows::MARK, async |db: &Db| {
        db.migrate(&[MIGRATIONS], ports.clock.now()).await?;
        verified(db, config, ports, since).await.map(drop)
    })
    .await?;
    restored(config, ports, since).await
}

/// The key of the audit log of a database.
async fn audit_key(config: &Config, ports: &Ports, db: &Db) -> Result<SymmetricKey, RestoreError> {
    let master = Keys::parse(&config.keys)?.master;
    let vault = instance::vault(&master, Arc::clone(&ports.rng));
    Ok(StateKeys::of(db, &master, &vault).await?.audit)
}

/// Makes sure that nobody edited the audit log of a database; where that ends.
async fn verified(
    db: &Db,
    config: &Config,
    ports: &Ports,
    since: Option<&Head>,
) -> Result<Head, RestoreError> {
    let key = audit_key(config, ports, db).await?;
    // A head that is behind the end of the copy is no sign of an edit: it tells how much is lost.
    let head = audit::verify(db, &key, None).await?;
    let head = head.map_err(|broken| RestoreError::Edited(broken.seq()))?;
    let inside = since.filter(|since| since.seq <= head.seq);
    let checked = audit::verify(db, &key, inside).await?;
    checked.map_err(|broken| RestoreError::Edited(broken.seq()))?;
    Ok(head)
}

/// Makes a database that was restored by whatever means fit for use. The service does not run.
pub async fn restored(
    config: &Config,
    ports: &Ports,
    since: Option<&Head>,
) -> Result<Restored, RestoreError> {
    let settings = Settings::parse(config)?;
    let now = ports.clock.now();
    let db = instance::open_any(config, now).await?;
    let head = verified(&db, config, ports, since).await?;
    let lost = since.map(|since| (since.seq - head.seq).max(0));
    let epoch = NewEpoch::of(settings, ports, audit_key(config, ports, &db).await?);
    let begun = db
        .write_at_leisure(async move |tx| {
            let last_event = rows::last_event(tx).await?;
            let begun = epoch.begin(tx, 0, "verifier.restore").await?;
            let api_keys = rows::working_keys(tx, now).await?;
            Ok::<_, DbError>((begun, last_event, api_keys))
        })
        .await?;
    // What is in the log alone is lost with it, and a copy with a log is not opened.
    let emptied = db.empty_log().await;
    db.close().await;
    if !emptied? {
        return Err(RestoreError::InUse);
    }
    let (begun, last_event, api_keys) = begun;
    Ok(Restored {
        epoch: begun.epoch,
        ended: begun.ended,
        head,
        last_event,
        lost,
        api_keys,
    })
}

/// What begins an epoch: in one transaction, or not at all.
pub(crate) struct NewEpoch {
    settings: Settings,
    audit: SymmetricKey,
    rng: Arc<dyn Rng>,
    salt: String,
    now: UnixTime,
}

/// What the beginning of an epoch ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) epoch: i64,
    pub(crate) ended: u64,
}

impl NewEpoch {
    pub(crate) fn of(settings: Settings, ports: &Ports, audit: SymmetricKey) -> Self {
        Self {
            settings,
            audit,
            rng: Arc::clone(&ports.rng),
            salt: random::token(&*ports.rng),
            now: ports.clock.now(),
        }
    }

    /// Ends sessions, codes and tokens, and has the applications told. What is sealed in cookies and
    /// addresses ends with the salt of the epoch, because its keys are derived from it.
    pub(crate) async fn begin(
        &self,
        tx: &mut Tx,
        epoch_before: i64,
        action: &'static str,
    ) -> Result<Begun, DbError> {
        let epoch = rows::next_epoch(tx, epoch_before, &self.salt).await?;
        let ended = end::tell_all(tx, &self.settings, &*self.rng, self.now).await?;
        for table in state::of(tx).await?.ended {
            table.clear(tx).await?;
        }
        let event = event(
            self.now,
            action,
            format!("epoch {epoch}, {ended} logins ended"),
        );
        audit::append(tx, &self.audit, &event).await?;
        Ok(Begun { epoch, ended })
    }
}

pub(crate) fn event(at: UnixTime, action: &'static str, detail: String) -> audit::Event {
    audit::Event {
        at,
        actor: "command".to_owned(),
        action,
        target: "database".to_owned(),
        detail,
    }
}
