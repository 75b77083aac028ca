//! What was found out about one login.

use std::collections::HashSet;
use std::net::IpAddr;

use super::levels::{RiskLevel, Thresholds, WARM_UP, level};
use super::rules::{Case, Rule, apply};
use super::score::{Counts, score};

/// A reason, by its code.
pub type Reason = Rule;

/// How risky one login looks, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The score; `None` at the first login of an account.
    pub score: Option<f64>,
    /// The level.
    pub level: RiskLevel,
    /// The signs behind it.
    pub reasons: Vec<Reason>,
    /// Whether the score had no say yet: too few logins, or no thresholds.
    pub warming_up: bool,
    /// Logins of the account that were counted.
    pub my_logins: u64,
    /// Logins of everybody that were counted.
    pub all_logins: u64,
}

impl Assessment {
    /// Judges a login.
    #[must_use]
    pub fn new(
        case: &Case<'_>,
        counts: &Counts,
        thresholds: Option<&Thresholds>,
        tor_exits: &HashSet<IpAddr>,
    ) -> Self {
        let score = score(counts);
        let reasons = apply(case, tor_exits);
        let thresholds = thresholds.filter(|_| counts.all_logins >= WARM_UP);
        let by_score = thresholds
            .zip(score)
            .map(|(levels, score)| levels.level(score));
        Self {
            score,
            level: level(by_score, &reasons),
            reasons,
            warming_up: thresholds.is_none(),
            my_logins: counts.my_logins,
            all_logins: counts.all_logins,
        }
    }
}
