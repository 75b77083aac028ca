//! What a credential is: keys, JOSE, SD-JWT VC, DIDs, status, trust. Pure, without I/O.
//!
//! The clock ([`time::Clock`]), randomness ([`random::Rng`]) and the cryptography
//! ([`crypto::CryptoProvider`], [`crypto::Signer`]) are parameters. Nothing here
//! reads a file, a socket, the system clock or the system's random source.
//!
//! How to extend it:
//! - a token type: one variant of [`jws::TokenType`] with its `typ` and the header members that may choose a key;
//! - a crypto back end: implement [`crypto::CryptoProvider`] and add it to `crypto::tests::providers`, so it runs through every test;
//! - a cryptosuite of Data Integrity: implement [`data_integrity::Cryptosuite`] and pass it in [`data_integrity::Suites`];
//! - another envelope of VCDM 2.0: one variant of [`vcdm::EnvelopeType`], one arm in `vc_jose_cose::open`;
//! - a DID method that needs no network: one module under [`did`], one arm in [`did::LocalResolver`].

pub mod bitstring_status_list;
pub mod cbor;
pub mod cose;
pub mod credential_type;
pub mod crypto;
pub mod data_integrity;
mod deflate;
pub mod did;
pub mod encoding;
pub mod jcs;
pub mod json;
pub mod jwe;
pub mod jwks;
pub mod jws;
pub mod mdoc;
pub mod multibase;
pub mod problem;
pub mod random;
pub mod sd_jwt;
pub mod sd_jwt_vc;
pub mod status_list;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod time;
pub mod trust;
pub mod type_metadata;
pub mod vc_jose_cose;
pub mod vcdm;
pub mod verified;
pub mod x509;

pub use verified::Verified;
