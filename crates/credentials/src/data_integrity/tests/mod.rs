//! Negative tests first: what each rule refuses, with the code it gives.

mod chains;
mod leaves;
mod presentations;
mod proofs;
mod suites;
