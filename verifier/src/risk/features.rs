//! What a request tells: where it comes from, and which browser on which device.

use std::net::IpAddr;

use super::place::{GeoPlace, Places};
use super::values::{Level, ValueKey, Values};

/// Longest `User-Agent` that is looked at.
const MAX_USER_AGENT: usize = 1024;

/// A login as it was seen. Lives as long as the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The client's address, where it is known.
    pub address: Option<IpAddr>,
    /// Where that is, as far as the databases say.
    pub place: GeoPlace,
    /// The `User-Agent`, at most 1,024 bytes of it.
    pub agent: String,
}

impl Observed {
    /// Reads a request.
    #[must_use]
    pub fn new(address: Option<IpAddr>, agent: Option<&str>, places: &Places) -> Self {
        let address = address.map(|address| address.to_canonical());
        let agent = agent.unwrap_or_default();
        let end = agent.floor_char_boundary(MAX_USER_AGENT);
        Self {
            place: address.map_or_else(GeoPlace::default, |address| places.look_up(address)),
            address,
            agent: agent[..end].to_owned(),
        }
    }

    /// The values that are counted.
    #[must_use]
    pub fn values(&self, key: &ValueKey) -> Values {
        let Agent {
            browser,
            system,
            device,
        } = Agent::parse(&self.agent);
        let text = |level| match level {
            Level::Address => self.address.map(|a| a.to_string()).unwrap_or_default(),
            Level::Network => self
                .place
                .network
                .map(|n| n.to_string())
                .unwrap_or_default(),
            Level::Country => self.place.country.clone().unwrap_or_default(),
            Level::Agent => self.agent.clone(),
            Level::Browser => browser.clone(),
            Level::System => system.clone(),
            Level::Device => device.to_owned(),
        };
        Values(Level::ALL.map(|level| key.hash(level, &text(level))))
    }
}

/// A `User-Agent` (RFC 9110, section 10.1.5) in coarser words. Since browsers froze most of the
/// header, a family and its first number is what it still says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Agent {
    browser: String,
    system: String,
    device: &'static str,
}

/// Products by which browsers are known. The order matters: Edge names Chrome and Safari.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

/// Marks of operating systems, each followed by its version.
const SYSTEMS: [(&str, &str); 8] = [
    ("Android ", "Android"),
    ("iPhone OS ", "iOS"),
    ("CPU OS ", "iPadOS"),
    ("Windows NT ", "Windows"),
    ("Mac OS X ", "macOS"),
    ("CrOS ", "ChromeOS"),
    ("Linux", "Linux"),
    ("Windows", "Windows"),
];

impl Agent {
    fn parse(agent: &str) -> Self {
        let browser = versioned(agent, &BROWSERS, |c| c.is_ascii_digit());
        let system = versioned(agent, &SYSTEMS, |c| {
            c.is_ascii_digit() || c == '.' || c == '_'
        });
        let device = if agent.contains("iPad") || agent.contains("Tablet") {
            "tablet"
        } else if agent.contains("Mobile") || agent.contains("iPhone") {
            "mobile"
        } else if agent.contains("Android") {
            "tablet"
        } else if system.is_empty() {
            "unknown"
        } else {
            "desktop"
        };
        Self {
            browser,
            system,
            device,
        }
    }
}

/// The name of the first mark in `agent`, with the version behind it.
fn versioned(agent: &str, marks: &[(&str, &str)], in_version: fn(char) -> bool) -> String {
    let found = marks
        .iter()
        .find_map(|(mark, name)| Some((agent.split_once(mark)?.1, name)));
    let Some((rest, name)) = found else {
        return String::new();
    };
    let version = rest.split(|c| !in_version(c)).next().unwrap_or_default();
    format!("{name} {version}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vouchsafe_service::keys::SymmetricKey;

    fn agent(text: &str) -> (String, String, &'static str) {
        let Agent {
            browser,
            system,
            device,
        } = Agent::parse(text);
        (browser, system, device)
    }

    #[test]
    fn names_browser_system_and_device() {
        for (text, browser, system, device) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox 140",
                "Linux",
                "desktop",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                "Edge 141",
                "Windows 10.0",
                "desktop",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                "Chrome 141",
                "Android 10",
                "mobile",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari 18",
                "iOS 18_5",
                "mobile",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari 26",
                "macOS 10_15_7",
                "desktop",
            ),
            ("curl/8.9", "", "", "unknown"),
            ("", "", "", "unknown"),
        ] {
            assert_eq!(
                agent(text),
                (browser.to_owned(), system.to_owned(), device),
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_is_the_same_in_both_notations() {
        let key = ValueKey::new(SymmetricKey::from_token("risk", &format!("{}", 1)));
        let values = |text: &str| {
            let address = text.parse().ok();
            Observed::new(address, None, &Places::default()).values(&key)
        };
        assert_eq!(values("::ffff:192.0.2.1"), values("192.0.2.1"));
        assert_ne!(values("192.0.2.2"), values("192.0.2.1"));
    }

    proptest! {
        #[test]
        fn any_header_is_read(text in "\\PC{0,2000}") {
            let observed = Observed::new(None, Some(&text), &Places::default());
            prop_assert!(observed.agent.len() <= MAX_USER_AGENT);
            let parsed = Agent::parse(&observed.agent);
            prop_assert!(parsed.browser.len() <= MAX_USER_AGENT + 32);
        }
    }
}
