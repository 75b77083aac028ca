//! The login service's side: what was seen of a login, what is known of its account, and what
//! follows.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use vouchsafe_service::db::DbError;

use super::Assessment;
use super::features::Observed;
use super::place::GeoPlace;
use super::rules::{BURST_S, Case, LastLogin};
use super::values::{Level, Values};
use crate::app::{App, Parts};
use crate::config::RiskSettings;
use crate::domain::ids::{SecretDigest, SubjectId};
use crate::store::{StoreError, risk};

/// Logins are forgotten after this many seconds: six months.
pub const HORIZON_S: i64 = 183 * 86_400;

/// What is kept of a login until it succeeds: hashes, and a place in whole degrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The values.
    pub values: Values,
    /// Keyed hash of the browser's cookie.
    pub device: i64,
    /// Where.
    pub place: GeoPlace,
}

/// A login that is being looked at.
#[derive(Debug)]
pub struct Look {
    observed: Observed,
    /// What is kept of it.
    pub seen: Seen,
}

impl Look {
    /// Looks at a request; `browser` is the cookie that ties logins to a browser.
    #[must_use]
    pub fn new(
        app: &Parts,
        settings: &RiskSettings,
        address: Option<IpAddr>,
        agent: Option<&str>,
        browser: &SecretDigest,
    ) -> Self {
        let observed = Observed::new(address, agent, &settings.places);
        let seen = Seen {
            values: observed.values(&app.risk_key),
            device: app.risk_key.device(browser.as_str()),
            place: observed.place.clone(),
        };
        Self { observed, seen }
    }
}

/// Judges a login of an account; one of nobody known has no history.
pub async fn assess(
    app: &Parts,
    settings: &RiskSettings,
    subject: Option<&SubjectId>,
    look: &Look,
) -> Result<Assessment, StoreError> {
    let now = app.now();
    let mine = match subject {
        Some(subject) => risk::of_account(&app.db, subject, now.plus(-HORIZON_S)).await?,
        None => Vec::new(),
    };
    let counts = risk::counts(&app.db, &look.seen.values, &mine).await?;
    let last = last_known(app, &mine)?;
    let address = look.seen.values.at(Level::Address);
    let refused_often = match settings.failed_burst {
        Some(least) => risk::failures::is_burst(&app.db, least, address, subject, now).await?,
        None => false,
    };
    let values: Vec<Values> = mine.iter().map(|past| past.values).collect();
    let case = Case {
        observed: &look.observed,
        values: &look.seen.values,
        now,
        mine: &values,
        last: last.as_ref(),
        places_known: settings.places.know_countries(),
        refused_often,
        device_known: Some(mine.iter().any(|past| past.device == look.seen.device)),
    };
    let thresholds = settings.thresholds.as_ref();
    let assessment = Assessment::new(&case, &counts, thresholds, &settings.tor_exits);
    if let Some(score) = assessment.score {
        metrics::histogram!("vouchsafe_risk_score").record(score);
    }
    Ok(assessment)
}

/// The latest login of which it is known where it was; an address that is nowhere hides no journey.
fn last_known(app: &Parts, mine: &[risk::Past]) -> Result<Option<LastLogin>, StoreError> {
    const LOOKED_AT: usize = 10;
    for past in mine.iter().take(LOOKED_AT) {
        let last = past.last_login(&app.vault)?;
        if last.place.degrees.is_some() {
            return Ok(Some(last));
        }
    }
    Ok(None)
}

/// Counts logins that succeeded, and forgets old ones.
pub async fn run_once(app: App) -> Result<(), DbError> {
    if app.settings.risk.is_none() {
        return Ok(());
    }
    app.db
        .write_in_steps(async move |tx| risk::fold(tx).await)
        .await?;
    let before = app.now().plus(-HORIZON_S);
    app.db
        .write_in_steps(async move |tx| risk::forget(tx, before).await)
        .await?;
    let before = app.now().plus(-BURST_S);
    app.db
        .write_in_steps(async move |tx| risk::failures::purge(tx, before).await)
        .await?;
    Ok(())
}
