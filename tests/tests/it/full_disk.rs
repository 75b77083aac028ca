//! The disk becomes full under load: wallets are told to come back later, nothing that was
//! acknowledged is lost, and it works again once there is room.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vouchsafe_tests::admin::membership;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::hand::{Hand, key};
use vouchsafe_tests::postgres::Postgres;
use vouchsafe_tests::wait;
use vouchsafe_tests::world::{Options, World};

use crate::load::{Breaks, Load};
use crate::support::{full, rounds};

const PATIENCE: Duration = Duration::from_secs(60);
/// How long the service may be unfit for use when there is room again.
const RECOVERY: Duration = Duration::from_secs(5);

/// A file system of a few megabytes.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(folder: &Path, megabytes: u32) -> Result<Option<Self>> {
        let path = folder.join("disk");
        std::fs::create_dir(&path)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(&path)
            .output()?
            .status;
        Ok(mounted.success().then_some(Self { folder: path }))
    }

    /// Writes until nothing fits any more.
    fn fill(&self) -> Result<()> {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("ballast"))?;
        for size in [64 * 1024, 512] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.folder.join("ballast"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.folder).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("warning: {} stays mounted", self.folder.display());
        }
    }
}

async fn world(database: String) -> Result<World> {
    World::with(Options {
        issuer_database: Some(database),
        ..Options::new(Kind::Sqlite)
    })
    .await
}

fn sqlite(disk: &SmallDisk) -> String {
    format!("sqlite://{}", disk.folder.join("issuer.sqlite").display())
}

#[tokio::test]
async fn cat_413_a_full_disk_is_temporary() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), 4).unwrap() else {
        eprintln!("skipped: full disk (this user may not mount)");
        return;
    };
    full_disk(&disk).await.unwrap();
}

/// One wallet, step by step.
async fn full_disk(disk: &SmallDisk) -> Result<()> {
    let world = world(sqlite(disk)).await?;
    let admin = world.admin();
    let hand = Hand::of(&world);
    let before = admin.offer_membership("M-before").await?;
    let code = hand.code(&before).await?;
    disk.fill()?;
    let mut full = 0;
    for number in 0..200 {
        let body = membership(&format!("M-{number}"));
        let (status, answer) = admin
            .call(reqwest::Method::POST, "/v1/offers", Some(&body))
            .await?;
        match status {
            201 => ensure!(full == 0, "it works on a full disk"),
            503 => full += 1,
            _ => anyhow::bail!("{status} {answer}"),
        }
        if full == 5 {
            break;
        }
    }
    ensure!(full == 5, "the disk did not become full");
    let (status, answer) = hand.token(&code, None).await?;
    ensure!(status == 503, "{status} {answer}");
    ensure!(answer["error"] == "temporarily_unavailable", "{answer}");
    // What needs no space works: people can still see what is good.
    let metadata = format!("{}/.well-known/openid-credential-issuer", world.issuer_url);
    ensure!(world.client.get(metadata).send().await?.status() == 200);

    disk.free()?;
    wait::until("it works again", RECOVERY, async || {
        let body = membership("M-after");
        let (status, _) = admin
            .call(reqwest::Method::POST, "/v1/offers", Some(&body))
            .await?;
        Ok((status == 201).then_some(()))
    })
    .await?;
    // The code was not used up by the attempt that failed.
    let (status, answer) = hand.token(&code, None).await?;
    ensure!(status == 200, "{status} {answer}");
    let token = answer["access_token"].as_str().context("no token")?;
    let (status, answer) = hand.credential(token, "membership", &key()).await?;
    ensure!(status == 200, "{status} {answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_413_the_disk_becomes_full_while_cards_are_issued() {
    let folder = tempfile::tempdir().unwrap();
    // The log of the database alone may have 40 MB.
    let Some(disk) = SmallDisk::mount(folder.path(), 64).unwrap() else {
        eprintln!("skipped: full disk (this user may not mount)");
        return;
    };
    let world = world(sqlite(&disk)).await.unwrap();
    under_load(&disk, &world, || Ok(())).await.unwrap();
}

/// PostgreSQL ends where it cannot write its log: who looks after it starts it again.
#[tokio::test(flavor = "multi_thread")]
async fn cat_413_the_disk_of_postgresql_becomes_full_while_cards_are_issued() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), 160).unwrap() else {
        eprintln!("skipped: full disk (this user may not mount)");
        return;
    };
    let Some(server) = Postgres::start_in(&disk.folder).unwrap() else {
        eprintln!("skipped: full disk of PostgreSQL (its server programs are missing)");
        return;
    };
    let world = world(server.url()).await.unwrap();
    let again = || server.start_unless_running();
    under_load(&disk, &world, again).await.unwrap();
}

/// `looked_after` does what is done for the database when there is room again.
async fn under_load(
    disk: &SmallDisk,
    world: &World,
    looked_after: impl Fn() -> Result<()>,
) -> Result<()> {
    let process = world.issuer.id();
    let load = Load::start(world, Breaks::Below)?;
    let filled = filled_and_freed(disk, &load, looked_after).await;
    if let Err(error) = filled {
        return load.explain(world, error).await;
    }
    ensure!(world.issuer.id() == process, "it was restarted");
    load.nothing_was_lost_or_doubled(world).await
}

async fn filled_and_freed(
    disk: &SmallDisk,
    load: &Load,
    looked_after: impl Fn() -> Result<()>,
) -> Result<()> {
    for round in 0..rounds(2, 20) {
        load.more_cards(8, PATIENCE).await?;
        disk.fill()?;
        load.more_failures(40, PATIENCE)
            .await
            .with_context(|| format!("round {round}: the disk did not become full"))?;
        if full() {
            tokio::time::sleep(Duration::from_secs(if round == 0 { 60 } else { 1 })).await;
        }
        disk.free()?;
        tokio::task::block_in_place(&looked_after)?;
        let free = Instant::now();
        load.more_cards(1, RECOVERY)
            .await
            .with_context(|| format!("round {round}: there is room again"))?;
        eprintln!("round {round}: {:?} to the next card", free.elapsed());
    }
    Ok(())
}
