//! Which addresses may be asked at all.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::is_public;
use crate::config::AllowedHost;

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not an absolute address.
    #[error("it is not an absolute address")]
    Syntax,
    /// Not https.
    #[error("it is not https")]
    Scheme,
    /// A user or password in the address.
    #[error("it contains a user")]
    UserInfo,
    /// Another port than 443.
    #[error("the port is not allowed")]
    Port,
    /// The host is, or resolves to, an address that is not public.
    #[error("the host is not on the public internet")]
    Private,
    /// The name does not resolve.
    #[error("the host has no address")]
    Unresolved,
}

/// The rules and their configured exceptions.
#[derive(Debug)]
pub(super) struct Policy {
    allow: Vec<AllowedHost>,
    loopback_http: bool,
}

impl Policy {
    pub(super) fn new(allow: &[AllowedHost], loopback_http: bool) -> Self {
        Self {
            allow: allow.to_vec(),
            loopback_http,
        }
    }

    /// Checks what can be seen without resolving the name.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refused> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        let host = url.host().ok_or(Refused::Syntax)?;
        if self.loopback_http && is_loopback(&host) {
            return match url.scheme() {
                "http" | "https" => Ok(()),
                _ => Err(Refused::Scheme),
            };
        }
        if url.scheme() != "https" {
            return Err(Refused::Scheme);
        }
        let name = host.to_string();
        let port = url.port_or_known_default().ok_or(Refused::Port)?;
        if port != 443
            && !self
                .exceptions(&name)
                .any(|host| host.ports.contains(&port))
        {
            return Err(Refused::Port);
        }
        match host {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(ip) => self.check_address(&name, IpAddr::V4(ip)),
            Host::Ipv6(ip) => self.check_address(&name, IpAddr::V6(ip)),
        }
    }

    /// Checks an address that `host` is or resolves to.
    pub(super) fn check_address(&self, host: &str, ip: IpAddr) -> Result<(), Refused> {
        let allowed = is_public(ip)
            || self.exceptions(host).any(|host| host.private)
            || (self.loopback_http && host == "localhost" && ip.is_loopback());
        match allowed {
            true => Ok(()),
            false => Err(Refused::Private),
        }
    }

    fn exceptions(&self, host: &str) -> impl Iterator<Item = &AllowedHost> {
        self.allow
            .iter()
            .filter(move |allowed| allowed.host == host)
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}
