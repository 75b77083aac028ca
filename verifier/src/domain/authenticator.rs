//! Authenticator apps of people.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;

use super::ids::MeansId;

/// So many wrong codes in a row cost nothing. RFC 4226, section 7.3: after them whoever guesses waits.
const FREE: i64 = 5;
/// The first wait, in seconds; each wrong code doubles it.
const FIRST_S: i64 = 60;
/// The longest: nobody is locked out for good.
const LONGEST_S: i64 = 3600;

/// Seconds for which no code of an account is looked at after so many wrong ones.
#[must_use]
pub fn wait_s(wrong: i64) -> i64 {
    match wrong - FREE {
        over @ 0..6 => FIRST_S << over,
        over if over < 0 => 0,
        _ => LONGEST_S,
    }
}

/// The app of an account, as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticator {
    /// Its id.
    pub id: MeansId,
    /// When it was added.
    pub created_at: UnixTime,
    /// When a code of it was right last.
    pub used_at: Option<UnixTime>,
}

/// A code was right in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coded {
    /// The app.
    pub authenticator: MeansId,
    /// When.
    pub at: UnixTime,
    /// The run itself took the app away after it counted.
    #[serde(default)]
    pub settled: bool,
}

/// What became of a code that somebody typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It is the code of the account's app, and was never used.
    Right(Coded),
    /// It is not; so it is where the account has no app.
    Wrong,
    /// Too many were wrong: it was not looked at. Seconds until the next is.
    Wait(i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_guesses_waits_ever_longer_and_nobody_for_good() {
        let waits: Vec<i64> = (0..13).map(wait_s).collect();
        let first = [0, 0, 0, 0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600];
        assert_eq!(waits, first);
        assert_eq!(wait_s(i64::MAX), 3600);
    }
}
