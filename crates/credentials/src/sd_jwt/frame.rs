//! Which claims are hidden.

use std::collections::BTreeMap;

use super::{ClaimPath, PathElement, SdJwtError};

/// Says which claims become selectively disclosable and where decoy digests
/// are added. Nothing that is not named here is hidden.
///
/// A claim below a hidden claim may be hidden too: that makes a recursive
/// Disclosure (RFC 9901, section 4.2.6). A named array position takes
/// precedence over "every element".
#[derive(Debug, Clone, Default)]
pub struct Frame {
    pub(super) root: Node,
}

/// One place in the claims.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// Whether the value here is hidden.
    pub(super) hidden: bool,
    /// Whether the claims must have a value here.
    pub(super) required: bool,
    /// Decoy digests in the object or array here.
    pub(super) decoys: usize,
    pub(super) keys: BTreeMap<String, Node>,
    pub(super) indices: BTreeMap<usize, Node>,
    pub(super) every: Option<Box<Node>>,
}

impl Node {
    fn child(&mut self, element: &PathElement) -> &mut Self {
        match element {
            PathElement::Key(key) => self.keys.entry(key.clone()).or_default(),
            PathElement::Index(index) => self.indices.entry(*index).or_default(),
            PathElement::Any => self.every.get_or_insert_default(),
        }
    }

    /// What holds for the array element at `index`.
    pub(super) fn element(&self, index: usize) -> Option<&Self> {
        self.indices.get(&index).or(self.every.as_deref())
    }

    /// Whether nothing below is named.
    pub(super) fn is_leaf(&self) -> bool {
        self.keys.is_empty() && !self.wants_array() && self.decoys == 0
    }

    pub(super) fn wants_array(&self) -> bool {
        !self.indices.is_empty() || self.every.is_some()
    }
}

impl Frame {
    /// A frame that hides nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hides the claim at `path`; issuing fails when the claims have none
    /// there, so that a misspelt path never publishes a claim.
    ///
    /// # Errors
    /// [`SdJwtError::PathEmpty`].
    pub fn hide(self, path: &ClaimPath) -> Result<Self, SdJwtError> {
        self.set(path, |node| {
            node.hidden = true;
            node.required = true;
        })
    }

    /// Hides the claim at `path` where the claims have one.
    ///
    /// # Errors
    /// [`SdJwtError::PathEmpty`].
    pub fn hide_if_present(self, path: &ClaimPath) -> Result<Self, SdJwtError> {
        self.set(path, |node| node.hidden = true)
    }

    /// Adds `count` decoy digests to the object or array at `path`; the empty
    /// path is the payload itself (RFC 9901, section 4.2.5).
    #[must_use]
    pub fn decoys(mut self, path: &ClaimPath, count: usize) -> Self {
        self.node(path).decoys = count;
        self
    }

    /// Whether any claim may become hidden.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.keys.is_empty() && self.root.decoys == 0
    }

    fn set(mut self, path: &ClaimPath, change: impl FnOnce(&mut Node)) -> Result<Self, SdJwtError> {
        if path.elements().is_empty() {
            return Err(SdJwtError::PathEmpty);
        }
        change(self.node(path));
        Ok(self)
    }

    fn node(&mut self, path: &ClaimPath) -> &mut Node {
        path.elements().iter().fold(&mut self.root, Node::child)
    }
}
