//! Request objects: signed by the verifier, checked by the wallet
//! (OpenID4VP 1.0, section 5 and appendix A.2; RFC 9101; HAIP 1.0, sections 5.1 and 5.2).

mod about;
mod api;
mod attestation;
mod build;
mod error;
mod identity;
mod multi;
mod parse;
mod party;
mod posted;
mod question;
mod registration;
#[cfg(test)]
mod tests;
mod unsigned;

pub(super) use about::write as write_about;
pub use api::{ApiRequest, verify_api_request, verify_api_request_of};
pub use attestation::{AttestationError, Attested, Attester};
pub use build::{NewRequest, sign_request, unsigned_link};
pub use error::{Refusal, ReplyTo, RequestError};
pub use identity::{Identity, IdentityError};
pub use parse::{PresentationRequest, WalletPolicy, verify_request, verify_request_of};
pub use party::{Parties, RegisteredVerifier, Requester};
pub use posted::{RequestForm, RequestFormError};
pub(super) use question::Question;
pub use registration::{Registered, Registration, RegistrationError};
pub use unsigned::verify_unsigned;

/// `wallet_metadata` of a wallet of ours, for a request that is fetched by POST (OpenID4VP 1.0,
/// section 5.10) that deals with these parties.
pub fn wallet_metadata(parties: &Parties<'_>) -> serde_json::Value {
    let mut prefixes = vec!["x509_hash", "x509_san_dns"];
    if !parties.attesters.is_empty() {
        prefixes.push("verifier_attestation");
    }
    if parties.unvouched {
        prefixes.extend(["decentralized_identifier", "redirect_uri"]);
    }
    let mut modes = vec!["direct_post.jwt"];
    if parties.unencrypted {
        modes.push("direct_post");
    }
    super::metadata::of_wallet(&prefixes, &modes)
}

/// `aud` of a request object (OpenID4VP 1.0, section 5.8, static discovery).
pub const AUDIENCE: &str = "https://self-issued.me/v2";

/// Media type of a request object, for `Content-Type` and `Accept`.
pub const MEDIA_TYPE: &str = "application/oauth-authz-req+jwt";

/// Largest request object that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// Tolerated difference between clocks, in seconds.
pub const CLOCK_SKEW_S: i64 = 60;
