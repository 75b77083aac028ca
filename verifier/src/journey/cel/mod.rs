//! Conditions and claims: expressions in CEL over declared variables.
//!
//! The crate `cel` reads the language. What it read is turned into a small closed tree
//! (`tree.rs`), checked against the variables (`variables.rs`, `check.rs`) and evaluated with a
//! budget (`evaluate.rs`): the crate is dynamically typed, has no limit on cost, and takes an error
//! beside `||` or `&&` for a value, which fails open in a condition like `risk.level != "high" || …`.
//! Macros that loop (`all`, `exists`, `map`, `filter`) are not used.

mod check;
mod evaluate;
mod tree;
mod variables;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) use check::Known;
pub use evaluate::{EvaluationError, Hasher};
pub use variables::{Type, VARIABLES, Variable, documentation};

use super::mistake::Code;
use tree::Node;

/// The longest expression, in bytes.
pub const LONGEST: usize = 2048;

/// An expression that was read and checked.
#[derive(Debug, Clone)]
pub struct Expression {
    source: Arc<str>,
    root: Arc<Node>,
    yields: Type,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub code: Code,
    pub offset: usize,
    pub message: String,
    pub hint: String,
}

impl Expression {
    /// Reads and checks an expression.
    pub(super) fn read(source: &str, known: &Known<'_>) -> Result<Self, Vec<Problem>> {
        let root = tree::read(source).map_err(|problem| vec![problem])?;
        let (yields, problems) = check::check(&root, source, known);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            source: source.into(),
            root: Arc::new(root),
            yields,
        })
    }

    /// As it is written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The type of its value.
    pub(super) fn yields(&self) -> &Type {
        &self.yields
    }

    /// Whether it is written as a constant.
    pub(super) fn constant(&self) -> Option<bool> {
        match &self.root.part {
            tree::Part::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The variables that it reads, by the first part of their names.
    #[must_use]
    pub fn reads(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.root.names(&mut names);
        names
    }

    /// The variables that it reads, as `group.field`; a whole group by its name alone.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        tree::paths(&self.root, &mut paths);
        paths
    }

    /// Its value.
    ///
    /// # Errors
    /// [`EvaluationError`]; there is no implicit `false`.
    pub fn value(
        &self,
        variables: &serde_json::Value,
        hasher: &dyn Hasher,
    ) -> Result<serde_json::Value, EvaluationError> {
        evaluate::value(&self.root, variables, hasher)
    }

    /// Its value, which must be a boolean.
    ///
    /// # Errors
    /// [`EvaluationError`]; there is no implicit `false`.
    pub fn holds(
        &self,
        variables: &serde_json::Value,
        hasher: &dyn Hasher,
    ) -> Result<bool, EvaluationError> {
        match self.value(variables, hasher)? {
            serde_json::Value::Bool(holds) => Ok(holds),
            _ => Err(EvaluationError::Type),
        }
    }
}

#[cfg(test)]
mod tests;
