//! Signs with a name. With few logins a score hardly rises for a new country; these speak at once,
//! and each can be told to the person.

use std::collections::HashSet;
use std::net::IpAddr;

use vouchsafe_credentials::time::UnixTime;

use super::features::Observed;
use super::levels::RiskLevel;
use super::place::GeoPlace;
use super::values::{Level, Values};

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// No login of the account came from this country.
    FirstSeenCountry,
    /// Nobody gets from the last login to this one in the time between.
    ImpossibleTravel,
    /// No login of the account came from this browser.
    DeviceUnknown,
    /// The address is an exit of the Tor network.
    TorExit,
    /// Logins from this address or of this account were refused one after another.
    FailedBurst,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::FirstSeenCountry,
        Self::ImpossibleTravel,
        Self::DeviceUnknown,
        Self::TorExit,
        Self::FailedBurst,
    ];

    /// Code for traces, metrics and texts.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::FirstSeenCountry => "first_seen_country",
            Self::ImpossibleTravel => "impossible_travel",
            Self::DeviceUnknown => "device_unknown",
            Self::TorExit => "tor_exit",
            Self::FailedBurst => "failed_burst",
        }
    }

    /// The rule of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }

    /// The level that it stands for alone.
    #[must_use]
    pub fn level(self) -> RiskLevel {
        match self {
            Self::DeviceUnknown => RiskLevel::Medium,
            Self::FirstSeenCountry | Self::ImpossibleTravel | Self::TorExit | Self::FailedBurst => {
                RiskLevel::High
            }
        }
    }
}

/// Refused logins count for so many seconds.
pub const BURST_S: i64 = 600;

/// Faster than this nobody travels, in kilometres an hour.
const FASTEST: f64 = 1_000.0;
/// Nearer than this the databases may be wrong, in kilometres.
const NEAR: f64 = 500.0;

/// The last login of the account.
#[derive(Debug, Clone, PartialEq)]
pub struct LastLogin {
    /// When.
    pub at: UnixTime,
    /// Where.
    pub place: GeoPlace,
}

/// What the rules look at.
#[derive(Debug)]
pub struct Case<'a> {
    /// The login.
    pub observed: &'a Observed,
    /// Its values.
    pub values: &'a Values,
    /// When it is.
    pub now: UnixTime,
    /// Values of the account's logins.
    pub mine: &'a [Values],
    /// The last of them.
    pub last: Option<&'a LastLogin>,
    /// Whether the account logged in from this browser before; `None` where nothing tells.
    pub device_known: Option<bool>,
    /// Whether there is a database of countries.
    pub places_known: bool,
    /// Whether many logins from here or of the account were refused lately (`failed_burst` of `[risk]`).
    pub refused_often: bool,
}

/// The signs of a login. An account without history gives none that need one.
#[must_use]
pub fn apply(case: &Case<'_>, tor_exits: &HashSet<IpAddr>) -> Vec<Rule> {
    let holds = |rule: &Rule| match rule {
        Rule::FirstSeenCountry => is_new_country(case),
        Rule::ImpossibleTravel => is_impossible(case),
        Rule::DeviceUnknown => case.device_known == Some(false) && !case.mine.is_empty(),
        Rule::TorExit => case
            .observed
            .address
            .is_some_and(|address| tor_exits.contains(&address)),
        Rule::FailedBurst => case.refused_often,
    };
    Rule::ALL.into_iter().filter(holds).collect()
}

fn is_new_country(case: &Case<'_>) -> bool {
    // With a database, an address that is in none of its countries is nobody's home.
    let known = case.places_known && !case.mine.is_empty();
    let country = case.values.at(Level::Country);
    known
        && case
            .mine
            .iter()
            .all(|login| login.at(Level::Country) != country)
}

fn is_impossible(case: &Case<'_>) -> bool {
    let Some(last) = case.last else {
        return false;
    };
    let Some(kilometres) = last.place.kilometres_to(&case.observed.place) else {
        return false;
    };
    // Two clocks may differ; a journey takes a second at least.
    let seconds = case.now.since(last.at).max(1);
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds of a year are far below 2^53"
    )]
    let hours = seconds as f64 / 3600.0;
    kilometres > NEAR && kilometres / hours > FASTEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::place::Places;

    fn place(country: &str, degrees: (i16, i16)) -> GeoPlace {
        GeoPlace {
            country: Some(country.to_owned()),
            network: None,
            degrees: Some(degrees),
        }
    }

    fn observed(place: GeoPlace) -> Observed {
        Observed {
            place,
            ..Observed::new("192.0.2.1".parse().ok(), None, &Places::default())
        }
    }

    const NORWAY: Values = Values([1, 1, 47, 1, 1, 1, 1]);
    const AMERICA: Values = Values([2, 2, 1, 1, 1, 1, 1]);

    #[test]
    fn norway_to_america_in_an_hour_is_a_new_country_and_impossible() {
        let america = observed(place("US", (41, -74)));
        let last = LastLogin {
            at: UnixTime(0),
            place: place("NO", (60, 11)),
        };
        let case = |now, mine| Case {
            observed: &america,
            values: &AMERICA,
            now: UnixTime(now),
            mine,
            last: Some(&last),
            device_known: Some(true),
            places_known: true,
            refused_often: false,
        };
        let none = HashSet::new();
        let both = vec![Rule::FirstSeenCountry, Rule::ImpossibleTravel];
        assert_eq!(apply(&case(3600, &[NORWAY]), &none), both);
        // Not before the clock of the other login, either.
        assert_eq!(apply(&case(-5, &[NORWAY]), &none), both);
        assert_eq!(
            apply(&case(8 * 3600, &[NORWAY]), &none),
            vec![Rule::FirstSeenCountry]
        );
        assert_eq!(apply(&case(8 * 3600, &[NORWAY, AMERICA]), &none), vec![]);
    }

    #[test]
    fn a_first_login_and_an_unknown_place_give_no_sign() {
        let somewhere = observed(place("US", (41, -74)));
        let nowhere = observed(GeoPlace::default());
        let case = |observed, mine, device_known| Case {
            observed,
            values: &AMERICA,
            now: UnixTime(10),
            mine,
            last: None,
            device_known,
            places_known: false,
            refused_often: false,
        };
        let none = HashSet::new();
        assert_eq!(apply(&case(&somewhere, &[], Some(false)), &none), vec![]);
        assert_eq!(apply(&case(&nowhere, &[NORWAY], None), &none), vec![]);
        let unknown = apply(&case(&nowhere, &[NORWAY], Some(false)), &none);
        assert_eq!(unknown, vec![Rule::DeviceUnknown]);
    }

    #[test]
    fn an_exit_of_tor_is_named_whoever_comes_from_it() {
        let exits = HashSet::from(["192.0.2.1".parse().unwrap()]);
        let here = observed(GeoPlace::default());
        let case = Case {
            observed: &here,
            values: &NORWAY,
            now: UnixTime(10),
            mine: &[],
            last: None,
            device_known: None,
            places_known: false,
            refused_often: false,
        };
        assert_eq!(apply(&case, &exits), vec![Rule::TorExit]);
    }

    #[test]
    fn a_burst_of_refusals_is_named_with_and_without_a_history() {
        let here = observed(GeoPlace::default());
        let case = |mine| Case {
            observed: &here,
            values: &NORWAY,
            now: UnixTime(10),
            mine,
            last: None,
            device_known: None,
            places_known: false,
            refused_often: true,
        };
        let none = HashSet::new();
        assert_eq!(apply(&case(&[]), &none), vec![Rule::FailedBurst]);
        assert_eq!(apply(&case(&[NORWAY]), &none), vec![Rule::FailedBurst]);
    }

    #[test]
    fn codes_name_one_rule_each() {
        for rule in Rule::ALL {
            assert_eq!(Rule::from_code(rule.code()), Some(rule));
        }
        assert_eq!(Rule::from_code("none"), None);
    }
}
