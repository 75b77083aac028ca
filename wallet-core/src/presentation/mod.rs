//! Showing a card: from a link to an answer (OpenID4VP 1.0, HAIP 1.0).
//!
//! [`Fetching`] gets and verifies the request, [`Asking`] holds what the
//! person decides on, [`Submitting`] delivers the answer. Each step consumes
//! the one before it. Nothing of a request is visible before its signature was
//! checked.
//!
//! A page asks over the Digital Credentials API instead of a link: [`PageAsking`] holds what the
//! person decides on then, and its answer goes back to the browser.

mod answer;
mod ask;
mod by_value;
mod context;
mod error;
mod fetch;
mod identity;
mod matching;
mod page;
mod refusing;
mod submit;

pub use ask::{Asking, Unanswered};
pub(crate) use by_value::by_value;
pub use error::{PresentationError, Refused};
pub use fetch::Fetching;
pub use page::{PageAnswer, PageAsking, PageRefused, PageUnanswered};
pub use submit::{Declining, Presented, Submitting};
