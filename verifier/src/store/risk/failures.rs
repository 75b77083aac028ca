//! `risk_failures`: logins that were refused a moment ago.

use std::net::IpAddr;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Tx, each, execute};
use vouchsafe_service::delete_step;

use crate::domain::ids::SubjectId;
use crate::domain::reason::Explanation;
use crate::domain::run::Run;
use crate::domain::transaction::Failed;
use crate::risk::rules::BURST_S;
use crate::risk::values::Level;

/// A refused login, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    address: i64,
    subject: Option<String>,
}

impl Refused {
    /// What is kept of a login that failed; `None` where it was not refused, or nothing is counted.
    #[must_use]
    pub fn of(failed: &Failed) -> Option<Self> {
        if !is_refusal(failed.failure.explanation()) {
            return None;
        }
        let login = &failed.login;
        let seen = login.place.seen.as_ref()?;
        // Behind a proxy of this machine that nobody named everybody has its address.
        let address: Option<IpAddr> = login.place.address.as_deref()?.parse().ok();
        if address?.to_canonical().is_loopback() {
            return None;
        }
        let run = login.run.as_deref();
        // A browser follows a link by itself: a refusal counts once something was shown in the run.
        let tapped = login.passkey.is_some();
        let vouched = |run: &Run| run.upstream.is_some();
        let tried =
            |run: &Run| tapped || vouched(run) || !run.shown.is_empty() || run.failure.is_some();
        if !run.is_none_or(tried) {
            return None;
        }
        // A session says whose browser it is, and not who tries.
        let proven = run.filter(|run| tapped || vouched(run) || run.person().is_some());
        let pinned = proven.and_then(|run| run.pinned.as_ref());
        Some(Self {
            address: seen.values.at(Level::Address).cast_signed(),
            subject: pinned.map(|subject| subject.as_str().to_owned()),
        })
    }
}

/// Whether somebody tried and was refused, or stopped by whoever has the account. Who says no, has no card, is late, is denied by the rules
/// of a journey or meets a fault of the service or of the application is under no suspicion.
fn is_refusal(explanation: Explanation) -> bool {
    use Explanation as E;
    match explanation {
        E::Revoked
        | E::Suspended
        | E::Expired
        | E::Issuer
        | E::Type
        | E::NotProven
        | E::Browser
        | E::Number
        | E::Code
        | E::Account
        | E::Unmatched
        | E::Cancelled
        | E::Unlinked => true,
        E::Declined
        | E::NoCard
        | E::Status
        | E::Provider
        | E::InvitationOver
        | E::Withdrawn
        | E::Denied
        | E::TooManyToday
        | E::ExpiredLogin
        | E::RestartLogin
        | E::TooMany
        | E::Unknown
        | E::Request
        | E::Server
        | E::Form => false,
    }
}

/// Writes a refused login.
pub async fn insert(
    tx: &mut Tx,
    login: &str,
    refused: &Refused,
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO risk_failures (login_id, at, address, subject_id) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING"
        )
        .bind(login)
        .bind(now.0)
        .bind(refused.address)
        .bind(refused.subject.as_deref())
    )
    .map(drop)
}

/// Whether so many logins as `least` were refused lately that came from this address, or that were of this account.
pub async fn is_burst(
    db: &Db,
    least: i64,
    address: u64,
    subject: Option<&SubjectId>,
    now: UnixTime,
) -> Result<bool, DbError> {
    let since = now.plus(-BURST_S).0;
    // No more rows are looked at than are needed, however many there are.
    let (here, mine) = each!(db, p => sqlx::query_as::<_, (i64, i64)>(
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 AS one FROM risk_failures WHERE address = $1 AND at > $2 LIMIT $4) AS here), \
         (SELECT COUNT(*) FROM (SELECT 1 AS one FROM risk_failures WHERE subject_id = $3 AND at > $2 LIMIT $4) AS mine)")
        .bind(address.cast_signed()).bind(since).bind(subject.map(SubjectId::as_str)).bind(least)
        .fetch_one(p).await)?;
    Ok(here >= least || mine >= least)
}

/// Deletes what was refused before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("risk_failures", "login_id", "at < $1"))
            .bind(before.0)
            .bind(i64::from(STEP))
    )
}
