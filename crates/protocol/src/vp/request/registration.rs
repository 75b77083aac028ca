//! Registration certificates of verifiers (ETSI TS 119 475, section 5.2): what a registrar says that a
//! verifier may ask, and what for. They come in `verifier_info` (OpenID4VP 1.0, section 5.1).

use serde_json::{Map, Value};
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Role, TrustAnchors, VerifiedCertificate, verify_chain};

use super::CLOCK_SKEW_S;
use super::parse::WalletPolicy;
use crate::vp::dcql::{ClaimsPath, CredentialQuery, DcqlQuery, Meta, PathStep, QueryId};
use crate::vp::values::LocalizedText;

/// `format` of the entry (ETSI TS 119 472-2).
const FORMAT: &str = "registration_cert";
/// Most entries, and most credentials and claims of a certificate, that are looked at.
const MAX_ENTRIES: usize = 64;

/// What is known of the registration of a verifier.
#[derive(Clone, Debug, Default)]
pub enum Registration {
    /// The request brings no certificate, or the wallet knows no registrar.
    #[default]
    None,
    /// The certificate that it brings says nothing.
    Unusable(RegistrationError),
    /// What a registrar says.
    Registered(Registered),
}

/// Why a registration certificate says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// Not an acceptable JWS, or its claims do not read.
    #[error("the registration certificate is malformed")]
    Malformed,
    /// No chain to a registrar that the wallet knows, or another signature.
    #[error("the registration certificate is of no known registrar")]
    Untrusted,
    /// It has ended, or has not begun.
    #[error("the registration certificate is not valid now")]
    Time,
    /// It is that of another verifier.
    #[error("the registration certificate is that of somebody else")]
    Subject,
}

impl RegistrationError {
    /// A stable code for logs and interfaces.
    pub fn code(self) -> &'static str {
        match self {
            RegistrationError::Malformed => "registration_malformed",
            RegistrationError::Untrusted => "registration_untrusted",
            RegistrationError::Time => "registration_time",
            RegistrationError::Subject => "registration_subject",
        }
    }
}

/// What a registrar says of the verifier that asks.
#[derive(Clone, Debug)]
pub struct Registered {
    purpose: Option<LocalizedText>,
    credentials: Vec<MayAsk>,
    /// The queries that it is about; `None`: all.
    queries: Option<Vec<String>>,
}

/// One type of credential that the verifier may ask for.
#[derive(Clone, Debug)]
struct MayAsk {
    format: String,
    types: Vec<String>,
    claims: Vec<Vec<PathStep>>,
}

impl Registered {
    /// What the verifier is registered for, in the words of the register.
    pub fn purpose(&self) -> Option<&LocalizedText> {
        self.purpose.as_ref()
    }

    /// What the query asks for beyond the registration: claims, or with `None` a whole credential.
    pub fn beyond(&self, query: &DcqlQuery) -> Vec<(QueryId, Option<ClaimsPath>)> {
        let mut beyond = Vec::new();
        for entry in query.credentials() {
            let fitting: Vec<&MayAsk> = self.for_credential(entry).collect();
            if fitting.is_empty() {
                beyond.push((entry.id().clone(), None));
                continue;
            }
            for claim in entry.claims().unwrap_or_default() {
                let allowed = fitting
                    .iter()
                    .flat_map(|one| &one.claims)
                    .any(|path| claim.path().steps().starts_with(path));
                if !allowed {
                    beyond.push((entry.id().clone(), Some(claim.path().clone())));
                }
            }
        }
        beyond
    }

    fn for_credential<'a>(
        &'a self,
        entry: &'a CredentialQuery,
    ) -> impl Iterator<Item = &'a MayAsk> {
        let about = self
            .queries
            .as_ref()
            .is_none_or(|ids| ids.iter().any(|id| id == entry.id().as_str()));
        let types: &[String] = match entry.meta() {
            Meta::SdJwtVc { vct_values } => vct_values,
            Meta::MsoMdoc { doctype_value } => std::slice::from_ref(doctype_value),
            Meta::Other => &[],
        };
        let format = entry.format().as_str();
        self.credentials.iter().filter(move |one| {
            about
                && one.format == format
                && !types.is_empty()
                && types.iter().all(|kind| one.types.contains(kind))
        })
    }
}

/// Reads the registration certificate of the owner of `certificate`. Without registrars none counts.
pub(super) fn read(
    verifier_info: Option<&Value>,
    certificate: Option<&VerifiedCertificate>,
    registrars: Option<&TrustAnchors>,
    policy: &WalletPolicy<'_>,
) -> Registration {
    let entries = verifier_info.and_then(Value::as_array);
    let entry = entries
        .into_iter()
        .flatten()
        .take(MAX_ENTRIES)
        .find(|entry| entry["format"] == FORMAT);
    let (Some(entry), Some(registrars)) = (entry, registrars) else {
        return Registration::None;
    };
    match verify(entry, certificate, registrars, policy) {
        Ok(registered) => Registration::Registered(registered),
        Err(error) => Registration::Unusable(error),
    }
}

fn verify(
    entry: &Value,
    certificate: Option<&VerifiedCertificate>,
    registrars: &TrustAnchors,
    policy: &WalletPolicy<'_>,
) -> Result<Registered, RegistrationError> {
    let malformed = RegistrationError::Malformed;
    let jwt = entry["data"].as_str().ok_or(malformed)?;
    let unverified =
        Unverified::parse(jwt, TokenType::RegistrationCertificate).map_err(|_| malformed)?;
    let untrusted = RegistrationError::Untrusted;
    let chain = unverified.x5c().ok_or(untrusted)?;
    let (role, now) = (Role::Registrar, policy.now);
    let signer =
        verify_chain(chain, registrars, role, now, policy.crypto).map_err(|_| untrusted)?;
    let verified = unverified.verify(policy.crypto, signer.public_key());
    let claims = verified.map_err(|_| untrusted)?.into_inner().claims;
    check_times(&claims, policy)?;
    // OpenID4VP 1.0, section 5.1: the wallet must "ensure binding". The subject is the identifier
    // that stands in the access certificate.
    let organization = certificate.and_then(VerifiedCertificate::organization_identifier);
    let organization = organization.ok_or(RegistrationError::Subject)?;
    if !subjects(&claims).contains(&organization) {
        return Err(RegistrationError::Subject);
    }
    let credentials = claims.get("credentials").and_then(Value::as_array);
    let credentials = credentials.map(Vec::as_slice).unwrap_or_default();
    let queries = entry
        .get("credential_ids")
        .map(|ids| texts(ids).ok_or(malformed));
    Ok(Registered {
        purpose: claims.get("purpose").and_then(localized),
        credentials: credentials
            .iter()
            .take(MAX_ENTRIES)
            .map(|one| may_ask(one).ok_or(malformed))
            .collect::<Result<_, _>>()?,
        queries: queries.transpose()?,
    })
}

/// `iat` is required; the certificate ends with `exp`, where there is one.
fn check_times(
    claims: &Map<String, Value>,
    policy: &WalletPolicy<'_>,
) -> Result<(), RegistrationError> {
    let read = |value| UnixTime::from_numeric_date(value).map(UnixTime::seconds);
    let time = |name: &str| claims.get(name).map(read);
    let begun = time("iat").flatten().ok_or(RegistrationError::Malformed)?;
    let ends = time("exp").map(|end| end.ok_or(RegistrationError::Malformed));
    let now = policy.now.seconds();
    let ended = ends
        .transpose()?
        .is_some_and(|end| now >= end.saturating_add(CLOCK_SKEW_S));
    if ended || begun > now.saturating_add(CLOCK_SKEW_S) {
        return Err(RegistrationError::Time);
    }
    Ok(())
}

/// `sub`: one identifier, or an object with several.
fn subjects(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("sub") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Object(parts)) => {
            let ids = parts.get("id").and_then(Value::as_array);
            let ids = ids.into_iter().flatten().take(MAX_ENTRIES);
            ids.filter_map(|id| id["identifier"].as_str()).collect()
        }
        _ => Vec::new(),
    }
}

fn may_ask(entry: &Value) -> Option<MayAsk> {
    let meta = entry.get("meta")?;
    let types = match meta {
        Value::String(kind) => vec![kind.clone()],
        meta => match (meta.get("vct_values"), meta.get("doctype_value")) {
            (Some(list), None) => texts(list)?,
            (None, Some(Value::String(kind))) => vec![kind.clone()],
            _ => return None,
        },
    };
    let claims = entry.get("claim").or_else(|| entry.get("claims"));
    let claims = claims.and_then(Value::as_array).map(Vec::as_slice);
    let path = |claim: &Value| match &claim["path"] {
        Value::String(name) => Some(vec![PathStep::Key(name.clone())]),
        path => ClaimsPath::parse(path)
            .ok()
            .map(|path| path.steps().to_vec()),
    };
    let claims = claims.unwrap_or_default().iter().take(MAX_ENTRIES);
    Some(MayAsk {
        format: entry["format"].as_str()?.to_owned(),
        types,
        claims: claims.map(path).collect::<Option<_>>()?,
    })
}

/// A list of texts.
fn texts(value: &Value) -> Option<Vec<String>> {
    let list = value.as_array()?.iter().take(MAX_ENTRIES);
    list.map(|text| text.as_str().map(str::to_owned)).collect()
}

/// `[{"lang": …, "value": …}]`, the first as the default.
fn localized(value: &Value) -> Option<LocalizedText> {
    let mut members = Map::new();
    for entry in value.as_array()?.iter().take(MAX_ENTRIES) {
        let (lang, text) = (entry["lang"].as_str()?, entry.get("value")?);
        members.entry("purpose").or_insert_with(|| text.clone());
        members.insert(format!("purpose#{lang}"), text.clone());
    }
    LocalizedText::read("purpose", &members)
}
