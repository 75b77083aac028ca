//! What the disk gives: rows that are durable, and the time of one `fdatasync`. By the wall clock.

use std::io::{Seek, SeekFrom, Write};
use std::time::Instant;

use anyhow::Result;

use super::Row;
use crate::slices::Contender as _;

/// Calls of `fdatasync` that the median is taken of.
const CALLS: usize = 200;
/// What is written before each: a page.
const PAGE: [u8; 4096] = [7; 4096];

/// Rows that SQLite alone makes durable in a second, a hundred with each commit
/// (`synchronous=FULL`).
pub fn rows_per_second(row: &mut Row, milliseconds: u64) -> Result<f64> {
    let start = Instant::now();
    let rows = row.slice(milliseconds)?.operations;
    Ok(rows as f64 / start.elapsed().as_secs_f64())
}

/// The median time of an `fdatasync` behind an appended page, in milliseconds.
pub fn fdatasync_ms() -> Result<f64> {
    let folder = crate::services::folder()?;
    let mut file = std::fs::File::create(folder.path().join("probe"))?;
    let mut taken = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        file.seek(SeekFrom::End(0))?;
        file.write_all(&PAGE)?;
        let start = Instant::now();
        file.sync_data()?;
        taken.push(start.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    Ok(taken[CALLS / 2])
}
