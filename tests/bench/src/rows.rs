//! The measurements, one file each.

mod sd_jwt;

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
        Row {
            name: "P1",
            what: "SD-JWT VC issue, 10 claims, ES256",
            measure: sd_jwt::issue,
        },
        Row {
            name: "P2",
            what: "SD-JWT VC verify, 3 of 10 disclosed, key binding",
            measure: sd_jwt::verify,
        },
    ]
}
