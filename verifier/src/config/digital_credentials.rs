//! What is offered over the Digital Credentials API of browsers.

use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::api::{Origin, Protocol};
use vouchsafe_service::config::PublicUrl;

use super::error::ConfigError;

/// How pages ask browsers for cards.
#[derive(Debug, Clone)]
pub struct DigitalCredentials {
    /// The origin of our pages, to which answers are bound.
    pub origin: Origin,
    /// The protocols to offer, the preferred one first; at least one.
    pub protocols: Vec<Protocol>,
}

impl DigitalCredentials {
    /// Checks the list of protocols. `None`: nothing is offered.
    pub fn parse(names: &[String], public_url: &PublicUrl) -> Result<Option<Self>, ConfigError> {
        let refuse =
            |reason: &str| ConfigError::Shared(format!("wallet.digital_credentials: {reason}"));
        let mut protocols = Vec::with_capacity(names.len());
        for name in names {
            let protocol = Protocol::from_name(name)
                .ok_or_else(|| refuse("only openid4vp-v1-signed and openid4vp-v1-unsigned"))?;
            if protocols.contains(&protocol) {
                return Err(refuse("a protocol stands there twice"));
            }
            protocols.push(protocol);
        }
        if protocols.is_empty() {
            return Ok(None);
        }
        // `http` is for this machine alone (OpenID4VP 1.0, appendix A.2), as everywhere.
        let origin = Origin::parse(&public_url.origin(), UrlRule::LoopbackAllowed)
            .map_err(|_| refuse("the public address is no origin that browsers accept"))?;
        Ok(Some(Self { origin, protocols }))
    }
}
