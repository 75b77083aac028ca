//! The measurements, one file each.



use anyhow::Result;

use crate::report::Line;
use crate::slices::Plan;

/// A measurement: its name in the goals, what it is, and how it is done.
pub struct Row {
    /// `P1`.
    pub name: &'static str,
    /// In words.
    pub what: &'static str,
    /// Measures; may return several lines.
    pub measure: fn(&Plan) -> Result<Vec<Line>>,
}

/// All of them.
pub fn all() -> Vec<Row> {
    vec![


    ]
}
