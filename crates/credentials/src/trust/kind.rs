//! Kinds of lists, and which role a service on them has.

use crate::x509::Role;

/// What a list is about. The relying party says which kind it wants from an address; a list
/// never says by itself what its certificates are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ListKind {
    /// Providers of person identification data (TS 119 602, annex D).
    PidProviders,
    /// Providers of wallets (TS 119 602, annex E).
    WalletProviders,
    /// Authorities that give verifiers their access certificates (TS 119 602, annex F).
    AccessCertificates,
    /// Public bodies that issue attestations (TS 119 602, annex H).
    PublicAttestations,
    /// A national trusted list with qualified services (TS 119 612).
    QualifiedServices,
}

const LOTE_TYPE: &str = "http://uri.etsi.org/19602/LoTEType/";
const LOTE_SERVICE: &str = "http://uri.etsi.org/19602/SvcType/";
const TSL_SERVICE: &str = "http://uri.etsi.org/TrstSvc/Svctype/";
const TSL_STATUS: &str = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/";
const TSL_TYPE: &str = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric";

const CREDENTIALS: &[Role] = &[Role::Issuer, Role::MdocIssuer];

impl ListKind {
    /// Whether `uri` (`LoTEType`, `TSLType`) names this kind.
    pub(super) fn is(self, uri: &str) -> bool {
        let lote = |name| uri.strip_prefix(LOTE_TYPE) == Some(name);
        match self {
            Self::PidProviders => lote("EUPIDProvidersList"),
            Self::WalletProviders => lote("EUWalletProvidersList"),
            Self::AccessCertificates => lote("EUWRPACProvidersList"),
            Self::PublicAttestations => lote("EUPubEAAProvidersList"),
            Self::QualifiedServices => uri == TSL_TYPE,
        }
    }

    /// The roles of a service on a list of this kind; none for a type that does not belong there.
    pub(super) fn roles(self, service_type: &str) -> &'static [Role] {
        let lote = service_type.strip_prefix(LOTE_SERVICE);
        let tsl = service_type.strip_prefix(TSL_SERVICE);
        match (self, lote, tsl) {
            (Self::PidProviders, Some("PID/Issuance"), _)
            | (Self::PublicAttestations, Some("PubEAA/Issuance"), _)
            | (Self::QualifiedServices, _, Some("EAA/Q")) => CREDENTIALS,
            (Self::PidProviders, Some("PID/Revocation"), _)
            | (Self::PublicAttestations, Some("PubEAA/Revocation"), _)
            | (Self::WalletProviders, Some("WalletSolution/Revocation"), _) => &[Role::Status],
            (Self::WalletProviders, Some("WalletSolution/Issuance"), _) => &[Role::WalletProvider],
            (Self::AccessCertificates, Some("WRPAC/Issuance"), _) => &[Role::VerifierAccess],
            _ => &[],
        }
    }

    /// Whether a service with this status counts.
    pub(super) fn counts(self, status: Option<&str>) -> bool {
        match (self, status) {
            // TS 119 602, annexes D to F: being on the list is the status.
            (Self::PidProviders | Self::WalletProviders | Self::AccessCertificates, None) => true,
            (Self::PidProviders | Self::WalletProviders | Self::AccessCertificates, Some(_)) => {
                false
            }
            // TS 119 602, annex H.
            (Self::PublicAttestations, status) => {
                status == Some("http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/notified")
            }
            // TS 119 612, section 5.5.4.
            (Self::QualifiedServices, status) => {
                status.and_then(|uri| uri.strip_prefix(TSL_STATUS)) == Some("granted")
            }
        }
    }
}
