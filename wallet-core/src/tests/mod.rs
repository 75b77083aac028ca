//! A wallet against a scripted issuer and a scripted verifier, all in memory.

mod adding;
mod approving;
pub(crate) mod cards;
mod chaos;
mod copies;
mod foreign;
mod haip;
mod instances;
mod issuer;
mod keeping;
mod mdoc;
mod modules;
mod moving;
mod page;
mod pictures;
mod showing;
mod signed;
mod status;
mod strict;
mod verifier;
mod verifiers;

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use vouchsafe_credentials::crypto::{Portable, SigningKey};
use vouchsafe_credentials::mdoc::MDL;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, StatusMethod};
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};
use vouchsafe_protocol::http::{HttpResponse, UrlRule};

use crate::Wallet;
use crate::attestation::Attestations;
use crate::issuance::IssuancePolicy;
use crate::status::StatusPolicy;
use crate::storage::{KdfParams, MemoryStorage, VaultKey};
use crate::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};
use crate::wallet::{Config, Ports};

/// 2026-06-01T00:00:00Z
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);
pub(crate) const PASSPHRASE: &str = "correct horse";

/// A certification authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

/// A leaf certificate with its key.
pub(crate) struct Leaf {
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
        Self {
            issuer: Issuer::new(params, key),
            der,
        }
    }

    pub(crate) fn anchors(&self, role: Role) -> TrustAnchors {
        let mut anchors = TrustAnchors::new(role);
        anchors.add_der(&self.der).unwrap();
        anchors
    }

    /// A leaf whose subject has an `organizationIdentifier`.
    pub(crate) fn organization(&self, name: &str, dns: &str, identifier: &str) -> Leaf {
        let mut params = params(name, vec![dns.to_owned()]);
        let kind = DnType::CustomDnType(vec![2, 5, 4, 97]);
        params.distinguished_name.push(kind, identifier);
        self.certify(params)
    }

    pub(crate) fn leaf(&self, name: &str, dns: &str) -> Leaf {
        self.certify(params(name, vec![dns.to_owned()]))
    }

    /// A document signer (ISO/IEC 18013-5:2021, table B.3).
    pub(crate) fn document_signer(&self) -> Leaf {
        let mut params = params("Signer", vec![]);
        params.distinguished_name.push(DnType::CountryName, "AT");
        let purpose = vec![1, 0, 18013, 5, 1, 2];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(purpose)];
        self.certify(params)
    }

    fn certify(&self, mut params: CertificateParams) -> Leaf {
        let key = KeyPair::generate().unwrap();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf {
            chain: Chain::from_der(vec![certificate.der().to_vec()]).unwrap(),
            key: SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap(),
        }
    }
}

fn params(name: &str, dns: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(dns).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

/// Everything around one wallet.
pub(crate) struct World {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) storage: Arc<MemoryStorage>,
    pub(crate) config: Config,
    pub(crate) wallet: Wallet,
    pub(crate) issuer: issuer::ScriptedIssuer,
    pub(crate) verifier: verifier::ScriptedVerifier,
}

impl World {
    pub(crate) fn new() -> Self {
        let (config, issuer, verifier) = surroundings();
        let clock = Arc::new(FixedClock::new(NOW));
        let storage = Arc::new(MemoryStorage::new());
        let ports = ports(&storage, &clock, 1);
        let wallet = Wallet::create(config.clone(), ports, PASSPHRASE, KdfParams::MINIMUM).unwrap();
        Self {
            clock,
            storage,
            config,
            wallet,
            issuer,
            verifier,
        }
    }

    /// The key of the wallet, which opens it without deriving one.
    pub(crate) fn key(&self) -> VaultKey {
        Wallet::unlock(&ports(&self.storage, &self.clock, 2), PASSPHRASE).unwrap()
    }

    pub(crate) async fn open_with(&self, key: &VaultKey) -> Result<Wallet, crate::WalletError> {
        let ports = ports(&self.storage, &self.clock, 2);
        Wallet::open_with_key(self.config.clone(), ports, key).await
    }

    pub(crate) async fn reopen(&self, passphrase: &str) -> Result<Wallet, crate::WalletError> {
        let ports = ports(&self.storage, &self.clock, 2);
        Wallet::open(self.config.clone(), ports, passphrase).await
    }
}

/// How a wallet is set up, and whom it meets.
pub(crate) fn surroundings() -> (Config, issuer::ScriptedIssuer, verifier::ScriptedVerifier) {
    let (club, access) = (Authority::new("Club CA"), Authority::new("Access CA"));
    let iaca = Authority::iaca();
    let config = Config {
        trust: TrustList {
            issuers: vec![
                KnownIssuer {
                    credential_issuer: issuer::URL.to_owned(),
                    method: IssuerMethod::X509 {
                        anchors: Arc::new(club.anchors(Role::Issuer)),
                        subject: None,
                    },
                    types: Vec::new(),
                    status: StatusMethod::SameIssuer,
                },
                KnownIssuer {
                    credential_issuer: issuer::URL.to_owned(),
                    method: IssuerMethod::Iaca {
                        anchors: Arc::new(iaca.anchors(Role::MdocIssuer)),
                    },
                    types: vec![MDL.to_owned()],
                    status: StatusMethod::SameIssuer,
                },
            ],
            verifiers: access.anchors(Role::VerifierAccess),
            unknown_issuers: UnknownIssuers::Ask,
            other_verifiers: OtherVerifiers::default(),
        },
        urls: UrlRule::PublicHttps,
        locales: vec!["en".to_owned()],
        redirect_uri: "https://wallet.example.com/callback".parse().unwrap(),
        client_id: "vouchsafe-wallet".to_owned(),
        batch_size: 3,
        issuance: IssuancePolicy::default(),
        status: StatusPolicy::default(),
        transactions: false,
    };
    let issuer = issuer::ScriptedIssuer::new(
        club.leaf("The Club", "club.example.com"),
        iaca.document_signer(),
    );
    let verifier = verifier::ScriptedVerifier::new(
        access.leaf("Wine Shop", "shop.example.com"),
        club.anchors(Role::Issuer),
    )
    .believing_mdocs(iaca.anchors(Role::MdocIssuer));
    (config, issuer, verifier)
}

pub(crate) fn ports(storage: &Arc<MemoryStorage>, clock: &Arc<FixedClock>, seed: u64) -> Ports {
    Ports {
        storage: Arc::clone(storage) as _,
        clock: Arc::clone(clock) as _,
        rng: Arc::new(SeededRng::new(seed)),
        crypto: Arc::new(Portable),
        secure_area: None,
        attestations: Attestations::default(),
    }
}

pub(crate) fn json(status: u16, body: &serde_json::Value) -> HttpResponse {
    HttpResponse {
        status,
        headers: [("content-type", "application/json")].into_iter().collect(),
        body: serde_json::to_vec(body).unwrap(),
    }
}
