//! `[[authentication]]` with `method = "presentation"`: a card that is shown before one is issued.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use vouchsafe_credentials::crypto::{Signer as _, SigningKey, is_published};
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer};
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};
use vouchsafe_protocol::vp::dcql::{
    ClaimsPath, CredentialQuery, DcqlQuery, Meta, require_login_profile,
};
use vouchsafe_protocol::vp::request::Identity;
use vouchsafe_protocol::vp::values::LocalizedText;
use vouchsafe_service::config::ConfigError;
use vouchsafe_service::keys::read_private_file;

use super::authentication::{ClaimFrom, mapped};
use crate::presentation::Presentation;

/// `method = "presentation"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentationConfig {
    /// Ids of the credential types; none: every other type.
    #[serde(default)]
    pub credential_types: Vec<String>,
    /// The DCQL query, verbatim JSON: one credential, `dc+sd-jwt`.
    pub dcql: String,
    /// Why the card is asked for, by language tag; `en` is required.
    pub purpose: BTreeMap<String, String>,
    /// The key that signs requests: PKCS #8 PEM, P-256.
    pub request_key_file: PathBuf,
    /// The access certificate of that key and its chain, leaf first: PEM.
    pub request_chain_file: PathBuf,
    /// What a link begins with.
    #[serde(default = "default_wallet_link")]
    pub wallet_link: String,
    /// A claim at the top level of the card that names one person for good.
    pub subject_claim: String,
    /// Claims of the new card, and the claims of the shown one that they come from.
    #[serde(default)]
    pub claims: BTreeMap<String, ClaimFrom>,
    /// Who may have issued the card.
    pub trusted_issuer: Vec<TrustedIssuerConfig>,
}

fn default_wallet_link() -> String {
    "openid4vp://".to_owned()
}

/// Who may have issued a card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuerConfig {
    /// Its name: an https URL or its DID.
    pub id: String,
    /// A file with the certificates that its chain must end in.
    #[serde(default)]
    pub anchors_file: Option<PathBuf>,
    /// RFC 4514 subject that its leaf certificate must have.
    #[serde(default)]
    pub certificate_subject: Option<String>,
    /// Its DID (`did:key` or `did:jwk`), instead of anchors.
    #[serde(default)]
    pub did: Option<String>,
    /// The types (`vct`) that it may issue.
    pub types: Vec<String>,
    /// A file with the anchors of its status lists; without it the issuer signs them itself.
    #[serde(default)]
    pub status_anchors_file: Option<PathBuf>,
}

fn wrong(setting: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::setting(format!("authentication.{setting}"), problem)
}

impl PresentationConfig {
    /// Checks it. `names` is how the issuer is called.
    pub(super) fn method(
        &self,
        names: &BTreeMap<String, String>,
    ) -> Result<Presentation, ConfigError> {
        let trust = self.trusted_issuer.iter().map(trusted);
        let trust = IssuerTrust::new(trust.collect::<Result<_, _>>()?)
            .map_err(|error| wrong("trusted_issuer", error.to_string()))?;
        let (key, chain) = self.keys()?;
        let purpose = localized(&self.purpose);
        Ok(Presentation {
            query: self.query()?,
            purpose: purpose.ok_or_else(|| wrong("purpose", "needs a text for en"))?,
            client_name: localized(names).unwrap_or_else(|| LocalizedText {
                default: names.values().next().cloned().unwrap_or_default(),
                translations: BTreeMap::new(),
            }),
            identity: Identity::x509_hash(&chain),
            key: Arc::new(key),
            wallet_link: self.wallet_link.clone(),
            trust: Arc::new(trust),
            subject_claim: self.subject_claim.clone(),
            claims: mapped(&self.claims)?,
        })
    }

    fn query(&self) -> Result<DcqlQuery, ConfigError> {
        let json = parse_strict(self.dcql.as_bytes()).map_err(|_| wrong("dcql", "is not JSON"))?;
        let query = DcqlQuery::parse(&json).map_err(|error| wrong("dcql", error.to_string()))?;
        // SD-JWT VC with holder binding: a card that anybody could show names nobody.
        require_login_profile(&query).map_err(|error| wrong("dcql", error.to_string()))?;
        let [card] = query.credentials() else {
            return Err(wrong("dcql", "must ask for one credential"));
        };
        if !matches!(card.meta(), Meta::SdJwtVc { .. }) {
            return Err(wrong("dcql", "must ask for the format dc+sd-jwt"));
        }
        let path = ClaimsPath::of_keys(&[&self.subject_claim]);
        let path = path.ok_or_else(|| wrong("subject_claim", "is empty"))?;
        // Every alternative must bring the claim: without it nobody is known.
        let asked = card
            .claim_options()
            .iter()
            .all(|option| option.iter().any(|claim| *claim.path() == path));
        if !asked {
            return Err(wrong(
                "subject_claim",
                "the query does not always ask for it",
            ));
        }
        let may_issue = |vct: &String| {
            let mut issuers = self.trusted_issuer.iter();
            issuers.any(|issuer| issuer.types.contains(vct))
        };
        if !types(card).iter().all(may_issue) {
            return Err(wrong(
                "trusted_issuer",
                "nobody may issue a type that the query asks for",
            ));
        }
        Ok(query)
    }

    fn keys(&self) -> Result<(SigningKey, Chain), ConfigError> {
        let bad_key = |problem: String| wrong("request_key_file", problem);
        let pem = read_private_file(&self.request_key_file);
        let pem = pem.map_err(|error| bad_key(error.to_string()))?;
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|error| bad_key(error.to_string()))?;
        if is_published(key.public_key()) {
            return Err(bad_key("is printed in a specification".to_owned()));
        }
        let bad_chain = |problem: String| wrong("request_chain_file", problem);
        let pem = read("request_chain_file", &self.request_chain_file)?;
        let chain = Chain::from_pem(&pem).map_err(|error| bad_chain(error.to_string()))?;
        let certified = chain.leaf_public_key();
        let certified = certified.map_err(|error| bad_chain(error.to_string()))?;
        if certified != *key.public_key() {
            return Err(bad_chain("is not the certificate of the key".to_owned()));
        }
        Ok((key, chain))
    }
}

fn types(card: &CredentialQuery) -> &[String] {
    match card.meta() {
        Meta::SdJwtVc { vct_values } => vct_values,
        Meta::MsoMdoc { .. } | Meta::Other => &[],
    }
}

fn localized(texts: &BTreeMap<String, String>) -> Option<LocalizedText> {
    let default = texts.get("en").filter(|text| !text.is_empty())?.clone();
    let translations = texts.iter().filter(|(tag, _)| *tag != "en");
    Some(LocalizedText {
        default,
        translations: translations.map(|(t, x)| (t.clone(), x.clone())).collect(),
    })
}

fn trusted(config: &TrustedIssuerConfig) -> Result<TrustedIssuer, ConfigError> {
    let TrustedIssuerConfig {
        id,
        anchors_file,
        certificate_subject,
        did,
        types,
        status_anchors_file,
    } = config;
    if types.is_empty() {
        return Err(wrong("trusted_issuer.types", "names no type"));
    }
    let method = match (anchors_file, did) {
        (Some(file), None) => IssuerMethod::X509 {
            anchors: Arc::new(anchors(Role::Issuer, file)?),
            subject: certificate_subject.clone(),
        },
        (None, Some(did)) => IssuerMethod::Did(did.clone()),
        (Some(_), Some(_)) | (None, None) => {
            let problem = "give either anchors_file or did, not both and not neither";
            return Err(wrong("trusted_issuer", problem));
        }
    };
    let status = match status_anchors_file {
        Some(file) => StatusMethod::X509(Arc::new(anchors(Role::Status, file)?)),
        None => StatusMethod::SameIssuer,
    };
    Ok(TrustedIssuer {
        id: id.clone(),
        method,
        types: types.clone(),
        status,
    })
}

fn anchors(role: Role, file: &Path) -> Result<TrustAnchors, ConfigError> {
    let pem = read("trusted_issuer", file)?;
    let mut anchors = TrustAnchors::new(role);
    let added = anchors.add_pem(&pem);
    added.map_err(|error| wrong("trusted_issuer", error.to_string()))?;
    Ok(anchors)
}

fn read(setting: &str, file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|_| wrong(setting, "the file cannot be read"))
}
