//! What credential types look like in the administration API.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use vouchsafe_credentials::credential_type::CredentialType;

use super::error::ApiError;
use crate::core::Core;
use crate::types::TypeVersion;

/// Where a type comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A file of the configuration.
    File,
    /// This API.
    Api,
}

/// A credential type, without its description.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TypeSummary {
    /// Its id.
    #[schema(example = "membership")]
    pub id: String,
    /// Counts what was put; 0 is a file. Also the entity tag.
    pub version: i64,
    /// Where it comes from.
    pub source: Source,
    /// Its English name.
    #[schema(example = "Membership card")]
    pub name: String,
    /// `vct`
    #[schema(example = "urn:vouchsafe:membership:1")]
    pub vct: String,
    /// The credential configurations in which wallets get it.
    pub configurations: Vec<String>,
}

impl TypeSummary {
    /// The view of a version.
    pub fn new(core: &Core, version: &TypeVersion) -> Self {
        let kind = &version.kind;
        Self {
            id: kind.id.clone(),
            version: version.version,
            source: match version.version {
                0 => Source::File,
                _ => Source::Api,
            },
            name: kind.display.name("en").to_owned(),
            vct: kind.vct.clone(),
            configurations: core.configuration_ids(kind),
        }
    }
}

/// A credential type.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TypeView {
    /// What it is.
    #[serde(flatten)]
    pub summary: TypeSummary,
    /// Its description, as it can be put again.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub definition: Map<String, Value>,
}

impl TypeView {
    /// The view of a version.
    pub fn new(core: &Core, version: &TypeVersion) -> Result<Self, ApiError> {
        let definition = CredentialType::definition(&version.text);
        let broken = ApiError::Internal("the description of a type cannot be read");
        Ok(Self {
            summary: TypeSummary::new(core, version),
            definition: definition.map_err(|_| broken)?,
        })
    }
}
