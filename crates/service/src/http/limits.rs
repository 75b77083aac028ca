//! Largest request bodies, in bytes. Use with `axum::extract::DefaultBodyLimit::max` on the route.

/// Token, pushed authorization and other small forms.
pub const FORM: usize = 16 * 1024;
/// Credential requests.
pub const CREDENTIAL: usize = 1024 * 1024;
/// Presentations posted by wallets.
pub const PRESENTATION: usize = 1024 * 1024;
/// Administration.
pub const ADMIN: usize = 1024 * 1024;
/// Credentials and presentations of the VC API.
pub const VC_API: usize = 1024 * 1024;
/// All headers of a request together.
pub const HEADERS: usize = 16 * 1024;
/// Parameters in one query or form.
pub const PARAMETERS: usize = 64;
