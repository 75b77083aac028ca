//! Tests of the whole service in one process: requests go through the real router.

mod credential;
mod harness;
mod offers;
mod token;
