//! What crosses the bridge: plain values, none of them of another library.

pub(crate) mod credential;
pub(crate) mod history;
pub(crate) mod offer;
pub(crate) mod request;
