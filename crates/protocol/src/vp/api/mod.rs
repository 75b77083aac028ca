//! OpenID4VP over the Digital Credentials API (OpenID4VP 1.0, appendix A; HAIP 1.0, section 5.2).
//!
//! A page hands a request to the browser and gets an [`ApiAnswer`] back. No address is
//! called by the wallet: what binds an answer to its verifier is the [`Origin`] of that page, which
//! the browser tells the wallet. Requests that several parties sign ([`MULTI_SIGNED`]) are read by
//! the wallet's side and not made by the verifier's.

mod answer;
mod build;
mod origin;
#[cfg(test)]
mod tests;

pub(super) use answer::ApiBody;
pub use answer::{ApiAnswer, ApiAnswerError, MAX_ANSWER_BYTES};
pub use build::{ApiOffer, NewApiRequest, signed, unsigned};
pub use origin::{Origin, OriginError};

/// The exchange protocol of requests that several parties sign (appendix A.3.2.2).
pub const MULTI_SIGNED: &str = "openid4vp-v1-multisigned";

/// The exchange protocols of appendix A.1 whose requests are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// `openid4vp-v1-unsigned`: nobody but the browser says who asks.
    Unsigned,
    /// `openid4vp-v1-signed`: a request object, signed by one party.
    Signed,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Protocol; 2] = [Protocol::Unsigned, Protocol::Signed];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Unsigned => "openid4vp-v1-unsigned",
            Protocol::Signed => "openid4vp-v1-signed",
        }
    }

    /// The protocol of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
    }
}
