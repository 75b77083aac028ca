//! How people sign in at the public address of a service.

use url::Host;

use crate::config::PublicUrl;
use crate::webauthn::RelyingParty;

/// How people sign in at an address.
#[derive(Debug, Clone)]
pub enum Site {
    /// With passkeys made for this site.
    Passkeys(RelyingParty),
    /// With each link: for development on one machine.
    Links,
}

impl Site {
    /// What is possible at a public address. None at an IP address that others reach: browsers
    /// know no passkeys there, and a link alone is one secret that mail and proxies read.
    pub fn of(public_url: &PublicUrl, name: &str) -> Option<Self> {
        if let Some(site) = RelyingParty::of(public_url, name) {
            return Some(Self::Passkeys(site));
        }
        let is_ip = matches!(public_url.url().host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
        let is_own_machine = is_ip && public_url.is_loopback() && !public_url.is_https();
        is_own_machine.then_some(Self::Links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Option<Site> {
        Site::of(&url.parse().unwrap(), "The Club")
    }

    #[test]
    fn links_sign_in_at_loopback_over_plain_http_alone() {
        for url in ["https://issuer.example", "http://localhost:4001"] {
            assert!(matches!(at(url), Some(Site::Passkeys(_))), "{url}");
        }
        for url in ["http://127.0.0.1:4001", "http://[::1]:4001"] {
            assert!(matches!(at(url), Some(Site::Links)), "{url}");
        }
        for url in [
            "https://10.0.0.5",
            "https://127.0.0.1",
            "https://[2001:db8::1]",
            "https://[::1]:8443",
        ] {
            assert!(at(url).is_none(), "{url}");
        }
    }
}
