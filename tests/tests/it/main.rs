//! Whole-system tests: issuer and verifier as real processes, people,
//! applications and an organisation around them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests stop at the first surprise"
)]

mod applications;
mod canary;
mod canary_logins;
mod console;
mod console_batch;
mod cross_device;
mod dc_api;
mod demo;
mod eudi;
mod faults;
mod flood;
mod full_disk;
mod https;
mod issuance;
mod issuer_races;
mod kills;
mod load;
mod login;
mod mobile;
mod new_phone;
mod newcomer;
mod openid4vci;
mod peers;
mod prefixes;
mod races;
mod recipes;
mod refusals;
mod replicas;
mod rest;
mod restarts;
mod restores;
mod revocation;
#[path = "../../../mobile-bindings/tests/it/scenario.rs"]
#[expect(dead_code, reason = "some of it serves the bridge's own tests")]
mod scenario;
mod support;
mod tutorial;
mod verifications;
mod wallet_login;
mod who;
