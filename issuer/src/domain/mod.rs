//! What the issuer talks about: identifiers, secrets, offers, credentials. No I/O.

pub mod credential;
pub mod ids;
pub mod offer;
pub mod page;
pub mod secret;
pub mod status_job;
