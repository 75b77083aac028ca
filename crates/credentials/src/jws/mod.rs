//! JSON Web Signatures, compact serialisation (RFC 7515), with the rules of RFC 8725.
//!
//! A token is read in two steps: [`Unverified::parse`] checks its shape and gives
//! only what is needed to choose a key; [`Unverified::verify`] gives the claims.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Verified;
use crate::crypto::{CryptoProvider, PublicKey, Signer, SignerError};
use crate::json::JsonError;
use crate::x509::{Chain, X509Error};

/// What a token is for. The `typ` header must be exactly the one of the type (RFC 8725, section 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// `dc+sd-jwt`: the issuer-signed JWT of an SD-JWT VC.
    SdJwtVc,
    /// `kb+jwt`: key binding (RFC 9901, section 4.3).
    KeyBinding,
    /// `statuslist+jwt`: Token Status List.
    StatusList,
    /// `oauth-authz-req+jwt`: request object (RFC 9101, OpenID4VP 1.0).
    RequestObject,
    /// `openid4vci-proof+jwt`: key proof (OpenID4VCI 1.0, appendix F.1).
    VciProof,
    /// `key-attestation+jwt` (OpenID4VCI 1.0, appendix D).
    KeyAttestation,
    /// `dpop+jwt` (RFC 9449).
    Dpop,
    /// `oauth-client-attestation+jwt`.
    ClientAttestation,
    /// `oauth-client-attestation-pop+jwt`.
    ClientAttestationPop,
    /// `at+jwt`: access token (RFC 9068).
    AccessToken,
    /// ID token (OpenID Connect Core 1.0): `typ` is `JWT` or absent.
    IdToken,
    /// `logout+jwt` (OpenID Connect Back-Channel Logout 1.0).
    LogoutToken,
    /// `verifier-attestation+jwt` (OpenID4VP 1.0, section 12).
    VerifierAttestation,
    /// `openidvci-issuer-metadata+jwt` (OpenID4VCI 1.0, section 12.2.3).
    IssuerMetadata,
}

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// Not three base64url parts.
    #[error("not a compact JWS")]
    Malformed,
    /// Too long, as a whole or in its header (8 KiB).
    #[error("token or header too large")]
    TooLarge,
    /// The header is not acceptable JSON.
    #[error("header is not acceptable JSON")]
    HeaderJson(#[source] JsonError),
    /// The payload is not an acceptable JSON object.
    #[error("payload is not acceptable JSON")]
    PayloadJson(#[source] JsonError),
    /// `alg` missing or not on the list.
    #[error("algorithm not allowed")]
    Algorithm,
    /// `typ` is not the one of this token type.
    #[error("wrong token type")]
    WrongType,
    /// `crit`, `b64`, `jku`, `x5u`, `zip` or `enc` present.
    #[error("header parameter not supported")]
    UnsupportedHeader,
    /// A header member has the wrong JSON type, or the embedded key is unacceptable.
    #[error("invalid header parameter")]
    InvalidHeader,
    /// `x5c` is not a certificate chain.
    #[error("invalid certificate chain in the header")]
    Chain(#[source] X509Error),
    /// The signature is not of this key, or `alg` does not fit the key.
    #[error("signature verification failed")]
    Signature,
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// The protected header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// A token whose signature has not been checked: gives no claims, only what chooses the key.
#[derive(Debug)]
pub struct Unverified<'a>(std::marker::PhantomData<&'a str>);

impl<'a> Unverified<'a> {
    /// Checks the shape of a compact JWS that must be a `token_type`.
    pub fn parse(_compact: &'a str, _token_type: TokenType) -> Result<Self, JwsError> {
        unimplemented!()
    }

    /// The key id.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        unimplemented!()
    }

    /// The certificate chain, where the token type may carry one.
    #[must_use]
    pub fn x5c(&self) -> Option<&Chain> {
        unimplemented!()
    }

    /// The embedded key, where the token type may carry one (RFC 7515, section 4.1.3); ignored elsewhere.
    #[must_use]
    pub fn jwk(&self) -> Option<&PublicKey> {
        unimplemented!()
    }

    /// Checks the signature and gives header and claims.
    pub fn verify(
        self,
        _provider: &dyn CryptoProvider,
        _key: &PublicKey,
    ) -> Result<Verified<Payload>, JwsError> {
        unimplemented!()
    }
}

/// The protected header of a token to be signed; `alg` comes from the signer, `typ` from the type.
#[derive(Clone, Debug)]
pub struct Header(Map<String, Value>);

impl Header {
    /// A header with `typ` alone.
    #[must_use]
    pub fn new(_token_type: TokenType) -> Self {
        unimplemented!()
    }

    /// Sets `kid`.
    #[must_use]
    pub fn with_kid(self, _kid: impl Into<String>) -> Self {
        unimplemented!()
    }

    /// Sets `jwk`.
    #[must_use]
    pub fn with_jwk(self, _key: &PublicKey) -> Self {
        unimplemented!()
    }

    /// Sets `x5c`.
    #[must_use]
    pub fn with_x5c(self, _chain: &Chain) -> Self {
        unimplemented!()
    }

    /// Sets any further member.
    #[must_use]
    pub fn with(self, _name: &str, _value: impl Into<Value>) -> Self {
        unimplemented!()
    }
}

/// Why a token could not be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The payload cannot be written as JSON.
    #[error("payload cannot be serialised")]
    Payload(#[source] serde_json::Error),
    /// The signer failed.
    #[error("signing failed")]
    Signer(#[from] SignerError),
}

/// Signs `payload` (serialised once, as it is) and gives the compact serialisation.
pub async fn sign<P: Serialize + Sync + ?Sized>(
    _header: &Header,
    _payload: &P,
    _signer: &dyn Signer,
) -> Result<String, SignError> {
    unimplemented!()
}
