//! Bad presentations in masses: whoever sends them is told to wait, and good logins go on.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::header::RETRY_AFTER;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::relying_party::RelyingParty;
use vouchsafe_tests::wallet::Wallet;
use vouchsafe_tests::world::{Options, World};

use crate::support::full;

/// The proxy that stands before the service says who asks.
fn behind_a_proxy(text: String) -> String {
    text.replacen("[http]", "[http]\ntrusted_proxies = [\"127.0.0.1\"]", 1)
}

/// The same where few requests are many.
fn narrow(text: String) -> String {
    let limits = "[http]\nrequests_per_minute = 60\nburst = 60";
    behind_a_proxy(text).replacen("[http]", limits, 1)
}

struct Scene {
    world: World,
    wallet: Wallet,
    shop: RelyingParty,
    /// Where the bad ones go, and what they are.
    target: String,
    bodies: Vec<Vec<u8>>,
}

/// What became of bad presentations.
#[derive(Debug, Default)]
struct Counted {
    judged: usize,
    told_to_wait: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_presentations_in_masses_are_told_to_wait_and_good_logins_go_on() {
    short().await.unwrap();
    if full() {
        measured().await.unwrap();
    }
}

async fn short() -> Result<()> {
    let scene = Scene::start(narrow).await?;
    let mut counted = Counted::default();
    for number in 0..300 {
        scene.send(number, &mut counted).await?;
    }
    ensure!(counted.judged >= 60, "{counted:?}");
    ensure!(counted.told_to_wait > 0, "{counted:?}");
    scene.log_in().await
}

impl Scene {
    async fn start(edit_verifier: fn(String) -> String) -> Result<Self> {
        let world = World::with(Options {
            edit_verifier,
            ..Options::new(Kind::Sqlite)
        })
        .await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        // A good answer to another login, an altered one, and one that is none.
        let mut browser = world.browser();
        let other = shop.begin(&mut browser, "membership").await?;
        let other = wallet.prepared(&other.link).await?;
        let mine = shop.begin(&mut browser, "membership").await?;
        let mine = wallet.prepared(&mine.link).await?;
        let mut altered = mine.body.clone();
        let middle = altered.len() / 2;
        altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
        Ok(Self {
            target: mine.url.to_string(),
            bodies: vec![other.body, altered, b"response=x.y.z".to_vec()],
            world,
            wallet,
            shop,
        })
    }

    async fn send(&self, number: usize, counted: &mut Counted) -> Result<()> {
        match self.answer(number).await? {
            true => counted.judged += 1,
            false => counted.told_to_wait += 1,
        }
        Ok(())
    }

    /// Whether it was judged.
    async fn answer(&self, number: usize) -> Result<bool> {
        let request = self
            .world
            .client
            .post(&self.target)
            .header("x-forwarded-for", "198.51.100.7")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(self.bodies[number % self.bodies.len()].clone());
        let answer = request.send().await?;
        match answer.status().as_u16() {
            400 => Ok(true),
            429 => {
                let wait = answer.headers().get(RETRY_AFTER);
                let wait: u64 = wait.context("no Retry-After")?.to_str()?.parse()?;
                ensure!(wait > 0, "to wait for nothing");
                Ok(false)
            }
            other => anyhow::bail!("{other} {}", answer.text().await?),
        }
    }

    async fn log_in(&self) -> Result<()> {
        let mut browser = self.world.browser();
        self.shop
            .log_in(&mut browser, &self.wallet, "membership")
            .await?;
        Ok(())
    }

    /// The time below which 95 of a hundred logins stay.
    async fn slowest(&self, logins: usize) -> Result<Duration> {
        let mut times = Vec::new();
        for _ in 0..logins {
            let begun = Instant::now();
            self.log_in().await?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        Ok(times[logins * 95 / 100])
    }
}

/// 10,000 a minute from one network: 95 of a hundred good logins take less than twice their time.
async fn measured() -> Result<()> {
    let scene = Scene::start(behind_a_proxy).await?;
    let quiet = scene.slowest(200).await?;
    let flood = async {
        let mut counted = Counted::default();
        let begun = Instant::now();
        let mut clock = tokio::time::interval(Duration::from_millis(6));
        let mut number = 0;
        let mut running = tokio::task::JoinSet::new();
        let scene = &scene;
        while begun.elapsed() < Duration::from_secs(60) {
            clock.tick().await;
            number += 1;
            let request = scene
                .world
                .client
                .post(&scene.target)
                .header("x-forwarded-for", "198.51.100.7")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(scene.bodies[number % scene.bodies.len()].clone());
            running.spawn(request.send());
        }
        while let Some(answer) = running.join_next().await {
            match answer??.status().as_u16() {
                400 => counted.judged += 1,
                429 => counted.told_to_wait += 1,
                other => anyhow::bail!("{other}"),
            }
        }
        Ok(counted)
    };
    let (counted, crowded) = tokio::join!(flood, scene.slowest(200));
    let (counted, crowded) = (counted?, crowded?);
    eprintln!("p95 of good logins: {quiet:?} alone, {crowded:?} beside {counted:?}");
    ensure!(counted.judged + counted.told_to_wait > 9_000, "{counted:?}");
    ensure!(counted.told_to_wait > 0, "{counted:?}");
    ensure!(
        crowded < quiet * 2,
        "{crowded:?} beside the crowd, {quiet:?} alone"
    );
    Ok(())
}
