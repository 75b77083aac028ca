//! What nobody can avoid, measured in the same run: the bare primitive of our
//! cryptographic back end, the bare HTTP exchange, the bare row.

mod bls;
mod durable;
mod exchange;
mod row;
mod signatures;

pub use bls::Bls;
pub use durable::{fdatasync_ms, rows_per_second};
pub use exchange::Exchange;
pub use row::Row;
pub use signatures::Primitives;
