//! Experiments with the score: a made population, attackers of three strengths, and what a
//! threshold costs the people who log in.
//!
//! The attackers are those of Wiefling et al.: one anywhere in the world, one in the country of the
//! victim, and one in the victim's network with the victim's kind of browser. They are made of the
//! logins of others, so they can be made of a real history as well, whose values are hashes.

use std::collections::HashMap;

use super::history::History;
use super::values::{Level, Values};

/// A generator of numbers that is the same everywhere for the same seed (SplitMix64). For
/// experiments only.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// Numbers of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.number()) * end as u128;
        (wide >> 64) as usize
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// A number from 0 to 1, without 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn fraction(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A small number more often than a large one.
    fn skewed(&mut self, end: usize) -> usize {
        let fraction = self.fraction() * self.fraction();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small and positive"
        )]
        let index = (fraction * end as f64) as usize;
        index.min(end - 1)
    }
}

/// A login of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// Number of the account.
    pub account: usize,
    /// Its values.
    pub values: Values,
}

/// Who tries to log in as somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attacker {
    /// From another country, with a common browser.
    Naive,
    /// From the victim's country, with a common browser.
    Vpn,
    /// From the victim's network, with the victim's kind of browser.
    Targeted,
}

impl Attacker {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::Naive, Self::Vpn, Self::Targeted];

    /// Name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Vpn => "VPN",
            Self::Targeted => "targeted",
        }
    }

    /// A login of this attacker at the account whose login was `victim`; `others` are logins that
    /// the values are taken from, at least one.
    fn login(self, victim: &Values, others: &[Login], random: &mut Seeded) -> Values {
        let agent = pick(others, random, |_| true);
        let country = victim.at(Level::Country);
        let from = match self {
            Self::Naive => pick(others, random, |other| other.at(Level::Country) != country),
            Self::Vpn => pick(others, random, |other| other.at(Level::Country) == country),
            Self::Targeted => *victim,
        };
        let agent = match self {
            Self::Naive | Self::Vpn => agent,
            Self::Targeted => pick(others, random, |other| {
                [Level::Browser, Level::System, Level::Device]
                    .iter()
                    .all(|level| other.at(*level) == victim.at(*level))
            }),
        };
        let mut values = agent;
        for level in [Level::Address, Level::Network, Level::Country] {
            values.0[level.index()] = from.at(level);
        }
        // Nobody has the very address of another.
        values.0[Level::Address.index()] = random.number();
        values
    }
}

/// Values of one of the logins that fit; of any where none of some fits.
fn pick(others: &[Login], random: &mut Seeded, fits: impl Fn(&Values) -> bool) -> Values {
    const TRIES: usize = 64;
    let mut last = others[random.below(others.len())].values;
    for _ in 0..TRIES {
        if fits(&last) {
            break;
        }
        last = others[random.below(others.len())].values;
    }
    last
}

/// What a history says about scores.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Scores of the account's own logins, in their order; the first login has none.
    legitimate: HashMap<usize, Vec<f64>>,
    attacks: HashMap<Attacker, Vec<f64>>,
}

/// Plays logins in their order, with attacks in between, and collects the scores.
#[must_use]
pub fn play(logins: &[Login], seed: u64) -> Outcome {
    let mut random = Seeded::new(seed);
    let (mut history, mut outcome) = (History::default(), Outcome::default());
    for (index, login) in logins.iter().enumerate() {
        let account = login.account.to_string();
        if let Some(score) = history.score(&account, &login.values) {
            outcome
                .legitimate
                .entry(login.account)
                .or_default()
                .push(score);
            // People who log in often would count for most otherwise.
            if history.logins(&account).len().is_power_of_two() {
                for attacker in Attacker::ALL {
                    let attack = attacker.login(&login.values, &logins[..index], &mut random);
                    let score = history.score(&account, &attack);
                    outcome.attacks.entry(attacker).or_default().extend(score);
                }
            }
        }
        history.add(&account, login.values);
    }
    outcome
}

/// A number of things out of a number.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn share(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

impl Outcome {
    /// The score from which on this share of the attacks is caught; `None` without attacks.
    #[must_use]
    pub fn threshold(&self, attacker: Attacker, target: f64) -> Option<f64> {
        let mut scores = self.attacks.get(&attacker)?.clone();
        scores.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let missed = ((1.0 - target) * scores.len() as f64 + 1e-9).floor() as usize;
        scores.get(missed).copied()
    }

    /// Attacks that were tried.
    #[must_use]
    pub fn attacks(&self, attacker: Attacker) -> usize {
        self.attacks.get(&attacker).map_or(0, Vec::len)
    }

    /// Share of the accounts' own logins from `threshold` on, and how many there were.
    #[must_use]
    pub fn false_positives(&self, threshold: f64) -> (f64, usize) {
        let all = self.legitimate.values().flatten();
        let (mut asked, mut total) = (0, 0);
        for score in all {
            asked += usize::from(*score >= threshold);
            total += 1;
        }
        (share(asked, total.max(1)), total)
    }

    /// Median over accounts with `logins` logins or more: the share of these logins at which more
    /// is asked for. `None` where there is no such account.
    #[must_use]
    pub fn median_rate(&self, threshold: f64, logins: usize) -> Option<f64> {
        let mut rates: Vec<f64> = self
            .legitimate
            .values()
            .filter(|scores| scores.len() + 1 >= logins)
            .map(|scores| {
                let of_them = scores.iter().take(logins - 1);
                share(of_them.filter(|score| **score >= threshold).count(), logins)
            })
            .collect();
        rates.sort_by(f64::total_cmp);
        match rates.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(rates[odd / 2]),
            even => Some(f64::midpoint(rates[even / 2 - 1], rates[even / 2])),
        }
    }
}

/// The 95 % interval of a share (Wilson).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn interval(share: f64, of: usize) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let n = of.max(1) as f64;
    let middle = share + Z * Z / (2.0 * n);
    let width = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (
        ((middle - width) / scale).max(0.0),
        ((middle + width) / scale).min(1.0),
    )
}

/// Countries of the made population; the first is home to most.
const COUNTRIES: usize = 20;
/// Networks of each country.
const NETWORKS: usize = 60;
/// Kinds of browser, with system and device.
const KINDS: usize = 80;

struct Person {
    country: usize,
    network: usize,
    address: u64,
    mobile: usize,
    kinds: [usize; 2],
    version: usize,
}

impl Person {
    fn new(random: &mut Seeded) -> Self {
        let country = if random.happens(0.9) {
            0
        } else {
            random.below(COUNTRIES)
        };
        Self {
            country,
            network: random.skewed(NETWORKS),
            address: random.number(),
            mobile: random.skewed(NETWORKS / 3),
            kinds: [random.skewed(KINDS), random.skewed(KINDS)],
            version: random.below(4),
        }
    }

    fn login(&mut self, random: &mut Seeded) -> Values {
        // Lines get new addresses, and browsers new versions.
        if random.happens(0.1) {
            self.address = random.number();
        }
        if random.happens(0.06) {
            self.version += 1;
        }
        let away = random.happens(0.01);
        let mobile = random.happens(0.25);
        let country = if away {
            random.below(COUNTRIES)
        } else {
            self.country
        };
        let network = if mobile { self.mobile } else { self.network };
        let address = if mobile || away {
            // Many share the addresses of a mobile network.
            (country * NETWORKS + network) as u64 * 10_000 + random.below(3_000) as u64
        } else {
            self.address
        };
        let kind = self.kinds[usize::from(random.happens(0.25))];
        let (browser, system, device) = (kind % 4, kind / 4, usize::from(kind.is_multiple_of(3)));
        let agent = (kind * 1_000 + self.version) * 4 + random.below(40) / 39;
        Values(
            [
                usize::MAX,
                country * NETWORKS + network,
                country,
                agent,
                browser * 1_000 + self.version,
                system,
                device,
            ]
            .map(|number| number as u64),
        )
        .with_address(address)
    }
}

impl Values {
    fn with_address(mut self, address: u64) -> Self {
        self.0[Level::Address.index()] = address;
        self
    }
}

/// Logins of a made population, in their order.
#[must_use]
pub fn population(seed: u64, people: usize) -> Vec<Login> {
    let mut random = Seeded::new(seed);
    let mut logins: Vec<(u64, usize, usize)> = Vec::new();
    let mut persons: Vec<Person> = Vec::new();
    for account in 0..people {
        persons.push(Person::new(&mut random));
        // Few log in often: the product of three fractions falls off fast.
        let often = random.fraction() * random.fraction() * 20.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small and positive"
        )]
        let count = 1 + often as usize + if random.happens(0.03) { 40 } else { 0 };
        for number in 0..count {
            logins.push((random.number(), account, number));
        }
    }
    logins.sort_unstable();
    logins
        .into_iter()
        .map(|(_, account, _)| Login {
            account,
            values: persons[account].login(&mut random),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_logins() {
        assert_eq!(population(7, 50), population(7, 50));
        assert_ne!(population(7, 50), population(8, 50));
    }

    /// login.md, section 4.4: the shape of the published table, not its numbers.
    #[test]
    fn people_are_asked_less_the_more_they_log_in_and_more_for_stronger_attackers() {
        let logins = population(7, 1_000);
        let outcome = play(&logins, 7);
        let rates = Attacker::ALL.map(|attacker| {
            let threshold = outcome.threshold(attacker, 0.99).unwrap();
            outcome.false_positives(threshold).0
        });
        let medians = |attacker, logins: &[usize]| {
            let threshold = outcome.threshold(attacker, 0.99).unwrap();
            let rate = |k: &usize| outcome.median_rate(threshold, *k).unwrap();
            logins.iter().map(rate).collect::<Vec<_>>()
        };
        let vpn = medians(Attacker::Vpn, &[2, 12, 39]);
        assert!(vpn.is_sorted_by(|a, b| a > b), "{vpn:?}");
        // Half of the people are not even asked at their second login.
        let naive = medians(Attacker::Naive, &[12, 39]);
        assert!(naive.is_sorted_by(|a, b| a > b), "{naive:?}");
        assert!(rates[0] < rates[1] && rates[1] < rates[2], "{rates:?}");
    }

    #[test]
    fn a_threshold_catches_the_share_that_was_asked_for() {
        let outcome = play(&population(3, 300), 3);
        for target in [0.9, 0.99, 0.999] {
            let threshold = outcome.threshold(Attacker::Naive, target).unwrap();
            let scores = &outcome.attacks[&Attacker::Naive];
            let caught = scores.iter().filter(|score| **score >= threshold).count();
            assert!(share(caught, scores.len()) >= target, "{target}");
        }
        assert_eq!(Outcome::default().threshold(Attacker::Naive, 0.9), None);
    }

    #[test]
    fn intervals_hold_their_share_and_narrow() {
        let (low, high) = interval(0.1, 100);
        assert!(
            low > 0.05 && low < 0.1 && high > 0.1 && high < 0.18,
            "{low} {high}"
        );
        let (near, far) = interval(0.1, 100_000);
        assert!(near > low && far < high);
        assert_eq!(interval(0.0, 0).0, 0.0);
    }
}
