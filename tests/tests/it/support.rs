//! What all scenarios share.

use anyhow::Result;
use vouchsafe_tests::database::{self, Kind};
use vouchsafe_tests::world::World;

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

/// Whether the long runs are wanted.
pub fn full() -> bool {
    std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1")
}

/// `short`, or `long` where the long runs are wanted.
pub fn rounds(short: usize, long: usize) -> usize {
    if full() { long } else { short }
}
