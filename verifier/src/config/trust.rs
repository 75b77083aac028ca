//! `[[trust.issuer]]`: which issuers are believed, for which types, and which of their claims
//! name a person for good.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::vp::dcql::{CredentialQuery, Format};

use super::assurance::{Assurance, AssuranceConfig, ByType};
use super::error::ConfigError;
use super::query::types_of;

/// `[trust]`, as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// The issuers that are believed.
    #[serde(default)]
    pub issuer: Vec<TrustedIssuerConfig>,
}

/// An issuer, as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuerConfig {
    /// Its name: an https URL or its DID.
    pub id: String,
    /// PEM text of the certificates that its chain must end in, for SD-JWT VCs.
    pub anchors: Option<String>,
    /// The same from a file.
    pub anchors_file: Option<PathBuf>,
    /// PEM text of its authorities (IACA, ISO/IEC 18013-5), for mdocs: instead of `anchors`.
    pub iaca: Option<String>,
    /// The same from a file.
    pub iaca_file: Option<PathBuf>,
    /// RFC 4514 subject that its leaf certificate must have.
    pub certificate_subject: Option<String>,
    /// Its DID (`did:key` or `did:jwk`), instead of anchors.
    pub did: Option<String>,
    /// The types (`vct`, of mdocs `docType`) that it may issue.
    pub types: Vec<String>,
    /// Claims at the top level that name one person for good, by type; of mdocs
    /// `namespace/element`. Declaring a claim here means: this issuer never gives the same value
    /// to somebody else.
    #[serde(default)]
    pub stable_claims: BTreeMap<String, Vec<String>>,
    /// By which rules it knows of whom it speaks, by type (OpenID Connect for Identity Assurance).
    #[serde(default)]
    pub assurance: BTreeMap<String, AssuranceConfig>,
    /// PEM text of the anchors of its status lists; without it the issuer signs them itself.
    pub status_anchors: Option<String>,
    /// The same from a file.
    pub status_anchors_file: Option<PathBuf>,
}

/// Checked trust.
#[derive(Debug, Clone)]
pub struct Trust {
    issuers: Arc<IssuerTrust>,
    entries: Vec<Entry>,
}

/// An issuer that is believed.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub id: String,
    /// Whether for its mdocs, or for its other cards.
    pub mdoc: bool,
    /// The types that it may issue.
    pub types: Vec<String>,
    /// Claims that name one person for good, by type.
    pub stable_claims: BTreeMap<String, Vec<String>>,
    assurance: ByType,
}

impl Trust {
    /// Checks the list of issuers and reads their anchors.
    pub fn parse(config: &TrustConfig) -> Result<Self, ConfigError> {
        let mut issuers = Vec::with_capacity(config.issuer.len());
        let mut entries = Vec::with_capacity(config.issuer.len());
        for issuer in &config.issuer {
            let one = trusted(issuer)?;
            // By itself first, so that the message can name it.
            IssuerTrust::new(vec![one.clone()]).map_err(|error| ConfigError::Trust {
                issuer: issuer.id.clone(),
                reason: error.to_string(),
            })?;
            issuers.push(one);
            entries.push(Entry {
                id: issuer.id.clone(),
                mdoc: issuer.iaca.is_some() || issuer.iaca_file.is_some(),
                types: issuer.types.clone(),
                stable_claims: issuer.stable_claims.clone(),
                assurance: assurance(issuer)?,
            });
        }
        let issuers = IssuerTrust::new(issuers).map_err(|error| ConfigError::Trust {
            issuer: twice(&entries).unwrap_or_default(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            issuers: Arc::new(issuers),
            entries,
        })
    }

    /// The list for the verification of credentials.
    #[must_use]
    pub fn issuers(&self) -> &IssuerTrust {
        &self.issuers
    }

    /// Everybody who is believed, as the configuration names them.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether some issuer may issue this type in this format.
    #[must_use]
    pub fn anybody_issues(&self, format: &Format, kind: &str) -> bool {
        let mdoc = *format == Format::MsoMdoc;
        self.entries
            .iter()
            .any(|entry| entry.mdoc == mdoc && entry.issues(kind))
    }

    /// Whether this issuer is believed for this type.
    #[must_use]
    pub fn believes(&self, issuer: &str, kind: &str) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.id == issuer && entry.issues(kind))
    }

    /// Whether `claim` of a type of this issuer was declared stable.
    #[must_use]
    pub fn claim_is_stable(&self, issuer: &str, kind: &str, claim: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.id == issuer && entry.declares(kind, claim))
    }

    /// By which rules this issuer knows of whom it speaks in cards of this format and type.
    #[must_use]
    pub fn assurance(&self, issuer: &str, (mdoc, kind): (bool, &str)) -> Option<&Assurance> {
        let mut entries = self.entries.iter();
        let entry =
            entries.find(|entry| entry.id == issuer && entry.mdoc == mdoc && entry.issues(kind))?;
        entry.assurance.get(kind)
    }

    /// The same of everybody whose card may answer.
    pub(super) fn assured<'a>(
        &'a self,
        entry: &'a CredentialQuery,
    ) -> impl Iterator<Item = &'a Assurance> {
        let mdoc = *entry.format() == Format::MsoMdoc;
        let known = self.entries.iter().filter(move |one| one.mdoc == mdoc);
        known.flat_map(|one| {
            types_of(entry)
                .iter()
                .filter_map(|kind| one.assurance.get(kind))
        })
    }

    /// Whether every issuer of this type declared `claim` stable, and there is one.
    #[must_use]
    pub fn claim_is_stable_everywhere(&self, kind: &str, claim: &str) -> bool {
        let issuers = self.entries.iter().filter(|entry| entry.issues(kind));
        let mut issuers = issuers.peekable();
        issuers.peek().is_some() && issuers.all(|entry| entry.declares(kind, claim))
    }
}

/// Checks `assurance`.
fn assurance(config: &TrustedIssuerConfig) -> Result<ByType, ConfigError> {
    let refuse = |reason: String| ConfigError::Trust {
        issuer: config.id.clone(),
        reason,
    };
    let checked = config.assurance.iter().map(|(kind, written)| {
        if !config.types.contains(kind) {
            return Err(refuse(format!(
                "assurance names {kind}, which is not in types"
            )));
        }
        Ok((kind.clone(), Assurance::parse(written).map_err(refuse)?))
    });
    checked.collect()
}

/// The id that two entries of one kind have.
fn twice(entries: &[Entry]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut entries = entries.iter();
    let found = entries.find(|entry| !seen.insert((&entry.id, entry.mdoc)));
    found.map(|entry| entry.id.clone())
}

impl Entry {
    fn issues(&self, kind: &str) -> bool {
        self.types.iter().any(|known| known == kind)
    }

    fn declares(&self, kind: &str, claim: &str) -> bool {
        self.stable_claims
            .get(kind)
            .is_some_and(|claims| claims.iter().any(|known| known == claim))
    }
}

fn trusted(config: &TrustedIssuerConfig) -> Result<TrustedIssuer, ConfigError> {
    let TrustedIssuerConfig {
        id,
        anchors: _,
        anchors_file: _,
        iaca: _,
        iaca_file: _,
        certificate_subject: _,
        did: _,
        types,
        stable_claims: _,
        assurance: _,
        status_anchors,
        status_anchors_file,
    } = config;
    let refuse = |reason: &str| ConfigError::Trust {
        issuer: id.clone(),
        reason: reason.to_owned(),
    };
    if types.is_empty() {
        return Err(refuse("types is empty: name the types that it may issue"));
    }
    let method = method(config).map_err(|reason| refuse(&reason))?;
    let status = match text(status_anchors.as_deref(), status_anchors_file.as_ref())
        .map_err(|reason| refuse(&reason))?
    {
        Some(pem) => StatusMethod::X509(Arc::new(
            read_anchors(Role::Status, &pem).map_err(|reason| refuse(&reason))?,
        )),
        None => StatusMethod::SameIssuer,
    };
    Ok(TrustedIssuer {
        id: id.clone(),
        method,
        types: types.clone(),
        status,
    })
}

/// How it proves that a credential is its own.
fn method(config: &TrustedIssuerConfig) -> Result<IssuerMethod, String> {
    let pem = text(config.anchors.as_deref(), config.anchors_file.as_ref())?;
    let iaca = text(config.iaca.as_deref(), config.iaca_file.as_ref())?;
    match (pem, iaca, &config.did) {
        (Some(pem), None, None) => Ok(IssuerMethod::X509 {
            anchors: Arc::new(read_anchors(Role::Issuer, &pem)?),
            subject: config.certificate_subject.clone(),
        }),
        (None, Some(_), None) if config.certificate_subject.is_some() => {
            Err("certificate_subject goes with anchors, not with iaca".to_owned())
        }
        (None, Some(pem), None) => Ok(IssuerMethod::Iaca {
            anchors: Arc::new(read_anchors(Role::MdocIssuer, &pem)?),
        }),
        (None, None, Some(did)) => Ok(IssuerMethod::Did(did.clone())),
        _ => Err("give one of anchors, iaca (for mdocs) and did, and no other".to_owned()),
    }
}

fn read_anchors(role: Role, pem: &str) -> Result<TrustAnchors, String> {
    let mut anchors = TrustAnchors::new(role);
    anchors.add_pem(pem).map_err(|error| error.to_string())?;
    Ok(anchors)
}

/// A public text by value or from a file.
pub(super) fn text(value: Option<&str>, file: Option<&PathBuf>) -> Result<Option<String>, String> {
    match (value, file) {
        (None, None) => Ok(None),
        (Some(value), None) => Ok(Some(value.to_owned())),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map(Some)
            .map_err(|error| format!("{} cannot be read: {}", path.display(), error.kind())),
        (Some(_), Some(_)) => Err("give either the value or the file, not both".to_owned()),
    }
}
