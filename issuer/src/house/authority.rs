//! Which tenant a request is for: its authority says so, and nothing else.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::http::uri::Authority;
use axum::http::{Request, header};
use vouchsafe_service::config::PublicUrl;

/// The authority of a request is missing, given twice or no authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Tenants, as numbers, by authority.
#[derive(Debug, Clone, Default)]
pub(super) struct Authorities(HashMap<(String, Option<u16>), usize>);

impl Authorities {
    /// Adds the address of a tenant. The error is the one that has its authority.
    pub(super) fn add(&mut self, url: &PublicUrl, tenant: usize) -> Result<(), usize> {
        let host = url.host().to_ascii_lowercase();
        let port = url.url().port_or_known_default();
        // Clients leave out the port that the scheme implies (RFC 9110, section 4.2.3).
        let implied = url.url().port().is_none().then_some(None);
        let keys = implied.into_iter().chain([port]);
        for port in keys {
            match self.0.entry((host.clone(), port)) {
                Entry::Occupied(there) => return Err(*there.get()),
                Entry::Vacant(free) => free.insert(tenant),
            };
        }
        Ok(())
    }

    /// The tenant that a request names. `None`: nobody has this name.
    pub(super) fn of<B>(&self, request: &Request<B>) -> Result<Option<usize>, Malformed> {
        let authority = match request.uri().authority() {
            // RFC 9112, section 3.2.2: what an absolute request target says counts, and the Host
            // field does not; RFC 9113, section 8.3.1: `:authority` arrives here too.
            Some(authority) => authority.clone(),
            None => host(request)?,
        };
        // RFC 9110, section 4.2.4: user information is an error. So it is no host of the text.
        let rest = authority.as_str().strip_prefix(authority.host());
        let port = match rest.map(|rest| rest.strip_prefix(':').unwrap_or(rest)) {
            None => return Err(Malformed),
            Some("") => None,
            // RFC 3986, section 3.2.3: digits.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| Malformed)?)
            }
            Some(_) => return Err(Malformed),
        };
        let name = (authority.host().to_ascii_lowercase(), port);
        Ok(self.0.get(&name).copied())
    }
}

/// RFC 9112, section 3.2: exactly one Host field, with an authority.
fn host<B>(request: &Request<B>) -> Result<Authority, Malformed> {
    let mut fields = request.headers().get_all(header::HOST).iter();
    match (fields.next(), fields.next()) {
        (Some(host), None) => Authority::try_from(host.as_bytes()).map_err(|_| Malformed),
        (_, _) => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorities() -> Authorities {
        let mut all = Authorities::default();
        for (number, url) in [
            "https://club.example",
            "https://gym.example:8443",
            "http://127.0.0.1:8702",
            "https://[2001:db8::1]",
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(all.add(&url.parse().unwrap(), number), Ok(()));
        }
        all
    }

    #[test]
    fn a_request_is_for_whom_it_names() {
        let all = authorities();
        for (host, tenant) in [
            ("club.example", Some(0)),
            ("CLUB.example:443", Some(0)),
            ("gym.example:8443", Some(1)),
            ("127.0.0.1:8702", Some(2)),
            ("[2001:db8::1]", Some(3)),
            ("[2001:db8::1]:443", Some(3)),
            ("gym.example", None),
            ("club.example:8443", None),
            ("club.example:80", None),
            ("club.example.", None),
            ("www.club.example", None),
            ("club.example.evil.example", None),
            ("127.0.0.1", None),
            ("localhost:8702", None),
        ] {
            let request = Request::get("/").header("host", host).body(()).unwrap();
            assert_eq!(all.of(&request), Ok(tenant), "{host}");
        }
        // The request target counts, whatever the field says.
        let absolute = Request::get("https://club.example/x").header("host", "gym.example:8443");
        assert_eq!(all.of(&absolute.body(()).unwrap()), Ok(Some(0)));
    }

    #[test]
    fn no_authority_is_no_guess() {
        let all = authorities();
        for hosts in [
            &[][..],
            &["club.example", "gym.example:8443"],
            &["club.example", "club.example"],
            &[""],
            &["club example"],
            &["club.example/x"],
            &["user@club.example"],
            &["club.example, gym.example"],
            &["club.example:x"],
            &["club.example:+443"],
            &["club.example:65979"],
            &["club.example@club.example"],
        ] {
            let mut request = Request::get("/");
            for host in hosts {
                request = request.header("host", *host);
            }
            let request = request.body(()).unwrap();
            assert_eq!(all.of(&request), Err(Malformed), "{hosts:?}");
        }
    }

    #[test]
    fn two_tenants_never_have_one_authority() {
        let mut all = authorities();
        for (taken, by) in [
            ("https://club.example", 0),
            ("https://gym.example:8443", 1),
            ("http://127.0.0.1:8702", 2),
            // Another scheme, and the same authority.
            ("https://127.0.0.1:8702", 2),
        ] {
            assert_eq!(all.add(&taken.parse().unwrap(), 9), Err(by), "{taken}");
        }
        // An address is written in one way only, without the port that the scheme implies.
        assert!("https://club.example:443".parse::<PublicUrl>().is_err());
    }
}
