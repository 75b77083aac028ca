//! The bridge, driven through its ports.

mod faults;
mod golden;
mod scenario;
mod sessions;
