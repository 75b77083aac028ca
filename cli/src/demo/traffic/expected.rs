//! What every number must be, from the plans alone: nothing here asks a service.

use std::collections::BTreeMap;

use vouchsafe_credentials::time::UnixTime;

use super::plan::{BEFORE, KNOWN, OVER, Plan};

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// A number: its value, and what is above and below the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    pub value: Option<f64>,
    pub of: i64,
    pub among: Option<i64>,
}

/// What was played, added up.
#[derive(Debug, Default)]
struct Sums {
    new: i64,
    withdrawn: i64,
    again: i64,
    session: i64,
    abroad: i64,
    abroad_no: i64,
    guest: i64,
    no: i64,
    declined: i64,
    revoked: i64,
    away: i64,
    took: Vec<i64>,
    /// The days of the logins of each member.
    days: Vec<Vec<i64>>,
    today: i64,
}

impl Sums {
    fn of(plans: &[Plan], start: UnixTime) -> Self {
        let mut sums = Self::default();
        let mut now = start.0;
        for plan in plans {
            now += BEFORE;
            match *plan {
                Plan::New { seconds } => {
                    sums.new += 1;
                    now += seconds;
                    sums.took.push(seconds);
                    sums.days.push(vec![now.div_euclid(DAY_S)]);
                }
                Plan::Withdrawn { seconds } => {
                    sums.withdrawn += 1;
                    now += seconds;
                    sums.took.push(seconds);
                    sums.days.push(vec![now.div_euclid(DAY_S)]);
                }
                Plan::Again { member, seconds } => {
                    sums.again += 1;
                    now += seconds;
                    sums.came(member, seconds, now);
                }
                // A session is no visit of its own, and nobody waits for it.
                Plan::Session { member: _ } => sums.session += 1,
                Plan::Abroad { member, seconds } => {
                    sums.abroad += 1;
                    now += seconds;
                    sums.came(member, seconds, now);
                }
                Plan::AbroadNo { member: _ } => sums.abroad_no += 1,
                Plan::Guest { seconds } => {
                    sums.guest += 1;
                    now += seconds;
                    sums.took.push(seconds);
                }
                Plan::No => sums.no += 1,
                Plan::Declined => sums.declined += 1,
                Plan::Revoked => {
                    sums.revoked += 1;
                    now += KNOWN;
                }
                Plan::Away => sums.away += 1,
            }
        }
        sums.today = (now + OVER).div_euclid(DAY_S);
        sums.took.sort_unstable();
        sums
    }

    fn came(&mut self, member: usize, took: i64, now: i64) {
        self.took.push(took);
        if let Some(days) = self.days.get_mut(member) {
            days.push(now.div_euclid(DAY_S));
        }
    }

    /// Accounts with so many logins on one of the last days.
    fn accounts(&self, days: i64, logins: usize) -> i64 {
        let since = self.today - days;
        let lately = |all: &&Vec<i64>| all.iter().filter(|day| **day > since).count() >= logins;
        whole(self.days.iter().filter(lately).count())
    }

    /// The nearest rank.
    fn took(&self, of: usize, among: usize) -> Option<i64> {
        let rank = (self.took.len() * of).div_ceil(among).checked_sub(1)?;
        self.took.get(rank).copied()
    }
}

fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn float(n: i64) -> f64 {
    n as f64
}

fn count(n: i64) -> Expected {
    Expected {
        value: Some(float(n)),
        of: n,
        among: None,
    }
}

fn ratio(of: i64, among: i64) -> Expected {
    Expected {
        value: (among > 0).then(|| float(of) / float(among)),
        of,
        among: Some(among),
    }
}

/// Every number by its name, of these logins played from `start` on.
pub fn of(plans: &[Plan], start: UnixTime) -> BTreeMap<&'static str, Expected> {
    let sums = Sums::of(plans, start);
    let all = whole(plans.len());
    let joined = sums.new + sums.withdrawn;
    let cards = joined + sums.again + sums.abroad + sums.guest;
    let refused = sums.no + sums.abroad_no + sums.declined + sums.revoked;
    let more = sums.abroad + sums.abroad_no;
    let asked = all - sums.session;
    // First logins of a browser at the question that makes accounts, without those whose account was there.
    let registering = joined + sums.no + sums.declined + sums.revoked + sums.away;
    let seconds = |of: usize, among: usize| Expected {
        value: sums.took(of, among).map(float),
        of: whole(sums.took.len()),
        among: None,
    };
    BTreeMap::from([
        ("registrations", count(joined)),
        ("registration_conversion", ratio(joined, registering)),
        ("success_rate", ratio(cards + sums.session, all - sums.away)),
        ("abandonment", ratio(sums.away, all)),
        ("time_to_login_p50", seconds(1, 2)),
        ("time_to_login_p90", seconds(9, 10)),
        ("step_up_rate", ratio(more, all)),
        ("unnecessary_step_up_rate", ratio(sums.abroad, all)),
        ("step_up_passed", ratio(sums.abroad, more)),
        ("credential_acceptance", ratio(cards, cards + sums.revoked)),
        ("wallet_readiness", ratio(asked, asked)),
        ("decline_rate", ratio(sums.declined, asked)),
        ("success_vp", ratio(cards, cards + refused)),
        ("success_passkey", ratio(0, 0)),
        ("success_session", ratio(sums.session, sums.session + more)),
        ("consent_opt_in", ratio(cards, cards + sums.declined)),
        ("consent_withdrawn", ratio(sums.withdrawn, cards)),
        ("sessions_active", count(sums.new + sums.again + sums.guest)),
        ("active_day", count(sums.accounts(1, 1))),
        ("active_week", count(sums.accounts(7, 1))),
        ("active_month", count(sums.accounts(30, 1))),
        (
            "return_rate",
            ratio(sums.accounts(30, 2), sums.accounts(30, 1)),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_few_logins_by_hand() {
        let plans = [
            Plan::New { seconds: 4 },
            Plan::Session { member: 0 },
            Plan::Abroad {
                member: 0,
                seconds: 6,
            },
            Plan::Withdrawn { seconds: 2 },
            Plan::Revoked,
            Plan::Away,
        ];
        // Noon, so that all of it is on one day.
        let numbers = of(&plans, UnixTime(1_795_435_200));
        let value = |name: &str| numbers[name].value;
        assert_eq!(numbers["registration_conversion"], ratio(2, 4));
        assert_eq!(value("success_rate"), Some(0.8));
        assert_eq!(
            (value("time_to_login_p50"), value("time_to_login_p90")),
            (Some(4.0), Some(6.0))
        );
        assert_eq!(numbers["step_up_rate"], ratio(1, 6));
        assert_eq!(numbers["return_rate"], ratio(1, 2));
        assert_eq!(numbers["sessions_active"], count(1));
        // Of a login before midnight somebody was not active today.
        let late = of(&plans, UnixTime(1_795_478_400 - 2));
        assert_eq!((late["active_day"].of, late["active_week"].of), (2, 2));
        let later = of(&plans, UnixTime(1_795_478_400 - 60));
        assert_eq!((later["active_day"].of, later["active_week"].of), (0, 2));
    }
}
