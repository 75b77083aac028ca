//! `login_transactions`: one row per login. The body is sealed together with the row's id and
//! state, so that a body cannot be moved to another login or another state.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use super::failures::{self, LoginFailure};
use super::risk::{self, failures::Refused};
use super::{StoreError, Vault};
use crate::domain::ids::TransactionId;
use crate::domain::reason::Failure;
use crate::domain::transaction::{
    Answer, Answered, Failed, Finished, Login, NUMBER_TRIES, Pending, Transaction,
};

const TABLE: Table = Table("login_transactions");

#[derive(Serialize, Deserialize)]
struct Body {
    login: Login,
    answer: Option<Answer>,
    failure: Option<Failure>,
}

#[derive(sqlx::FromRow)]
struct TransactionRow {
    id: String,
    state: String,
    tries_left: i64,
    body: Vec<u8>,
}

/// A transaction whose body is sealed and which can be written.
#[derive(Debug)]
pub struct Sealed {
    id: String,
    browser_hash: String,
    client_id: String,
    state: &'static str,
    /// The turn of the run that it was read at, and the one that it is written with.
    turns: (i64, i64),
    journey: Option<String>,
    failed: Option<LoginFailure>,
    refused: Option<Refused>,
    body: Vec<u8>,
    expires_at: UnixTime,
}

impl Sealed {
    /// Whether a journey leads the login.
    pub(crate) fn is_run(&self) -> bool {
        self.journey.is_some()
    }
}

/// Seals a transaction before it is written. A finished one keeps nothing of the answer, and one
/// that is over nothing of its run.
pub fn seal(vault: &Vault, transaction: &Transaction) -> Result<Sealed, StoreError> {
    let run = transaction.login().run.as_deref();
    let turn = run.map_or(0, |run| run.turn);
    let journey = run.map(|run| run.instance.journey().to_owned());
    let mut login = transaction.login().clone();
    if matches!(
        transaction,
        Transaction::Finished(_) | Transaction::Failed(_)
    ) {
        login.run = None;
    }
    let (answer, failure) = match transaction {
        Transaction::Pending(_) | Transaction::Finished(_) => (None, None),
        Transaction::Answered(Answered {
            login: _,
            answer,
            tries_left: _,
        }) => (Some((**answer).clone()), None),
        Transaction::Failed(Failed { login: _, failure }) => (None, Some(failure.clone())),
    };
    let failed = failure.as_ref().map(|failure| LoginFailure {
        code: failure.code().to_owned(),
        explanation: failure.explanation(),
    });
    let place = [TABLE.0, login.id.as_str(), transaction.state()];
    let body = Body {
        login: login.clone(),
        answer,
        failure,
    };
    let refused = match transaction {
        Transaction::Failed(failed) => Refused::of(failed),
        _ => None,
    };
    Ok(Sealed {
        id: login.id.as_str().to_owned(),
        browser_hash: login.browser.as_str().to_owned(),
        client_id: login.request.client.as_str().to_owned(),
        state: transaction.state(),
        turns: (turn, turn),
        journey,
        failed,
        refused,
        body: vault.seal(&place, &body)?,
        expires_at: login.expires_at,
    })
}

/// As [`seal`], for the next turn of a run: `turn` of the run is the one after that which it was
/// read at.
pub fn seal_next(vault: &Vault, transaction: &Transaction) -> Result<Sealed, StoreError> {
    let sealed = seal(vault, transaction)?;
    let (_, turn) = sealed.turns;
    Ok(Sealed {
        turns: (turn - 1, turn),
        ..sealed
    })
}

/// Writes why a login failed, where it did: its reference leads there.
async fn explain(tx: &mut Tx, row: &Sealed, now: UnixTime) -> Result<(), DbError> {
    let Some(failed) = &row.failed else {
        return Ok(());
    };
    let reference = row.id.get(..8).unwrap_or_default();
    failures::insert(tx, (&row.id, reference), failed, now).await?;
    match &row.refused {
        Some(refused) => risk::failures::insert(tx, &row.id, refused, now).await,
        None => Ok(()),
    }
}

/// Writes a new transaction.
pub async fn insert(tx: &mut Tx, new: &Sealed, now: UnixTime) -> Result<(), DbError> {
    execute!(tx, sqlx::query(
        "INSERT INTO login_transactions (id, browser_hash, client_id, state, tries_left, body, expires_at, turn, journey) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(new.id.as_str()).bind(new.browser_hash.as_str()).bind(new.client_id.as_str())
        .bind(new.state).bind(i64::from(NUMBER_TRIES)).bind(new.body.as_slice()).bind(new.expires_at.0)
        .bind(new.turns.1).bind(new.journey.as_deref()))?;
    explain(tx, new, now).await
}

/// Logins that a browser has begun at an application and not finished, as far as their time is not
/// over: how many, and when the first of them is over.
pub async fn begun(
    tx: &mut Tx,
    new: &Sealed,
    now: UnixTime,
) -> Result<(i64, Option<UnixTime>), DbError> {
    let (count, first) = each!(tx, c => sqlx::query_as::<_, (i64, Option<i64>)>(
        "SELECT COUNT(*), MIN(expires_at) FROM login_transactions \
         WHERE browser_hash = $1 AND client_id = $2 AND state <> 'finished' AND expires_at > $3")
        .bind(new.browser_hash.as_str()).bind(new.client_id.as_str()).bind(now.0).fetch_one(c).await)?;
    Ok((count, first.map(UnixTime)))
}

/// Moves a transaction from `from` to the state of `to`. Of any number of calls at once exactly
/// one succeeds; `false` means that it was not this one, or that the login has expired. Of a run
/// the turn must be the one that it was read at; the number on another screen may be tried anew
/// in each.
pub async fn advance(
    tx: &mut Tx,
    from: &'static str,
    to: &Sealed,
    now: UnixTime,
) -> Result<bool, DbError> {
    let moved = execute!(
        tx,
        sqlx::query(
            "UPDATE login_transactions SET state = $1, body = $2, turn = $6, expires_at = $9, \
         tries_left = CASE WHEN turn = $6 THEN tries_left ELSE $8 END \
         WHERE id = $3 AND state = $4 AND expires_at > $5 AND turn = $7"
        )
        .bind(to.state)
        .bind(to.body.as_slice())
        .bind(to.id.as_str())
        .bind(from)
        .bind(now.0)
        .bind(to.turns.1)
        .bind(to.turns.0)
        .bind(i64::from(NUMBER_TRIES))
        .bind(to.expires_at.0)
    )
    .map(|rows| rows == 1)?;
    if moved {
        explain(tx, to, now).await?;
    }
    Ok(moved)
}

/// Uses up one try of the number; `None` when there is none left or nothing to try.
pub async fn spend_try(
    tx: &mut Tx,
    id: &TransactionId,
    now: UnixTime,
) -> Result<Option<i64>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "UPDATE login_transactions SET tries_left = tries_left - 1 \
         WHERE id = $1 AND state = 'answered' AND tries_left > 0 AND expires_at > $2 RETURNING tries_left")
        .bind(id.as_str()).bind(now.0).fetch_optional(c).await)
}

/// The transaction, if it exists. Whether it has expired is in its login.
pub async fn find(
    db: &Db,
    vault: &Vault,
    id: &TransactionId,
) -> Result<Option<Transaction>, StoreError> {
    let row = each!(db, p => sqlx::query_as::<_, TransactionRow>(
        "SELECT id, state, tries_left, body FROM login_transactions WHERE id = $1")
        .bind(id.as_str()).fetch_optional(p).await)?;
    row.map(|row| open(vault, row)).transpose()
}

/// A login that nobody brought to an end.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Abandoned {
    id: String,
    /// The journey that led it.
    pub journey: Option<String>,
    /// Who asked for it.
    pub client_id: String,
    state: String,
    turn: i64,
}

impl Abandoned {
    /// The reference of the login, as people are told it.
    #[must_use]
    pub fn reference(&self) -> &str {
        self.id.get(..8).unwrap_or_default()
    }

    /// Whether nothing ever came from the person.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.state == "pending" && self.turn <= 1
    }
}

/// Deletes what expired before `before`, and says which logins nobody brought to an end.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<Vec<Abandoned>, DbError> {
    let left = each!(tx, c => sqlx::query_as::<_, Abandoned>(
        "DELETE FROM login_transactions WHERE expires_at < $1 \
         AND state IN ('pending', 'answered') RETURNING id, journey, client_id, state, turn")
        .bind(before.0).fetch_all(c).await)?;
    execute!(
        tx,
        sqlx::query("DELETE FROM login_transactions WHERE expires_at < $1").bind(before.0)
    )?;
    Ok(left)
}

fn open(vault: &Vault, row: TransactionRow) -> Result<Transaction, StoreError> {
    let TransactionRow {
        id,
        state,
        tries_left,
        body,
    } = row;
    let Body {
        login,
        answer,
        failure,
    } = vault.open(TABLE, "body", &[TABLE.0, &id, &state], &body)?;
    Ok(match (state.as_str(), answer, failure) {
        ("pending", None, None) => Transaction::Pending(Pending { login }),
        ("answered", Some(answer), None) => {
            let tries_left = u8::try_from(tries_left)
                .map_err(|_| TABLE.invalid("tries_left", "out of range"))?;
            Transaction::Answered(Answered {
                login,
                answer: Box::new(answer),
                tries_left,
            })
        }
        ("finished", None, None) => Transaction::Finished(Finished { login }),
        ("failed", None, Some(failure)) => Transaction::Failed(Failed { login, failure }),
        _ => return Err(TABLE.invalid("state", "does not fit the body").into()),
    })
}
