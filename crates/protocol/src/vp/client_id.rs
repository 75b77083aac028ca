//! Client identifiers and their prefixes (OpenID4VP 1.0, section 5.9).

use url::Url;
use vouchsafe_credentials::did::Did;
use vouchsafe_credentials::encoding::b64url_decode_array;
use vouchsafe_credentials::x509::{Chain, VerifiedCertificate};

/// A client identifier with a prefix that is supported. Always the full
/// identifier, prefix included, stands for the client (section 14, "Always Use the
/// Full Client Identifier").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId {
    full: String,
    prefix: Prefix,
}

/// How a client identifier is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Prefix {
    X509Hash,
    X509SanDns,
    DecentralizedIdentifier,
    VerifierAttestation,
    /// None: the client is registered in the wallet.
    Registered,
    /// Of requests that nobody signs.
    RedirectUri,
}

/// Why a client identifier is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientIdError {
    /// `origin:` is never accepted in a request.
    #[error("the prefix origin is reserved")]
    Origin,
    /// `redirect_uri:` cannot be used for signed requests.
    #[error("the prefix redirect_uri cannot be used for signed requests")]
    RedirectUri,
    /// `openid_federation:` is not supported.
    #[error("trust chains of OpenID Federation are not supported")]
    Federation,
    /// A prefix that is unknown or not supported.
    #[error("the client identifier prefix is not supported")]
    UnsupportedPrefix,
    /// No prefix: a pre-registered client, and none is registered here.
    #[error("the client is not registered")]
    Unregistered,
    /// What follows the prefix does not fit it.
    #[error("the client identifier does not fit its prefix")]
    Malformed,
}

impl ClientId {
    /// The identifier of the party that owns the leaf certificate of `chain`.
    pub fn x509_hash(chain: &Chain) -> Self {
        ClientId {
            full: format!("x509_hash:{}", chain.x509_hash()),
            prefix: Prefix::X509Hash,
        }
    }

    /// The identifier of the party to whom this DNS name belongs.
    ///
    /// # Errors
    /// [`ClientIdError::Malformed`]: not a DNS name.
    pub fn x509_san_dns(name: &str) -> Result<Self, ClientIdError> {
        Self::parse(&format!("x509_san_dns:{name}"))
    }

    /// The identifier of the subject of a DID.
    pub fn decentralized_identifier(did: &Did) -> Self {
        ClientId {
            full: format!("decentralized_identifier:{}", did.as_str()),
            prefix: Prefix::DecentralizedIdentifier,
        }
    }

    /// The identifier of the subject of a verifier attestation.
    ///
    /// # Errors
    /// [`ClientIdError::Malformed`]: nothing that can stand there.
    pub fn verifier_attestation(subject: &str) -> Result<Self, ClientIdError> {
        Self::parse(&format!("verifier_attestation:{subject}"))
    }

    /// The identifier of whoever reads what is posted to this address. Nothing is signed under it.
    pub fn redirect_uri(response_uri: &Url) -> Self {
        ClientId {
            full: format!("redirect_uri:{response_uri}"),
            prefix: Prefix::RedirectUri,
        }
    }

    /// Reads an identifier that this verifier wrote itself, whether its request was signed or not.
    ///
    /// # Errors
    /// As [`ClientId::parse`].
    pub fn of_ours(text: &str) -> Result<Self, ClientIdError> {
        match Self::parse(text) {
            Err(ClientIdError::RedirectUri) => Self::unsigned(text),
            read => read,
        }
    }

    /// The identifier of a client that is registered in the wallet (section 5.9.2).
    pub(super) fn registered(full: &str) -> Self {
        ClientId {
            full: full.to_owned(),
            prefix: Prefix::Registered,
        }
    }

    /// The identifier of whoever asks in a request that nobody signs (section 5.9.3, `redirect_uri`).
    pub(super) fn unsigned(full: &str) -> Result<Self, ClientIdError> {
        match full.strip_prefix("redirect_uri:") {
            Some(address) if is_short_text(address) => Ok(ClientId {
                full: full.to_owned(),
                prefix: Prefix::RedirectUri,
            }),
            Some(_) => Err(ClientIdError::Malformed),
            None => Err(ClientIdError::UnsupportedPrefix),
        }
    }

    /// Reads an identifier from a signed request. One without a prefix is an error here: whether a client is
    /// registered, the wallet knows.
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        // Section 5.9.1: the prefix is "the string before the (first) `:` character".
        let (prefix, rest) = text.split_once(':').ok_or(ClientIdError::Unregistered)?;
        let prefix = match prefix {
            "x509_hash" => {
                b64url_decode_array::<32>(rest).map_err(|_| ClientIdError::Malformed)?;
                Prefix::X509Hash
            }
            "x509_san_dns" if is_dns_name(rest) => Prefix::X509SanDns,
            "x509_san_dns" => return Err(ClientIdError::Malformed),
            "decentralized_identifier" => {
                Did::parse(rest).map_err(|_| ClientIdError::Malformed)?;
                Prefix::DecentralizedIdentifier
            }
            "verifier_attestation" if is_short_text(rest) => Prefix::VerifierAttestation,
            "verifier_attestation" => return Err(ClientIdError::Malformed),
            "openid_federation" => return Err(ClientIdError::Federation),
            // Section 5.9.3: "The Wallet MUST NOT accept this Client Identifier Prefix in requests."
            "origin" => return Err(ClientIdError::Origin),
            // Section 5.9.3: requests with this prefix "cannot be signed".
            "redirect_uri" => return Err(ClientIdError::RedirectUri),
            _ => return Err(ClientIdError::UnsupportedPrefix),
        };
        Ok(ClientId {
            full: text.to_owned(),
            prefix,
        })
    }

    /// The full identifier, prefix included: the audience of presentations.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// How the identifier is read.
    pub(super) fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The identifier without its prefix.
    pub(super) fn name(&self) -> &str {
        match self.prefix {
            Prefix::Registered => &self.full,
            Prefix::X509Hash
            | Prefix::X509SanDns
            | Prefix::DecentralizedIdentifier
            | Prefix::VerifierAttestation
            | Prefix::RedirectUri => self.full.split_once(':').map_or("", |(_, name)| name),
        }
    }

    /// Whether the certificate is the one this identifier names, and whether the
    /// client may have its response sent to `response_host`.
    pub(super) fn belongs_to(
        &self,
        certificate: &VerifiedCertificate,
        response_host: &str,
    ) -> Result<(), ClientIdError> {
        let name = self.name();
        let fits = match self.prefix {
            // Section 5.9.3: "MUST be a hash and match the hash of the leaf certificate".
            Prefix::X509Hash => certificate.x509_hash() == name,
            // Section 5.9.3: "match a `dNSName` Subject Alternative Name"; the FQDN of
            // the URI "MUST match the Client Identifier without the prefix".
            Prefix::X509SanDns => {
                certificate
                    .san_dns()
                    .iter()
                    .any(|san| san.eq_ignore_ascii_case(name))
                    && response_host.eq_ignore_ascii_case(name)
            }
            Prefix::DecentralizedIdentifier
            | Prefix::VerifierAttestation
            | Prefix::Registered
            | Prefix::RedirectUri => false,
        };
        if fits {
            Ok(())
        } else {
            Err(ClientIdError::Malformed)
        }
    }
}

impl std::fmt::Display for ClientId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.full)
    }
}

fn is_short_text(text: &str) -> bool {
    (1..=512).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Letters, digits, hyphens and dots; a wildcard or an address is no DNS name here.
fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && last.bytes().any(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_325_prefixes_that_are_refused() {
        let hash = "Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
        assert_eq!(
            ClientId::parse(&format!("x509_hash:{hash}"))
                .unwrap()
                .as_str(),
            format!("x509_hash:{hash}")
        );
        for (text, error) in [
            ("origin:https://verifier.example", ClientIdError::Origin),
            (
                "redirect_uri:https://verifier.example",
                ClientIdError::RedirectUri,
            ),
            (
                "decentralized_identifier:example:1",
                ClientIdError::Malformed,
            ),
            ("verifier_attestation:", ClientIdError::Malformed),
            (
                "openid_federation:https://verifier.example",
                ClientIdError::Federation,
            ),
            ("https://verifier.example", ClientIdError::UnsupportedPrefix),
            (
                "X509_HASH:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
                ClientIdError::UnsupportedPrefix,
            ),
            (":x509_hash", ClientIdError::UnsupportedPrefix),
            ("x509_hash", ClientIdError::Unregistered),
            ("", ClientIdError::Unregistered),
            ("x509_hash:", ClientIdError::Malformed),
            (
                "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZsz",
                ClientIdError::Malformed,
            ),
            (
                "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk=",
                ClientIdError::Malformed,
            ),
        ] {
            assert_eq!(ClientId::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn cat_326_wildcards_and_addresses_are_no_dns_names() {
        assert!(ClientId::parse("x509_san_dns:verifier.example").is_ok());
        for name in [
            "*.example",
            "127.0.0.1",
            "",
            "a..b",
            "[::1]",
            "-a.example",
            "a.example:443",
        ] {
            let refused = ClientId::parse(&format!("x509_san_dns:{name}"));
            assert_eq!(refused, Err(ClientIdError::Malformed), "{name}");
        }
    }
}
