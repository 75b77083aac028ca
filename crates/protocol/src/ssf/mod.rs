//! Shared Signals Framework 1.0 and CAEP 1.0: what a transmitter tells applications about the
//! sessions that rest on it.

pub mod metadata;
pub mod poll;
pub mod set;
pub mod stream;

/// Event of CAEP 1.0, section 3.1: a session is over.
pub const SESSION_REVOKED: &str =
    "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
/// Event of Shared Signals Framework 1.0, section 8.1.4.1: the stream works.
pub const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
/// Delivery to an endpoint of the receiver (RFC 8935).
pub const PUSH: &str = "urn:ietf:rfc:8935";
/// Delivery to a receiver that asks (RFC 8936).
pub const POLL: &str = "urn:ietf:rfc:8936";
/// Codes with which a receiver says that an event itself cannot be used (RFC 8935, section 2.4; Shared
/// Signals Framework 1.0, section 8.1.4.1). The other codes are about how it was sent.
pub const UNUSABLE: [&str; 4] = [
    "invalid_request",
    "invalid_issuer",
    "invalid_audience",
    "invalid_state",
];
/// The events that a stream can carry.
pub const EVENTS: [&str; 1] = [SESSION_REVOKED];
/// Scope to read a stream (CAEP Interoperability Profile 1.0, section 2.7.2).
pub const SCOPE_READ: &str = "ssf.read";
/// Scope to change a stream, and to read it.
pub const SCOPE_MANAGE: &str = "ssf.manage";
