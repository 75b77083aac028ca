//! From where the demo is reached: this machine, a phone in the same network, or the internet.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use anyhow::{Context, Result, bail, ensure};
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::PublicUrl;
use vouchsafe_service::tls::TlsConfig;

use crate::certificates::{self, LanPair, TlsPair};

/// Services of the demo, in the order of their ports.
const SERVICES: [&str; 4] = ["shop", "login", "club", "wallet"];

/// What `--lan` means without an address.
pub const AUTOMATIC: &str = "auto";

/// From where the demo is reached.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Browsers on this machine.
    Loopback,
    /// Whoever is in the network of this address, over https with a certificate made on the spot.
    Lan(Box<Lan>),
    /// Whoever a proxy lets through.
    Public(PublicUrl),
}

/// A network address, and the certificate for it.
#[derive(Clone, Debug)]
pub struct Lan {
    /// The address of this machine.
    pub address: IpAddr,
    /// The authority that phones must trust, PEM.
    pub authority: String,
    /// SHA-256 of the authority: what people compare before they trust it.
    pub fingerprint: String,
    /// Serves under the certificate.
    pub tls: TlsConfig,
}

/// Where the services are.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The shop.
    pub shop: String,
    /// The OpenID Provider.
    pub verifier: String,
    /// The issuer.
    pub issuer: String,
    /// The wallet in the browser.
    pub wallet: String,
    /// Where they listen, in this order.
    pub listen: [SocketAddr; 4],
    /// Where a phone gets the authority of `--lan`.
    pub authority: Option<SocketAddr>,
}

impl Reach {
    /// What the options ask for.
    pub fn parse(lan: Option<&str>, public_url: Option<&PublicUrl>) -> Result<Self> {
        match (lan, public_url) {
            (None, None) => Ok(Self::Loopback),
            (Some(address), None) => Ok(Self::Lan(Box::new(Lan::new(address)?))),
            (None, Some(url)) => {
                let named = url.url().domain().is_some_and(|name| name.contains('.'));
                ensure!(
                    url.is_https() && named && url.path().is_empty(),
                    "--public-url is an address such as https://demo.example: https, a name, no path"
                );
                Ok(Self::Public(url.clone()))
            }
            (Some(_), Some(_)) => bail!("either --lan or --public-url"),
        }
    }

    /// Ports from `first` on, or free ones for 0.
    pub fn addresses(&self, first: u16) -> Result<Addresses> {
        let ip = match self {
            Self::Lan(lan) => lan.address,
            Self::Loopback | Self::Public(_) => Ipv4Addr::LOCALHOST.into(),
        };
        let at = |offset: u16| -> Result<SocketAddr> {
            let port = match first {
                0 => TcpListener::bind((ip, 0))?.local_addr()?.port(),
                _ => first.checked_add(offset).context("a port beyond 65535")?,
            };
            Ok(SocketAddr::new(ip, port))
        };
        let listen = [at(0)?, at(1)?, at(2)?, at(3)?];
        let [shop, verifier, issuer, wallet] = [0, 1, 2, 3].map(|i: usize| self.url(i, listen));
        Ok(Addresses {
            shop,
            verifier,
            issuer,
            wallet,
            listen,
            authority: match self {
                Self::Lan(_) => Some(at(4)?),
                Self::Loopback | Self::Public(_) => None,
            },
        })
    }

    fn url(&self, service: usize, listen: [SocketAddr; 4]) -> String {
        let (name, at) = (SERVICES.get(service), listen.get(service));
        let (name, at) = (name.copied().unwrap_or_default(), at.copied());
        let at = at.map(|at| at.to_string()).unwrap_or_default();
        match self {
            Self::Loopback => format!("http://{at}"),
            Self::Lan(_) => format!("https://{at}"),
            // The shop is where people start.
            Self::Public(url) if service == 0 => url.as_str().to_owned(),
            Self::Public(url) => url.as_str().replacen("://", &format!("://{name}."), 1),
        }
    }

    /// What the services may ask beside public hosts: each other.
    pub fn exceptions(&self, addresses: &Addresses) -> Vec<(String, Vec<u16>)> {
        if matches!(self, Self::Loopback) {
            return Vec::new();
        }
        let all = [
            &addresses.shop,
            &addresses.verifier,
            &addresses.issuer,
            &addresses.wallet,
        ];
        let urls = all.into_iter().filter_map(|url| url::Url::parse(url).ok());
        urls.filter_map(|url| {
            let host = url.host_str()?.to_owned();
            Some((host, url.port().into_iter().collect()))
        })
        .collect()
    }

    /// What serves https here; behind a proxy it is the proxy.
    pub fn tls(&self) -> Option<TlsConfig> {
        match self {
            Self::Lan(lan) => Some(lan.tls.clone()),
            Self::Loopback | Self::Public(_) => None,
        }
    }

    /// Whether only this machine reaches the demo.
    pub fn is_loopback(&self) -> bool {
        matches!(self, Self::Loopback)
    }
}

impl Lan {
    fn new(address: &str) -> Result<Self> {
        let address = match address {
            AUTOMATIC => own_address()?,
            other => other
                .parse()
                .context("--lan takes an address of this machine, such as 192.168.1.5")?,
        };
        ensure!(
            !address.is_unspecified() && !address.is_multicast(),
            "--lan takes an address of this machine, such as 192.168.1.5"
        );
        let LanPair { tls, fingerprint } = certificates::lan_pair(address, SystemClock.now().0)?;
        let TlsPair {
            authority,
            certificate,
            key,
        } = tls;
        Ok(Self {
            address,
            authority,
            fingerprint,
            tls: TlsConfig::from_pem(certificate.as_bytes(), key.as_bytes())?,
        })
    }
}

/// The address from which this machine reaches others: asked of the routing table, nothing is sent.
fn own_address() -> Result<IpAddr> {
    const NO_NETWORK: &str =
        "no network found (hint: --lan=ADDRESS with the address of this machine)";
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    // RFC 5737: an address that nobody has.
    socket
        .connect((Ipv4Addr::new(192, 0, 2, 1), 9))
        .context(NO_NETWORK)?;
    let address = socket.local_addr()?.ip();
    ensure!(
        !address.is_loopback() && !address.is_unspecified(),
        NO_NETWORK
    );
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_proxy_each_service_has_a_name() {
        let url = "https://demo.example:8443".parse().unwrap();
        let reach = Reach::parse(None, Some(&url)).unwrap();
        let addresses = reach.addresses(8700).unwrap();
        assert_eq!(addresses.shop, "https://demo.example:8443");
        assert_eq!(addresses.verifier, "https://login.demo.example:8443");
        assert_eq!(addresses.wallet, "https://wallet.demo.example:8443");
        assert!(addresses.listen.iter().all(|at| at.ip().is_loopback()));
        assert_eq!(
            reach.exceptions(&addresses)[1],
            ("login.demo.example".to_owned(), vec![8443])
        );
    }

    #[test]
    fn other_public_addresses_are_refused() {
        for bad in [
            "http://127.0.0.1:1",
            "https://192.0.2.1",
            "https://localhost",
            "https://demo.example/path",
        ] {
            assert!(
                Reach::parse(None, Some(&bad.parse().unwrap())).is_err(),
                "{bad}"
            );
        }
        let url = "https://demo.example".parse().unwrap();
        assert!(Reach::parse(Some(AUTOMATIC), Some(&url)).is_err());
        assert!(Reach::parse(Some("somewhere"), None).is_err());
        assert!(Reach::parse(Some("0.0.0.0"), None).is_err());
    }

    #[test]
    fn a_network_has_a_certificate_of_its_own() {
        let reach = Reach::parse(Some("127.0.0.1"), None).unwrap();
        let Reach::Lan(lan) = &reach else {
            panic!("{reach:?}")
        };
        assert_eq!(lan.fingerprint.len(), 95);
        let addresses = reach.addresses(0).unwrap();
        assert!(addresses.wallet.starts_with("https://127.0.0.1:"));
        assert!(reach.tls().is_some() && addresses.authority.is_some());
    }
}
