//! DIDs whose documents are on the web: the guarded way there, a bounded memory of what was found,
//! and the HTTPS binding of DID resolution.
//!
//! [`resolver`] puts them together: [`CachedResolver`] over [`WebResolver`] over [`PatientFetch`]
//! over [`GuardedFetch`].
//! Whoever verifies credentials names the DIDs that may be asked for ([`Reach::Only`]), so that a
//! stranger's token cannot make the service call anybody.

mod cache;
pub mod dereference;
mod fetch;
pub mod http;
mod patient;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use cache::{CachedResolver, Reach};
pub use fetch::GuardedFetch;
pub use patient::PatientFetch;
use vouchsafe_credentials::{
    crypto::AwsLc,
    did::{Resolver, WebResolver},
    time::Clock,
};

use crate::fetch::Fetcher;

/// Seconds between two questions about one DID, whatever the answer was.
const PATIENCE: i64 = 60;

/// The resolver of a service: every method, guarded and remembered.
pub fn resolver(fetcher: Fetcher, clock: Arc<dyn Clock>, reach: Reach) -> Arc<dyn Resolver> {
    let web = WebResolver::new(
        PatientFetch::new(GuardedFetch::new(fetcher), Arc::clone(&clock)),
        Arc::new(AwsLc),
        Arc::clone(&clock),
    );
    Arc::new(CachedResolver::new(web, clock, reach))
}
