//! Claims path pointers (OpenID4VP 1.0, section 7).

use super::limits;
use serde_json::Value;
use vouchsafe_credentials::sd_jwt::{ClaimPath, PathElement};

/// A claims path pointer: not empty, at most [`limits::PATH_STEPS`] steps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimsPath(Vec<PathStep>);

/// One step of a [`ClaimsPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep {
    /// A string: the member of that name.
    Key(String),
    /// A non-negative integer: the element at that place, counted from 0.
    Index(usize),
    /// `null`: every element.
    All,
}

/// Where exactly one element is: a [`ClaimsPath`] with every `null` resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimPointer(Vec<PointerStep>);

/// One step of a [`ClaimPointer`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointerStep {
    /// The member of that name.
    Key(String),
    /// The element at that place, counted from 0.
    Index(usize),
}

impl ClaimPointer {
    /// A pointer from its steps.
    pub fn new(steps: Vec<PointerStep>) -> Self {
        ClaimPointer(steps)
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[PointerStep] {
        &self.0
    }

    /// The element at this pointer.
    pub fn find<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            PointerStep::Key(key) => value.as_object()?.get(key),
            PointerStep::Index(index) => value.as_array()?.get(*index),
        })
    }

    /// The same as a path of the SD-JWT layer.
    pub fn to_claim_path(&self) -> ClaimPath {
        ClaimPath::new(
            self.0
                .iter()
                .map(|step| match step {
                    PointerStep::Key(key) => PathElement::Key(key.clone()),
                    PointerStep::Index(index) => PathElement::Index(*index),
                })
                .collect(),
        )
    }

    /// The pointer one step further down.
    pub fn child(&self, step: PointerStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        ClaimPointer(steps)
    }
}

/// Why a path is none, or selects nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not a non-empty array.
    #[error("a claims path must be a non-empty array")]
    NotAnArray,
    /// More steps than [`limits::PATH_STEPS`].
    #[error("a claims path has too many steps")]
    TooLong,
    /// Neither string, null nor non-negative integer.
    #[error("a step of a claims path must be a string, null or a non-negative integer")]
    BadStep,
    /// A step does not fit the kind of element it meets.
    #[error("the claims path does not fit the structure of the credential")]
    WrongKind,
    /// Nothing is there.
    #[error("the claims path selects nothing")]
    Nothing,
    /// More elements than [`limits::SELECTED`].
    #[error("the claims path selects too many elements")]
    TooMany,
}

impl ClaimsPath {
    /// Parses the JSON form.
    pub fn parse(value: &Value) -> Result<Self, PathError> {
        let steps = value.as_array().ok_or(PathError::NotAnArray)?;
        if steps.is_empty() {
            return Err(PathError::NotAnArray);
        }
        if steps.len() > limits::PATH_STEPS {
            return Err(PathError::TooLong);
        }
        steps
            .iter()
            .map(parse_step)
            .collect::<Result<_, _>>()
            .map(ClaimsPath)
    }

    /// A path of keys only; `None` if it is empty or too long.
    pub fn of_keys(keys: &[&str]) -> Option<Self> {
        let fits = !keys.is_empty() && keys.len() <= limits::PATH_STEPS;
        fits.then(|| {
            ClaimsPath(
                keys.iter()
                    .map(|key| PathStep::Key((*key).to_owned()))
                    .collect(),
            )
        })
    }

    /// The steps, at least one.
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }

    /// The JSON form.
    pub fn to_json(&self) -> Value {
        self.0
            .iter()
            .map(|step| match step {
                PathStep::Key(key) => Value::from(key.as_str()),
                PathStep::Index(index) => Value::from(*index),
                PathStep::All => Value::Null,
            })
            .collect()
    }

    /// The selected elements and where they are (section 7.1.1).
    pub fn select<'v>(&self, root: &'v Value) -> Result<Vec<(ClaimPointer, &'v Value)>, PathError> {
        Self::select_steps(&self.0, root)
    }

    /// What these steps select; no step selects the root.
    pub(in crate::vp) fn select_steps<'v>(
        steps: &[PathStep],
        root: &'v Value,
    ) -> Result<Vec<(ClaimPointer, &'v Value)>, PathError> {
        let mut selected = vec![(ClaimPointer::default(), root)];
        for step in steps {
            let mut next = Vec::new();
            for (pointer, value) in selected {
                advance(step, &pointer, value, &mut next)?;
            }
            if next.len() > limits::SELECTED {
                return Err(PathError::TooMany);
            }
            selected = next;
        }
        // Section 7.1.1, 3: "If the set of elements currently selected is empty, abort".
        if selected.is_empty() {
            return Err(PathError::Nothing);
        }
        Ok(selected)
    }
}

fn parse_step(step: &Value) -> Result<PathStep, PathError> {
    match step {
        Value::String(key) if key.len() <= limits::STRING_BYTES => Ok(PathStep::Key(key.clone())),
        Value::Null => Ok(PathStep::All),
        Value::Number(number) => number
            .as_u64()
            .and_then(|index| usize::try_from(index).ok())
            .map(PathStep::Index)
            .ok_or(PathError::BadStep),
        Value::String(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(PathError::BadStep)
        }
    }
}

fn advance<'v>(
    step: &PathStep,
    pointer: &ClaimPointer,
    value: &'v Value,
    next: &mut Vec<(ClaimPointer, &'v Value)>,
) -> Result<(), PathError> {
    match step {
        // Section 7.1.1, 2.1: an element that is no object aborts; a missing key
        // only removes the element from the selection.
        PathStep::Key(key) => {
            let object = value.as_object().ok_or(PathError::WrongKind)?;
            if let Some(found) = object.get(key) {
                next.push((pointer.child(PointerStep::Key(key.clone())), found));
            }
        }
        // 2.2
        PathStep::All => {
            let array = value.as_array().ok_or(PathError::WrongKind)?;
            if next.len() + array.len() > limits::SELECTED {
                return Err(PathError::TooMany);
            }
            next.extend(
                array
                    .iter()
                    .enumerate()
                    .map(|(index, found)| (pointer.child(PointerStep::Index(index)), found)),
            );
        }
        // 2.3
        PathStep::Index(index) => {
            let array = value.as_array().ok_or(PathError::WrongKind)?;
            if let Some(found) = array.get(*index) {
                next.push((pointer.child(PointerStep::Index(*index)), found));
            }
        }
    }
    Ok(())
}
