//! The claims of a type as a tree.

use std::collections::BTreeMap;

use super::{ClaimKind, ClaimSpec};
use crate::sd_jwt::{ClaimPath, PathElement};

/// What may stand at one place. Without a kind it is an object that only holds
/// the claims below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) kind: Option<ClaimKind>,
    pub(super) required: bool,
    pub(super) filled: bool,
    pub(super) members: BTreeMap<String, Shape>,
    pub(super) element: Option<Box<Shape>>,
}

impl Shape {
    /// Adds a claim. The error is a message for the author of the file.
    pub(super) fn add(&mut self, spec: &ClaimSpec) -> Result<(), String> {
        let mut place = self;
        for element in spec.path.elements() {
            place = place.below(element)?;
        }
        if place.kind.is_some() {
            return Err("this claim is described twice".to_owned());
        }
        let fits = match spec.kind {
            ClaimKind::Object => place.element.is_none(),
            ClaimKind::Array => place.members.is_empty(),
            ClaimKind::String
            | ClaimKind::Boolean
            | ClaimKind::Integer
            | ClaimKind::Number
            | ClaimKind::Date
            | ClaimKind::Country
            | ClaimKind::Bytes
            | ClaimKind::Picture => place.element.is_none() && place.members.is_empty(),
        };
        if !fits {
            return Err("claims below this one do not fit its type".to_owned());
        }
        if spec.filled && spec.kind != ClaimKind::Array {
            return Err("`filled` is for arrays".to_owned());
        }
        place.kind = Some(spec.kind);
        place.required = spec.required;
        place.filled = spec.filled;
        Ok(())
    }

    fn below(&mut self, element: &PathElement) -> Result<&mut Self, String> {
        match element {
            PathElement::Key(name) => match (self.kind, &self.element) {
                (None | Some(ClaimKind::Object), None) => {
                    Ok(self.members.entry(name.clone()).or_default())
                }
                _ => Err("the claim above this one is no object".to_owned()),
            },
            PathElement::Any => match self.kind {
                Some(ClaimKind::Array) => Ok(self.element.get_or_insert_default()),
                _ => Err("describe the array before its elements".to_owned()),
            },
            PathElement::Index(_) => Err("positions in arrays cannot be described".to_owned()),
        }
    }

    /// What may stand at a path.
    pub(super) fn at(&self, path: &ClaimPath) -> Option<&Self> {
        let mut elements = path.elements().iter();
        elements.try_fold(self, |place, element| match element {
            PathElement::Key(name) => place.members.get(name),
            PathElement::Any | PathElement::Index(_) => place.element.as_deref(),
        })
    }

    /// What is missing below a claim, as a message for the author of the file.
    pub(super) fn incomplete(&self, spec: &ClaimSpec) -> Option<&'static str> {
        let place = self.at(&spec.path)?;
        match spec.kind {
            ClaimKind::Object if place.members.is_empty() => {
                Some("an object needs claims for its members")
            }
            ClaimKind::Array if place.element.is_none() => {
                Some("an array needs a claim for its elements (path ending in \"[]\")")
            }
            _ => None,
        }
    }
}
