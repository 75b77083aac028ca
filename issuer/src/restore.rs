//! Copies of the database, and what happens when one is put to use: what was good for a while is
//! dead, status lists are published newer than any before, and no place in a list is used twice.

use std::path::{Path, PathBuf};

use vouchsafe_credentials::random;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit::{self, Head};
use vouchsafe_service::config::ConfigError;
use vouchsafe_service::copies::{self, CopyError};
use vouchsafe_service::db::{Db, DbError, Tx, sqlite_file};
use vouchsafe_service::id::Ids;
use vouchsafe_service::keys::{KeyError, SymmetricKey};

use crate::config::Config;
use crate::domain::ids::StatusListId;
use crate::domain::status_job::StatusJob;
use crate::instance::{self, InstanceError, audit_key};
use crate::ports::Ports;
use crate::store::{self, instance as rows, state, status_jobs, status_lists};

/// Run in a copy: it is not opened before it was made fit for use.
const MARK: &str =
    "UPDATE issuer_instance SET snapshot_at = COALESCE(snapshot_at, CAST(strftime('%s', 'now') AS BIGINT))
     WHERE id = 1";

/// Why a copy was not made or not put to use.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The configuration is wrong.
    #[error("the configuration is wrong")]
    Config(#[from] ConfigError),
    /// A key is missing or unsafe.
    #[error("a key is missing or unsafe")]
    Key(#[from] KeyError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The database is not this issuer's.
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
    #[error("another program has the database open: end it, then `vouchsafe issuer restored`")]
    InUse,
    /// PostgreSQL has tools of its own.
    #[error(
        "PostgreSQL is copied with pg_dump and restored with pg_restore; then `vouchsafe issuer restored`"
    )]
    Postgres,
    /// The copy was edited.
    #[error("the audit log of the copy was changed at event {0}")]
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
    /// Where the audit log of the copy ends.
    pub head: Head,
    /// When its last event happened: what was done later is lost.
    pub last_event: Option<UnixTime>,
    /// How many events are lost at least, where a later head was known.
    pub lost: Option<i64>,
    /// Offers that were closed.
    pub offers: u64,
    /// Status lists that are published anew.
    pub lists: u64,
    /// Status lists of the VC API that go on in a new one.
    pub vc_lists: u64,
    /// Jobs that were not finished: they are cancelled.
    pub jobs: Vec<StoppedJob>,
    /// Names of the API keys and clients that work: some may have been revoked since.
    pub api_keys: Vec<String>,
    /// Names of the operators who may sign in, likewise.
    pub operators: Vec<String>,
}

/// A change of many credentials that was not finished when the copy was taken. It does not go on by
/// itself: it may have been cancelled since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedJob {
    /// Its id.
    pub id: String,
    /// `revoke`, `suspend` or `resume`.
    pub action: &'static str,
    /// How many credentials it had changed.
    pub done: i64,
    /// How many it was to change.
    pub total: i64,
}

/// Copies a SQLite database into a new file while the service runs. The audit log knows, and the
/// end of it in the copy is returned.
pub async fn backup(config: &Config, ports: &Ports, output: &Path) -> Result<Head, RestoreError> {
    let now = ports.clock.now();
    let db = instance::open_own(config, now).await?;
    copies::can_copy(&db, output)?;
    let key = audit_key(config)?;
    let event = event(now, "issuer.backup", String::new());
    let signing = key.clone();
    db.write(async move |tx| audit::append(tx, &signing, &event).await)
        .await?;
    db.copy_to(output, MARK).await?;
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
    copies::place(input, &target, MARK, async |db: &Db| {
        db.migrate(&[store::MIGRATIONS], ports.clock.now()).await?;
        verified(db, config, since).await?;
        Ok::<_, RestoreError>(())
    })
    .await?;
    restored(config, ports, since).await
}

/// Makes sure that a database is this issuer's and that nobody edited its audit log; where that ends.
async fn verified(db: &Db, config: &Config, since: Option<&Head>) -> Result<Head, RestoreError> {
    instance::of_no_other(db, config).await?;
    let key = audit_key(config)?;
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
    let now = ports.clock.now();
    let db = instance::open_any(config, now).await?;
    let head = verified(&db, config, since).await?;
    instance::own(&db, config).await?;
    let lost = since.map(|since| (since.seq - head.seq).max(0));
    let epoch = NewEpoch::of(config, ports, audit_key(config)?);
    let begun = db
        .write_at_leisure(async move |tx| {
            let last_event = rows::last_event(tx).await?;
            let begun = epoch.begin(tx, 0, "issuer.restore").await?;
            let api_keys = rows::working_keys(tx, epoch.now).await?;
            let operators = rows::operators(tx).await?;
            Ok::<_, DbError>((begun, last_event, api_keys, operators))
        })
        .await?;
    // What is in the log alone is lost with it, and a copy with a log is not opened.
    let emptied = db.empty_log().await;
    db.close().await;
    if !emptied? {
        return Err(RestoreError::InUse);
    }
    let (begun, last_event, api_keys, operators) = begun;
    Ok(Restored {
        epoch: begun.epoch,
        head,
        last_event,
        lost,
        offers: begun.offers,
        lists: begun.lists,
        vc_lists: begun.vc_lists,
        jobs: begun.jobs,
        api_keys,
        operators,
    })
}

/// What begins an epoch: in one transaction, or not at all.
pub(crate) struct NewEpoch {
    audit: SymmetricKey,
    ids: Ids,
    salt: String,
    list_size: i64,
    now: UnixTime,
}

/// What the beginning of an epoch ended.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) epoch: i64,
    pub(crate) offers: u64,
    pub(crate) lists: u64,
    pub(crate) vc_lists: u64,
    pub(crate) jobs: Vec<StoppedJob>,
}

impl NewEpoch {
    pub(crate) fn of(config: &Config, ports: &Ports, audit: SymmetricKey) -> Self {
        Self {
            audit,
            ids: Ids::new(ports.clock.clone(), ports.rng.clone()),
            salt: random::token(&*ports.rng),
            list_size: i64::from(config.status.list_size),
            now: ports.clock.now(),
        }
    }

    /// Ends codes, tokens, offers and jobs, closes status lists and opens new ones. Nonces end with
    /// the salt of the epoch, because keys are derived from it.
    pub(crate) async fn begin(
        &self,
        tx: &mut Tx,
        epoch_before: i64,
        action: &'static str,
    ) -> Result<Begun, DbError> {
        let epoch = rows::next_epoch(tx, epoch_before, &self.salt).await?;
        for table in state::of(tx).await?.forgotten {
            table.clear(tx).await?;
        }
        let offers = rows::close_offers(tx, self.now).await?;
        // Whatever was published before was so before this second was over.
        let lists = rows::close_lists(tx, self.now, self.now.plus(1)).await?;
        if let Some(seq) = status_lists::last_seq(tx).await? {
            let id = StatusListId::new(self.ids.next());
            status_lists::open(tx, &id, seq + 1, self.list_size).await?;
        }
        let vc_lists = store::vc_lists::open_next(tx, &self.ids).await?;
        let jobs = status_jobs::cancel_open(tx, self.now).await?;
        let jobs: Vec<StoppedJob> = jobs.iter().map(StoppedJob::of).collect();
        let detail = match jobs.len() {
            0 => format!("epoch {epoch}"),
            stopped => format!("epoch {epoch}, {stopped} status jobs cancelled"),
        };
        let event = event(self.now, action, detail);
        audit::append(tx, &self.audit, &event).await?;
        Ok(Begun {
            epoch,
            offers,
            lists,
            vc_lists,
            jobs,
        })
    }
}

impl StoppedJob {
    fn of(job: &StatusJob) -> Self {
        Self {
            id: job.id.as_str().to_owned(),
            action: job.action.as_str(),
            done: job.done,
            total: job.total,
        }
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
