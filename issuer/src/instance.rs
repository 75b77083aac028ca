//! Whose database is opened: an issuer opens its own and no other one's, and no copy that was not
//! made fit for use.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit;
use vouchsafe_service::config::ConfigError;
use vouchsafe_service::copies::Epoch;
use vouchsafe_service::db::{Db, DbError, without_log};
use vouchsafe_service::keys::{KeyError, Purpose, SymmetricKey};

use crate::config::Config;
use crate::ports::Ports;
use crate::store::{self, instance};

/// Why a database is not this issuer's to use.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The configuration is wrong.
    #[error("the configuration is wrong")]
    Config(#[from] ConfigError),
    /// A key is missing or unsafe.
    #[error("a key is missing or unsafe")]
    Key(#[from] KeyError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// It belongs to another issuer.
    #[error(
        "the database belongs to the issuer {owner}. If that is this issuer under its address of before, \
         `vouchsafe issuer move --to {here}` says so"
    )]
    OtherIssuer {
        /// The address in the database.
        owner: String,
        /// The address in the configuration.
        here: String,
    },
    /// Its audit log was begun under another master secret.
    #[error(
        "the audit log of the database was begun under another master secret: the database is another \
         issuer's, or the secret is not the right one"
    )]
    OtherSecret,
    /// It is a copy.
    #[error(
        "the database is a copy of {taken_at}: codes and tokens of that time would live again. \
         `vouchsafe issuer restored` ends them"
    )]
    Copy {
        /// When it was taken.
        taken_at: String,
    },
    /// A log lies beside a copy, of another database most likely.
    #[error(
        "the database is a copy, and {log} lies beside it: what that holds would be written into the copy. \
         Move it away"
    )]
    ForeignLog {
        /// The log.
        log: String,
    },
    /// What was said and what is configured differ.
    #[error("the configuration says that the address is {here}; change `http.public_url` first")]
    NotConfigured {
        /// The address in the configuration.
        here: String,
    },
}

/// Opens the database of a configuration and brings it up to date; asks for nothing else.
pub(crate) async fn open_any(config: &Config, now: UnixTime) -> Result<Db, InstanceError> {
    let url = config.database.resolve()?;
    no_log_beside_a_copy(&url).await?;
    let db = Db::open(&url).await?;
    db.migrate(&[store::MIGRATIONS], now).await?;
    Ok(db)
}

/// Makes sure that what is opened is what was put there. A copy is made fit for use with its log
/// empty: one that is marked in its file and has a log was put beside what was left of another
/// database. To be asked before the database is opened by whoever.
pub async fn no_log_beside_a_copy(url: &str) -> Result<(), InstanceError> {
    match without_log(url, instance::TAKEN_AT).await? {
        None => Ok(()),
        Some(copy) => Err(InstanceError::ForeignLog {
            log: copy.log.display().to_string(),
        }),
    }
}

/// Opens the database of a configuration. One that has no owner has one from now on.
pub(crate) async fn open_own(config: &Config, now: UnixTime) -> Result<Db, InstanceError> {
    let db = open_any(config, now).await?;
    let checked = own_and_no_copy(&db, config).await;
    if checked.is_err() {
        db.close().await;
    }
    checked.map(|()| db)
}

async fn own_and_no_copy(db: &Db, config: &Config) -> Result<(), InstanceError> {
    own(db, config).await?;
    match instance::read(db).await?.snapshot_at {
        None => Ok(()),
        Some(at) => Err(InstanceError::Copy {
            taken_at: jiff::Timestamp::from_second(at.0)
                .map_or_else(|_| at.0.to_string(), |at| at.to_string()),
        }),
    }
}

/// Makes sure that the database belongs to this address. One without an owner is taken, unless its
/// audit log was begun under another secret.
pub(crate) async fn own(db: &Db, config: &Config) -> Result<(), InstanceError> {
    if of_no_other(db, config).await? {
        return Ok(());
    }
    begun_under(db, config).await?;
    let url = config.http.public_url.as_str().to_owned();
    db.write(async move |tx| instance::claim(tx, &url).await)
        .await?;
    of_no_other(db, config).await.map(drop)
}

/// Makes sure that the database does not belong to another address. False: to none.
pub(crate) async fn of_no_other(db: &Db, config: &Config) -> Result<bool, InstanceError> {
    let here = config.http.public_url.as_str();
    match instance::read(db).await?.url {
        None => Ok(false),
        Some(owner) if owner == here => Ok(true),
        Some(owner) => Err(InstanceError::OtherIssuer {
            owner,
            here: here.to_owned(),
        }),
    }
}

/// Makes sure that the audit log was begun under this master secret, or not yet: an address is a
/// setting, and two databases are swapped in a moment. A later change of the log is no question of
/// whose it is; `vouchsafe issuer audit verify` answers that.
async fn begun_under(db: &Db, config: &Config) -> Result<(), InstanceError> {
    match audit::verify(db, &audit_key(config)?, None).await? {
        Err(broken) if broken.seq() == 1 => Err(InstanceError::OtherSecret),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The key of the audit log.
pub(crate) fn audit_key(config: &Config) -> Result<SymmetricKey, KeyError> {
    Ok(config.keys.master()?.derive(Purpose::Audit).child("issuer"))
}

/// Which epoch the database is in.
pub(crate) async fn epoch(db: &Db) -> Result<Epoch, DbError> {
    Ok(Epoch::of(instance::read(db).await?.salt))
}

/// Says that the issuer has moved to the address that its configuration has now; the address of
/// before. What was issued before names that one: it must go on answering.
pub async fn move_to(config: &Config, ports: &Ports, to: &str) -> Result<String, InstanceError> {
    let here = config.http.public_url.as_str();
    if to.trim_end_matches('/') != here {
        return Err(InstanceError::NotConfigured {
            here: here.to_owned(),
        });
    }
    let now = ports.clock.now();
    let db = open_any(config, now).await?;
    let before = instance::read(&db).await?.url;
    let Some(before) = before.filter(|before| before != here) else {
        own(&db, config).await?;
        db.close().await;
        return Ok(here.to_owned());
    };
    begun_under(&db, config).await?;
    let key = audit_key(config)?;
    let (from, to) = (before.clone(), here.to_owned());
    db.write(async move |tx| {
        if instance::hand_over(tx, &from, &to).await? {
            let event = audit::Event {
                at: now,
                actor: "command".to_owned(),
                action: "issuer.move",
                target: to.clone(),
                detail: from.clone(),
            };
            audit::append(tx, &key, &event).await?;
        }
        Ok::<_, DbError>(())
    })
    .await?;
    own(&db, config).await?;
    db.close().await;
    Ok(before)
}
