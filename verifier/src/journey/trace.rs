//! What a run did and by which rule. Names of steps, rules and outcomes, never a value: a trace may
//! be kept and shown.

use serde::{Deserialize, Serialize};

use super::model::Outcome;

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The step.
    pub step: String,
    /// Its kind.
    pub kind: String,
    /// The rule that fired: `journey@version#step.part`.
    pub rule: String,
    /// What came of it.
    #[serde(flatten)]
    pub what: What,
    /// Where it went on: a step, `deny:CODE`, `login`; nothing while it waits for the step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub then: Option<String>,
}

/// What happened at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// Its condition does not hold.
    Skipped,
    /// It runs.
    Runs,
    /// What was done before and still counts stands for it.
    Reused,
    /// It ended.
    Ended {
        /// How.
        outcome: Outcome,
    },
    /// The run ended there.
    Over,
}

impl What {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Runs => "runs",
            Self::Reused => "reused",
            Self::Ended { outcome } => outcome.as_str(),
            Self::Over => "over",
        }
    }
}
