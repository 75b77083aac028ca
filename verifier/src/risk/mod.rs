//! How unusual a login is for its account (login.md, section 4).
//!
//! [`score`] is the published formula and nothing else. [`features`] turns a request into the
//! [`Values`] that are counted; only keyed hashes of them are kept. [`history`] counts logins in
//! memory, for experiments and tests; the login service counts them in its database. [`rules`]
//! names what a score alone does not tell, and [`levels`] turns both into a [`RiskLevel`] that a
//! policy can be written on.
//!
//! To add a feature: a [`Level`](values::Level) for each of its levels of detail, their weights in
//! [`values::FEATURES`], and where they are read from in [`features`].

mod assessment;
pub mod check;
pub mod experiment;

pub mod features;
pub mod history;
pub mod levels;
pub mod place;
pub mod rules;
pub mod score;
pub mod values;

pub use assessment::{Assessment, Reason};
pub use check::{Look, Seen};
pub use levels::{RiskLevel, Thresholds};
pub use values::{ValueKey, Values};
