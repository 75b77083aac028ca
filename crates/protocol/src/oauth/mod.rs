//! OAuth 2.0 as both authorization servers speak it: the code flow with PKCE,
//! pre-authorized codes, DPoP, client authentication, metadata.
//!
//! Every parser takes text from the network and returns a domain type once; what a
//! database must decide (is the code used, is the client known) stays with the caller.
//! To add a parameter: a field in the domain type, its parse and its negative test.

pub mod access_token;
pub mod assertion;
pub mod attestation;
pub mod attested;
pub mod authorization_details;
pub mod authorize;
pub mod client_auth;
pub mod device;
pub mod dpop;
pub mod error;
pub mod introspection;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod pushed;
pub mod redirect;
pub mod registration;
pub mod response;
pub mod server_nonce;
pub mod token;
pub mod values;
pub mod wallet_provider;

pub use authorize::{AuthorizationRequest, ClientRules};
pub use client_auth::ClientCredentials;
pub use error::{ErrorCode, ErrorDescription, OAuthError};
pub use params::Params;
pub use pkce::{CodeChallenge, CodeVerifier, PkceRule};
pub use redirect::RedirectUris;
pub use server_nonce::ServerNonces;
pub use wallet_provider::{WalletProvider, WalletProviders};
