//! Logins from a seed: the same on every machine.

/// What becomes of a login. Members are numbered in the order in which they first come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Somebody joins and logs in with the new card, after so many seconds.
    New { seconds: i64 },
    /// The same, and then withdraws what was agreed to: the session ends.
    Withdrawn { seconds: i64 },
    /// A member in a new browser, after so many seconds.
    Again { member: usize, seconds: i64 },
    /// A member in the browser of the first login: the session answers.
    Session { member: usize },
    /// The same from another country: the card is asked for, and shown after so many seconds.
    Abroad { member: usize, seconds: i64 },
    /// From another country, too, but "not now".
    AbroadNo { member: usize },
    /// Somebody proves an age, as nobody in particular, after so many seconds.
    Guest { seconds: i64 },
    /// "Not now" on the page.
    No,
    /// No in the wallet.
    Declined,
    /// A card that the club has revoked.
    Revoked,
    /// Nobody does anything.
    Away,
}

/// Seconds before each login.
pub const BEFORE: i64 = 1;
/// Seconds from which on everybody knows that a card was revoked.
pub const KNOWN: i64 = 2;
/// Seconds after which logins that nobody ended are over.
pub const OVER: i64 = 1300;

/// Numbers that look random, by a linear congruence (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn seconds(&mut self) -> i64 {
        i64::try_from(2 + self.below(9)).unwrap_or(2)
    }

    fn one_of(&mut self, members: &[usize]) -> Option<usize> {
        let n = u64::try_from(members.len()).ok().filter(|n| *n > 0)?;
        members.get(usize::try_from(self.below(n)).ok()?).copied()
    }
}

/// The logins of a seed.
pub fn plans(seed: u64, n: usize) -> Vec<Plan> {
    let mut dice = Dice(seed);
    // Those who are at home, with a session in the browser of their first login.
    let mut home: Vec<usize> = Vec::new();
    let mut members = 0;
    let mut plans = Vec::with_capacity(n);
    for _ in 0..n {
        let (roll, seconds) = (dice.below(40), dice.seconds());
        let member = dice.one_of(&home);
        let plan = match (roll, member) {
            (13, _) => Plan::Withdrawn { seconds },
            (14..=18, Some(member)) => Plan::Again { member, seconds },
            (19..=23, Some(member)) => Plan::Session { member },
            (24..=25, Some(member)) => Plan::Abroad { member, seconds },
            (26, Some(member)) => Plan::AbroadNo { member },
            (27..=28, _) => Plan::Guest { seconds },
            (29..=31, _) => Plan::No,
            (32..=33, _) => Plan::Declined,
            (34..=36, _) => Plan::Away,
            (37..=39, _) => Plan::Revoked,
            // Only somebody who has come can come again.
            _ => Plan::New { seconds },
        };
        match plan {
            Plan::New { .. } => {
                home.push(members);
                members += 1;
            }
            Plan::Withdrawn { .. } => members += 1,
            // Back home they would come from abroad, which is another sign.
            Plan::Abroad { member, .. } | Plan::AbroadNo { member } => {
                home.retain(|one| *one != member);
            }
            Plan::Again { .. }
            | Plan::Session { .. }
            | Plan::Guest { .. }
            | Plan::No
            | Plan::Declined
            | Plan::Revoked
            | Plan::Away => {}
        }
        plans.push(plan);
    }
    plans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_logins_and_two_hundred_have_every_kind() {
        assert_eq!(plans(1, 200), plans(1, 200));
        assert_ne!(plans(1, 200), plans(2, 200));
        for seed in 1..=20 {
            let plans = plans(seed, 200);
            let kinds: std::collections::HashSet<_> =
                plans.iter().map(std::mem::discriminant).collect();
            assert_eq!(kinds.len(), 11, "seed {seed}");
        }
    }

    #[test]
    fn nobody_comes_again_who_has_not_come_or_went_abroad() {
        let mut home = std::collections::HashSet::new();
        let mut members = 0;
        for plan in plans(3, 500) {
            match plan {
                Plan::New { .. } => {
                    home.insert(members);
                    members += 1;
                }
                Plan::Withdrawn { .. } => members += 1,
                Plan::Again { member, .. } | Plan::Session { member } => {
                    assert!(home.contains(&member), "{member}");
                }
                Plan::Abroad { member, .. } | Plan::AbroadNo { member } => {
                    assert!(home.remove(&member), "{member}");
                }
                _ => {}
            }
        }
    }
}
