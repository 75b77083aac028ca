//! `[administration]`: the REST interface for those who run the service. Off unless it is written.

use serde::Deserialize;

/// `[administration]`, as written: there is nothing to say beside that it is on.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdministrationConfig {}

/// Checked rules for applications that administrators keep.
#[derive(Debug, Clone, Copy)]
pub struct Administration {
    /// `http` addresses of this machine are fine.
    pub loopback_http: bool,
}
