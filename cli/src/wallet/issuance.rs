//! How a wallet on this machine gets its cards: what `wallet.toml` says, and a provider of
//! attestations with a key in a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use serde::Deserialize;
use vouchsafe_credentials::crypto::{Signer, SigningKey};
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};
use vouchsafe_wallet_core::attestation::{Attestations, SoftwareWalletProvider};
use vouchsafe_wallet_core::issuance::{AskBy, CopyPolicy, IssuancePolicy};

use super::home::read;
use super::open::Issuance;

/// `[issuance]` of `wallet.toml`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct IssuanceFile {
    client_id: Option<String>,
    batch_size: Option<usize>,
    #[serde(default)]
    copies: Copies,
    #[serde(default)]
    ask_by: By,
    #[serde(default)]
    signed_metadata: bool,
    #[serde(default)]
    metadata_anchors: Vec<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Copies {
    #[default]
    Rotate,
    OneTime,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum By {
    #[default]
    Scope,
    Details,
}

/// `[attestation]` of `wallet.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationFile {
    provider: String,
    key: PathBuf,
    certificates: PathBuf,
    #[serde(default)]
    key_storage: Vec<String>,
    #[serde(default)]
    user_authentication: Vec<String>,
}

impl IssuanceFile {
    /// The settings; paths are relative to the folder of the wallet.
    pub fn read(
        self,
        folder: &Path,
        attestation: Option<AttestationFile>,
    ) -> anyhow::Result<Issuance> {
        let defaults = Issuance::default();
        let batch_size = self.batch_size.unwrap_or(defaults.batch_size);
        ensure!(
            (1..=100).contains(&batch_size),
            "batch_size is 1 to 100, not {batch_size}"
        );
        let mut anchors = TrustAnchors::new(Role::Issuer);
        for path in &self.metadata_anchors {
            anchors
                .add_pem(&read(folder, path)?)
                .with_context(|| path.display().to_string())?;
        }
        Ok(Issuance {
            client_id: self.client_id.unwrap_or(defaults.client_id),
            batch_size,
            policy: IssuancePolicy {
                copies: match self.copies {
                    Copies::Rotate => CopyPolicy::Rotate,
                    Copies::OneTime => CopyPolicy::OneTime,
                },
                ask_by: match self.ask_by {
                    By::Scope => AskBy::Scope,
                    By::Details => AskBy::Details,
                },
                signed_metadata: self.signed_metadata,
                metadata_anchors: (!anchors.is_empty()).then_some(anchors),
                ..IssuancePolicy::default()
            },
            attestations: match attestation {
                Some(attestation) => attestation.read(folder)?,
                None => Attestations::default(),
            },
        })
    }
}

impl AttestationFile {
    fn read(self, folder: &Path) -> anyhow::Result<Attestations> {
        let pem = read(folder, &self.key)?;
        let key = SigningKey::from_pkcs8_pem(&pem)
            .with_context(|| format!("{} is no key", self.key.display()))?;
        let pem = read(folder, &self.certificates)?;
        let chain = Chain::from_pem(&pem)
            .with_context(|| format!("{} is no chain", self.certificates.display()))?;
        let same = chain.leaf_public_key()? == *key.public_key();
        ensure!(
            same,
            "{} is not the key of {}",
            self.key.display(),
            self.certificates.display()
        );
        let provider = Arc::new(SoftwareWalletProvider {
            name: self.provider,
            signer: Arc::new(key),
            chain,
            key_storage: self.key_storage,
            user_authentication: self.user_authentication,
        });
        Ok(Attestations {
            wallet: Some(Arc::clone(&provider) as _),
            keys: Some(provider),
        })
    }
}
