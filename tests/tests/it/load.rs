//! Wallets that take one card after the other while something breaks, and a ledger of what they
//! were told, outside of what is tested.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Method;
use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use vouchsafe_credentials::crypto::Signer;
use vouchsafe_tests::admin::{Admin, Offer, membership};
use vouchsafe_tests::database;
use vouchsafe_tests::hand::{Hand, compact, key, status_of};
use vouchsafe_tests::ledger::{Entry, Ledger};
use vouchsafe_tests::wait;
use vouchsafe_tests::world::World;

const WORKERS: u32 = 4;
/// After a failure a wallet is not busier than a person.
const PATIENCE: Duration = Duration::from_millis(20);

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// The issuer itself: whatever fails is an attempt without an answer.
    Issuer,
    /// What the issuer stands on: the issuer answers each request, and with "try again later"
    /// where it cannot do what is asked.
    Below,
}

/// Steady issuance.
pub struct Load {
    worker: Worker,
    running: Vec<JoinHandle<Result<HashMap<String, String>>>>,
    stop: watch::Sender<bool>,
}

#[derive(Clone)]
struct Worker {
    breaks: Breaks,
    admin: Admin,
    hand: Hand,
    ledger: Arc<Mutex<Ledger>>,
    issued: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
    stop: watch::Receiver<bool>,
}

impl Load {
    /// Begins to take cards.
    pub fn start(world: &World, breaks: Breaks) -> Result<Self> {
        let ledger = Ledger::create(&world.folder.join("ledger"))?;
        let (stop, stopped) = watch::channel(false);
        let worker = Worker {
            breaks,
            admin: world.admin(),
            hand: Hand::of(world),
            ledger: Arc::new(Mutex::new(ledger)),
            issued: Arc::default(),
            refused: Arc::default(),
            stop: stopped,
        };
        let running = (0..WORKERS)
            .map(|number| tokio::spawn(worker.clone().run(number)))
            .collect();
        Ok(Self {
            worker,
            running,
            stop,
        })
    }

    /// Waits until so many more cards were acknowledged.
    pub async fn more_cards(&self, count: u32, within: Duration) -> Result<()> {
        self.more("cards are issued", &self.worker.issued, count, within)
            .await
    }

    /// Waits until so many more attempts failed.
    pub async fn more_failures(&self, count: u32, within: Duration) -> Result<()> {
        self.more("attempts fail", &self.worker.refused, count, within)
            .await
    }

    async fn more(
        &self,
        what: &str,
        counter: &AtomicU32,
        count: u32,
        within: Duration,
    ) -> Result<()> {
        let wanted = counter.load(Ordering::SeqCst) + count;
        wait::until(what, within, async || {
            // A wallet ends early where it saw what must not be.
            ensure!(
                !self.running.iter().any(JoinHandle::is_finished),
                "a wallet gave up"
            );
            Ok((counter.load(Ordering::SeqCst) >= wanted).then_some(()))
        })
        .await
    }

    /// Ends it, and compares what wallets were told with what the issuer has.
    pub async fn nothing_was_lost_or_doubled(self, world: &World) -> Result<()> {
        self.stop.send(true)?;
        let mut codes = HashMap::new();
        for running in self.running {
            codes.extend(running.await??);
        }
        let entries = self.worker.ledger.lock().await.entries()?;
        let unknown = entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Unknown { .. }))
            .count();
        eprintln!("{} entries, {unknown} without an answer", entries.len());
        ensure!(unknown > 0, "nothing that broke hit a request");
        check(world, &self.worker.hand, &entries, &codes).await
    }

    /// Why a wallet gave up, where one did, and what the issuer says.
    pub async fn explain<T>(self, world: &World, error: anyhow::Error) -> Result<T> {
        let log = world.issuer.log();
        let bad = |line: &&str| line.contains("ERROR") || line.contains("WARN");
        let last: Vec<&str> = log.lines().filter(bad).collect();
        eprintln!("{}", last[last.len().saturating_sub(40)..].join("\n"));
        self.stop.send(true).ok();
        for running in self.running {
            if let Err(cause) = running.await? {
                return Err(cause.context(error));
            }
        }
        Err(error)
    }
}

impl Worker {
    /// Gives the codes of the offers that it redeemed, by member.
    async fn run(self, number: u32) -> Result<HashMap<String, String>> {
        let mut codes = HashMap::new();
        let mut round = 0;
        while !*self.stop.borrow() {
            round += 1;
            let member = format!("M-{number}-{round}");
            match (self.one(&member, &mut codes).await, self.breaks) {
                (Ok(true), _) => {
                    self.issued.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                (Err(error), Breaks::Below) => return Err(error.context(member)),
                (Ok(false), _) | (Err(_), Breaks::Issuer) => {}
            }
            self.told(Entry::Unknown { attempt: member }).await?;
            self.refused.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(PATIENCE).await;
        }
        Ok(codes)
    }

    /// False: the issuer said that it cannot now.
    async fn one(&self, member: &str, codes: &mut HashMap<String, String>) -> Result<bool> {
        let body = membership(member);
        let answer = self.admin.call(Method::POST, "/v1/offers", Some(&body));
        let Some(offer) = acknowledged(answer.await?, 201)? else {
            return Ok(false);
        };
        let offer = Offer::from_answer(&offer)?;
        let Some(code) = acknowledged(self.hand.offer(&offer).await?, 200)? else {
            return Ok(false);
        };
        let code = Hand::code_of(&code)?;
        let Some(token) = acknowledged(self.hand.token(&code, None).await?, 200)? else {
            return Ok(false);
        };
        self.told(Entry::Redeemed { code: offer.id }).await?;
        codes.insert(member.to_owned(), code);
        let token = token["access_token"].as_str().context("no access token")?;
        let key = key();
        let answer = self.hand.credential(token, "membership", &key).await?;
        let Some(body) = acknowledged(answer, 200)? else {
            return Ok(false);
        };
        self.told(Entry::Issued {
            offer: member.to_owned(),
            key: key.public_key().thumbprint(),
            status: status_of(&compact(&body)?)?,
        })
        .await?;
        Ok(true)
    }

    async fn told(&self, entry: Entry) -> Result<()> {
        self.ledger.lock().await.record(&entry)
    }
}

/// Good, or "try again later" in the words of the interface and nothing else.
fn acknowledged((status, body): (u16, Value), good: u16) -> Result<Option<Value>> {
    if status == good {
        return Ok(Some(body));
    }
    let word = body["code"].as_str().or(body["error"].as_str());
    match (status, word) {
        (503, Some("unavailable" | "temporarily_unavailable")) => Ok(None),
        _ => bail!("answered with {status} {body}"),
    }
}

async fn check(
    world: &World,
    hand: &Hand,
    entries: &[Entry],
    codes: &HashMap<String, String>,
) -> Result<()> {
    let mut places = HashSet::new();
    let mut redeemed = HashSet::new();
    for entry in entries {
        match entry {
            Entry::Issued { offer, status, .. } => {
                ensure!(
                    places.insert(status.clone()),
                    "{status} was given out twice"
                );
                is_kept(world, offer, status).await?;
            }
            Entry::Redeemed { code } => {
                ensure!(redeemed.insert(code.clone()), "{code} was redeemed twice");
            }
            Entry::Unknown { .. } => {}
        }
    }
    for (member, code) in codes {
        let (status, body) = hand.token(code, None).await?;
        ensure!(
            status == 400 && body["error"] == "invalid_grant",
            "the code of {member} works again: {status}"
        );
    }
    let unknown = entries.len() - places.len() - redeemed.len();
    places_are_apart(world, places.len(), unknown).await
}

/// The card that was acknowledged is there, once, and good.
async fn is_kept(world: &World, member: &str, place: &str) -> Result<()> {
    let rows = world.admin().credentials(&format!("crm-{member}")).await?;
    let here = |row: &&Value| {
        let list = &row["status_list"];
        let uri = list["uri"].as_str().unwrap_or_default();
        format!("{uri}#{}", list["idx"]) == place
    };
    let kept: Vec<&Value> = rows.iter().filter(here).collect();
    ensure!(
        kept.len() == 1,
        "{} cards of {member} at {place}",
        kept.len()
    );
    ensure!(kept[0]["status"] == "valid", "{}", kept[0]);
    Ok(())
}

/// Of the cards that nobody was told about there is at most one for each unknown attempt, and none
/// without a place of its own.
async fn places_are_apart(world: &World, told: usize, unknown: usize) -> Result<()> {
    let count = async |query| database::number(&world.issuer_database, query).await;
    let all = count("SELECT COUNT(*) FROM issuer_credentials").await?;
    let distinct = count(
        "SELECT COUNT(*) FROM (SELECT DISTINCT list_id, idx FROM issuer_credentials) AS places",
    );
    ensure!(all == distinct.await?, "a place was used twice");
    let all = usize::try_from(all)?;
    ensure!(all >= told && all <= told + unknown, "{all} cards");
    Ok(())
}
