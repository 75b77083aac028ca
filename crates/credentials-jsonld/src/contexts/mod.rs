//! The context documents: bundled with their hashes, never fetched.

/// The context documents that may be named by URL, and what was processed of them so far.
///
/// Cheap to share (`Arc`), safe to use from several threads. Processed contexts are cached in bounds.
#[derive(Debug)]
pub struct Contexts {}

impl Contexts {
    /// The bundled context documents.
    #[must_use]
    pub fn bundled() -> Self {
        Self {}
    }
}
