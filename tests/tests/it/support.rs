//! What all scenarios share.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;
use vouchsafe_tests::database::{self, Kind};
use vouchsafe_tests::world::World;

/// How often [`patiently`] asks, and how long it waits in between.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Plays a scenario on every database that there is.
pub async fn on_each_database<F>(scenario: F)
where
    F: AsyncFn(Kind) -> Result<()>,
{
    for kind in Kind::available() {
        if let Err(error) = scenario(kind).await {
            panic!("on {kind:?}: {error:?}");
        }
    }
}

/// How many accounts the verifier has.
pub async fn accounts(world: &World) -> Result<i64> {
    database::number(&world.verifier_database, "SELECT COUNT(*) FROM subjects").await
}

/// Asks again while the answer is 503, as a client does: where a machine has much else to do, some of
/// a hundred at once wait too long for the database.
pub async fn patiently<F>(ask: impl Fn() -> F) -> Result<(u16, Value)>
where
    F: Future<Output = Result<(u16, Value)>>,
{
    for _ in 0..TRIES {
        match ask().await? {
            (503, _) => tokio::time::sleep(PAUSE).await,
            answer => return Ok(answer),
        }
    }
    bail!("503 each time")
}

/// Whether the long runs are wanted.
pub fn full() -> bool {
    std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1")
}

/// `short`, or `long` where the long runs are wanted.
pub fn rounds(short: usize, long: usize) -> usize {
    if full() { long } else { short }
}
