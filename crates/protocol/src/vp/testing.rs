//! Parties for the tests: an issuer, a verifier and a wallet, each with a CA of its own.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use vouchsafe_credentials::crypto::SigningKey;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};

/// 2026-06-01T00:00:00Z
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);

/// A certification authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

/// A leaf certificate with its key.
pub(crate) struct Party {
    pub(crate) chain: Chain,
    pub(crate) key: SigningKey,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = params(name, vec![]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self::of(params)
    }

    /// An IACA (ISO/IEC 18013-5:2021, table B.1).
    pub(crate) fn iaca() -> Self {
        let mut params = params("IACA", vec![]);
        params.distinguished_name.push(DnType::CountryName, "AT");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self::of(params)
    }

    fn of(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Authority {
            issuer: Issuer::new(params, key),
            der,
        }
    }

    pub(crate) fn anchors(&self, role: Role) -> TrustAnchors {
        let mut anchors = TrustAnchors::new(role);
        anchors.add_der(&self.der).unwrap();
        anchors
    }

    pub(crate) fn leaf(&self, name: &str, dns: &str) -> Party {
        self.certify(params(name, vec![dns.to_owned()]))
    }

    /// A document signer (ISO/IEC 18013-5:2021, table B.3).
    pub(crate) fn document_signer(&self) -> Party {
        let mut params = params("Signer", vec![]);
        params.distinguished_name.push(DnType::CountryName, "AT");
        let purpose = vec![1, 0, 18013, 5, 1, 2];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(purpose)];
        self.certify(params)
    }

    fn certify(&self, mut params: CertificateParams) -> Party {
        let key = KeyPair::generate().unwrap();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Party {
            chain: Chain::from_der(vec![certificate.der().to_vec()]).unwrap(),
            key: SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap(),
        }
    }
}

/// A leaf whose subject has an `organizationIdentifier`.
pub(crate) fn organization(by: &Authority, name: &str, dns: &str, identifier: &str) -> Party {
    let mut params = params(name, vec![dns.to_owned()]);
    let kind = DnType::CustomDnType(vec![2, 5, 4, 97]);
    params.distinguished_name.push(kind, identifier);
    by.certify(params)
}

fn params(name: &str, dns: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(dns).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}
