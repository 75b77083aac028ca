//! Adding a card.
mod error;
pub use error::IssuanceError;
