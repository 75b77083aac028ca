//! Who asks, as this wallet knows it again: one party, whichever way it comes.

use url::Url;
use vouchsafe_protocol::vp::request::Requester;

use crate::WalletError;
use crate::verifiers::{KnownVerifier, VerifierId, Verifiers};

/// One party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    key: String,
    /// As a request over the Digital Credentials API was known by in earlier versions.
    earlier: Option<String>,
    /// The host of one for whom nobody vouches: all that the person is told of it, and all that it
    /// cannot choose anew for each request.
    host: Option<String>,
}

impl Identity {
    /// Who asks, where the answer goes to `host` or a page of it asks; `None`: nobody signed.
    pub(super) fn of(requester: Option<&Requester>, host: &str) -> Self {
        let vouched = |key: String| Self {
            key,
            earlier: None,
            host: None,
        };
        match requester {
            Some(Requester::Certified(certificate)) => vouched(format!(
                "{} {}",
                certificate.anchor_id(),
                certificate.subject()
            )),
            Some(Requester::Attested(attested)) => vouched(format!(
                "attested {} {}",
                attested.issuer(),
                attested.subject()
            )),
            Some(Requester::Registered { client_id, name }) => Self {
                earlier: Some(format!("registered {name}")),
                ..vouched(format!("registered {client_id}"))
            },
            Some(Requester::Did(did)) => Self {
                key: canonical_did(did.as_str()),
                earlier: Some(did.to_string()),
                host: Some(canonical_host(host)),
            },
            Some(Requester::Address) | None => {
                let host = canonical_host(host);
                Self {
                    key: format!("host {host}"),
                    earlier: None,
                    host: Some(host),
                }
            }
        }
    }

    /// One name for the party, the same for each of its requests.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Its name in this wallet.
    pub(super) fn id(&self) -> VerifierId {
        VerifierId::of(&self.key)
    }

    /// What is known of it.
    pub(super) fn known(
        &self,
        verifiers: &Verifiers,
    ) -> Result<Option<KnownVerifier>, WalletError> {
        verifiers.get(&self.id())
    }

    /// Whether the person does not want to be asked by it. For whom nobody vouches asks in the name
    /// of its host: it is blocked with whoever else was blocked there.
    pub(super) fn is_blocked(&self, verifiers: &Verifiers) -> Result<bool, WalletError> {
        let blocked =
            |known: Option<KnownVerifier>| known.is_some_and(|known| known.blocked_at.is_some());
        if blocked(self.known(verifiers)?) {
            return Ok(true);
        }
        if let Some(earlier) = &self.earlier
            && blocked(verifiers.get(&VerifierId::of(earlier))?)
        {
            return Ok(true);
        }
        let Some(host) = &self.host else {
            return Ok(false);
        };
        let known = verifiers.list()?;
        let mut known = known.iter().filter(|known| known.blocked_at.is_some());
        Ok(known.any(|known| canonical_host(&known.host) == *host))
    }
}

/// A host without its port, however it is written.
fn canonical_host(host: &str) -> String {
    let url = Url::parse(&format!("https://{host}"));
    let name = url.as_ref().ok().and_then(Url::host_str).unwrap_or(host);
    name.trim_end_matches('.').to_lowercase()
}

/// A DID; of one on the web the host without its port, however it is written.
fn canonical_did(did: &str) -> String {
    let Some(rest) = did.strip_prefix("did:web:") else {
        return did.to_owned();
    };
    let (host, path) = match rest.split_once(':') {
        Some((host, path)) => (host, Some(path)),
        None => (rest, None),
    };
    let host = host.replace("%3a", ":").replace("%3A", ":");
    let host = canonical_host(&host);
    match path {
        Some(path) => format!("did:web:{host}:{path}"),
        None => format!("did:web:{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_317_a_host_is_one_host_however_it_is_written() {
        for same in [
            "shop.example.com",
            "SHOP.example.com",
            "shop.example.com.",
            "shop.example.com:8443",
            "Shop.Example.Com.:443",
        ] {
            assert_eq!(canonical_host(same), "shop.example.com", "{same}");
        }
        assert_ne!(canonical_host("evil.shop.example.com"), "shop.example.com");
        assert_eq!(canonical_host("[2001:db8::1]:8443"), "[2001:db8::1]");
        let did = canonical_did("did:web:Shop.example.com%3A8443:Users:a");
        assert_eq!(did, "did:web:shop.example.com:Users:a");
        assert_eq!(canonical_did("did:jwk:AbC"), "did:jwk:AbC");
    }
}
