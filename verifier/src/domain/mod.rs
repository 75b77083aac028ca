//! What the login service is about, free of HTTP and SQL.

pub mod account_notice;
pub mod approval;
pub mod attribute;
pub mod authenticator;
pub mod consent;
pub mod ids;
pub mod means;
pub mod notice;
pub mod passkey;
pub mod place;
pub mod presented;
pub mod reason;
pub mod request;
pub mod run;
pub mod session;
pub mod transaction;
pub mod upstream;
pub mod verification;
