//! The score of Freeman et al. (NDSS 2016, doi 10.14722/ndss.2016.23240, equation 7 without attack
//! data), with the smoothing and the edge rule that Wiefling et al. published (ACM TOPS 2022,
//! doi 10.1145/3546069).
//!
//! `S = Π_k p(x_k) / p(x_k | account) · p(account | attack) / p(account)`: how much more common the
//! values of this login are among all logins than among those of its account, times how likely
//! the account is to be attacked (all alike) against how often it logs in.

use super::values::{FEATURES, Feature, Level};

/// What was counted about the value of one level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Logins of the account with it.
    pub mine: u64,
    /// Logins of everybody with it.
    pub all: u64,
}

/// Everything that the score depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// One for each of [`Level::ALL`].
    pub values: [Count; 7],
    /// Different values that each level has among the logins of everybody.
    pub distinct: [u64; 7],
    /// For the finest level of each of [`FEATURES`]: different values that the coarser levels have
    /// among the logins with this value, summed.
    pub seen_with: [u64; 2],
    /// Logins of the account.
    pub my_logins: u64,
    /// Logins of everybody.
    pub all_logins: u64,
    /// Accounts that have logged in.
    pub accounts: u64,
}

/// The score: above zero, about one where nothing speaks for or against the account. `None` for an
/// account without history, which has no score.
#[must_use]
pub fn score(counts: &Counts) -> Option<f64> {
    if counts.my_logins == 0 || counts.all_logins == 0 || counts.accounts == 0 {
        return None;
    }
    let unusual: f64 = FEATURES
        .iter()
        .zip(counts.seen_with)
        .map(|(feature, seen_with)| ratio(feature, seen_with, counts))
        .product();
    let attacked = 1.0 / float(counts.accounts);
    let logs_in = float(counts.my_logins) / float(counts.all_logins);
    Some(unusual * attacked / logs_in)
}

/// `p(x) / p(x | account)` of one feature.
fn ratio(feature: &Feature, seen_with: u64, counts: &Counts) -> f64 {
    let mine: f64 = feature
        .levels
        .iter()
        .map(|(level, weight)| weight * float(at(counts, *level).mine) / float(counts.my_logins))
        .sum();
    let all: f64 = feature
        .levels
        .iter()
        .map(|(level, weight)| {
            weight
                * if *level == feature.finest() {
                    smoothed(feature, seen_with, counts)
                } else {
                    float(at(counts, *level).all) / float(counts.all_logins)
                }
        })
        .sum();
    if mine == 0.0 {
        // The edge rule: what the account never had is four times as common elsewhere.
        return 4.0;
    }
    all / mine
}

/// How common the value of the finest level is, with room left for values that nobody had yet.
fn smoothed(feature: &Feature, seen_with: u64, counts: &Counts) -> f64 {
    let unseen: u64 = feature
        .coarser()
        .map(|level| counts.distinct[level.index()])
        .sum();
    let (unseen, all) = (float(unseen) + 1.0, float(counts.all_logins));
    let count = float(at(counts, feature.finest()).all);
    if count == 0.0 {
        return 1.0 / (all + unseen);
    }
    let inside = float(seen_with) + 1.0;
    count / all * (1.0 - unseen / (all + unseen)) * (1.0 - inside / (count + inside))
}

fn at(counts: &Counts, level: Level) -> Count {
    counts.values[level.index()]
}

/// Counts stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        Counts {
            values: [Count { mine: 2, all: 5 }; 7],
            distinct: [3; 7],
            seen_with: [2, 3],
            my_logins: 4,
            all_logins: 20,
            accounts: 5,
        }
    }

    #[test]
    fn an_account_without_history_has_no_score() {
        for empty in [
            Counts {
                my_logins: 0,
                ..counts()
            },
            Counts {
                all_logins: 0,
                ..counts()
            },
            Counts {
                accounts: 0,
                ..counts()
            },
        ] {
            assert_eq!(score(&empty), None);
        }
    }

    #[test]
    fn what_the_account_never_had_counts_four_each() {
        let strange = Counts {
            values: [Count { mine: 0, all: 5 }; 7],
            ..counts()
        };
        let expected = 4.0 * 4.0 * (1.0 / 5.0) / (4.0 / 20.0);
        assert!((score(&strange).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn more_logins_of_the_account_with_a_value_lower_the_score() {
        let mut last = f64::INFINITY;
        for mine in 1..=4 {
            let values = [Count { mine, all: 5 }; 7];
            let now = score(&Counts { values, ..counts() }).unwrap();
            assert!(now < last && now > 0.0);
            last = now;
        }
    }
}
