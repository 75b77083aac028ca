//! Identifier issuers (RDFC-1.0, section 4.5).

use std::collections::HashMap;

/// Gives out numbered names, in the order in which nodes are named.
#[derive(Clone, Debug, Default)]
pub(super) struct Issuer {
    names: HashMap<usize, usize>,
    order: Vec<usize>,
}

impl Issuer {
    pub(super) fn get(&self, node: usize) -> Option<usize> {
        self.names.get(&node).copied()
    }

    /// The number of `node`, a new one where it has none.
    pub(super) fn issue(&mut self, node: usize) -> usize {
        if let Some(number) = self.get(node) {
            return number;
        }
        let number = self.order.len();
        self.order.push(node);
        self.names.insert(node, number);
        number
    }

    /// The nodes in the order of their numbers.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }
}
