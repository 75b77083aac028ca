//! A certificate authority of the tests, for https on loopback.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// Files of a server certificate for `127.0.0.1`, and of the authority behind it.
#[derive(Clone, Debug)]
pub struct Files {
    /// The authority's certificate.
    pub authority: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Makes them in `folder`.
pub fn make(folder: &Path) -> Result<Files> {
    let mut params = CertificateParams::default();
    // Two names, or OpenSSL takes the certificate below for one that signs itself.
    params
        .distinguished_name
        .push(DnType::CommonName, "Authority of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate()?;
    let leaf = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&leaf_key, &issuer)?;
    let files = Files {
        authority: folder.join("tls-authority.pem"),
        certificate: folder.join("tls-certificate.pem"),
        key: folder.join("tls-key.pem"),
    };
    std::fs::write(&files.authority, authority)?;
    std::fs::write(&files.certificate, leaf.pem())?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&files.key)?;
    std::io::Write::write_all(&mut file, leaf_key.serialize_pem().as_bytes())?;
    Ok(files)
}
