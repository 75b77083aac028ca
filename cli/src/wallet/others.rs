//! `[other_verifiers]` of `wallet.toml`: who may ask without a certificate of an access authority.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_wallet_core::trust::{
    Attester, OtherVerifiers, RegisteredVerifier, UnvouchedVerifiers,
};

use super::home::Unknown;

/// The section; without it, nobody may.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Others {
    /// What to do with verifiers for whom nobody vouches; nothing: refuse them.
    unvouched: Option<Unknown>,
    /// Whether answers may leave that are not encrypted.
    #[serde(default)]
    unencrypted: bool,
    /// Authorities of registrars, which say what verifiers may ask: PEM files.
    #[serde(default)]
    registrar_anchors: Vec<PathBuf>,
    #[serde(default)]
    attester: Vec<AttesterEntry>,
    #[serde(default)]
    registered: Vec<RegisteredEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttesterEntry {
    issuer: String,
    keys: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisteredEntry {
    client_id: String,
    name: String,
    keys: PathBuf,
}

impl Others {
    /// Reads the key sets that the section names.
    pub(super) fn read(self, folder: &Path) -> anyhow::Result<OtherVerifiers> {
        let Self {
            unvouched,
            unencrypted,
            registrar_anchors,
            attester,
            registered,
        } = self;
        let attesters = attester.into_iter().map(|entry| {
            Ok(Attester {
                issuer: entry.issuer,
                keys: keys(folder, &entry.keys)?,
            })
        });
        let registered = registered.into_iter().map(|entry| {
            Ok(RegisteredVerifier {
                client_id: entry.client_id,
                name: entry.name,
                keys: keys(folder, &entry.keys)?,
            })
        });
        Ok(OtherVerifiers {
            attesters: attesters.collect::<anyhow::Result<_>>()?,
            registered: registered.collect::<anyhow::Result<_>>()?,
            unvouched: match unvouched {
                Some(Unknown::Ask) => UnvouchedVerifiers::Ask,
                Some(Unknown::Refuse) | None => UnvouchedVerifiers::Refuse,
            },
            unencrypted,
            registrars: registrars(folder, &registrar_anchors)?,
        })
    }
}

fn registrars(folder: &Path, files: &[PathBuf]) -> anyhow::Result<Option<TrustAnchors>> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut anchors = TrustAnchors::new(Role::Registrar);
    for file in files {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        anchors
            .add_pem(&text)
            .with_context(|| path.display().to_string())?;
    }
    Ok(Some(anchors))
}

fn keys(folder: &Path, path: &Path) -> anyhow::Result<JwkSet> {
    let path = folder.join(path);
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    JwkSet::parse(&text).with_context(|| format!("{} is no key set", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

    #[test]
    fn a_section_names_who_may_ask() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("keys.json"), KEYS).unwrap();
        let text = "unvouched = \"ask\"\nunencrypted = true\n\
                    [[attester]]\nissuer = \"https://attester.example\"\nkeys = \"keys.json\"\n\
                    [[registered]]\nclient_id = \"library\"\nname = \"Library\"\nkeys = \"keys.json\"\n";
        let others: Others = toml::from_str(text).unwrap();
        let read = others.read(folder.path()).unwrap();
        assert_eq!((read.attesters.len(), read.registered.len()), (1, 1));
        assert_eq!(read.unvouched, UnvouchedVerifiers::Ask);
        assert!(read.unencrypted);
        let missing: Others = toml::from_str(&text.replace("keys.json", "none.json")).unwrap();
        assert!(missing.read(folder.path()).is_err());
        assert!(read.registrars.is_none());
        let none: Others = toml::from_str("registrar_anchors = [\"none.pem\"]").unwrap();
        assert!(none.read(folder.path()).is_err());
    }

    #[test]
    fn without_words_nobody_may_ask() {
        for others in [Others::default(), toml::from_str("").unwrap()] {
            let read = others.read(Path::new(".")).unwrap();
            assert_eq!(read.unvouched, UnvouchedVerifiers::Refuse);
            assert!(!read.unencrypted && read.attesters.is_empty() && read.registered.is_empty());
        }
        assert!(toml::from_str::<Others>("unvouchd = \"ask\"").is_err());
    }
}
