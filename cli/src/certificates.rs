//! A certificate authority for development: the demo makes one in memory,
//! `vouchsafe config generate` writes one to files.

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
    PKCS_ECDSA_P256_SHA256, SanType,
};
use sha2::{Digest, Sha256};

/// How long what is made here is valid, in days.
const DAYS: i64 = 365;

/// A root that signs leaf certificates of one role.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The root certificate: what the other side pins.
    pub certificate_pem: String,
    now: Timestamp,
}

/// A key and its certificate.
pub struct Leaf {
    /// PKCS#8, PEM.
    pub key_pem: String,
    /// The leaf certificate, PEM; the root is not part of it (HAIP 1.0, section 6.1.1).
    pub chain_pem: String,
}

impl Authority {
    /// Makes a root named `name`, valid from `now` (seconds since 1970) on.
    pub fn new(name: &str, now: i64) -> Result<Self> {
        let now = Timestamp::from_second(now)?;
        let mut params = parameters(name, now)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate_pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate_pem,
            now,
        })
    }

    /// Makes a key and a certificate for the party at `url`.
    pub fn leaf(&self, name: &str, url: &str) -> Result<Leaf> {
        self.leaf_of(name, vec![address(url)?])
    }

    /// The same for a party that is known by the name of its host too.
    pub fn host_leaf(&self, name: &str, url: &str, host: &str) -> Result<Leaf> {
        self.leaf_of(
            name,
            vec![SanType::DnsName(host.try_into()?), address(url)?],
        )
    }

    fn leaf_of(&self, name: &str, names: Vec<SanType>) -> Result<Leaf> {
        let mut params = parameters(name, self.now)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.subject_alt_names = names;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let chain_pem = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Leaf {
            key_pem: key.serialize_pem(),
            chain_pem,
        })
    }
}

fn address(url: &str) -> Result<SanType> {
    let url = url.try_into().context("an address that is not ASCII")?;
    Ok(SanType::URI(url))
}

/// People read the organization where a certificate has one: it is the party itself.
fn parameters(name: &str, now: Timestamp) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
        .distinguished_name
        .push(DnType::OrganizationName, name);
    params.not_before = day(now, -1)?;
    params.not_after = day(now, DAYS)?;
    Ok(params)
}

fn day(now: Timestamp, offset: i64) -> Result<time::OffsetDateTime> {
    let seconds = now.as_second() + offset * 86_400;
    let date = Timestamp::from_second(seconds)?
        .to_zoned_datetime(TimeZone::UTC)
        .date();
    Ok(rcgen::date_time_ymd(
        date.year().into(),
        date.month().try_into()?,
        date.day().try_into()?,
    ))
}

/// A certificate for `https://localhost`, `https://webvh.localhost` and the throw-away authority that signed it, in PEM.
pub struct TlsPair {
    /// What clients trust.
    pub authority: String,
    /// The server's certificate.
    pub certificate: String,
    /// The server's private key.
    pub key: String,
}

/// Makes a [`TlsPair`], valid from `now` (seconds since 1970) on.
pub fn tls_pair(now: i64) -> Result<TlsPair> {
    let authority = Authority::new("Vouchsafe conformance", now)?;
    let mut params = parameters("localhost", authority.now)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.subject_alt_names = vec![
        SanType::DnsName("localhost".try_into()?),
        SanType::DnsName("webvh.localhost".try_into()?),
        SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
    ];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    Ok(TlsPair {
        certificate: params.signed_by(&key, &authority.issuer)?.pem(),
        key: key.serialize_pem(),
        authority: authority.certificate_pem,
    })
}

/// A certificate for one address of a network, and what people compare before they trust it.
pub struct LanPair {
    /// The certificates.
    pub tls: TlsPair,
    /// SHA-256 of the authority, as phones write it.
    pub fingerprint: String,
}

/// How long phones may trust what `vouchsafe demo --lan` made, in days.
const LAN_DAYS: i64 = 7;

/// Makes a [`LanPair`] for `address`, valid from `now` (seconds since 1970) on. Whoever trusts the
/// authority trusts it for this address alone and for a week (RFC 5280, section 4.2.1.10), and its
/// key is thrown away here.
pub fn lan_pair(address: std::net::IpAddr, now: i64) -> Result<LanPair> {
    let now = Timestamp::from_second(now)?;
    let prefix = if address.is_ipv4() { 32 } else { 128 };
    let mut root = parameters("Vouchsafe demo", now)?;
    root.not_after = day(now, LAN_DAYS)?;
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let subnet = CidrSubnet::from_addr_prefix(address, prefix);
    root.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::IpAddress(subnet)],
        excluded_subtrees: Vec::new(),
    });
    let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let authority = root.self_signed(&root_key)?;
    let digest = Sha256::digest(authority.der());
    let fingerprint: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut leaf = parameters("Vouchsafe demo", now)?;
    leaf.not_after = day(now, LAN_DAYS)?;
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    leaf.subject_alt_names = vec![SanType::IpAddress(address)];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    Ok(LanPair {
        fingerprint: fingerprint.join(":"),
        tls: TlsPair {
            certificate: leaf.signed_by(&key, &Issuer::new(root, root_key))?.pem(),
            key: key.serialize_pem(),
            authority: authority.pem(),
        },
    })
}

/// A certificate for a key that signs credentials, and the throw-away authority that vouches for it, in PEM.
pub struct SignerPair {
    /// What verifiers trust.
    pub authority: String,
    /// The certificate of the key.
    pub certificate: String,
}

/// `id-mdl-kp-mdlDS` (ISO/IEC 18013-5:2021, table B.3).
pub const DOCUMENT_SIGNER: [u64; 6] = [1, 0, 18013, 5, 1, 2];

/// A document signer of mdocs: its key, its certificate and the authority (IACA) above it, PEM.
pub struct DocumentSigner {
    /// PKCS#8.
    pub key_pem: String,
    /// The certificate.
    pub chain_pem: String,
    /// What relying parties trust; its key is thrown away.
    pub authority_pem: String,
}

impl DocumentSigner {
    /// Makes one, valid from `now` (seconds since 1970) on.
    pub fn new(name: &str, country: &str, now: i64) -> Result<Self> {
        let key_pem = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?.serialize_pem();
        let pair = document_signer(name, country, &key_pem, now)?;
        Ok(Self {
            key_pem,
            chain_pem: pair.certificate,
            authority_pem: pair.authority,
        })
    }
}

/// Certifies a P-256 key (PKCS#8, PEM) for mdocs and SD-JWT VCs, valid from `now` (seconds since 1970) on.
pub fn document_signer(name: &str, country: &str, key_pem: &str, now: i64) -> Result<SignerPair> {
    let key = KeyPair::from_pem(key_pem)
        .ok()
        .filter(|key| key.is_compatible(&PKCS_ECDSA_P256_SHA256))
        .context(
            "a certificate needs a P-256 key (`vouchsafe credential generate-key --kind p256`)",
        )?;
    let now = Timestamp::from_second(now)?;
    let mut root = parameters("An authority to try with", now)?;
    // ISO/IEC 18013-5:2021, table B.1 and B.3: both name the same country.
    root.distinguished_name.push(DnType::CountryName, country);
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let authority = root.self_signed(&root_key)?.pem();
    let mut leaf = parameters(name, now)?;
    leaf.distinguished_name.push(DnType::CountryName, country);
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(DOCUMENT_SIGNER.to_vec())];
    leaf.use_authority_key_identifier_extension = true;
    Ok(SignerPair {
        certificate: leaf.signed_by(&key, &Issuer::new(root, root_key))?.pem(),
        authority,
    })
}
