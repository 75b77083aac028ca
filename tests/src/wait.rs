//! Waiting for what has no event to wait for.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

const EVERY: Duration = Duration::from_millis(20);

/// Asks again and again until `check` gives a value; an error after `deadline`.
pub async fn until<T, F>(what: &str, deadline: Duration, mut check: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<Option<T>>,
{
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = check().await? {
            return Ok(value);
        }
        if Instant::now() >= end {
            bail!("not within {deadline:?}: {what}");
        }
        tokio::time::sleep(EVERY).await;
    }
}
