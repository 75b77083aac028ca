//! The login service: an OpenID Provider in front of OpenID4VP.

pub mod config;
pub mod domain;
pub mod store;
