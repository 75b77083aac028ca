//! The bridge, driven through its ports.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod faults;
mod golden;
mod scenario;
mod sessions;
mod shown;
