//! How large a query may be. OpenID4VP 1.0 names no limits; 1.1 asks for some.

/// Credential Queries in one query.
pub const CREDENTIALS: usize = 32;
/// Credential Set Queries in one query.
pub const CREDENTIAL_SETS: usize = 32;
/// Options in one Credential Set Query.
pub const OPTIONS: usize = 32;
/// Claims in one Credential Query.
pub const CLAIMS: usize = 128;
/// Alternatives in one `claim_sets`.
pub const CLAIM_SETS: usize = 64;
/// Entries in `values`, `vct_values` and the values of an authority.
pub const VALUES: usize = 256;
/// Entries in `trusted_authorities`.
pub const AUTHORITIES: usize = 32;
/// Steps of a claims path pointer.
pub const PATH_STEPS: usize = 16;
/// Bytes of an identifier.
pub const ID_BYTES: usize = 128;
/// Bytes of any other string.
pub const STRING_BYTES: usize = 2048;
/// Elements that one claims path pointer may select.
pub const SELECTED: usize = 4096;
