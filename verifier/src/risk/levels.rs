//! From a score and named rules to a level that a policy is written on.

use serde::{Deserialize, Serialize};

use super::rules::Rule;

/// How risky a login looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// As usual.
    Low,
    /// Something is new.
    Medium,
    /// As an attacker's login would look.
    High,
    /// More than one sign of an attack.
    Critical,
}

impl RiskLevel {
    /// Name in metrics, logs and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }
}

/// Scores from which on a login is of a level. `vouchsafe risk tune` finds them.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// From here on `medium`.
    pub medium: f64,
    /// From here on `high`.
    pub high: f64,
    /// From here on `critical`.
    pub critical: f64,
}

impl Thresholds {
    /// Whether they are positive numbers in ascending order.
    #[must_use]
    pub fn are_ordered(&self) -> bool {
        let Self {
            medium,
            high,
            critical,
        } = *self;
        medium > 0.0 && medium <= high && high <= critical && critical.is_finite()
    }

    /// The level of a score.
    #[must_use]
    pub fn level(&self, score: f64) -> RiskLevel {
        if score >= self.critical {
            RiskLevel::Critical
        } else if score >= self.high {
            RiskLevel::High
        } else if score >= self.medium {
            RiskLevel::Medium
        } else {
            RiskLevel::Low
        }
    }
}

/// Logins that must have been counted before a score says anything; until then rules alone do.
pub const WARM_UP: u64 = 500;

/// The level: the highest of the score's and of each rule's, and one more where two rules speak
/// of an attack.
#[must_use]
pub fn level(score: Option<RiskLevel>, rules: &[Rule]) -> RiskLevel {
    let score = score.unwrap_or(RiskLevel::Low);
    let by_rules = rules.iter().map(|rule| rule.level()).max();
    let highest = by_rules.map_or(score, |level| level.max(score));
    let alarming = rules
        .iter()
        .filter(|rule| rule.level() >= RiskLevel::High)
        .count();
    if alarming > 1 {
        highest.next()
    } else {
        highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_sign_counts_and_two_alarms_count_for_more() {
        use RiskLevel::{Critical, High, Low, Medium};
        let country = Rule::FirstSeenCountry;
        let travel = Rule::ImpossibleTravel;
        let device = Rule::DeviceUnknown;
        for (score, rules, expected) in [
            (None, vec![], Low),
            (Some(Medium), vec![], Medium),
            (None, vec![device], Medium),
            (Some(Low), vec![country], High),
            (None, vec![country, device], High),
            (None, vec![country, travel], Critical),
            (Some(Critical), vec![device], Critical),
        ] {
            assert_eq!(level(score, &rules), expected, "{score:?} {rules:?}");
        }
    }

    #[test]
    fn thresholds_are_inclusive_and_must_ascend() {
        let thresholds = Thresholds {
            medium: 0.5,
            high: 1.0,
            critical: 4.0,
        };
        assert!(thresholds.are_ordered());
        for (score, level) in [
            (0.49, RiskLevel::Low),
            (0.5, RiskLevel::Medium),
            (1.0, RiskLevel::High),
            (4.0, RiskLevel::Critical),
            (f64::MAX, RiskLevel::Critical),
        ] {
            assert_eq!(thresholds.level(score), level);
        }
        for wrong in [
            Thresholds {
                medium: 0.0,
                ..thresholds
            },
            Thresholds {
                high: 0.1,
                ..thresholds
            },
            Thresholds {
                critical: f64::NAN,
                ..thresholds
            },
            Thresholds {
                critical: f64::INFINITY,
                ..thresholds
            },
        ] {
            assert!(!wrong.are_ordered(), "{wrong:?}");
        }
    }
}
