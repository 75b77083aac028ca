//! cross_device
