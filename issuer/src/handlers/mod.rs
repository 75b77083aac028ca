//! One endpoint per file: errors, their one mapping to the wire, handler, tests.

pub mod admin;
pub mod authorize;
pub mod authorize_confirm;
pub mod challenge;
pub mod code_page;
pub mod credential;
pub mod deferred;
pub mod message;
pub mod nonce;
pub mod notification;
pub mod offer;
pub mod openapi;
pub mod par;
pub mod picture;
pub mod server_nonces;
pub mod status;
pub mod status_w3c;
pub mod token;
pub mod type_metadata;
pub mod wellknown_did;
pub mod wellknown_issuer;
pub mod wellknown_server;
pub mod wire;
