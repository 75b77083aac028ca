//! What every HTTP interface of the services shares.
//!
//! A service builds its `Router`, passes it through [`layers::standard`] and gives it to
//! [`serve`]. Handlers take [`extract::StrictForm`] or [`extract::StrictJson`] and answer errors
//! with [`error::Problem`] (administration) or [`error::OAuthError`] (protocols).

pub mod client_address;
pub mod cookies;
pub mod csrf;
pub mod edge;
pub mod error;
pub mod extract;
#[cfg(feature = "testing")]
pub mod hostile;
pub mod layers;
pub mod limits;
pub mod params;
pub mod rate_limit;
pub mod rejection;
mod server;
#[cfg(test)]
mod tests;
mod transport;
mod twice;

pub use client_address::ClientAddress;
pub use cookies::{CookiePolicy, SameSite};
pub use csrf::Csrf;
pub use edge::Edge;
pub use error::{OAuthError, Problem};
pub use extract::{
    ExtractError, StrictForm, StrictJson, StrictQuery, headers, is_form, require_type,
};
pub use layers::{BodyDeadline, RequestId, standard, standard_at};
pub use params::{ParamError, Params};
pub use rate_limit::RateLimit;
pub use rejection::Rejection;
pub use server::{ServeError, bind, serve};
