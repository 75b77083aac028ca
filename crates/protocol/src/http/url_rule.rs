//! Which URLs may be touched at all.

use url::{Host, Url};

/// Longest address of an endpoint in bytes.
pub const MAX_ENDPOINT_BYTES: usize = 2048;

/// Which URLs a party accepts from another party before it sends anything there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UrlRule {
    /// `https` to a public host name or public address.
    #[default]
    PublicHttps,
    /// As `PublicHttps`, and in addition `http` or `https` to a loopback address. For
    /// development on one machine; a shipped profile never sets it.
    LoopbackAllowed,
    /// `https` to any host. For closed networks whose hosts an operator lists.
    AnyHttps,
}

/// Why a URL was refused. Texts never repeat the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// Not an absolute URL.
    #[error("not an absolute URL")]
    Malformed,
    /// The scheme is neither `https` nor an allowed exception.
    #[error("the scheme is not https")]
    Scheme,
    /// User name or password in the authority.
    #[error("the URL carries credentials")]
    Credentials,
    /// A fragment, which no server ever sees.
    #[error("the URL has a fragment")]
    Fragment,
    /// A query where none is allowed.
    #[error("the URL has a query")]
    Query,
    /// A host inside a private network or on this machine.
    #[error("the host is not public")]
    PrivateHost,
}

impl UrlRule {
    /// Parses a URL and applies the rule. Catalogue 286: refused before any request.
    ///
    /// # Errors
    /// [`UrlRefused`] with the first rule broken.
    pub fn parse(self, text: &str) -> Result<Url, UrlRefused> {
        // The URL standard strips white space and turns `\` into `/`; a peer that
        // means a plain URL sends neither.
        let plain = |b: u8| b.is_ascii_graphic() && b != b'\\';
        if text.is_empty() || !text.bytes().all(plain) {
            return Err(UrlRefused::Malformed);
        }
        let url = Url::parse(text).map_err(|_| UrlRefused::Malformed)?;
        self.check(&url)?;
        Ok(url)
    }

    /// As [`UrlRule::parse`], for an address to which requests are sent: at most
    /// [`MAX_ENDPOINT_BYTES`] long.
    ///
    /// # Errors
    /// [`UrlRefused`] with the first rule broken.
    pub fn endpoint(self, text: &str) -> Result<Url, UrlRefused> {
        if text.len() > MAX_ENDPOINT_BYTES {
            return Err(UrlRefused::Malformed);
        }
        self.parse(text)
    }

    /// Applies the rule to a parsed URL.
    ///
    /// # Errors
    /// [`UrlRefused`] with the first rule broken.
    pub fn check(self, url: &Url) -> Result<(), UrlRefused> {
        let host = url.host().ok_or(match url.scheme() {
            "https" | "http" => UrlRefused::Malformed,
            _ => UrlRefused::Scheme,
        })?;
        let loopback = is_loopback(&host);
        match (self, url.scheme()) {
            (_, "https") => {}
            (Self::LoopbackAllowed, "http") if loopback => {}
            _ => return Err(UrlRefused::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefused::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlRefused::Fragment);
        }
        match self {
            Self::AnyHttps => Ok(()),
            Self::LoopbackAllowed if loopback => Ok(()),
            Self::LoopbackAllowed | Self::PublicHttps if is_public(&host) => Ok(()),
            Self::LoopbackAllowed | Self::PublicHttps => Err(UrlRefused::PrivateHost),
        }
    }
}

/// Whether a URL points to this machine (127.0.0.0/8, ::1, `localhost`).
#[must_use]
pub fn is_loopback_url(url: &Url) -> bool {
    url.host().is_some_and(|h| is_loopback(&h))
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
    }
}

/// A cheap first look at the text of the host; the transport also checks the
/// addresses that a name resolves to.
fn is_public(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(ip) => is_public_v4(*ip),
        Host::Ipv6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            // 2000::/3 is the only global unicast range (RFC 4291, section 2.4).
            None => ip.segments()[0] & 0xe000 == 0x2000 && ip.segments()[..2] != [0x2001, 0xdb8],
        },
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            const INNER: [&str; 6] = [
                "local",
                "localhost",
                "internal",
                "lan",
                "home.arpa",
                "intranet",
            ];
            name.contains('.')
                && !INNER
                    .iter()
                    .any(|i| name == *i || name.strip_suffix(i).is_some_and(|n| n.ends_with('.')))
        }
    }
}

fn is_public_v4(ip: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_unspecified()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || (a == 192 && b == 0 && ip.octets()[2] == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_rule_refuses_what_is_not_public_https() {
        for (text, why) in [
            ("http://issuer.example.com", UrlRefused::Scheme),
            ("javascript:alert(1)", UrlRefused::Scheme),
            ("file:///etc/passwd", UrlRefused::Scheme),
            ("https://u:p@issuer.example.com", UrlRefused::Credentials),
            ("https://issuer.example.com/#x", UrlRefused::Fragment),
            ("https://10.0.0.1/", UrlRefused::PrivateHost),
            ("https://127.0.0.1/", UrlRefused::PrivateHost),
            ("https://0x7f.1/", UrlRefused::PrivateHost),
            ("https://2130706433/", UrlRefused::PrivateHost),
            ("https://169.254.169.254/latest", UrlRefused::PrivateHost),
            ("https://100.64.0.1/", UrlRefused::PrivateHost),
            ("https://[::1]/", UrlRefused::PrivateHost),
            ("https://[::ffff:10.0.0.1]/", UrlRefused::PrivateHost),
            ("https://[fd00::1]/", UrlRefused::PrivateHost),
            ("https://localhost/", UrlRefused::PrivateHost),
            ("https://db.internal/", UrlRefused::PrivateHost),
            ("https://db.internal./", UrlRefused::PrivateHost),
            ("https://intranet/", UrlRefused::PrivateHost),
            ("https://a.example.com\\@b", UrlRefused::Malformed),
            (" https://a.example.com", UrlRefused::Malformed),
            ("", UrlRefused::Malformed),
        ] {
            assert_eq!(UrlRule::PublicHttps.parse(text), Err(why), "{text}");
        }
        assert!(
            UrlRule::PublicHttps
                .parse("https://issuer.example.com/a?b=c")
                .is_ok()
        );
    }

    #[test]
    fn loopback_is_an_exception_for_loopback_only() {
        assert!(
            UrlRule::LoopbackAllowed
                .parse("http://127.0.0.2:8080/x")
                .is_ok()
        );
        assert!(
            UrlRule::LoopbackAllowed
                .parse("http://localhost:1/")
                .is_ok()
        );
        assert_eq!(
            UrlRule::LoopbackAllowed.parse("http://10.0.0.1/"),
            Err(UrlRefused::Scheme)
        );
        assert_eq!(
            UrlRule::LoopbackAllowed.parse("http://127.0.0.1.example.com/"),
            Err(UrlRefused::Scheme)
        );
    }
}
