//! One document (SD-JWT VC, "Type Metadata Format").

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::display::locale;
use super::{Integrity, TypeDisplay, TypeMetadataError};
use crate::json;
use crate::sd_jwt::ClaimPath;
use crate::text::PlainText;

/// Largest accepted document in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 512 * 1024;
const MAX_CLAIMS: usize = 512;
const MAX_LOCALES: usize = 64;

/// What a type says about itself, without the types it extends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeMetadata {
    /// The type.
    pub vct: String,
    /// Name for developers.
    pub name: Option<PlainText>,
    /// Description for developers.
    pub description: Option<PlainText>,
    /// The type it extends.
    pub extends: Option<Extends>,
    /// How it is shown; `None` leaves it to the extended type.
    pub display: Option<Vec<TypeDisplay>>,
    /// Its claims.
    pub claims: Vec<ClaimMetadata>,
}

/// A reference to the extended type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extends {
    /// The extended type.
    pub vct: String,
    /// The expected hash of its document.
    pub integrity: Option<Integrity>,
}

/// Whether a claim may, must or must not be disclosable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosable {
    /// `always`
    Always,
    /// `allowed`
    Allowed,
    /// `never`
    Never,
}

/// A claim of a type. What a document leaves out stays `None`, so that an extended type can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMetadata {
    /// Which claims.
    pub path: ClaimPath,
    /// How it is called.
    pub display: Option<Vec<ClaimText>>,
    /// Whether the issuer must include it.
    pub mandatory: Option<bool>,
    /// Whether it can be withheld.
    pub sd: Option<Disclosable>,
    /// Its name in SVG templates.
    pub svg_id: Option<String>,
}

/// A claim in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimText {
    /// Language tag (RFC 5646), as written.
    pub locale: String,
    /// Label for persons.
    pub label: PlainText,
    /// Description for persons.
    pub description: Option<PlainText>,
}

impl TypeMetadata {
    /// Reads a document.
    ///
    /// # Errors
    /// [`TypeMetadataError::TooLarge`], [`TypeMetadataError::Json`],
    /// [`TypeMetadataError::Malformed`], [`TypeMetadataError::Integrity`].
    pub fn parse(octets: &[u8]) -> Result<Self, TypeMetadataError> {
        if octets.len() > MAX_DOCUMENT_BYTES {
            return Err(TypeMetadataError::TooLarge);
        }
        let document = json::parse_object(octets).map_err(TypeMetadataError::Json)?;
        let integrity = optional_text(&document, "extends#integrity")?.map(Integrity::parse);
        let integrity = integrity
            .transpose()
            .map_err(TypeMetadataError::Integrity)?;
        let extends = match (optional_text(&document, "extends")?, integrity) {
            (Some(vct), integrity) => Some(Extends {
                vct: vct.to_owned(),
                integrity,
            }),
            (None, Some(_)) => return Err(TypeMetadataError::Malformed("extends#integrity")),
            (None, None) => None,
        };
        let vct = text(&document, "vct")?;
        if vct.is_empty() {
            return Err(TypeMetadataError::Malformed("vct"));
        }
        Ok(Self {
            vct: vct.to_owned(),
            name: optional_text(&document, "name")?.map(PlainText::new),
            description: optional_text(&document, "description")?.map(PlainText::new),
            extends,
            display: document.get("display").map(displays).transpose()?,
            claims: match document.get("claims") {
                Some(claims) => read_claims(claims)?,
                None => Vec::new(),
            },
        })
    }
}

fn displays(value: &Value) -> Result<Vec<TypeDisplay>, TypeMetadataError> {
    let items = at_most(array(value, "display")?, MAX_LOCALES, "display")?;
    items.iter().map(TypeDisplay::read).collect()
}

fn read_claims(value: &Value) -> Result<Vec<ClaimMetadata>, TypeMetadataError> {
    let items = at_most(array(value, "claims")?, MAX_CLAIMS, "claims")?;
    let claims: Vec<_> = items
        .iter()
        .map(ClaimMetadata::read)
        .collect::<Result<_, _>>()?;
    // "Claim Metadata": a path, and an id for templates, stand for one thing each.
    let (mut paths, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for claim in &claims {
        if !paths.insert(&claim.path) {
            return Err(TypeMetadataError::Malformed("path"));
        }
        if claim.svg_id.as_ref().is_some_and(|id| !ids.insert(id)) {
            return Err(TypeMetadataError::Malformed("svg_id"));
        }
    }
    Ok(claims)
}

impl ClaimMetadata {
    fn read(value: &Value) -> Result<Self, TypeMetadataError> {
        let claim = object(value, "claims")?;
        let path = claim.get("path").map(ClaimPath::from_json);
        let path = path.and_then(Result::ok);
        let display = match claim.get("display") {
            Some(display) => {
                let items = at_most(array(display, "display")?, MAX_LOCALES, "display")?;
                Some(
                    items
                        .iter()
                        .map(ClaimText::read)
                        .collect::<Result<_, _>>()?,
                )
            }
            None => None,
        };
        Ok(Self {
            path: path.ok_or(TypeMetadataError::Malformed("path"))?,
            display,
            mandatory: match claim.get("mandatory") {
                None => None,
                Some(Value::Bool(mandatory)) => Some(*mandatory),
                Some(_) => return Err(TypeMetadataError::Malformed("mandatory")),
            },
            sd: match optional_text(claim, "sd")? {
                None => None,
                Some("always") => Some(Disclosable::Always),
                Some("allowed") => Some(Disclosable::Allowed),
                Some("never") => Some(Disclosable::Never),
                Some(_) => return Err(TypeMetadataError::Malformed("sd")),
            },
            svg_id: svg_id(claim)?,
        })
    }
}

/// Letters, digits and `_`, not starting with a digit.
fn svg_id(claim: &Map<String, Value>) -> Result<Option<String>, TypeMetadataError> {
    let Some(id) = optional_text(claim, "svg_id")? else {
        return Ok(None);
    };
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let starts_with_digit = id.bytes().next().is_none_or(|b| b.is_ascii_digit());
    if starts_with_digit || id.len() > 128 || !id.bytes().all(legal) {
        return Err(TypeMetadataError::Malformed("svg_id"));
    }
    Ok(Some(id.to_owned()))
}

impl ClaimText {
    fn read(value: &Value) -> Result<Self, TypeMetadataError> {
        let display = object(value, "display")?;
        Ok(Self {
            locale: locale(display)?,
            label: PlainText::new(text(display, "label")?),
            description: optional_text(display, "description")?.map(PlainText::new),
        })
    }
}

pub(super) fn object<'v>(
    value: &'v Value,
    name: &'static str,
) -> Result<&'v Map<String, Value>, TypeMetadataError> {
    value.as_object().ok_or(TypeMetadataError::Malformed(name))
}

pub(super) fn array<'v>(
    value: &'v Value,
    name: &'static str,
) -> Result<&'v [Value], TypeMetadataError> {
    let items = value.as_array().ok_or(TypeMetadataError::Malformed(name))?;
    Ok(items)
}

fn at_most<'v>(
    items: &'v [Value],
    most: usize,
    name: &'static str,
) -> Result<&'v [Value], TypeMetadataError> {
    if items.len() > most {
        return Err(TypeMetadataError::Malformed(name));
    }
    Ok(items)
}

/// A member that is a text if it is there.
pub(super) fn optional_text<'v>(
    object: &'v Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'v str>, TypeMetadataError> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TypeMetadataError::Malformed(name)),
    }
}

/// A member that is a text.
pub(super) fn text<'v>(
    object: &'v Map<String, Value>,
    name: &'static str,
) -> Result<&'v str, TypeMetadataError> {
    optional_text(object, name)?.ok_or(TypeMetadataError::Malformed(name))
}
