//! What parties say to each other and the checks on it: OAuth, OpenID4VCI, OpenID4VP, OpenID Connect, Shared Signals. Pure, without I/O.

pub mod http;
pub mod oauth;
pub mod oidc;
pub mod ssf;
#[cfg(test)]
mod testing;
pub mod vci;
pub mod vp;
