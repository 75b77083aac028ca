//! A wallet on this machine: on the command line and in the browser.

mod adding;
mod arguments;
mod commands;
mod describe;
pub mod handle;
pub mod home;
mod issuance;
mod keeping;
pub mod open;
mod others;
mod page;
mod polling;
mod presenting;
mod serve;
mod sign_in;
mod statuses;
pub mod terminal;
pub mod transport;
mod trusting;
pub mod web;

pub use arguments::WalletCommand;
pub use commands::run;
