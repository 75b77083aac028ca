//! Whole-system tests: issuer and verifier as real processes, people,
//! applications and an organisation around them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests stop at the first surprise"
)]

mod canary;
mod cross_device;
mod demo;
mod faults;
mod https;
mod issuance;
mod kills;
mod login;
mod openid4vci;
mod peers;
mod races;
mod recipes;
mod refusals;
mod revocation;
mod support;
