//! A wallet that knows from the beginning whom it may believe: the services whose files lie in one folder.

use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use url::Url;

const ISSUER: &str = "issuer.toml";
const OF_CARDS: &str = "wallet-issuer-anchors.pem";
const OF_DOCUMENTS: &str = "mdoc-authority.pem";
const OF_STATUSES: &str = "status-anchors.pem";
const OF_VERIFIERS: &str = "wallet-verifier-anchors.pem";

/// What the folder of a service says to wallets.
#[derive(Debug, Default)]
pub(super) struct Trusted {
    issuer: Option<Url>,
    /// Name and text of each PEM file.
    files: Vec<(&'static str, String)>,
}

#[derive(Deserialize)]
struct IssuerFile {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    public_url: Url,
}

/// Reads the folder that `config generate`, `issuer init` or `verifier init` made.
///
/// # Errors
///
/// The folder has nothing that a wallet could believe, or not whole.
pub(super) fn read(services: &Path) -> anyhow::Result<Trusted> {
    let mut trusted = Trusted::default();
    for name in [OF_CARDS, OF_DOCUMENTS, OF_STATUSES, OF_VERIFIERS] {
        let path = services.join(name);
        if path.exists() {
            let text = text_of(&path)?;
            trusted.files.push((name, text));
        }
    }
    let file = services.join(ISSUER);
    if trusted.has(OF_CARDS) && file.exists() {
        let text = text_of(&file)?;
        let read: IssuerFile =
            toml::from_str(&text).with_context(|| format!("{} is not valid", file.display()))?;
        trusted.issuer = Some(read.http.public_url);
    }
    if trusted.issuer.is_none() && !trusted.has(OF_VERIFIERS) {
        bail!(
            "{} has neither {ISSUER} with {OF_CARDS} nor {OF_VERIFIERS} (hint: a folder of vouchsafe config generate)",
            services.display()
        );
    }
    Ok(trusted)
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

impl Trusted {
    fn has(&self, name: &str) -> bool {
        self.files.iter().any(|(file, _)| *file == name)
    }

    /// Whether its issuer is one of this machine that speaks plain http.
    pub(super) fn is_plain(&self) -> bool {
        let issuer = self.issuer.as_ref();
        issuer.is_some_and(|url| url.scheme() == "http")
    }

    /// Puts the certificates into the wallet's folder, and gives its file with their names.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub(super) fn write(&self, wallet: &Path, template: &str) -> anyhow::Result<String> {
        for (name, text) in &self.files {
            let path = wallet.join(name);
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let mut file = template.to_owned();
        if self.has(OF_VERIFIERS) {
            let nobody = "verifier_anchors = []";
            let known = format!("verifier_anchors = [\"{OF_VERIFIERS}\"]");
            file = file.replacen(nobody, &known, 1);
        }
        if let Some(issuer) = &self.issuer {
            let address = toml::Value::from(issuer.as_str().trim_end_matches('/'));
            file += "\n[[issuer]]\n";
            file += &format!("credential_issuer = {address}\nanchors = \"{OF_CARDS}\"\n");
            if self.has(OF_DOCUMENTS) {
                file += &format!("iaca = \"{OF_DOCUMENTS}\"\n");
            }
            if self.has(OF_STATUSES) {
                file += &format!("status_anchors = \"{OF_STATUSES}\"\n");
            }
        }
        Ok(file)
    }

    /// Takes the certificates out of the wallet's folder again.
    pub(super) fn remove(&self, wallet: &Path) {
        for (name, _) in &self.files {
            let _ = std::fs::remove_file(wallet.join(name));
        }
    }
}
