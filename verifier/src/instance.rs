//! The database of an instance: under which keys its state stands, which epoch it is in, and that it
//! is no copy that was not made fit for use.

use std::sync::Arc;

use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::copies::Epoch;
use vouchsafe_service::db::{Db, DbError, Table, Tx, without_log};
use vouchsafe_service::keys::{KeyError, MasterSecret, Purpose, SymmetricKey};
use vouchsafe_service::seal::Sealer;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::store::{MIGRATIONS, StoreError, Vault, instance as rows};

const TABLE: Table = Table("verifier_keys");

/// Why a database is not opened.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The address of the database cannot be read.
    #[error("the database address cannot be read")]
    Key(#[from] KeyError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// It is a copy.
    #[error(
        "the database is a copy of {taken_at}: codes, tokens and sessions of that time would live again. \
         `vouchsafe verifier restored` ends them"
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
}

/// Opens the database of a configuration and brings it up to date; asks for nothing else.
pub(crate) async fn open_any(config: &Config, now: UnixTime) -> Result<Db, InstanceError> {
    let url = config.database.resolve()?;
    if let Some(copy) = without_log(&url, rows::TAKEN_AT).await? {
        return Err(InstanceError::ForeignLog {
            log: copy.log.display().to_string(),
        });
    }
    let db = Db::open(&url).await?;
    db.migrate(&[MIGRATIONS], now).await?;
    Ok(db)
}

/// Opens the database of a configuration, unless it is a copy.
pub(crate) async fn open_own(config: &Config, now: UnixTime) -> Result<Db, InstanceError> {
    let db = open_any(config, now).await?;
    match no_copy(&db).await {
        Ok(()) => Ok(db),
        Err(error) => {
            db.close().await;
            Err(error)
        }
    }
}

async fn no_copy(db: &Db) -> Result<(), InstanceError> {
    match rows::read(db).await?.snapshot_at {
        None => Ok(()),
        Some(at) => Err(InstanceError::Copy {
            taken_at: jiff::Timestamp::from_second(at)
                .map_or_else(|_| at.to_string(), |at| at.to_string()),
        }),
    }
}

/// Which epoch the database is in.
pub(crate) async fn epoch(db: &Db) -> Result<Epoch, DbError> {
    Ok(Epoch::of(rows::read(db).await?.salt))
}

/// The sealed columns of an instance.
pub(crate) fn vault(master: &MasterSecret, rng: Arc<dyn Rng>) -> Vault {
    Vault::new(
        Sealer::new(master.derive(Purpose::Sealing).child("verifier")),
        rng,
    )
}

/// Keys that state depends on for as long as it lives: with another one every `sub` would be another
/// one, no card would find its account, and the audit log would look edited. They follow from the
/// master secret of the instance that began the state, and are taken along with it.
#[derive(Clone, Debug)]
pub(crate) struct StateKeys {
    /// Makes every `sub`.
    pub(crate) pairwise: SymmetricKey,
    /// Finds the account of a card.
    pub(crate) binding: SymmetricKey,
    /// Chains the audit log.
    pub(crate) audit: SymmetricKey,
}

impl StateKeys {
    /// Those that follow from a master secret.
    pub(crate) fn derived(master: &MasterSecret) -> Self {
        let own = |purpose| master.derive(purpose).child("verifier");
        Self {
            pairwise: own(Purpose::Pairwise),
            binding: own(Purpose::Binding),
            audit: own(Purpose::Audit),
        }
    }

    /// Those of a database: what came with an import, and otherwise what follows from the secret.
    pub(crate) async fn of(
        db: &Db,
        master: &MasterSecret,
        vault: &Vault,
    ) -> Result<Self, StoreError> {
        let mut keys = Self::derived(master);
        for (purpose, sealed) in rows::keys(db).await? {
            let place = [TABLE.0, "sealed", purpose.as_str()];
            let text = vault.open::<String>(TABLE, "sealed", &place, &sealed)?;
            let text = Zeroizing::new(text);
            let key = key_of(&text).ok_or_else(|| TABLE.invalid("sealed", "not a key"))?;
            let known = keys
                .each_mut()
                .into_iter()
                .find(|(name, _)| *name == purpose);
            let (_, place) = known.ok_or_else(|| TABLE.invalid("purpose", "not known here"))?;
            *place = key;
        }
        Ok(keys)
    }

    fn each_mut(&mut self) -> [(&'static str, &mut SymmetricKey); 3] {
        [
            ("pairwise", &mut self.pairwise),
            ("binding", &mut self.binding),
            ("audit", &mut self.audit),
        ]
    }

    /// The keys with their names.
    pub(crate) fn each(&self) -> [(&'static str, &SymmetricKey); 3] {
        [
            ("pairwise", &self.pairwise),
            ("binding", &self.binding),
            ("audit", &self.audit),
        ]
    }

    /// Keeps those that do not follow from the master secret of this instance.
    pub(crate) async fn keep(
        &self,
        tx: &mut Tx,
        master: &MasterSecret,
        vault: &Vault,
    ) -> Result<(), StoreError> {
        let own = Self::derived(master);
        for ((purpose, key), (_, derived)) in self.each().into_iter().zip(own.each()) {
            if key.expose() != derived.expose() {
                let text = text_of(key);
                let sealed = vault.seal(&[TABLE.0, "sealed", purpose], &*text)?;
                rows::put_key(tx, purpose, &sealed).await?;
            }
        }
        Ok(())
    }
}

/// A key as text.
pub(crate) fn text_of(key: &SymmetricKey) -> Zeroizing<String> {
    Zeroizing::new(b64url(key.expose()))
}

/// A key from its text.
pub(crate) fn key_of(text: &str) -> Option<SymmetricKey> {
    let bytes = Zeroizing::new(b64url_decode(text).ok()?);
    let bytes: [u8; 32] = bytes.as_slice().try_into().ok()?;
    Some(SymmetricKey::kept(bytes))
}
