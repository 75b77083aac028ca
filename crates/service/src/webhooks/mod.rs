//! Webhooks as Standard Webhooks 1.0.0 describes them: an organisation's system is told what
//! happened, signed, at least once.
//!
//! [`publish`] writes a message in the transaction of what it reports, so nothing is told that did
//! not happen and nothing that happened is lost. [`deliver_due`] sends what is due, through the
//! guarded fetcher, again and again over about three days. Messages carry ids, never claims.

mod ask;
mod deliver;
mod sign;
mod store;
#[cfg(test)]
mod tests;

pub use ask::{AskError, System, ask};
pub use deliver::{Busy, Delivery, Post, RETRY_AFTER_S, Serving, deliver_due, start_due};
pub use sign::{Secrets, WebhookSecret};
pub use store::{
    DeliveryRow, Endpoint, NewEndpoint, Replay, Rotated, create, deliveries, endpoint, endpoints,
    ensure, publish, purge, remove, replay, rotate,
};

use crate::seal::Place;

/// Messages are kept so long, in seconds: for delivery and for sending them again.
pub const KEPT_S: i64 = 30 * 86_400;
/// Longest address, in bytes.
pub const MAX_URL: usize = 2048;

/// Where the secrets of an endpoint are sealed.
fn place(endpoint: &str) -> Place {
    Place::new(&["webhook_endpoint", "secrets", endpoint])
}
