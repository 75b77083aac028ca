//! The folder of a wallet: `wallet.toml` beside the encrypted records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Deserialize;
use url::Url;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, StatusMethod};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_service::config::FetchConfig;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::storage::KdfParams;
use vouchsafe_wallet_core::storage::file::FileStorage;
use vouchsafe_wallet_core::trust::{KnownIssuer, TrustList, UnknownIssuers};

use super::handle::WalletHandle;
use super::issuance::{AttestationFile, IssuanceFile};
use super::open::{self, Settings};
use super::others::Others;
use super::trusting::Trusted;

const FILE: &str = "wallet.toml";

/// What `wallet init` writes.
const TEMPLATE: &str = r#"# Languages, the favourite first.
locales = ["en"]
# What to do with offers of issuers that are not listed below: "ask" or "refuse".
unknown_issuers = "ask"
# Authorities whose certificates name verifiers: PEM files, relative to this folder.
verifier_anchors = []
# Whether verifiers are told why their request is refused.
tell_refusals = true
# Where a browser comes back to after a sign-in at an issuer. With a port on this machine the
# command line waits there itself; without one it asks for the address that the browser came to.
# redirect_uri = "http://127.0.0.1:4011/callback"

# How cards are got.
# [issuance]
# client_id = "vouchsafe-wallet"
# batch_size = 10                # copies of one card
# copies = "rotate"              # or: "one_time", no copy is ever shown to two verifiers
# ask_by = "scope"               # or: "details"
# signed_metadata = false        # listed issuers must sign their metadata
# metadata_anchors = []          # who signs them, where it is not who signs cards

# Whether issuers still stand by their cards: their status lists are asked when you look at your
# cards, and never because somebody asks for one. The host of a list learns that somebody at your
# IP address has a card on it, not which, unless the issuer keeps a list for each card.
# [status]
# ask = true

# Who vouches for this wallet and its keys: a key with its certificates, for issuers that ask for
# wallet and key attestations.
# [attestation]
# provider = "https://wallets.example.com"
# key = "provider-key.pem"
# certificates = "provider-chain.pem"   # without the anchor
# key_storage = []
# user_authentication = []

# Exceptions for requests to other hosts.
# [fetch]
# allow = [{ host = "issuer.test", ports = [8443], private = true }]
# extra_ca = ["test-ca.pem"]

# Issuers that need no further question.
# [[issuer]]
# credential_issuer = "https://club.example.com"
# anchors = "club-ca.pem"        # or: did = "did:key:..."
# types = []                     # empty: any type it offers
# iaca = "iaca.pem"              # vouches for its mdocs
# status_anchors = "status.pem"  # who signs its status lists, where it is not the issuer itself

# Who may ask without such a certificate; nobody, unless it stands here.
# [other_verifiers]
# unvouched = "ask"              # a bare DID or address: what little is known of it is shown
# unencrypted = true             # answers that are not encrypted, where they ask for such
# registrar_anchors = []         # PEM files: who says what verifiers may ask for
# [[other_verifiers.attester]]   # or registered, with client_id and name
# issuer = "https://attester.example"
# keys = "attester-keys.json"    # a JWK set
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HomeFile {
    locales: Vec<String>,
    #[serde(default)]
    unknown_issuers: Unknown,
    #[serde(default)]
    verifier_anchors: Vec<PathBuf>,
    #[serde(default = "told")]
    tell_refusals: bool,
    #[serde(default)]
    issuer: Vec<IssuerEntry>,
    redirect_uri: Option<Url>,
    #[serde(default)]
    issuance: IssuanceFile,
    #[serde(default)]
    status: StatusFile,
    attestation: Option<AttestationFile>,
    #[serde(default)]
    fetch: FetchConfig,
    #[serde(default)]
    other_verifiers: Others,
    #[serde(default)]
    dev: Dev,
}

fn told() -> bool {
    true
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unknown {
    #[default]
    Ask,
    Refuse,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct StatusFile {
    ask: Option<bool>,
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
    iaca: Option<PathBuf>,
    status_anchors: Option<PathBuf>,
    #[serde(default)]
    types: Vec<String>,
}

/// Makes a wallet in a folder that has none; it believes those of `trusted` from the beginning.
pub(super) fn init(
    folder: &Path,
    passphrase: &str,
    loopback_http: bool,
    trusted: Option<&Trusted>,
) -> anyhow::Result<()> {
    let storage = Arc::new(FileStorage::open(folder)?);
    let file = folder.join(FILE);
    let is_new = !file.exists();
    if is_new {
        let mut text = match trusted {
            Some(trusted) => trusted.write(folder, TEMPLATE)?,
            None => TEMPLATE.to_owned(),
        };
        if loopback_http || trusted.is_some_and(Trusted::is_plain) {
            text += "\n# For development on one machine: plain http on loopback.\n[dev]\nloopback_http = true\n";
        }
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let created = settings(folder).and_then(|(settings, _)| {
        open::create(settings, storage, passphrase, KdfParams::RECOMMENDED)
    });
    if created.is_err() && is_new {
        // Without records the file would look like a wallet.
        let _ = std::fs::remove_file(&file);
        if let Some(trusted) = trusted {
            trusted.remove(folder);
        }
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

/// As [`open()`], where a browser comes back to pages of this wallet after a sign-in at an issuer.
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
    let (mut settings, tell_refusals) = settings(folder)?;
    if let Some(redirect) = redirect {
        settings.redirect_uri = redirect;
    }
    let wallet = open::open(settings, storage, passphrase).await?;
    Ok(wallet.tell_refusals(tell_refusals))
}

/// How the wallet behaves, and whether it tells verifiers why it refuses.
fn settings(folder: &Path) -> anyhow::Result<(Settings, bool)> {
    let file = folder.join(FILE);
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let HomeFile {
        locales,
        unknown_issuers,
        verifier_anchors,
        tell_refusals,
        issuer,
        other_verifiers,
        redirect_uri,
        issuance,
        status,
        attestation,
        mut fetch,
        dev,
    } = toml::from_str(&text).with_context(|| format!("{} is not valid", file.display()))?;
    for path in &mut fetch.extra_ca {
        *path = folder.join(&path);
    }
    let mut verifiers = TrustAnchors::new(Role::VerifierAccess);
    for path in &verifier_anchors {
        verifiers
            .add_pem(&read(folder, path)?)
            .with_context(|| path.display().to_string())?;
    }
    let mut issuers = Vec::new();
    for entry in issuer {
        issuers.extend(known_issuers(folder, entry)?);
    }
    let settings = Settings {
        trust: TrustList {
            issuers,
            verifiers,
            unknown_issuers: match unknown_issuers {
                Unknown::Ask => UnknownIssuers::Ask,
                Unknown::Refuse => UnknownIssuers::Refuse,
            },
            other_verifiers: other_verifiers.read(folder)?,
        },
        fetch,
        loopback_http: dev.loopback_http,
        locales,
        redirect_uri: match redirect_uri {
            Some(url) => url,
            None => "http://127.0.0.1/callback".parse()?,
        },
        issuance: issuance.read(folder, attestation)?,
        status: StatusPolicy {
            ask: status.ask.unwrap_or(true),
            ..StatusPolicy::default()
        },
    };
    Ok((settings, tell_refusals))
}

/// One entry for each way in which the issuer proves where its cards come from.
fn known_issuers(folder: &Path, entry: IssuerEntry) -> anyhow::Result<Vec<KnownIssuer>> {
    let IssuerEntry {
        credential_issuer,
        anchors,
        did,
        iaca,
        status_anchors,
        types,
    } = entry;
    let anchors_of = |role: Role, path: &Path| {
        let mut anchors = TrustAnchors::new(role);
        anchors
            .add_pem(&read(folder, path)?)
            .with_context(|| path.display().to_string())?;
        anyhow::Ok(Arc::new(anchors))
    };
    let mut methods = Vec::new();
    match (anchors, did) {
        (Some(path), None) => methods.push(IssuerMethod::X509 {
            anchors: anchors_of(Role::Issuer, &path)?,
            subject: None,
        }),
        (None, Some(did)) => methods.push(IssuerMethod::Did(did)),
        (None, None) if iaca.is_some() => {}
        _ => bail!("issuer {credential_issuer}: give either anchors or did"),
    }
    if let Some(path) = iaca {
        methods.push(IssuerMethod::Iaca {
            anchors: anchors_of(Role::MdocIssuer, &path)?,
        });
    }
    let status = match status_anchors {
        Some(path) => StatusMethod::X509(anchors_of(Role::Status, &path)?),
        None => StatusMethod::SameIssuer,
    };
    let known = methods.into_iter().map(|method| KnownIssuer {
        credential_issuer: credential_issuer.clone(),
        method,
        types: types.clone(),
        status: status.clone(),
    });
    Ok(known.collect())
}

pub(super) fn read(folder: &Path, path: &Path) -> anyhow::Result<String> {
    let path = folder.join(path);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of the template as it stands there, up to the next blank line.
    fn tables() -> Vec<&'static str> {
        let sections = TEMPLATE.split("\n\n");
        let tables =
            sections.filter(|section| section.contains("\n# [") || section.starts_with("# ["));
        tables.collect()
    }

    /// Without the `#` before the first table and all that follows.
    fn uncommented(section: &str) -> String {
        let (mut inside, mut text) = (false, String::new());
        for line in section.lines() {
            inside |= line.starts_with("# [");
            let line = if inside {
                line.trim_start_matches("# ")
            } else {
                line
            };
            text += line;
            text.push('\n');
        }
        text
    }

    #[test]
    fn every_table_of_the_template_can_be_uncommented() {
        toml::from_str::<HomeFile>(TEMPLATE).unwrap();
        let tables = tables();
        assert_eq!(tables.len(), 6);
        let mut all = TEMPLATE.to_owned();
        for table in tables {
            let changed = uncommented(table);
            assert_ne!(changed.trim_end(), table.trim_end());
            let file = TEMPLATE.replacen(table, &changed, 1);
            let read = toml::from_str::<HomeFile>(&file);
            assert!(read.is_ok(), "{changed}\n{}", read.err().unwrap());
            all = all.replacen(table, &changed, 1);
        }
        toml::from_str::<HomeFile>(&all).unwrap();
    }
}
