//! Credentials.

use serde_json::Value;

use super::parts::{self, Members, Version};
use super::{DateTimeStamp, RelatedResource, VcdmError};

/// The top-level properties of a credential (VCDM 2.0, section 4 and 5).
const DEFINED: [&str; 18] = [
    "@context",
    "id",
    "type",
    "name",
    "description",
    "issuer",
    "credentialSubject",
    "validFrom",
    "validUntil",
    "credentialStatus",
    "credentialSchema",
    "refreshService",
    "termsOfUse",
    "evidence",
    "relatedResource",
    "confidenceMethod",
    "renderMethod",
    "proof",
];

/// A well-formed credential (VCDM 2.0, section 4). Nothing says yet that it is true:
/// that is `Verified<Credential>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    document: Value,
    version: Version,
    id: Option<String>,
    types: Vec<String>,
    issuer: String,
    subject_ids: Vec<Option<String>>,
    valid_from: Option<DateTimeStamp>,
    valid_until: Option<DateTimeStamp>,
    related: Vec<RelatedResource>,
}

impl Credential {
    /// Reads a credential, with or without embedded proofs. What a proof contains is
    /// the matter of [`crate::data_integrity`].
    ///
    /// # Errors
    /// [`VcdmError`], naming the first property that breaks a rule.
    pub fn parse(document: &Value) -> Result<Self, VcdmError> {
        let members = document.as_object().ok_or(VcdmError::NotAnObject)?;
        let version = parts::context(members)?;
        let types = parts::types(members, "type")?;
        if types.iter().any(|name| name == super::ENVELOPED_CREDENTIAL) {
            return Err(VcdmError::Enveloped);
        }
        if !types.iter().any(|name| name == "VerifiableCredential") {
            return Err(VcdmError::WrongType);
        }
        check_descriptions(members)?;
        let (valid_from, valid_until) = period(members, version)?;
        Ok(Self {
            version,
            id: parts::id(members, "id")?,
            types,
            issuer: parts::party(members, "issuer")?.ok_or(VcdmError::Missing("issuer"))?,
            subject_ids: subjects(members)?,
            valid_from,
            valid_until,
            related: RelatedResource::read(members)?,
            document: document.clone(),
        })
    }

    /// The whole document, `proof` among its members where it has one.
    #[must_use]
    pub const fn as_json(&self) -> &Value {
        &self.document
    }

    /// The data model that it follows.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// `id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// `type`, `VerifiableCredential` among them.
    #[must_use]
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// The URL of the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The subjects in their order, at least one, each an object that is not empty.
    pub fn subjects(&self) -> impl Iterator<Item = &Value> {
        const NONE: Value = Value::Null;
        let value = self.document.get("credentialSubject").unwrap_or(&NONE);
        value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice)
            .iter()
    }

    /// `credentialSubject.id` of every subject, in their order.
    #[must_use]
    pub fn subject_ids(&self) -> &[Option<String>] {
        &self.subject_ids
    }

    /// `validFrom`; in version 1.1 `issuanceDate`.
    #[must_use]
    pub const fn valid_from(&self) -> Option<&DateTimeStamp> {
        self.valid_from.as_ref()
    }

    /// `validUntil`; in version 1.1 `expirationDate`.
    #[must_use]
    pub const fn valid_until(&self) -> Option<&DateTimeStamp> {
        self.valid_until.as_ref()
    }

    /// The entries of `credentialStatus`; none when it is absent.
    pub fn status(&self) -> impl Iterator<Item = &Value> {
        let items = match self.document.get("credentialStatus") {
            None => &[],
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        items.iter()
    }

    /// Names of top-level properties that VCDM 2.0 does not define: extensions, whose
    /// meaning is in another context, and claims of an envelope.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        let names = self.document.as_object().into_iter().flat_map(|m| m.keys());
        names
            .map(String::as_str)
            .filter(|name| !DEFINED.contains(name))
    }

    /// `relatedResource`: what else the credential is about, with digests. Never fetched here.
    #[must_use]
    pub fn related_resources(&self) -> &[RelatedResource] {
        &self.related
    }
}

/// VCDM 2.0, sections 4.6 and 4.10 to 4.12, 5.4 to 5.6. None of the URLs in these is ever fetched.
fn check_descriptions(members: &Members) -> Result<(), VcdmError> {
    parts::texts(members, "name")?;
    parts::texts(members, "description")?;
    for name in [
        "credentialStatus",
        "refreshService",
        "termsOfUse",
        "evidence",
    ] {
        parts::typed(members, name)?;
    }
    // Section 4.11: a schema has an id that is a URL.
    let schemas = parts::typed(members, "credentialSchema")?;
    if schemas.iter().any(|schema| !schema.contains_key("id")) {
        return Err(VcdmError::Missing("credentialSchema.id"));
    }
    parts::proofs(members)
}

/// VCDM 2.0, section 4.9; VCDM 1.1, sections 4.5 and 4.7: `issuanceDate` is required.
///
/// The names of one version have no meaning in the other: who wrote them would be
/// surprised that the credential never expires.
fn period(
    members: &Members,
    version: Version,
) -> Result<(Option<DateTimeStamp>, Option<DateTimeStamp>), VcdmError> {
    const NAMES_1: [&str; 2] = ["issuanceDate", "expirationDate"];
    const NAMES_2: [&str; 2] = ["validFrom", "validUntil"];
    let ([from, until], others) = match version {
        Version::V1_1 => (NAMES_1, NAMES_2),
        Version::V2_0 => (NAMES_2, NAMES_1),
    };
    if let Some(other) = others.into_iter().find(|name| members.contains_key(*name)) {
        return Err(VcdmError::OtherVersion(other));
    }
    if version == Version::V1_1 && !members.contains_key(from) {
        return Err(VcdmError::Missing(from));
    }
    let from = parts::moment(members, from)?;
    let until = parts::moment(members, until)?;
    match (&from, &until) {
        (Some(from), Some(until)) if until.time() < from.time() => Err(VcdmError::Period),
        _ => Ok((from, until)),
    }
}

/// VCDM 2.0, section 4.8: one or more objects that each make a claim.
fn subjects(members: &Members) -> Result<Vec<Option<String>>, VcdmError> {
    const NAME: &str = "credentialSubject";
    if !members.contains_key(NAME) {
        return Err(VcdmError::Missing(NAME));
    }
    let subjects = parts::objects(members, NAME)?;
    if subjects.iter().any(|subject| subject.is_empty()) {
        return Err(VcdmError::Malformed(NAME));
    }
    let ids = subjects.iter().map(|subject| parts::id(subject, "id"));
    ids.collect::<Result<_, _>>()
        .map_err(|_| VcdmError::Malformed(NAME))
}
