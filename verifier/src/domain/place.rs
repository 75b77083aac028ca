//! Where a login was begun, in words that a person can compare with what they see.

use serde::{Deserialize, Serialize};

use super::request::StepUp;
use crate::risk::Seen;

/// The browser that started a login, as far as its request tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Family of the browser, for example `Firefox`.
    pub browser: Option<String>,
    /// Operating system, for example `Linux`.
    pub system: Option<String>,
    /// Network address, as text.
    pub address: Option<String>,
    /// What is counted of it, once the login succeeds.
    #[serde(default)]
    pub seen: Option<Seen>,
    /// Nothing shows that this browser was here before.
    #[serde(default)]
    pub first: bool,
    /// A registration was counted as started in the login that this one repeats.
    #[serde(default)]
    pub registers: bool,
    /// Why a session did not do, where there was one.
    #[serde(default)]
    pub step_up: Option<StepUp>,
    /// That was counted.
    #[serde(default)]
    pub step_up_told: bool,
}

/// Longest `User-Agent` that is looked at.
const MAX_USER_AGENT: usize = 1024;

impl Place {
    /// Reads a `User-Agent` (RFC 9110, section 10.1.5) for the few families that people know by
    /// name. Nothing else of the header is kept.
    #[must_use]
    pub fn from_request(user_agent: Option<&str>, address: Option<String>) -> Self {
        let agent = user_agent
            .filter(|agent| agent.len() <= MAX_USER_AGENT)
            .unwrap_or_default();
        // The order matters: Edge names Chrome and Safari, Chrome names Safari.
        let browser = [
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ];
        let system = [
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("CrOS", "ChromeOS"),
            ("Linux", "Linux"),
        ];
        Self {
            browser: named(agent, &browser),
            system: named(agent, &system),
            address,
            seen: None,
            first: false,
            registers: false,
            step_up: None,
            step_up_told: false,
        }
    }
}

fn named(agent: &str, names: &[(&str, &str)]) -> Option<String> {
    names
        .iter()
        .find(|(mark, _)| agent.contains(mark))
        .map(|(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_people_know_and_nothing_else() {
        let place = Place::from_request(
            Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            None,
        );
        assert_eq!(place.browser.as_deref(), Some("Firefox"));
        assert_eq!(place.system.as_deref(), Some("Linux"));
        let odd = Place::from_request(Some("<script>alert(1)</script>"), None);
        assert_eq!(odd, Place::default());
        let long = Place::from_request(Some(&"Firefox/".repeat(1000)), None);
        assert_eq!(long.browser, None);
    }
}
