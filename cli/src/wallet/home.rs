//! The folder of a wallet: `wallet.toml` beside the encrypted records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Deserialize;
use url::Url;
use vouchsafe_credentials::sd_jwt_vc::IssuerMethod;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_service::config::FetchConfig;
use vouchsafe_wallet_core::storage::KdfParams;
use vouchsafe_wallet_core::storage::file::FileStorage;
use vouchsafe_wallet_core::trust::{KnownIssuer, TrustList, UnknownIssuers};

use super::handle::WalletHandle;
use super::open::{self, Settings};

const FILE: &str = "wallet.toml";

/// What `wallet init` writes.
const TEMPLATE: &str = r#"# Languages, the favourite first.
locales = ["en"]
# What to do with offers of issuers that are not listed below: "ask" or "refuse".
unknown_issuers = "ask"
# Authorities whose certificates name verifiers: PEM files, relative to this folder.
verifier_anchors = []

# Issuers that need no further question.
# [[issuer]]
# credential_issuer = "https://club.example.com"
# anchors = "club-ca.pem"        # or: did = "did:key:..."
# types = []                     # empty: any type it offers
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HomeFile {
    locales: Vec<String>,
    #[serde(default)]
    unknown_issuers: Unknown,
    #[serde(default)]
    verifier_anchors: Vec<PathBuf>,
    #[serde(default)]
    issuer: Vec<IssuerEntry>,
    #[serde(default)]
    dev: Dev,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Unknown {
    #[default]
    Ask,
    Refuse,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Dev {
    #[serde(default)]
    loopback_http: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    credential_issuer: String,
    anchors: Option<PathBuf>,
    did: Option<String>,
    #[serde(default)]
    types: Vec<String>,
}

/// Makes a wallet in a folder that has none.
pub fn init(folder: &Path, passphrase: &str, loopback_http: bool) -> anyhow::Result<()> {
    let storage = Arc::new(FileStorage::open(folder)?);
    let file = folder.join(FILE);
    let is_new = !file.exists();
    if is_new {
        let dev = "\n# For development on one machine: plain http on loopback.\n[dev]\nloopback_http = true\n";
        let text = if loopback_http {
            format!("{TEMPLATE}{dev}")
        } else {
            TEMPLATE.to_owned()
        };
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let created = settings(folder)
        .and_then(|settings| open::create(settings, storage, passphrase, KdfParams::RECOMMENDED));
    if created.is_err() && is_new {
        // Without records the file would look like a wallet.
        let _ = std::fs::remove_file(&file);
    }
    created.map(|_| ())
}

/// Whether there is a wallet in a folder.
pub fn exists(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Opens the wallet in a folder.
pub async fn open(folder: &Path, passphrase: &str) -> anyhow::Result<WalletHandle> {
    open_at(folder, passphrase, None).await
}

/// As [`open`], where a browser comes back to pages of this wallet after a sign-in at an issuer.
pub async fn open_at(
    folder: &Path,
    passphrase: &str,
    redirect: Option<Url>,
) -> anyhow::Result<WalletHandle> {
    if !exists(folder) {
        bail!(
            "there is no wallet in {} (hint: vouchsafe wallet init)",
            folder.display()
        );
    }
    let storage = Arc::new(FileStorage::open(folder)?);
    let mut settings = settings(folder)?;
    if let Some(redirect) = redirect {
        settings.redirect_uri = redirect;
    }
    open::open(settings, storage, passphrase).await
}

fn settings(folder: &Path) -> anyhow::Result<Settings> {
    let file = folder.join(FILE);
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let HomeFile {
        locales,
        unknown_issuers,
        verifier_anchors,
        issuer,
        dev,
    } = toml::from_str(&text).with_context(|| format!("{} is not valid", file.display()))?;
    let mut verifiers = TrustAnchors::new(Role::VerifierAccess);
    for path in &verifier_anchors {
        verifiers
            .add_pem(&read(folder, path)?)
            .with_context(|| path.display().to_string())?;
    }
    let issuers = issuer.into_iter().map(|entry| known_issuer(folder, entry));
    Ok(Settings {
        trust: TrustList {
            issuers: issuers.collect::<anyhow::Result<_>>()?,
            verifiers,
            unknown_issuers: match unknown_issuers {
                Unknown::Ask => UnknownIssuers::Ask,
                Unknown::Refuse => UnknownIssuers::Refuse,
            },
        },
        fetch: FetchConfig::default(),
        loopback_http: dev.loopback_http,
        locales,
        redirect_uri: "http://127.0.0.1/callback".parse()?,
    })
}

fn known_issuer(folder: &Path, entry: IssuerEntry) -> anyhow::Result<KnownIssuer> {
    let IssuerEntry {
        credential_issuer,
        anchors,
        did,
        types,
    } = entry;
    let method = match (anchors, did) {
        (Some(path), None) => {
            let mut anchors = TrustAnchors::new(Role::Issuer);
            anchors
                .add_pem(&read(folder, &path)?)
                .with_context(|| path.display().to_string())?;
            IssuerMethod::X509 {
                anchors: Arc::new(anchors),
                subject: None,
            }
        }
        (None, Some(did)) => IssuerMethod::Did(did),
        _ => bail!("issuer {credential_issuer}: give either anchors or did"),
    };
    Ok(KnownIssuer {
        credential_issuer,
        method,
        types,
    })
}

fn read(folder: &Path, path: &Path) -> anyhow::Result<String> {
    let path = folder.join(path);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
