//! Tests of the whole service in one process: requests go through the real router.

mod admin;
mod audit;
mod authorization_code;
mod batches;
mod certificates;
mod credential;
mod deferred;
mod encryption;
mod harness;
mod hostile;
mod http;
mod key_attestation;
mod mdoc;
mod metadata;
mod notification;
mod offers;
mod oidf;
mod races;
mod retention;
mod signing;
mod status;
mod token;
mod vc_api;
mod webhooks;
