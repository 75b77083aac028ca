//! What tokens are for, and what follows from it.

use serde_json::Value;

use super::MAX_HEADER;

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
    /// `oauth-client-attestation+jwt` (OAuth attestation-based client authentication).
    ClientAttestation,
    /// `oauth-client-attestation-pop+jwt`, likewise.
    ClientAttestationPop,
    /// `at+jwt`: access token (RFC 9068).
    AccessToken,
    /// ID token (OpenID Connect Core 1.0): `typ` is `JWT` or absent.
    IdToken,
    /// `logout+jwt` (OpenID Connect Back-Channel Logout 1.0).
    LogoutToken,
    /// `verifier-attestation+jwt` (OpenID4VP 1.0, section 12).
    VerifierAttestation,
    /// `rc-wrp+jwt`: registration certificate of a verifier (ETSI TS 119 475, section 5.2).
    RegistrationCertificate,
    /// `openidvci-issuer-metadata+jwt` (OpenID4VCI 1.0, section 12.2.3).
    IssuerMetadata,
    /// `client-authentication+jwt`: a client assertion of the successor of RFC 7523, which has no
    /// type of its own.
    ClientAssertion,
    /// `vc+jwt`: a credential of VCDM 2.0 (VC-JOSE-COSE 1.0, section 3.1.1).
    VcJwt,
    /// `vp+jwt`: a presentation of VCDM 2.0 (section 3.1.2).
    VpJwt,
    /// `vc+sd-jwt`: the issuer-signed JWT of an SD-JWT with a credential of VCDM 2.0 (section 3.2.1).
    VcSdJwt,
    /// `vp+sd-jwt`: likewise with a presentation (section 3.2.2).
    VpSdJwt,
}

/// What the header of a token may say about the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct KeySources {
    /// `jwk` is read: the token proves possession of the key it carries.
    pub jwk: bool,
    /// `x5c` is read: the chain is checked against anchors.
    pub x5c: bool,
}

impl TokenType {
    /// All types.
    pub const ALL: [Self; 20] = [
        Self::SdJwtVc,
        Self::KeyBinding,
        Self::StatusList,
        Self::RequestObject,
        Self::VciProof,
        Self::KeyAttestation,
        Self::Dpop,
        Self::ClientAttestation,
        Self::ClientAttestationPop,
        Self::AccessToken,
        Self::IdToken,
        Self::LogoutToken,
        Self::VerifierAttestation,
        Self::RegistrationCertificate,
        Self::IssuerMetadata,
        Self::ClientAssertion,
        Self::VcJwt,
        Self::VpJwt,
        Self::VcSdJwt,
        Self::VpSdJwt,
    ];

    /// The `typ` value written by us.
    #[must_use]
    pub const fn typ(self) -> &'static str {
        match self {
            Self::SdJwtVc => "dc+sd-jwt",
            Self::KeyBinding => "kb+jwt",
            Self::StatusList => "statuslist+jwt",
            Self::RequestObject => "oauth-authz-req+jwt",
            Self::VciProof => "openid4vci-proof+jwt",
            Self::KeyAttestation => "key-attestation+jwt",
            Self::Dpop => "dpop+jwt",
            Self::ClientAttestation => "oauth-client-attestation+jwt",
            Self::ClientAttestationPop => "oauth-client-attestation-pop+jwt",
            Self::AccessToken => "at+jwt",
            Self::IdToken => "JWT",
            Self::ClientAssertion => "client-authentication+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::VerifierAttestation => "verifier-attestation+jwt",
            Self::RegistrationCertificate => "rc-wrp+jwt",
            Self::IssuerMetadata => "openidvci-issuer-metadata+jwt",
            Self::VcJwt => "vc+jwt",
            Self::VpJwt => "vp+jwt",
            Self::VcSdJwt => "vc+sd-jwt",
            Self::VpSdJwt => "vp+sd-jwt",
        }
    }

    /// Longest accepted compact serialisation in bytes.
    #[must_use]
    pub const fn max_length(self) -> usize {
        match self {
            Self::StatusList => 4 * 1024 * 1024,
            Self::VpJwt | Self::VpSdJwt => 4 * 1024 * 1024,
            Self::SdJwtVc
            | Self::RequestObject
            | Self::IssuerMetadata
            | Self::VcJwt
            | Self::VcSdJwt => 1024 * 1024,
            Self::VciProof
            | Self::KeyAttestation
            | Self::KeyBinding
            | Self::Dpop
            | Self::ClientAttestation
            | Self::ClientAttestationPop
            | Self::AccessToken
            | Self::IdToken
            | Self::LogoutToken
            | Self::ClientAssertion
            | Self::VerifierAttestation
            | Self::RegistrationCertificate => 64 * 1024,
        }
    }

    /// Longest accepted header in bytes, decoded. That of a key proof may carry a key attestation
    /// with the keys of a whole batch (OpenID4VCI 1.0, appendix F.1).
    #[must_use]
    pub const fn max_header(self) -> usize {
        match self {
            Self::VciProof => 48 * 1024,
            Self::SdJwtVc
            | Self::KeyBinding
            | Self::StatusList
            | Self::RequestObject
            | Self::KeyAttestation
            | Self::Dpop
            | Self::ClientAttestation
            | Self::ClientAttestationPop
            | Self::AccessToken
            | Self::IdToken
            | Self::LogoutToken
            | Self::ClientAssertion
            | Self::VerifierAttestation
            | Self::RegistrationCertificate
            | Self::IssuerMetadata
            | Self::VcJwt
            | Self::VpJwt
            | Self::VcSdJwt
            | Self::VpSdJwt => MAX_HEADER,
        }
    }

    /// Whether this `typ` header (absent: `None`) is the one of the type.
    pub(super) fn matches(self, typ: Option<&Value>) -> bool {
        match (self, typ) {
            // OpenID Connect Core 1.0 requires no `typ` in ID tokens.
            (Self::IdToken, None) => true,
            (_, Some(Value::String(typ))) => typ == self.typ(),
            _ => false,
        }
    }

    pub(super) const fn key_sources(self) -> KeySources {
        match self {
            Self::VciProof => KeySources {
                jwk: true,
                x5c: true,
            },
            // RFC 9449, section 4.2.
            Self::Dpop => KeySources {
                jwk: true,
                x5c: false,
            },
            Self::SdJwtVc
            | Self::StatusList
            | Self::RequestObject
            | Self::KeyAttestation
            | Self::ClientAttestation
            | Self::VerifierAttestation
            | Self::RegistrationCertificate
            | Self::IssuerMetadata => KeySources {
                jwk: false,
                x5c: true,
            },
            Self::KeyBinding
            | Self::ClientAttestationPop
            | Self::AccessToken
            | Self::IdToken
            | Self::LogoutToken
            | Self::ClientAssertion
            | Self::VcJwt
            | Self::VpJwt
            | Self::VcSdJwt
            | Self::VpSdJwt => KeySources {
                jwk: false,
                x5c: false,
            },
        }
    }
}
