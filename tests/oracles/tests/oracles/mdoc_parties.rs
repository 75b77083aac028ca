//! An issuer of mdocs with its IACA, a device, a verifier.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PublicKeyData as _,
};
use vouchsafe_credentials::Verified;
use vouchsafe_credentials::cbor::Value;
use vouchsafe_credentials::crypto::{AgreementKey, Algorithm, AwsLc, SigningKey};
use vouchsafe_credentials::mdoc::{
    DigestAlgorithm, ElementPath, Elements, HeldMdoc, IssuancePolicy, IssueInput,
    KeyAuthorizations, MDL, MDL_NAMESPACE, Mdoc, MdocError, Policy, SessionTranscript, Validity,
    issue, verify_issued, verify_presented,
};
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerMethod, IssuerTrust, StatusMethod, StatusPolicy, TrustedIssuer,
};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};

pub const NOW: UnixTime = UnixTime(1_800_000_000);
pub const NOW_TEXT: &str = "2027-01-15T08:00:00Z";
pub const CLIENT_ID: &str = "x509_san_dns:verifier.example";
pub const NONCE: &str = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA";
pub const RESPONSE_URI: &str = "https://verifier.example/response";

pub struct Parties {
    pub iaca: Vec<u8>,
    pub signer: SigningKey,
    pub certificate: Vec<u8>,
    pub device: SigningKey,
    pub reader: AgreementKey,
    trust: IssuerTrust,
}

/// What ISO/IEC 18013-5, annex B, asks of both certificates.
fn certificate(params: &mut CertificateParams, name: &str) {
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::CountryName, "AT");
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2036, 1, 1);
    params.crl_distribution_points = vec![CrlDistributionPoint {
        uris: vec!["https://issuer.example/crl".into()],
    }];
    // IssuerAltName: a URI.
    let address = b"https://issuer.example";
    let length = u8::try_from(address.len()).unwrap();
    let names = [&[0x30, length + 2, 0x86, length][..], address].concat();
    let names = CustomExtension::from_oid_content(&[2, 5, 29, 18], names);
    params.custom_extensions.push(names);
}

/// Table B.1: the SHA-1 of the public key.
fn key_identifier(pair: &KeyPair) -> Vec<u8> {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, pair.der_bytes());
    hash.as_ref().to_vec()
}

impl Parties {
    pub fn new() -> Self {
        let rng = SeededRng::new(11);
        let pair = KeyPair::generate().unwrap();
        let mut iaca = CertificateParams::default();
        certificate(&mut iaca, "IACA");
        iaca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        iaca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        iaca.key_identifier_method = KeyIdMethod::PreSpecified(key_identifier(&pair));
        let iaca_der = iaca.self_signed(&pair).unwrap().der().to_vec();
        let issuer = Issuer::new(iaca, pair);
        let signer = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::default();
        certificate(&mut leaf, "Document signer");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(vec![1, 0, 18013, 5, 1, 2])];
        leaf.use_authority_key_identifier_extension = true;
        let identifier = [&[0x04, 20][..], &key_identifier(&signer)].concat();
        let identifier = CustomExtension::from_oid_content(&[2, 5, 29, 14], identifier);
        leaf.custom_extensions.push(identifier);
        let leaf = leaf.signed_by(&signer, &issuer).unwrap();
        let mut anchors = TrustAnchors::new(Role::MdocIssuer);
        anchors.add_der(&iaca_der).unwrap();
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: "https://issuer.example".into(),
            method: IssuerMethod::Iaca {
                anchors: Arc::new(anchors),
            },
            types: vec![MDL.into()],
            status: StatusMethod::SameIssuer,
        }]);
        Self {
            iaca: iaca_der,
            signer: SigningKey::from_pkcs8_der(&signer.serialize_der()).unwrap(),
            certificate: leaf.der().to_vec(),
            device: SigningKey::generate(Algorithm::Es256, &rng),
            reader: AgreementKey::generate(&rng),
            trust: trust.unwrap(),
        }
    }

    pub fn issue(&self) -> Vec<u8> {
        let chain = Chain::from_der(vec![self.certificate.clone()]).unwrap();
        let input = IssueInput {
            doctype: MDL,
            elements: &elements(),
            validity: Validity {
                signed: NOW.plus(-3600),
                valid_from: NOW.plus(-3600),
                valid_until: NOW.plus(86_400),
                expected_update: None,
            },
            device_key: self.device_key(),
            key_authorizations: &KeyAuthorizations::default(),
            status: None,
            chain: &chain,
            digest_algorithm: DigestAlgorithm::Sha256,
        };
        run(issue(input, &self.signer, &SeededRng::new(12))).unwrap()
    }

    pub fn device_key(&self) -> &vouchsafe_credentials::crypto::PublicKey {
        use vouchsafe_credentials::crypto::Signer as _;
        self.device.public_key()
    }

    pub fn accept(&self, issued: &[u8]) -> Result<HeldMdoc, MdocError> {
        let policy = IssuancePolicy {
            trust: &self.trust,
            doctype: MDL,
            device_key: self.device_key(),
            now: NOW,
        };
        verify_issued(issued, &policy, &AwsLc).map(Verified::into_inner)
    }

    pub fn transcript(&self) -> SessionTranscript {
        let key = Some(self.reader.public_key());
        SessionTranscript::openid4vp(CLIENT_ID, NONCE, key, RESPONSE_URI)
    }

    /// Bytes of the thumbprint in the transcript.
    pub fn thumbprint(&self) -> Vec<u8> {
        let text = self.reader.public_key().thumbprint();
        vouchsafe_credentials::encoding::b64url_decode(&text).unwrap()
    }

    pub fn present(&self, held: &HeldMdoc, names: &[&str]) -> Vec<u8> {
        let paths: Vec<_> = names
            .iter()
            .map(|name| ElementPath::new(MDL_NAMESPACE, name))
            .collect();
        let presentation = held.present(&paths).unwrap();
        let (transcript, none) = (self.transcript(), Elements::new());
        run(presentation.sign(&transcript, &none, &self.device)).unwrap()
    }

    pub fn verify(&self, response: &[u8]) -> Result<Mdoc, MdocError> {
        self.verify_in(response, &self.transcript())
    }

    /// In an exchange that is named by the caller.
    pub fn verify_in(
        &self,
        response: &[u8],
        transcript: &SessionTranscript,
    ) -> Result<Mdoc, MdocError> {
        let policy = Policy {
            trust: &self.trust,
            doctypes: &[MDL.to_owned()],
            transcript,
            reader_key: None,
            status: StatusPolicy::WhenPresent,
            now: NOW,
        };
        let owed = verify_presented(response, &policy, &AwsLc)?;
        owed.settle(None, None, NOW).map(Verified::into_inner)
    }
}

/// Values that JSON has too.
pub fn elements() -> Elements {
    let mut all = Elements::new();
    for (name, value) in [
        ("family_name", Value::Text("Mustermann".into())),
        ("given_name", Value::Text("Erika".into())),
        ("document_number", Value::Text("123456789".into())),
        ("height", Value::from(170)),
        ("age_over_18", Value::Bool(true)),
    ] {
        assert!(all.add(MDL_NAMESPACE, name, value));
    }
    all
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// The message with one byte turned inside of `part`.
pub fn turned(message: &[u8], part: &[u8]) -> Vec<u8> {
    let at = message
        .windows(part.len())
        .position(|window| window == part);
    let mut altered = message.to_vec();
    altered[at.unwrap() + part.len() - 1] ^= 1;
    altered
}
