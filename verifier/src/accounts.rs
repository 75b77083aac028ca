//! Accounts that the organisation knew before: brought in from a table by the organisation's own id,
//! and reached by the first card through a link or a session. Nobody is ever matched by e-mail.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord, Trim};
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oidc::subject::{SubjectKey, identifier_key};
use vouchsafe_service::db::DbError;

use crate::Verifier;
use crate::domain::ids::{Secret, SubjectId};
use crate::handlers::LINK_PATH;
use crate::store::StoreError;
use crate::store::accounts::{self, NewAccount};
use crate::store::subjects;

/// Rows that are written at once.
const ROWS: usize = 500;
/// Longest id of the organisation, in bytes.
const LONGEST: usize = 255;

/// Keyed hash of what somebody calls an account. `None`: nobody can be called that.
#[must_use]
pub(crate) fn identifier_mac(key: &SubjectKey, typed: &str) -> Option<String> {
    let typed = typed.trim();
    let fits = !typed.is_empty() && typed.len() <= LONGEST && !typed.chars().any(char::is_control);
    fits.then(|| identifier_key(key, typed))
}

/// What became of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedAccounts {
    /// Accounts that are new.
    pub new: u64,
    /// Accounts that were there before.
    pub known: u64,
    /// Rows that were left out.
    pub refused: Vec<RowError>,
}

/// A row that was left out. It names a place, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {line}: {code}")]
pub struct RowError {
    /// Number of the row; the row of names is 1.
    pub line: u64,
    /// Why: `not_csv`, `external_id_missing`, `external_id_unusable` or `locale_unknown`.
    pub code: &'static str,
}

/// Why a table is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The first row does not fit.
    #[error("the first row must name the columns: external_id, and locale if you like")]
    Columns,
    /// The database.
    #[error("the accounts were not written")]
    Store(#[from] StoreError),
    /// There is no such account.
    #[error("no account has this id: import it first")]
    Unknown,
}

impl From<DbError> for AccountsError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// Where the columns are.
struct Columns {
    external_id: usize,
    locale: Option<usize>,
}

impl Columns {
    fn of(names: &StringRecord) -> Option<Self> {
        let at = |wanted: &str| names.iter().position(|name| name == wanted);
        let known = |name: &str| ["external_id", "locale"].contains(&name);
        let distinct = names.iter().collect::<std::collections::BTreeSet<_>>();
        let fits = names.iter().all(known) && distinct.len() == names.len();
        Some(Self {
            external_id: at("external_id").filter(|_| fits)?,
            locale: at("locale"),
        })
    }
}

impl Verifier {
    /// Brings accounts in from a table (CSV, RFC 4180) while it is read. The same table a second time
    /// changes nothing; a row that does not fit is left out and named.
    pub async fn import_accounts(
        &self,
        table: impl Read,
    ) -> Result<ImportedAccounts, AccountsError> {
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(table);
        let names = reader.headers().map_err(|_| AccountsError::Columns)?;
        let columns = Columns::of(names).ok_or(AccountsError::Columns)?;
        let (mut done, mut waiting) = (ImportedAccounts::default(), Vec::new());
        let mut record = StringRecord::new();
        loop {
            let more = reader.read_record(&mut record);
            let line = record.position().map_or(0, csv::Position::line);
            match more {
                Ok(false) => break,
                Ok(true) => match self.account(&columns, &record)? {
                    Ok(new) => waiting.push(new),
                    Err(code) => done.refused.push(RowError { line, code }),
                },
                Err(error) => {
                    let line = error.position().map_or(line, csv::Position::line);
                    let code = "not_csv";
                    done.refused.push(RowError { line, code });
                    if error.is_io_error() {
                        break;
                    }
                }
            }
            if waiting.len() == ROWS {
                self.put_accounts(std::mem::take(&mut waiting), &mut done)
                    .await?;
            }
        }
        self.put_accounts(waiting, &mut done).await?;
        Ok(done)
    }

    fn account(
        &self,
        columns: &Columns,
        row: &StringRecord,
    ) -> Result<Result<NewAccount, &'static str>, StoreError> {
        let app = self.app();
        let id = row.get(columns.external_id).unwrap_or_default();
        if id.is_empty() {
            return Ok(Err("external_id_missing"));
        }
        let Some(mac) = identifier_mac(&app.binding_key, id) else {
            return Ok(Err("external_id_unusable"));
        };
        let locale = columns.locale.and_then(|at| row.get(at));
        let locale = locale.filter(|locale| !locale.is_empty());
        if locale.is_some_and(|tag| Locale::from_tag(tag).is_none()) {
            return Ok(Err("locale_unknown"));
        }
        let fresh = SubjectId::generate(app.rng.as_ref());
        Ok(Ok(NewAccount {
            external_id: accounts::seal(&app.vault, &fresh, id)?,
            identifier_mac: mac,
            locale: locale.map(str::to_owned),
            fresh,
        }))
    }

    async fn put_accounts(
        &self,
        accounts: Vec<NewAccount>,
        done: &mut ImportedAccounts,
    ) -> Result<(), DbError> {
        let (now, all) = (self.app().now(), accounts.len() as u64);
        let new = self
            .app()
            .db
            .write(async move |tx| {
                let mut new = 0;
                for account in &accounts {
                    new += u64::from(accounts::put(tx, account, now).await?);
                }
                Ok::<_, DbError>(new)
            })
            .await?;
        done.new += new;
        done.known += all - new;
        Ok(())
    }

    /// The address at which somebody adds a card to the account of this id, once. One of before is
    /// over with it.
    pub async fn invite(&self, external_id: &str, lives_s: i64) -> Result<String, AccountsError> {
        let app = self.app();
        let mac = identifier_mac(&app.binding_key, external_id).ok_or(AccountsError::Unknown)?;
        let code = Secret::random(app.rng.as_ref());
        let (digest, now) = (code.digest(), app.now());
        let found = app
            .db
            .write(async move |tx| {
                let Some(subject) = accounts::of_identifier(tx, &mac).await? else {
                    return Ok::<_, DbError>(false);
                };
                if !subjects::hold(tx, &subject).await? {
                    return Ok(false);
                }
                accounts::invite(tx, &digest, &subject, now, now.plus(lives_s)).await?;
                Ok(true)
            })
            .await?;
        if !found {
            return Err(AccountsError::Unknown);
        }
        let mut url = app.url(LINK_PATH);
        url.query_pairs_mut().append_pair("code", code.reveal());
        Ok(url.into())
    }
}
