//! Presentations.

use serde_json::Value;

use super::parts::{self, Version};
use super::{Enveloped, VcdmError};

/// Most credentials in one presentation.
pub const MAX_CREDENTIALS: usize = 32;

/// A credential inside a presentation, not verified.
#[derive(Clone, Debug, PartialEq)]
pub enum Embedded {
    /// A credential with embedded proofs, or with none.
    Plain(Value),
    /// A credential in an envelope.
    Enveloped(Enveloped),
}

/// A well-formed presentation (VCDM 2.0, section 4.13). Nothing says yet that it is true.
#[derive(Clone, Debug, PartialEq)]
pub struct Presentation {
    document: Value,
    id: Option<String>,
    types: Vec<String>,
    holder: Option<String>,
    credentials: Vec<Embedded>,
}

impl Presentation {
    /// Reads a presentation, with or without embedded proofs. Its credentials are told
    /// apart and no more: verifying each is the verifier's work.
    ///
    /// # Errors
    /// [`VcdmError`], naming the first property that breaks a rule.
    pub fn parse(document: &Value) -> Result<Self, VcdmError> {
        let members = document.as_object().ok_or(VcdmError::NotAnObject)?;
        if parts::context(members)? == Version::V1_1 {
            return Err(VcdmError::Version1);
        }
        let types = parts::types(members, "type")?;
        if types
            .iter()
            .any(|name| name == super::ENVELOPED_PRESENTATION)
        {
            return Err(VcdmError::Enveloped);
        }
        if !types.iter().any(|name| name == "VerifiablePresentation") {
            return Err(VcdmError::WrongType);
        }
        parts::typed(members, "termsOfUse")?;
        parts::proofs(members)?;
        Ok(Self {
            id: parts::id(members, "id")?,
            types,
            holder: parts::party(members, "holder")?,
            credentials: credentials(members)?,
            document: document.clone(),
        })
    }

    /// The whole document, `proof` among its members where it has one.
    #[must_use]
    pub const fn as_json(&self) -> &Value {
        &self.document
    }

    /// `id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// `type`, `VerifiablePresentation` among them.
    #[must_use]
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// The URL of the holder.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.holder.as_deref()
    }

    /// `verifiableCredential`, in their order; may be empty.
    #[must_use]
    pub fn credentials(&self) -> &[Embedded] {
        &self.credentials
    }
}

/// VCDM 2.0, section 4.13: one or more objects, credentials or enveloped credentials.
fn credentials(members: &parts::Members) -> Result<Vec<Embedded>, VcdmError> {
    const NAME: &str = "verifiableCredential";
    // An empty list presents nothing, as no list does.
    if members
        .get(NAME)
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty)
    {
        return Ok(Vec::new());
    }
    let objects = parts::objects(members, NAME)?;
    if objects.len() > MAX_CREDENTIALS {
        return Err(VcdmError::TooMany(NAME));
    }
    objects
        .into_iter()
        .map(|object| {
            let types = parts::types(object, NAME)?;
            let value = Value::Object(object.clone());
            if types.iter().any(|name| name == super::ENVELOPED_CREDENTIAL) {
                return Enveloped::parse(&value).map(Embedded::Enveloped);
            }
            if types.iter().any(|name| name == "VerifiableCredential") {
                return Ok(Embedded::Plain(value));
            }
            Err(VcdmError::WrongType)
        })
        .collect()
}
