//! The issuing service: OpenID4VCI, its authorization server, admin REST, status lists.
pub mod domain;
pub mod store;
pub mod signing;
