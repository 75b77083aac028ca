//! Paths to claims.

use std::fmt;

use serde_json::Value;

use super::SdJwtError;

/// One step of a [`ClaimPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathElement {
    /// The member of an object with this name.
    Key(String),
    /// The element of an array at this position, counted from 0.
    Index(usize),
    /// Every element of an array (`null` in JSON).
    Any,
}

impl PathElement {
    /// Whether the two name at least one common place.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Index(_)) | (Self::Index(_), Self::Any) => true,
            (a, b) => a == b,
        }
    }
}

/// A path into a processed payload, with the elements of a claims path pointer
/// (OpenID4VP 1.0, section 7; SD-JWT VC, "Claim Path").
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ClaimPath(Vec<PathElement>);

impl ClaimPath {
    /// The path made of these elements.
    #[must_use]
    pub fn new(elements: Vec<PathElement>) -> Self {
        Self(elements)
    }

    /// The path made of these member names.
    #[must_use]
    pub fn of_keys(keys: &[&str]) -> Self {
        Self(
            keys.iter()
                .map(|k| PathElement::Key((*k).to_owned()))
                .collect(),
        )
    }

    /// Reads the JSON form: a non-empty array of strings, non-negative
    /// integers and nulls.
    ///
    /// # Errors
    /// [`SdJwtError::PathEmpty`], [`SdJwtError::PathMalformed`].
    pub fn from_json(value: &Value) -> Result<Self, SdJwtError> {
        let items = value.as_array().ok_or(SdJwtError::PathMalformed)?;
        if items.is_empty() {
            return Err(SdJwtError::PathEmpty);
        }
        let elements: Result<Vec<_>, _> = items
            .iter()
            .map(|item| match item {
                Value::String(key) => Ok(PathElement::Key(key.clone())),
                Value::Null => Ok(PathElement::Any),
                Value::Number(number) => number
                    .as_u64()
                    .and_then(|n| usize::try_from(n).ok())
                    .map(PathElement::Index)
                    .ok_or(SdJwtError::PathMalformed),
                Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    Err(SdJwtError::PathMalformed)
                }
            })
            .collect();
        elements.map(Self)
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.0
            .iter()
            .map(|element| match element {
                PathElement::Key(key) => Value::from(key.as_str()),
                PathElement::Index(index) => Value::from(*index),
                PathElement::Any => Value::Null,
            })
            .collect()
    }

    /// The elements.
    #[must_use]
    pub fn elements(&self) -> &[PathElement] {
        &self.0
    }

    /// The name of the top-level claim that the path leads into.
    #[must_use]
    pub fn first_key(&self) -> Option<&str> {
        match self.0.first() {
            Some(PathElement::Key(key)) => Some(key),
            Some(PathElement::Index(_) | PathElement::Any) | None => None,
        }
    }

    /// Whether this path leads to `other` or to something that holds it.
    #[must_use]
    pub fn is_prefix_of(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.meets(b))
    }

    /// Every value the path leads to.
    #[must_use]
    pub fn resolve<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![root];
        for element in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| step(value, element))
                .collect();
        }
        found
    }
}

fn step<'v>(value: &'v Value, element: &PathElement) -> Vec<&'v Value> {
    match (element, value) {
        (PathElement::Key(key), Value::Object(map)) => map.get(key).into_iter().collect(),
        (PathElement::Index(index), Value::Array(items)) => items.get(*index).into_iter().collect(),
        (PathElement::Any, Value::Array(items)) => items.iter().collect(),
        _ => Vec::new(),
    }
}

impl fmt::Display for ClaimPath {
    /// Elements separated by dots, `*` for every element: for people, not
    /// unambiguous for names with dots.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, element) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            match element {
                PathElement::Key(key) => f.write_str(key)?,
                PathElement::Index(index) => write!(f, "{index}")?,
                PathElement::Any => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn malformed_paths_are_refused() {
        assert_eq!(ClaimPath::from_json(&json!([])), Err(SdJwtError::PathEmpty));
        for bad in [
            json!("a"),
            json!([1.5]),
            json!([-1]),
            json!([true]),
            json!([["a"]]),
            json!({}),
        ] {
            assert_eq!(
                ClaimPath::from_json(&bad),
                Err(SdJwtError::PathMalformed),
                "{bad}"
            );
        }
    }

    #[test]
    fn json_form_round_trips() {
        let json = json!(["degrees", null, 3, "type"]);
        let path = ClaimPath::from_json(&json).unwrap();
        assert_eq!(path.to_json(), json);
        assert_eq!(path.to_string(), "degrees.*.3.type");
        assert_eq!(path.first_key(), Some("degrees"));
    }

    #[test]
    fn resolves_members_elements_and_wildcards() {
        let root = json!({"a": [{"b": 1}, {"b": 2}, {"c": 3}]});
        let all = ClaimPath::from_json(&json!(["a", null, "b"])).unwrap();
        assert_eq!(all.resolve(&root), [&json!(1), &json!(2)]);
        let none = ClaimPath::from_json(&json!(["a", "0"])).unwrap();
        assert!(
            none.resolve(&root).is_empty(),
            "a string never selects an array element"
        );
    }
}
