//! `assurance` of a `[[trust.issuer]]`: by which rules it knows of whom it speaks, for the
//! `verified_claims` of OpenID Connect for Identity Assurance 1.0. What stands here is the operator's
//! word: no card says it of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use vouchsafe_protocol::oidc::discovery;

use super::query::Query;
use super::trust::Trust;

/// As written, for one type of card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssuranceConfig {
    /// The trust framework that the issuer keeps.
    pub trust_framework: String,
    /// Its level there.
    pub assurance_level: Option<String>,
    /// What the issuer looked at.
    pub evidence: Option<EvidenceConfig>,
    /// The issuer verifies the person anew for each card, so the day of issue is that of the verification.
    /// Without it nothing is known of the time.
    #[serde(default)]
    pub time_is_issuance: bool,
}

/// What the issuer looked at, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceConfig {
    /// Type of evidence.
    #[serde(rename = "type")]
    pub kind: EvidenceKind,
    /// Type of the record, the document or the attestation.
    pub of: String,
    /// Who keeps the record, issued the document, or vouches.
    pub name: Option<String>,
    /// Its country (ISO 3166-1 alpha-3 or ICAO 3-letter code).
    pub country_code: Option<String>,
}

/// Types of evidence (OpenID Identity Assurance Schema Definition 1.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A record at a source.
    ElectronicRecord,
    /// A document.
    Document,
    /// Somebody's word.
    Vouch,
}

impl EvidenceKind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ElectronicRecord => "electronic_record",
            Self::Document => "document",
            Self::Vouch => "vouch",
        }
    }
}

/// Checked.
#[derive(Debug, Clone)]
pub struct Assurance {
    framework: String,
    level: Option<String>,
    evidence: Option<EvidenceConfig>,
    /// Whether the day of issue is that on which the person was verified.
    pub time_is_issuance: bool,
}

impl Assurance {
    pub(super) fn parse(config: &AssuranceConfig) -> Result<Self, String> {
        let AssuranceConfig {
            trust_framework,
            assurance_level,
            evidence,
            time_is_issuance,
        } = config;
        let evidence_texts = evidence.iter().flat_map(|one| {
            let optional = [&one.name, &one.country_code];
            let optional = optional.into_iter().flatten();
            std::iter::once(&one.of).chain(optional)
        });
        let mut texts = std::iter::once(trust_framework)
            .chain(assurance_level)
            .chain(evidence_texts);
        if texts.any(|text| text.trim().is_empty()) {
            return Err("assurance has an empty text".to_owned());
        }
        let country = evidence.as_ref().and_then(|one| one.country_code.as_ref());
        let is_code = |code: &&String| {
            code.len() == 3 && code.chars().all(|letter| letter.is_ascii_uppercase())
        };
        if country.is_some_and(|code| !is_code(&code)) {
            return Err("assurance: country_code is three capital letters".to_owned());
        }
        Ok(Self {
            framework: trust_framework.clone(),
            level: assurance_level.clone(),
            evidence: evidence.clone(),
            time_is_issuance: *time_is_issuance,
        })
    }

    /// The `verification` element; `time` is added by who knows it.
    #[must_use]
    pub fn verification(&self) -> Map<String, Value> {
        let mut said = Map::new();
        said.insert("trust_framework".to_owned(), self.framework.as_str().into());
        if let Some(level) = &self.level {
            said.insert("assurance_level".to_owned(), level.as_str().into());
        }
        if let Some(evidence) = &self.evidence {
            said.insert("evidence".to_owned(), json!([evidence.element()]));
        }
        said
    }
}

impl EvidenceConfig {
    fn element(&self) -> Value {
        let mut party = Map::new();
        let name = match self.kind {
            EvidenceKind::ElectronicRecord | EvidenceKind::Document => "name",
            EvidenceKind::Vouch => "organization",
        };
        let said = [(name, &self.name), ("country_code", &self.country_code)];
        for (member, value) in said {
            if let Some(value) = value {
                party.insert(member.to_owned(), value.as_str().into());
            }
        }
        let (element, by) = match self.kind {
            EvidenceKind::ElectronicRecord => ("record", "source"),
            EvidenceKind::Document => ("document_details", "issuer"),
            EvidenceKind::Vouch => ("attestation", "voucher"),
        };
        let mut details = Map::new();
        details.insert("type".to_owned(), self.of.as_str().into());
        if !party.is_empty() {
            details.insert(by.to_owned(), party.into());
        }
        json!({ "type": self.kind.name(), element: details })
    }
}

/// What `verified_claims` can say with these issuers and questions; nothing where no claim of a question
/// comes from a card that somebody was verified for.
#[must_use]
pub(super) fn metadata(trust: &Trust, queries: &[Query]) -> Option<discovery::Assurance> {
    let mut claims = BTreeSet::new();
    let mut known: Vec<&Assurance> = Vec::new();
    for query in queries {
        for mapping in &query.claims {
            let entries = mapping.credentials.iter();
            let entries = entries.filter_map(|id| query.dcql.credential(id));
            let assured = entries
                .flat_map(|entry| trust.assured(entry))
                .collect::<Vec<_>>();
            if !assured.is_empty() {
                claims.insert(mapping.name.clone());
            }
            known.extend(assured);
        }
    }
    let evidence = || known.iter().filter_map(|one| one.evidence.as_ref());
    let of = |kind: EvidenceKind| {
        let those = evidence().filter(|one| one.kind == kind);
        sorted(those.map(|one| one.of.clone()))
    };
    (!known.is_empty()).then(|| discovery::Assurance {
        trust_frameworks: sorted(known.iter().map(|one| one.framework.clone())),
        claims: claims.into_iter().collect(),
        evidence: sorted(evidence().map(|one| one.kind.name().to_owned())),
        documents: of(EvidenceKind::Document),
        records: of(EvidenceKind::ElectronicRecord),
    })
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

/// By type of card.
pub(super) type ByType = BTreeMap<String, Assurance>;
