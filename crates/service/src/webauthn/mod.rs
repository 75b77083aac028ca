//! Passkeys: the relying party's half of Web Authentication Level 3, as far as our pages need it.
//!
//! Attestation is not asked for, so what an authenticator says of itself is not believed; a
//! passkey is a key, and the person is verified by the device each time (`UV`). Section numbers
//! are those of <https://www.w3.org/TR/webauthn-3/>.

mod authenticator_data;
mod client_data;
mod registration;
mod sign_in;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use registration::{NewPasskey, RegistrationResponse};
pub use sign_in::{Known, SignInResponse, Used};

use serde_json::{Value, json};
use url::Host;
use vouchsafe_credentials::{
    crypto::{Algorithm, PublicKey, sha256},
    encoding::b64url,
};

use crate::config::PublicUrl;

/// Time that the browser gives the person, in milliseconds.
const TIMEOUT_MS: u32 = 300_000;
/// Longest credential id (section 4, "Credential ID").
const MAX_CREDENTIAL_ID: usize = 1023;
/// What passkeys may sign with (RFC 9053, section 2): ES256 and EdDSA.
const ALGORITHMS: [i64; 2] = [-7, -8];

/// Why an answer of an authenticator is refused. The texts hold nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebauthnError {
    /// Not the JSON or CBOR that browsers send.
    #[error("the answer cannot be read")]
    Malformed,
    /// Made for another ceremony, challenge or origin, or inside a frame of another site.
    #[error("the answer was made for another page")]
    ClientData,
    /// Made for another relying party.
    #[error("the answer was made for another site")]
    RelyingParty,
    /// Nobody was there, or the device did not verify who.
    #[error("the device did not verify the person")]
    UserVerification,
    /// The key or its algorithm is not accepted.
    #[error("the key is not accepted")]
    Key,
    /// An attestation that was not asked for.
    #[error("the attestation is not accepted")]
    Attestation,
    /// The credential is not the one that it says it is.
    #[error("the credential does not fit")]
    Credential,
    /// The signature is not of this key.
    #[error("the signature does not fit")]
    Signature,
    /// The counter went back: there may be a copy of the key.
    #[error("the counter of the authenticator went back")]
    Counter,
}

/// A site that passkeys are made for.
#[derive(Debug, Clone)]
pub struct RelyingParty {
    id: String,
    origin: String,
    name: String,
}

impl RelyingParty {
    /// The relying party of a public address. None where its host is an IP address: an RP ID is a
    /// domain (section 5.1.3, step 7), and browsers refuse everything else.
    pub fn of(public_url: &PublicUrl, name: &str) -> Option<Self> {
        match public_url.url().host() {
            Some(Host::Domain(domain)) => Some(Self {
                id: domain.to_owned(),
                origin: public_url.origin(),
                name: name.to_owned(),
            }),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => None,
        }
    }

    /// `PublicKeyCredentialCreationOptionsJSON` (section 5.1.9). `person` is a user handle, which
    /// says nothing about anybody (section 14.6.1), and a name. `existing` are the ids of the passkeys that
    /// the person has, so that one device is not registered twice.
    pub fn creation_options(
        &self,
        challenge: &str,
        person: (&str, &str),
        existing: &[Vec<u8>],
    ) -> Value {
        let (handle, name) = person;
        let parameters = ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg }));
        json!({
            "rp": { "id": self.id, "name": self.name },
            "user": { "id": b64url(handle.as_bytes()), "name": name, "displayName": name },
            "challenge": challenge,
            "pubKeyCredParams": parameters,
            "timeout": TIMEOUT_MS,
            "excludeCredentials": existing.iter().map(|id| descriptor(id)).collect::<Vec<_>>(),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "attestation": "none",
        })
    }

    /// `PublicKeyCredentialRequestOptionsJSON` (section 5.1.10). The person chooses the passkey,
    /// so nobody is told which passkeys there are (section 14.6.2).
    pub fn request_options(&self, challenge: &str) -> Value {
        json!({
            "rpId": self.id,
            "challenge": challenge,
            "timeout": TIMEOUT_MS,
            "userVerification": "required",
            "allowCredentials": [],
        })
    }

    fn id_hash(&self) -> [u8; 32] {
        sha256(self.id.as_bytes())
    }
}

fn descriptor(id: &[u8]) -> Value {
    json!({ "type": "public-key", "id": b64url(id) })
}

/// Whether a key is of an algorithm that was offered.
fn is_offered(key: &PublicKey) -> bool {
    matches!(key.algorithm(), Algorithm::Es256 | Algorithm::EdDsa)
}
