//! Counts of logins in memory: for experiments, for `vouchsafe risk`, and as the model that the
//! database is tested against.

use std::collections::{HashMap, HashSet};

use super::score::{Count, Counts, score};
use super::values::{FEATURES, Level, Values};

/// Logins that were counted.
#[derive(Debug, Default)]
pub struct History {
    counts: [HashMap<u64, u64>; 7],
    /// Pairs of a finest and a coarser value, and how many each finest value is in.
    pairs: HashSet<(Level, u64, u64)>,
    seen_with: [HashMap<u64, u64>; 2],
    logins: u64,
    people: HashMap<String, Vec<Values>>,
}

impl History {
    /// Counts a successful login.
    pub fn add(&mut self, account: &str, values: Values) {
        for level in Level::ALL {
            *self.counts[level.index()]
                .entry(values.at(level))
                .or_default() += 1;
        }
        for (feature, seen_with) in FEATURES.iter().zip(&mut self.seen_with) {
            let finest = values.at(feature.finest());
            let all = seen_with.entry(finest).or_default();
            for level in feature.coarser() {
                *all += u64::from(self.pairs.insert((level, finest, values.at(level))));
            }
        }
        self.logins += 1;
        match self.people.get_mut(account) {
            Some(logins) => logins.push(values),
            None => drop(self.people.insert(account.to_owned(), vec![values])),
        }
    }

    /// What the score of a login depends on.
    #[must_use]
    pub fn counts(&self, account: &str, values: &Values) -> Counts {
        let mine = self.logins(account);
        Counts {
            values: Level::ALL.map(|level| Count {
                mine: mine
                    .iter()
                    .filter(|login| login.at(level) == values.at(level))
                    .count() as u64,
                all: look_up(&self.counts[level.index()], values.at(level)),
            }),
            distinct: Level::ALL.map(|level| self.counts[level.index()].len() as u64),
            seen_with: [0, 1].map(|feature: usize| {
                let finest = values.at(FEATURES[feature].finest());
                look_up(&self.seen_with[feature], finest)
            }),
            my_logins: mine.len() as u64,
            all_logins: self.logins,
            accounts: self.people.len() as u64,
        }
    }

    /// The score of a login; `None` at the first one of an account.
    #[must_use]
    pub fn score(&self, account: &str, values: &Values) -> Option<f64> {
        score(&self.counts(account, values))
    }

    /// The logins of an account, the first one first.
    #[must_use]
    pub fn logins(&self, account: &str) -> &[Values] {
        self.people.get(account).map_or(&[], Vec::as_slice)
    }

    /// Accounts that were counted.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.people.keys().map(String::as_str)
    }

    /// Logins that were counted.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.logins
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logins == 0
    }
}

fn look_up(counts: &HashMap<u64, u64>, value: u64) -> u64 {
    counts.get(&value).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use vouchsafe_service::keys::SymmetricKey;

    use super::*;
    use crate::risk::values::ValueKey;

    #[derive(Deserialize)]
    struct Vectors {
        history: Vec<Past>,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Past {
        user: String,
        login: Login,
    }

    #[derive(Deserialize)]
    struct Case {
        user: String,
        case: String,
        login: Login,
        score: f64,
    }

    #[derive(Deserialize)]
    struct Login {
        ip: String,
        asn: u32,
        cc: String,
        ua: String,
        br: String,
        os: String,
        dt: String,
    }

    impl Login {
        fn values(&self) -> Values {
            let key = ValueKey::new(SymmetricKey::from_token("risk", &format!("{}", 7)));
            let asn = self.asn.to_string();
            let texts = [
                &self.ip, &asn, &self.cc, &self.ua, &self.br, &self.os, &self.dt,
            ];
            let mut texts = texts.into_iter();
            Values(Level::ALL.map(|level| key.hash(level, texts.next().unwrap())))
        }
    }

    #[test]
    fn the_seven_vectors_hold_to_one_in_a_billion() {
        let vectors: Vectors =
            serde_json::from_str(include_str!("../../tests/vectors/risk.json")).unwrap();
        let mut history = History::default();
        for past in &vectors.history {
            history.add(&past.user, past.login.values());
        }
        assert_eq!(vectors.cases.len(), 7);
        for Case {
            user,
            case,
            login,
            score,
        } in &vectors.cases
        {
            let ours = history.score(user, &login.values()).unwrap();
            assert!(
                (ours - score).abs() < 1e-9,
                "{case}: {ours} instead of {score}"
            );
        }
        assert_eq!(
            history.score("nobody", &vectors.cases[0].login.values()),
            None
        );
    }
}
