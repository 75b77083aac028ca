//! What a check is told on the command line: for whom, of what moment, and whom to believe.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use vouchsafe_credentials::vcdm::Delegation;
use vouchsafe_credentials::x509::{Role, TrustAnchors};

use super::{Bytes, bytes};

/// Options that `verify` and `inspect` share.
#[derive(Debug, Default, clap::Args)]
pub struct Against {
    /// The challenge that was given out, for presentations.
    #[arg(long)]
    challenge: Option<String>,
    /// Our name, for presentations; for mdocs our origin, such as `https://shop.example`.
    #[arg(long)]
    domain: Option<String>,
    /// The presentation header that was given out, for derived proofs of bbs-2023: base64url.
    #[arg(long, value_name = "BASE64URL", value_parser = bytes)]
    presentation_header: Option<Bytes>,
    /// Who signs for an issuer that is no DID: `ISSUER=DID`.
    #[arg(long = "trust", value_name = "ISSUER=DID")]
    trust: Vec<String>,
    /// An authority (PEM) that vouches for the certificates of issuers of SD-JWT VCs and mdocs.
    #[arg(long = "anchor", value_name = "FILE")]
    anchors: Vec<PathBuf>,
}

/// How a verdict is reached.
#[derive(Debug, Default)]
pub struct Means {
    /// See [`Against`].
    pub challenge: Option<String>,
    /// See [`Against`].
    pub domain: Option<String>,
    /// See [`Against`].
    pub presentation_header: Option<Vec<u8>>,
    /// See [`Against`].
    pub delegations: Vec<Delegation>,
    /// Authorities that vouch for certificates, as PEM.
    pub authorities: Vec<String>,
}

impl Against {
    /// Reads what the options name.
    pub fn read(self) -> Result<Means> {
        let delegations = self.trust.iter().map(|text| delegation(text));
        let authorities = self.anchors.iter().map(|file| authority(file));
        Ok(Means {
            delegations: delegations.collect::<Result<_>>()?,
            authorities: authorities.collect::<Result<_>>()?,
            challenge: self.challenge,
            domain: self.domain,
            presentation_header: self.presentation_header.map(|given| given.0),
        })
    }
}

impl Means {
    /// Whether something was given out to whom the credential must have been shown.
    pub fn is_for_somebody(&self) -> bool {
        self.challenge.is_some() || self.domain.is_some()
    }

    /// The given authorities in a role; `None`: no certificate is believed.
    pub fn anchors(&self, role: Role) -> Option<Arc<TrustAnchors>> {
        let mut anchors = TrustAnchors::new(role);
        for pem in &self.authorities {
            // It was read before: a certificate is the same in every role.
            anchors.add_pem(pem).ok()?;
        }
        (!anchors.is_empty()).then(|| Arc::new(anchors))
    }
}

fn authority(file: &Path) -> Result<String> {
    let pem = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    TrustAnchors::new(Role::Issuer)
        .add_pem(&pem)
        .with_context(|| format!("{} holds no certificate of an authority", file.display()))?;
    Ok(pem)
}

fn delegation(text: &str) -> Result<Delegation> {
    let (issuer, controller) = text
        .split_once('=')
        .context("--trust is ISSUER=DID, such as https://vc.example/issuer=did:key:z6Mk…")?;
    Ok(Delegation {
        issuer: issuer.to_owned(),
        controller: controller.to_owned(),
    })
}
