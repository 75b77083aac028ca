//! A question over REST, for those without OpenID Connect: [`start`] makes it, [`ask`] gives the
//! wallet its request object, [`answer`] judges what comes back (with the one function that a login
//! uses, too), [`redeem`] takes what the browser brings back to the caller.
//!
//! A verification and a login share the addresses of the wallet's side and nothing else: ids, rows,
//! secrets and types are their own, so that neither can stand for the other.

pub mod answer;
pub mod ask;
mod outcome;
pub mod redeem;
pub mod start;
pub mod webhook;

use crate::domain::ids::VerificationId;

/// Seconds that the way back to the caller is open.
pub const RESPONSE_CODE_S: i64 = 60;

/// The first characters of an id: enough to find it again, too little to use it.
fn log_id(id: &VerificationId) -> &str {
    id.as_str().get(..8).unwrap_or_default()
}
