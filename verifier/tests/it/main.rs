//! The login service as its neighbours see it: a browser, a wallet, an application and an issuer
//! talk to the router in process, with a frozen clock and seeded randomness.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

mod account;
mod accounts;
mod assertions;
mod attacks;
mod broken_off;
mod broken_store;
mod claims;
mod client_documents;
mod config;
mod consents;
mod consents_life;
mod cross_device;
mod crowds;
mod dc_api;
mod device;
mod device_ends;
mod dpop;
mod fapi;
mod grant_ends;
mod hostile;
mod journey_answers;
mod journey_attacks;
mod journey_consent;
mod journey_files;
mod journey_hooks;
mod journey_limits;
mod journey_notify;
mod journey_payment;
mod journey_people;
mod journey_templates;
mod journeys;
mod kept;
mod login;
mod login_attacks;
mod logout;
mod mdoc;
mod numbers;
mod numbers_pages;
mod numbers_rest;
mod oidc;
mod oidf;
mod pages;
mod par;
mod passkey_attacks;
mod passkey_browser;
mod passkey_journeys;
mod passkey_runs;
mod passkeys;
mod portable;
mod presentations;
mod races;
mod refresh;
mod refusals;
mod registration;
mod registration_changes;
mod restore;
mod risk;
mod rotations;
mod signal_delivery;
mod signals;
mod status;
mod strangers;
mod subjects;
mod support;
mod tokens;
mod verification_answers;
mod verification_webhooks;
mod verifications;
mod watcher;
mod world;
