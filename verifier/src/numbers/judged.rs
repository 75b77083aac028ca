//! What was counted of logins that were judged.

use std::collections::BTreeMap;

use vouchsafe_service::db::DbError;

use super::ask::Asked;
use super::counts::Key;
use super::scores::{above, edge};
use super::what;
use crate::app::Parts;
use crate::risk::RiskLevel;
use crate::store::risk;

/// Logins that were judged.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// How many of each level, from the lowest.
    pub levels: Vec<(String, i64)>,
    /// How often each sign was there, the most frequent first.
    pub reasons: Vec<(String, i64)>,
    /// How many scores lie in each class that has any.
    pub scores: Vec<(i32, i64)>,
    /// For how many more was asked than a session or a passkey.
    pub asked_again: i64,
    /// Logins of everybody that scores are made of, now.
    pub counted: i64,
}

/// What a threshold would have meant.
#[derive(Debug, PartialEq)]
pub struct Tried {
    /// For which edge it is taken; none where no score is kept so high.
    pub edge: Option<f64>,
    /// Scores at or above it.
    pub n: i64,
    /// All scores.
    pub among: i64,
}

/// Reads them.
pub async fn judged(app: &Parts, asked: &Asked) -> Result<Judged, DbError> {
    let rows = asked.rows(app).await?;
    let counted = risk::counted(&app.db).await?;
    Ok(Judged {
        counted,
        ..of_rows(&rows)
    })
}

fn of_rows(rows: &[(Key, i64)]) -> Judged {
    let by = |what: &str, name: fn(&Key) -> &str| {
        let mut found: BTreeMap<String, i64> = BTreeMap::new();
        for (key, n) in rows.iter().filter(|(key, _)| key.what == what) {
            *found.entry(name(key).to_owned()).or_default() += n;
        }
        found
    };
    let levels = by(what::RISK, |key| &key.outcome);
    let all = [
        RiskLevel::Low,
        RiskLevel::Medium,
        RiskLevel::High,
        RiskLevel::Critical,
    ];
    let mut reasons: Vec<_> = by(what::SIGN, |key| &key.outcome).into_iter().collect();
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let mut scores: BTreeMap<i32, i64> = BTreeMap::new();
    for (key, n) in rows.iter().filter(|(key, _)| key.what == what::SCORE) {
        let class = i32::try_from(key.seconds).unwrap_or_default();
        *scores.entry(class).or_default() += n;
    }
    Judged {
        levels: all
            .map(|level| {
                let n = levels.get(level.name()).copied().unwrap_or_default();
                (level.name().to_owned(), n)
            })
            .into(),
        reasons,
        scores: scores.into_iter().collect(),
        asked_again: (by(what::RISK, |key| &key.method).get("ask_again"))
            .copied()
            .unwrap_or_default(),
        counted: 0,
    }
}

impl Judged {
    /// How many scores lie at or above a threshold, which is taken for the next edge of a class.
    #[must_use]
    pub fn at_least(&self, threshold: f64) -> Tried {
        let from = above(threshold);
        let reached = |(class, _): &&(i32, i64)| from.is_some_and(|from| *class >= from);
        Tried {
            edge: from.map(edge),
            n: self.scores.iter().filter(reached).map(|(_, n)| n).sum(),
            among: self.scores.iter().map(|(_, n)| n).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str, outcome: &str, method: &str, class: i64, n: i64) -> (Key, i64) {
        let key = Key {
            what: what.to_owned(),
            outcome: outcome.to_owned(),
            method: method.to_owned(),
            seconds: class,
            ..Key::default()
        };
        (key, n)
    }

    #[test]
    fn a_threshold_is_tried_on_what_was() {
        let rows = [
            row(what::RISK, "low", "answer", 0, 7),
            row(what::RISK, "high", "ask_again", 0, 2),
            row(what::SIGN, "device_unknown", "", 0, 1),
            row(what::SIGN, "first_seen_country", "", 0, 2),
            row(what::SCORE, "", "", -5, 6),
            row(what::SCORE, "", "", 10, 2),
            row(what::SCORE, "", "", 40, 1),
        ];
        let judged = of_rows(&rows);
        let levels: Vec<_> = judged.levels.iter().map(|(_, n)| *n).collect();
        assert_eq!(levels, [7, 0, 2, 0]);
        assert_eq!(judged.reasons[0], ("first_seen_country".to_owned(), 2));
        assert_eq!(judged.asked_again, 2);
        let tried = |threshold: f64| judged.at_least(threshold);
        assert_eq!((tried(0.0001).n, tried(0.0001).among), (9, 9));
        assert_eq!(tried(1.0).n, 3);
        assert_eq!((tried(10.0).n, tried(11.0).n), (3, 1));
        assert_eq!((tried(1e9).edge, tried(1e9).n), (None, 0));
    }
}
