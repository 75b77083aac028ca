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

    /// Another certificate for the key of a document signer.
    fn again(&self, key: &str, change: impl FnOnce(&mut CertificateParams)) -> String {
        let key = KeyPair::from_pem(key).unwrap();
        let mut params = Self::signer_params();
        params.not_before = rcgen::date_time_ymd(2027, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 12, 1);
        change(&mut params);
        params.signed_by(&key, &self.0).unwrap().pem()
    }

    fn signer_params() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Signer");
        params.distinguished_name.push(DnType::CountryName, "SE");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let document_signer = vec![1, 0, 18013, 5, 1, 2];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(document_signer)];
        params
    }

    pub(super) fn signer_with(&self, change: impl FnOnce(&mut CertificateParams)) -> Certified {
        let mut params = Self::signer_params();
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

/// What `vouchsafe issuer certificate install` lets through.
#[test]
fn new_certificates_are_checked_before_they_are_used() {
    use super::harness::NOW;
    use crate::config::{CertificateError, NewCertificates};

    let (iaca, other) = (Iaca::new("SE"), Iaca::new("SE"));
    let signer = iaca.signer_with(|params| {
        params.not_before = rcgen::date_time_ymd(2027, 2, 1);
        params.not_after = rcgen::date_time_ymd(2028, 2, 1);
    });
    let text = with_keys("", &mdoc_key(&signer, &iaca));
    let config: crate::Config = vouchsafe_service::config::parse(&text).unwrap();
    let keys = config.configured_keys();
    let key = keys.iter().find(|key| key.name == "signing-1").unwrap();
    let public = SigningKey::from_pkcs8_pem(&signer.key).unwrap();
    let check = |chain: &str, authority: &Iaca, now| {
        let public = vouchsafe_credentials::crypto::Signer::public_key(&public);
        NewCertificates::check(key, public, chain, &authority.pem(), now)
    };
    // Planned: not before it is valid.
    let good = check(&signer.certificate, &iaca, NOW).unwrap();
    assert!(good.from > NOW && good.until > good.from);
    let later = good.from.plus(86_400);
    assert_eq!(
        check(&signer.certificate, &iaca, later).unwrap().from,
        later
    );

    let refused = |chain: &str, authority: &Iaca, now| check(chain, authority, now).unwrap_err();
    assert_eq!(
        refused(&signer.certificate, &iaca, good.until),
        CertificateError::Expired
    );
    assert!(matches!(
        refused(&signer.certificate, &other, NOW),
        CertificateError::Refused { .. }
    ));
    assert!(matches!(
        refused("nothing", &iaca, NOW),
        CertificateError::Malformed(_)
    ));
    assert_eq!(
        refused(&iaca.signer().certificate, &iaca, NOW),
        CertificateError::OtherKey
    );
    let again = |change: fn(&mut CertificateParams)| iaca.again(&signer.key, change);
    // No document signer; of another country; valid for too long.
    assert!(matches!(
        refused(
            &again(|params| params.extended_key_usages.clear()),
            &iaca,
            NOW
        ),
        CertificateError::Refused { .. }
    ));
    let abroad = again(|params| params.distinguished_name.push(DnType::CountryName, "NO"));
    assert!(matches!(
        refused(&abroad, &iaca, NOW),
        CertificateError::Refused { .. }
    ));
    let long = again(|params| {
        params.not_before = rcgen::date_time_ymd(2027, 1, 1);
        params.not_after = rcgen::date_time_ymd(2028, 6, 1);
    });
    assert_eq!(refused(&long, &iaca, NOW), CertificateError::TooLong);
}
