//! Certificates and keys of the https listeners.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::Deserialize;

use crate::keys::{KeyError, read_private_file};

/// `[http.tls]`: files in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Certificate chain, the server's own certificate first.
    pub certificate_file: PathBuf,
    /// Private key; must not be readable by everybody.
    pub key_file: PathBuf,
}

/// Why a listener has no https.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file cannot be read or has no certificate.
    #[error("the certificate file cannot be read or holds no certificate")]
    Certificate,
    /// The key file cannot be read or is readable by everybody.
    #[error(transparent)]
    KeyFile(#[from] KeyError),
    /// The key does not parse.
    #[error("the key file holds no private key")]
    Key,
    /// Certificate and key do not fit each other.
    #[error("certificate and key do not fit each other")]
    Mismatch(#[source] rustls::Error),
}

/// Settings of a https listener: TLS 1.2 and 1.3, HTTP/1.1.
#[derive(Debug, Clone)]
pub struct TlsConfig(Arc<ServerConfig>);

impl TlsConfig {
    /// From files.
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let TlsFiles {
            certificate_file,
            key_file,
        } = files;
        let chain = std::fs::read(certificate_file).map_err(|_| TlsError::Certificate)?;
        let key = read_private_file(key_file)?;
        Self::from_pem(&chain, key.as_bytes())
    }

    /// From PEM texts.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(TlsError::Mismatch)?
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .map_err(TlsError::Mismatch)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}
