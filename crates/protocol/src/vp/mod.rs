//! OpenID for Verifiable Presentations 1.0 with the High Assurance
//! Interoperability Profile 1.0, over redirects and over the Digital Credentials [`api`].
//!
//! The way of one presentation: the verifier builds a [`request`] and shows an
//! [`invocation`]; the wallet verifies the request, matches its [`dcql`] query,
//! and makes an [`answer`]; the verifier reads the posted [`response`] and
//! checks all of it in [`verify`], the one place that accepts a presentation.

pub mod answer;
pub mod api;
pub mod client_id;
pub mod dcql;
pub mod invocation;
pub mod metadata;
pub mod request;
pub mod response;
#[cfg(test)]
pub(crate) mod testing;
pub mod transaction_data;
pub mod values;
pub mod verify;
