//! Authorities and the certificates below them.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::x509::{Role, TrustAnchors};

use super::harness::config_text;

/// An IACA (ISO/IEC 18013-5:2021, table B.1).
pub(super) struct Iaca(CertifiedIssuer<'static, KeyPair>);

/// A key and its certificate, PEM.
pub(super) struct Certified {
    pub key: String,
    pub certificate: String,
}

impl Iaca {
    pub(super) fn new(country: &str) -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Authority");
        params.distinguished_name.push(DnType::CountryName, country);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn anchors(&self, role: Role) -> Arc<TrustAnchors> {
        let mut anchors = TrustAnchors::new(role);
        anchors.add_der(self.0.der()).unwrap();
        Arc::new(anchors)
    }

    /// A document signer as it should be.
    pub(super) fn signer(&self) -> Certified {
        self.signer_with(|_| {})
    }

    pub(super) fn signer_with(&self, change: impl FnOnce(&mut CertificateParams)) -> Certified {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Signer");
        params.distinguished_name.push(DnType::CountryName, "SE");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let document_signer = vec![1, 0, 18013, 5, 1, 2];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(document_signer)];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Certified {
            key: key.serialize_pem(),
            certificate: certificate.pem(),
        }
    }
}

/// The configuration of the harness with more keys.
pub(super) fn with_keys(extra: &str, keys: &str) -> String {
    config_text(extra).replace("[signing]", &format!("{keys}\n[[signing]]"))
}

/// A table of `[[signing]]` for mdocs.
pub(super) fn mdoc_key(signer: &Certified, iaca: &Iaca) -> String {
    let Certified { key, certificate } = signer;
    let authority = iaca.pem();
    format!(
        "[[signing]]\nformats = [\"mso_mdoc\"]\nmethod = \"x5c\"\nkey = '''{key}'''\n\
         certificates = '''{certificate}'''\nauthority = '''{authority}'''\n"
    )
}

/// A table of `[[signing]]` with an Ed25519 key that is named by `did:key`.
pub(super) fn did_key(seed: u64, settings: &str) -> String {
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(seed)).to_pkcs8_pem();
    let key = key.as_str();
    format!("[[signing]]\n{settings}\nmethod = 'did_key'\nkey = '''{key}'''\n")
}
