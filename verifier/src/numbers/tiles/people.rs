//! Tiles of people: with what they log in, what they agree to, how many come, and how it was.

use super::super::counts::Key;
use super::super::what;
use super::{Rows, Tile, count, ratio, sum};
use crate::store::presence::Presence;

/// What is not counted but looked up, as it is now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// Sessions that are live.
    pub sessions: i64,
    /// Accounts that logged in lately.
    pub presence: Presence,
    /// Whether people are asked how it was.
    pub satisfaction: bool,
}

/// Attempts with a factor that succeeded, among all.
pub(super) fn attempts(id: &'static str, rows: &Rows, method: &str, formula: &'static str) -> Tile {
    let all = |outcome: &str| {
        sum(rows, what::AUTHENTICATION, |key: &Key| {
            key.method == method && key.outcome == outcome
        })
    };
    let succeeded = all("success");
    ratio(id, succeeded, succeeded + all("failure"), formula)
}

/// What became of consents.
pub(super) fn agreed(rows: &Rows) -> [Tile; 2] {
    let all = |outcome: &str| sum(rows, what::CONSENT, |key: &Key| key.outcome == outcome);
    let granted = all("granted");
    [
        ratio(
            "consent_opt_in",
            granted,
            granted + all("denied"),
            "consents granted / (consents granted + consents denied)",
        ),
        ratio(
            "consent_withdrawn",
            all("withdrawn"),
            granted,
            "consents withdrawn in these days / consents granted in these days",
        ),
    ]
}

/// What is looked up.
pub(super) fn looked_up(rows: &Rows, now: &Now) -> Vec<Tile> {
    let Presence {
        day,
        week,
        month,
        twice,
    } = now.presence;
    let mut tiles = vec![
        count(
            "sessions_active",
            now.sessions,
            "sessions that are live now",
        ),
        count(
            "active_day",
            day,
            "accounts that logged in today, by the day of UTC; now, whatever days are asked about",
        ),
        count(
            "active_week",
            week,
            "accounts that logged in on one of the last 7 days, today among them; now",
        ),
        count(
            "active_month",
            month,
            "accounts that logged in on one of the last 30 days, today among them; now",
        ),
        ratio(
            "return_rate",
            twice,
            month,
            "accounts that logged in at least twice in the last 30 days / accounts that logged in in the last 30 days; now",
        ),
    ];
    if now.satisfaction {
        let all = |content: bool| {
            let content = move |key: &Key| !content || ["4", "5"].contains(&key.outcome.as_str());
            sum(rows, what::SATISFACTION, content)
        };
        tiles.push(ratio(
            "satisfaction",
            all(true),
            all(false),
            "answers 4 and 5 / answers to the question how it was, from 1 to 5",
        ));
    }
    tiles
}
