//! Claims that fit a type.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Number, Value};
use thiserror::Error;

use super::date::is_date;
use super::shape::Shape;
use super::{ClaimKind, CredentialType, binary};
use crate::sd_jwt::{ClaimPath, Frame, PathElement};

/// Claims that fit their type, ready to be issued.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The claims.
    pub claims: Map<String, Value>,
    /// Which of them are hidden.
    pub frame: Arc<Frame>,
}

/// What a claim should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A value of this kind.
    Kind(ClaimKind),
    /// A value: the claim is required.
    Present,
    /// At least one element.
    Filled,
    /// Nothing: the type has no such claim.
    Absent,
    /// What the data type of its element in the mdoc allows.
    Element,
}

impl Expected {
    /// A stable code: the name of the kind, `present`, `filled`, `absent` or `element`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.name(),
            Self::Present => "present",
            Self::Filled => "filled",
            Self::Absent => "absent",
            Self::Element => "element",
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind(ClaimKind::String) => "must be a string",
            Self::Kind(ClaimKind::Boolean) => "must be true or false",
            Self::Kind(ClaimKind::Integer) => "must be a whole number",
            Self::Kind(ClaimKind::Number) => "must be a number",
            Self::Kind(ClaimKind::Date) => "must be a date, YYYY-MM-DD",
            Self::Kind(ClaimKind::Country) => "must be a country code, two capital letters",
            Self::Kind(ClaimKind::Bytes) => "must be base64url without padding, 512 KiB at most",
            Self::Kind(ClaimKind::Picture) => {
                "must be a JPEG as `data:image/jpeg;base64,…`, 512 KiB at most"
            }
            Self::Kind(ClaimKind::Object) => "must be an object that is not empty",
            Self::Kind(ClaimKind::Array) => "must be an array",
            Self::Present => "is required",
            Self::Filled => "must not be empty",
            Self::Absent => "is no claim of this type",
            Self::Element => "does not have the data type of its element in the mdoc",
        })
    }
}

/// One claim that does not fit. Holds no claim value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimProblem {
    /// Where.
    pub path: ClaimPath,
    /// What should be there.
    pub expected: Expected,
}

/// All claims that do not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ClaimProblems(pub Vec<ClaimProblem>);

impl fmt::Display for ClaimProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, ClaimProblem { path, expected }) in self.0.iter().enumerate() {
            let separator = if position > 0 { "; " } else { "" };
            write!(f, "{separator}`{path}` {expected}")?;
        }
        Ok(())
    }
}

impl CredentialType {
    /// Checks claims against the type and says how to hide them.
    ///
    /// # Errors
    /// Every claim that does not fit.
    pub fn prepare(&self, claims: Map<String, Value>) -> Result<Prepared, ClaimProblems> {
        let mut check = Check::default();
        check.object(&self.shape, &claims);
        if !check.problems.is_empty() {
            return Err(ClaimProblems(check.problems));
        }
        Ok(Prepared {
            claims,
            frame: Arc::clone(&self.frame),
        })
    }

    /// Which claims are hidden.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frame
    }
}

#[derive(Default)]
struct Check {
    path: Vec<PathElement>,
    problems: Vec<ClaimProblem>,
}

impl Check {
    fn problem(&mut self, expected: Expected) {
        let path = ClaimPath::new(self.path.clone());
        self.problems.push(ClaimProblem { path, expected });
    }

    fn object(&mut self, shape: &Shape, map: &Map<String, Value>) {
        for (name, value) in map {
            self.path.push(PathElement::Key(name.clone()));
            match shape.members.get(name) {
                Some(member) => self.value(member, value),
                None => self.problem(Expected::Absent),
            }
            self.path.pop();
        }
        for (name, member) in &shape.members {
            if !map.contains_key(name) {
                self.path.push(PathElement::Key(name.clone()));
                self.missing(member);
                self.path.pop();
            }
        }
    }

    /// An object that is only named by the claims below is as good as there.
    fn missing(&mut self, shape: &Shape) {
        match shape.kind {
            Some(_) if shape.required => self.problem(Expected::Present),
            Some(_) => {}
            None => self.object(shape, &Map::new()),
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value) {
        let kind = shape.kind.unwrap_or(ClaimKind::Object);
        match (kind, value) {
            (ClaimKind::String, Value::String(_)) | (ClaimKind::Boolean, Value::Bool(_)) => {}
            (ClaimKind::Number, Value::Number(_)) => {}
            (ClaimKind::Integer, Value::Number(number)) if is_exact_integer(number) => {}
            (ClaimKind::Date, Value::String(text)) if is_date(text) => {}
            (ClaimKind::Country, Value::String(text)) if is_country(text) => {}
            (ClaimKind::Bytes | ClaimKind::Picture, Value::String(text))
                if binary::decode(kind, text).is_some() => {}
            // An object of which nothing is known says nothing (a `place_of_birth` in the EU PID
            // rulebook, section 3.1.4, has at least one member).
            (ClaimKind::Object, Value::Object(map))
                if !(map.is_empty() && shape.kind.is_some()) =>
            {
                self.object(shape, map);
            }
            (ClaimKind::Array, Value::Array(items)) => self.array(shape, items),
            (kind, _) => self.problem(Expected::Kind(kind)),
        }
    }

    fn array(&mut self, shape: &Shape, items: &[Value]) {
        let Some(element) = &shape.element else {
            return;
        };
        if shape.filled && items.is_empty() {
            self.problem(Expected::Filled);
        }
        for (index, item) in items.iter().enumerate() {
            self.path.push(PathElement::Index(index));
            self.value(element, item);
            self.path.pop();
        }
    }
}

/// ISO 3166-1 alpha-2 (EU PID rulebook, section 2.2), the form alone: codes come and go.
fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// RFC 7493, section 2.2: what every reader gets without loss.
fn is_exact_integer(number: &Number) -> bool {
    const LARGEST: i64 = (1 << 53) - 1;
    number
        .as_i64()
        .is_some_and(|n| (-LARGEST..=LARGEST).contains(&n))
}
