//! OpenID Connect as our provider speaks it: what discovery says, what tokens carry, when
//! a person must answer again, and how a subject is named to each client.
//!
//! Nothing here signs: ID tokens and logout tokens are claim sets, signed by the service
//! with the algorithm of the client's registration.

pub mod acr;
pub mod amr;
pub mod claims_request;
pub mod discovery;
pub mod id_token;
pub mod logout;
pub mod prompt;
pub mod subject;
pub mod userinfo;
pub mod verified_claims;

pub use acr::{Acr, AcrLadder};
pub use amr::{Amr, Done};
pub use id_token::IdTokenClaims;
pub use prompt::{Decision, Prompt, SessionState};
