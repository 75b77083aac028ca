//! `vouchsafe issuer certificate request`.

use std::cell::RefCell;
use std::path::PathBuf;

use anyhow::{Context, Result};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SanType, SignatureAlgorithm, SigningKey,
};
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::{Algorithm, Signer};
use vouchsafe_credentials::x509::Chain;
use vouchsafe_issuer::Config;
use vouchsafe_issuer::config::ConfiguredKey;

use super::subject;
use crate::certificates::DOCUMENT_SIGNER;
use crate::credential::output;
use crate::development::write_new;
use crate::serve::load_issuer;

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The issuer's configuration file.
    #[arg(
        long,
        short,
        env = "VOUCHSAFE_CONFIG",
        default_value = "issuer.toml",
        value_name = "FILE"
    )]
    config: PathBuf,
    /// The key, by its `name` in the configuration or by table and number, such as `signing-1`.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Whom the certificate names, such as `CN=The Club,O=The Club,C=SE`. Default: whom the
    /// certificate of the key names now, else the issuer's name.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// The new file; without it the request goes to standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the request.
pub async fn run(options: &Options) -> Result<()> {
    let config = load_issuer(&options.config)?;
    let key = super::find(&config, options.key.as_deref())?;
    let signer = key.config.open(key.table, &config)?;
    let name = match &options.subject {
        Some(text) => subject::parse(text)?,
        None => subject_of(&config, &key)?,
    };
    let pem = request(&config, &key, name, &*signer).await?;
    match &options.output {
        None => output::line(pem.trim_end()),
        Some(file) => {
            write_new(file, &pem, 0o644)?;
            eprintln!("wrote {}, signed by {}", file.display(), key.name);
            Ok(())
        }
    }
}

/// Keys that follow each other have certificates with the same subject.
fn subject_of(config: &Config, key: &ConfiguredKey<'_>) -> Result<DistinguishedName> {
    if let Some(pem) = super::certificates(key)? {
        return subject::parse(&Chain::from_pem(&pem)?.leaf_subject()?);
    }
    let names = &config.issuer.names;
    let issuer = names.get("en").or_else(|| names.values().next());
    let issuer = issuer.context("the issuer has no name")?;
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, issuer.as_str());
    name.push(DnType::CommonName, issuer.as_str());
    Ok(name)
}

/// The request, PEM. The signer is asynchronous and the writer of requests is not, so it runs twice:
/// to learn what is signed, and to put the signature in.
pub(super) async fn request(
    config: &Config,
    key: &ConfiguredKey<'_>,
    name: DistinguishedName,
    signer: &dyn Signer,
) -> Result<String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let url = config.http.public_url.as_str();
    params.subject_alt_names = vec![SanType::URI(url.try_into()?)];
    // ISO/IEC 18013-5:2021, table B.3.
    if key.table == "signing" && key.config.signs(Format::Mdoc) {
        let document_signer = ExtendedKeyUsagePurpose::Other(DOCUMENT_SIGNER.to_vec());
        params.extended_key_usages = vec![document_signer];
    }
    let public = signer.public_key();
    let remote = Remote {
        public: public.material().as_bytes().to_vec(),
        algorithm: match public.algorithm() {
            Algorithm::EdDsa => &PKCS_ED25519,
            Algorithm::Es256 => &PKCS_ECDSA_P256_SHA256,
            Algorithm::Es384 | Algorithm::Es512 => {
                anyhow::bail!("a request needs a P-256 or Ed25519 key")
            }
        },
        message: RefCell::default(),
        signature: None,
    };
    params.serialize_request(&remote)?;
    let message = remote.message.take();
    let signature = signer.sign(&message).await?;
    let remote = Remote {
        signature: Some((message, in_certificates(public.algorithm(), &signature)?)),
        ..remote
    };
    Ok(params.serialize_request(&remote)?.pem()?)
}

struct Remote {
    public: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
    message: RefCell<Vec<u8>>,
    signature: Option<(Vec<u8>, Vec<u8>)>,
}

impl PublicKeyData for Remote {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for Remote {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match &self.signature {
            None => {
                *self.message.borrow_mut() = message.to_vec();
                Ok(Vec::new())
            }
            Some((signed, signature)) if signed == message => Ok(signature.clone()),
            Some(_) => Err(rcgen::Error::RemoteKeyError),
        }
    }
}

/// RFC 5758, section 3.2, and RFC 8410, section 6: ECDSA signatures are DER in certificates.
fn in_certificates(algorithm: Algorithm, signature: &[u8]) -> Result<Vec<u8>> {
    match algorithm {
        Algorithm::EdDsa => Ok(signature.to_vec()),
        Algorithm::Es256 => ecdsa_der(signature).context("the signature has another length"),
        Algorithm::Es384 | Algorithm::Es512 => anyhow::bail!("no such key is asked for"),
    }
}

/// RFC 3279, section 2.2.3, for a signature `r || s` of P-256: all lengths are below 128.
fn ecdsa_der(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature
        .split_at_checked(32)
        .filter(|(_, s)| s.len() == 32)?;
    let integers = [integer(r)?, integer(s)?].concat();
    let mut der = vec![0x30, u8::try_from(integers.len()).ok()?];
    der.extend(integers);
    Some(der)
}

/// An INTEGER: no leading zeros, and one where the number would look negative.
fn integer(number: &[u8]) -> Option<Vec<u8>> {
    let first = number.iter().position(|byte| *byte != 0)?;
    let digits = number.get(first..)?;
    let sign: &[u8] = match digits.first() {
        Some(byte) if *byte >= 0x80 => &[0],
        _ => &[],
    };
    let length = u8::try_from(sign.len() + digits.len()).ok()?;
    Some([&[0x02, length], sign, digits].concat())
}
