//! Certificates and keys, made once for the whole test run: RSA takes its time.

use std::sync::OnceLock;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use vouchsafe_credentials::crypto::SigningKey;
use vouchsafe_credentials::x509::Chain;
use vouchsafe_service::jose::{JwtKey, KeySet, SigningAlg};

/// An authority and a leaf below it.
#[derive(Clone)]
pub struct Party {
    pub anchor_pem: String,
    pub chain_pem: String,
    pub key_pem: String,
    authority: std::sync::Arc<Issuer<'static, KeyPair>>,
}

impl Party {
    pub fn chain(&self) -> Chain {
        Chain::from_pem(&self.chain_pem).unwrap()
    }

    pub fn key(&self) -> SigningKey {
        SigningKey::from_pkcs8_pem(&self.key_pem).unwrap()
    }

    /// Another document signer of the same authority.
    pub fn next_signer(&self, name: &str) -> Self {
        let (chain_pem, key_pem) = document_signer(&self.authority, name);
        Self {
            chain_pem,
            key_pem,
            ..self.clone()
        }
    }

    /// The same authority gives a new key to the owner of a DNS name.
    pub fn of_host(&self, dns: &str) -> Self {
        let (chain_pem, key_pem) = certify(&self.authority, params(dns, vec![dns.to_owned()]));
        Self {
            chain_pem,
            key_pem,
            ..self.clone()
        }
    }

    /// The same authority gives a new key to the same subject.
    pub fn renewed(&self, name: &str) -> Self {
        let (chain_pem, key_pem) = leaf(&self.authority, name);
        Self {
            chain_pem,
            key_pem,
            ..self.clone()
        }
    }
}

#[derive(Clone)]
pub struct Pki {
    pub issuer: Party,
    pub other_issuer: Party,
    pub untrusted_issuer: Party,
    pub verifier: Party,
    pub verifier_key_pem: String,
    pub verifier_chain_pem: String,
    pub id_token_rs256: String,
    pub id_token_es256: String,
    pub client_key: ClientKey,
}

impl Pki {
    pub fn new() -> Self {
        static ONCE: OnceLock<Pki> = OnceLock::new();
        ONCE.get_or_init(Self::make).clone()
    }

    fn make() -> Self {
        let verifier = party("login.example");
        Self {
            issuer: party("The Club"),
            other_issuer: party("The Rival"),
            untrusted_issuer: party("Nobody"),
            verifier_key_pem: verifier.key_pem.clone(),
            verifier_chain_pem: verifier.chain_pem.clone(),
            verifier,
            id_token_rs256: JwtKey::generate(SigningAlg::Rs256)
                .unwrap()
                .to_pem()
                .to_string(),
            id_token_es256: JwtKey::generate(SigningAlg::Es256)
                .unwrap()
                .to_pem()
                .to_string(),
            client_key: ClientKey::new(),
        }
    }
}

/// An authority for mdocs and a document signer below it (ISO/IEC 18013-5:2021, annex B).
pub fn iaca(name: &str) -> Party {
    let key = KeyPair::generate().unwrap();
    let mut root = params(&format!("{name} Root"), vec![]);
    root.distinguished_name.push(DnType::CountryName, "AT");
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let anchor_pem = root.self_signed(&key).unwrap().pem();
    let authority = Issuer::new(root, key);
    let (chain_pem, key_pem) = document_signer(&authority, name);
    Party {
        anchor_pem,
        chain_pem,
        key_pem,
        authority: std::sync::Arc::new(authority),
    }
}

fn document_signer(authority: &Issuer<'static, KeyPair>, name: &str) -> (String, String) {
    let mut signer = params(name, vec![]);
    signer.distinguished_name.push(DnType::CountryName, "AT");
    let purpose = vec![1, 0, 18013, 5, 1, 2];
    signer.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(purpose)];
    certify(authority, signer)
}

fn party(name: &str) -> Party {
    let key = KeyPair::generate().unwrap();
    let mut root = params(&format!("{name} Root"), vec![]);
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let anchor_pem = root.self_signed(&key).unwrap().pem();
    let authority = Issuer::new(root, key);
    let (chain_pem, key_pem) = leaf(&authority, name);
    Party {
        anchor_pem,
        chain_pem,
        key_pem,
        authority: std::sync::Arc::new(authority),
    }
}

fn leaf(authority: &Issuer<'static, KeyPair>, name: &str) -> (String, String) {
    certify(authority, params(name, vec!["party.example".to_owned()]))
}

fn certify(
    authority: &Issuer<'static, KeyPair>,
    mut params: CertificateParams,
) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn params(name: &str, dns: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(dns).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2028, 1, 1);
    params
}

/// A key with which a client signs assertions.
#[derive(Clone)]
pub struct ClientKey(std::sync::Arc<KeySet>);

impl ClientKey {
    pub fn new() -> Self {
        let key = JwtKey::generate(SigningAlg::Es256).unwrap();
        Self(std::sync::Arc::new(KeySet::new(vec![key])))
    }

    /// Its public half, as a client publishes it.
    pub fn jwks(&self) -> String {
        self.0.jwks().to_string()
    }

    pub fn sign(&self, claims: &serde_json::Value) -> String {
        let claims = claims.as_object().unwrap();
        let key = self.0.signer(SigningAlg::Es256).unwrap();
        key.sign("JWT", claims).unwrap()
    }
}
