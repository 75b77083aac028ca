//! The harness of the whole-system tests: real programs, real databases.
//!
//! A scenario starts a [`world::World`] (issuer and verifier as separate
//! processes on either database), lets scripted wallets and relying parties
//! act, breaks something with a fault driver and checks invariants against
//! the [`ledger::Ledger`] of what clients were told and a [`canary`] scan.
//! New scenarios are new files in `tests/it/`; the harness grows here.

#![allow(clippy::print_stderr, reason = "a test harness speaks on the terminal")]

pub mod admin;
pub mod application;
pub mod balancer;
pub mod browser;
pub mod canary;
pub mod database;
pub mod hand;
pub mod ledger;
pub mod liar;
pub mod page;
pub mod peer;
pub mod phone;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod relying_party;
pub mod tls;
pub mod wait;
pub mod wallet;
pub mod world;
