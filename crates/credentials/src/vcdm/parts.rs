//! What credentials and presentations have in common.

use serde_json::{Map, Value};

use super::{DateTimeStamp, VcdmError, is_url};

/// Which data model a document follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Verifiable Credentials Data Model 1.1. Secured by Data Integrity alone.
    V1_1,
    /// Verifiable Credentials Data Model 2.0.
    V2_0,
}

/// `https://www.w3.org/ns/credentials/v2`, the first context of every document.
pub const CONTEXT: &str = "https://www.w3.org/ns/credentials/v2";
/// The context of data model 1.1.
const CONTEXT_1: &str = "https://www.w3.org/2018/credentials/v1";
/// Most entries of any one property.
pub(super) const MAX_ENTRIES: usize = 128;

pub(super) type Members = Map<String, Value>;

/// VCDM 2.0, section 4.3 (VCDM 1.1, section 4.1): an ordered set that begins with the context of
/// its version; the others are URLs or objects.
pub(super) fn context(members: &Members) -> Result<Version, VcdmError> {
    const NAME: &str = "@context";
    let value = members.get(NAME).ok_or(VcdmError::Missing(NAME))?;
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let version = match items.first().and_then(Value::as_str) {
        Some(CONTEXT) => Version::V2_0,
        Some(CONTEXT_1) => Version::V1_1,
        _ => return Err(VcdmError::Malformed(NAME)),
    };
    let usable = |item: &Value| match item {
        Value::String(text) => is_url(text),
        Value::Object(_) => true,
        _ => false,
    };
    let set = |at: usize, item: &Value| {
        !item.is_string() || !items.iter().take(at).any(|other| other == item)
    };
    let fine = items.len() <= MAX_ENTRIES
        && items
            .iter()
            .enumerate()
            .all(|(at, item)| usable(item) && set(at, item));
    fine.then_some(version).ok_or(VcdmError::Malformed(NAME))
}

/// VCDM 2.0, section 4.4: absent or a single URL.
pub(super) fn id(members: &Members, name: &'static str) -> Result<Option<String>, VcdmError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_url(text) => Ok(Some(text.clone())),
        Some(_) => Err(VcdmError::Malformed(name)),
    }
}

/// VCDM 2.0, section 4.5: one or more terms or absolute URLs, in any order.
pub(super) fn types(members: &Members, owner: &'static str) -> Result<Vec<String>, VcdmError> {
    let items = match members.get("type") {
        None => return Err(VcdmError::Missing(owner)),
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    if items.len() > MAX_ENTRIES {
        return Err(VcdmError::TooMany(owner));
    }
    let name = |item: &Value| match item {
        Value::String(text) if is_term(text) || is_url(text) => Some(text.clone()),
        _ => None,
    };
    let types: Option<Vec<String>> = items.iter().map(name).collect();
    types
        .filter(|types| !types.is_empty())
        .ok_or(VcdmError::Malformed(owner))
}

/// A name that a context may define. Compact IRIs pass as URLs do.
fn is_term(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.starts_with('@')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// VCDM 2.0, section 4.6 and 11.1: a string, or one or more value objects of a language.
pub(super) fn texts(members: &Members, name: &'static str) -> Result<(), VcdmError> {
    let items = match members.get(name) {
        None | Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(items)) if !items.is_empty() => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let fine = items.len() <= MAX_ENTRIES && items.iter().all(is_language_value);
    fine.then_some(()).ok_or(VcdmError::Malformed(name))
}

/// `{"@value": …, "@language": …, "@direction": …}` and nothing else.
fn is_language_value(value: &Value) -> bool {
    let Value::Object(members) = value else {
        return false;
    };
    members.get("@value").is_some_and(Value::is_string)
        && members.iter().all(|(name, value)| match name.as_str() {
            "@value" => value.is_string(),
            "@language" => value.as_str().is_some_and(is_language_tag),
            "@direction" => matches!(value.as_str(), Some("ltr" | "rtl")),
            _ => false,
        })
}

/// The form of BCP 47: parts of one to eight letters and digits, joined by hyphens.
fn is_language_tag(text: &str) -> bool {
    text.len() <= 64
        && text.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

/// The objects of a property that has one or more; none when it is absent.
pub(super) fn objects<'m>(
    members: &'m Members,
    name: &'static str,
) -> Result<Vec<&'m Members>, VcdmError> {
    let items = match members.get(name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) if items.is_empty() => return Err(VcdmError::Malformed(name)),
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    if items.len() > MAX_ENTRIES {
        return Err(VcdmError::TooMany(name));
    }
    let objects: Option<Vec<&Members>> = items.iter().map(Value::as_object).collect();
    objects.ok_or(VcdmError::Malformed(name))
}

/// Objects that must have a `type` and may have an `id` (VCDM 2.0, section 4.5).
pub(super) fn typed<'m>(
    members: &'m Members,
    name: &'static str,
) -> Result<Vec<&'m Members>, VcdmError> {
    let objects = objects(members, name)?;
    for object in &objects {
        types(object, name)?;
        id(object, "id").map_err(|_| VcdmError::Malformed(name))?;
    }
    Ok(objects)
}

/// VCDM 2.0, section 4.9: a moment with a time zone.
pub(super) fn moment(
    members: &Members,
    name: &'static str,
) -> Result<Option<DateTimeStamp>, VcdmError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => DateTimeStamp::parse(text)
            .map(Some)
            .map_err(|_| VcdmError::Malformed(name)),
        Some(_) => Err(VcdmError::Malformed(name)),
    }
}

/// VCDM 2.0, sections 4.7 and 4.13: a URL, or an object whose `id` is one; gives the URL.
pub(super) fn party(members: &Members, name: &'static str) -> Result<Option<String>, VcdmError> {
    let malformed = VcdmError::Malformed(name);
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_url(text) => Ok(Some(text.clone())),
        Some(Value::Object(object)) => {
            texts(object, "name")?;
            texts(object, "description")?;
            let url = id(object, "id").map_err(|_| malformed)?;
            url.map(Some).ok_or(malformed)
        }
        Some(_) => Err(malformed),
    }
}

/// Embedded proofs, where there are any: objects with a `type` (VCDM 2.0, section 4.12).
pub(super) fn proofs(members: &Members) -> Result<(), VcdmError> {
    typed(members, "proof").map(|_| ())
}
