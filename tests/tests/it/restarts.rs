//! The database goes away under load and comes back: the service recovers by itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::postgres::Postgres;
use vouchsafe_tests::proxy::Proxy;
use vouchsafe_tests::wait;
use vouchsafe_tests::world::{Options, World};

use crate::load::{Breaks, Load};
use crate::support::{full, rounds};

/// Cards that are acknowledged between two breaks.
const BETWEEN: u32 = 8;
/// How long a busy machine may take to issue them.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the service may be unfit for use when the database is there again.
const RECOVERY: Duration = Duration::from_secs(5);

/// How the database goes away.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// It says goodbye to who is connected.
    Fast,
    /// It breaks off and recovers when it starts.
    Immediate,
    /// `kill -9` of its first process; the others notice.
    Killed,
    /// It stays away for some time.
    Away,
    /// It goes on, but the way to it breaks.
    Unreachable,
}

const WAYS: [Way; 5] = [
    Way::Immediate,
    Way::Away,
    Way::Killed,
    Way::Unreachable,
    Way::Fast,
];

struct Scene {
    server: Postgres,
    proxy: Proxy,
    world: World,
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_410_the_database_is_restarted_while_cards_are_issued() {
    let Some(server) = Postgres::start().unwrap() else {
        eprintln!("skipped: restarts of PostgreSQL (its server programs are missing)");
        return;
    };
    restarts(server).await.unwrap();
}

async fn restarts(server: Postgres) -> Result<()> {
    let proxy = Proxy::start(server.address()).await?;
    let world = World::with(Options {
        issuer_database: Some(server.url_through(proxy.address)),
        ..Options::new(Kind::Sqlite)
    })
    .await?;
    let process = world.issuer.id();
    let load = Load::start(&world, Breaks::Below)?;
    let scene = Scene {
        server,
        proxy,
        world,
    };
    let mut gaps = match broken_and_mended(&scene, &load).await {
        Ok(gaps) => gaps,
        Err(error) => return load.explain(&scene.world, error).await,
    };
    ensure!(scene.world.issuer.id() == process, "it was restarted");
    gaps.sort_unstable();
    let middle = gaps[gaps.len() / 2];
    eprintln!(
        "{} breaks; from the database's return to the next card: {middle:?}, at most {:?}",
        gaps.len(),
        gaps[gaps.len() - 1]
    );
    load.nothing_was_lost_or_doubled(&scene.world).await
}

/// How long each recovery took: the program is never restarted.
async fn broken_and_mended(scene: &Scene, load: &Load) -> Result<Vec<Duration>> {
    let mut gaps = Vec::new();
    for round in 0..rounds(WAYS.len(), 300) {
        let way = WAYS[round % WAYS.len()];
        load.more_cards(BETWEEN, PATIENCE).await?;
        broken(scene, load, way)
            .await
            .with_context(|| format!("round {round}: {way:?}"))?;
        let back = Instant::now();
        load.more_cards(1, RECOVERY)
            .await
            .with_context(|| format!("after round {round}: {way:?}"))?;
        gaps.push(back.elapsed());
        ready(&scene.world, 200).await?;
    }
    Ok(gaps)
}

/// Returns when the database is back.
async fn broken(scene: &Scene, load: &Load, way: Way) -> Result<()> {
    let server = &scene.server;
    match way {
        Way::Fast => tokio::task::block_in_place(|| server.restart("fast")),
        Way::Immediate => tokio::task::block_in_place(|| server.restart("immediate")),
        Way::Killed => tokio::task::block_in_place(|| server.kill_and_start()),
        Way::Away => {
            tokio::task::block_in_place(|| server.stop("fast"))?;
            honest_while_away(scene, load).await?;
            tokio::task::block_in_place(|| server.start_again())
        }
        Way::Unreachable => {
            scene.proxy.cut();
            honest_while_away(scene, load).await?;
            scene.proxy.mend();
            Ok(())
        }
    }
}

/// Alive and not ready; what needs no database is answered.
async fn honest_while_away(scene: &Scene, load: &Load) -> Result<()> {
    let world = &scene.world;
    ready(world, 503).await?;
    load.more_failures(4, PATIENCE).await?;
    if full() {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    for path in ["/healthz", "/.well-known/openid-credential-issuer"] {
        let answer = world.client.get(format!("{}{path}", world.issuer_url));
        let status = answer.send().await?.status();
        ensure!(status == 200, "{path}: {status}");
    }
    let status = asked_ready(world).await?;
    ensure!(status == 503, "/readyz: {status}");
    Ok(())
}

async fn asked_ready(world: &World) -> Result<u16> {
    let answer = world.client.get(format!("{}/readyz", world.issuer_url));
    Ok(answer.send().await?.status().as_u16())
}

/// Waits until `/readyz` says so.
async fn ready(world: &World, wanted: u16) -> Result<()> {
    wait::until("/readyz says so", RECOVERY, async || {
        match asked_ready(world).await? {
            status if status == wanted => Ok(Some(())),
            200 | 503 => Ok(None),
            status => bail!("/readyz: {status}"),
        }
    })
    .await
}
