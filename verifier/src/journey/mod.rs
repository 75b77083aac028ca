//! Journeys: which steps lead to a login, written in a file.
//!
//! A file is read and checked once ([`read()`]): what can be said about it without running it is said
//! then, with line and column. A run is an [`Instance`], a state machine without I/O: it is told
//! [`Facts`] and the results of steps, and says which step is next, until it ends in a login or a
//! refusal. The level of a login is computed from the steps that were done and from nothing that a
//! file says.
//!
//! To add a key: a line in `keys.rs`, a field in `file.rs`, its meaning in `steps.rs`; the JSON
//! Schema follows. To add a variable: a line in `cel/variables.rs`, a field in `facts.rs`; the
//! documentation follows.

mod about;
mod advance;
mod cel;
mod draw;
mod facts;
mod file;
mod instance;
mod keys;
mod lint;
mod mistake;
mod model;
mod places;
mod proof;
mod question;
mod read;
mod simulate;
mod steps;
mod templates;
mod trace;

pub use cel::{
    EvaluationError, Expression, Hasher, LONGEST, Type, VARIABLES, Variable, documentation,
};
pub use draw::draw;
pub use facts::{
    Card, DeviceFacts, Facts, RequestFacts, RiskFacts, RiskLevel, SessionFacts, UserFacts,
};
pub use instance::{Ended, Instance, InstanceError, Login, Next, Plan, Refusal, StepResult};
pub use keys::schema;
pub use mistake::{Code, Mistake};
pub use model::{
    Ask, Case, Channel, Field, Journey, Limits, MOST_STEPS, Outcome, Present, Question, Stage,
    Step, StepKind, Subject, Target,
};
pub use places::Places;
pub use proof::Proof;
pub use read::read;
pub use simulate::{Answer, CaseError, SimulatedCase, Simulation, simulate};
pub use templates::{Template, template, templates};
pub use trace::{Line, What};

#[cfg(test)]
mod tests;
