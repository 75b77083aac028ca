//! `kill -9` while people are served: nothing that was acknowledged is lost,
//! nothing that works once works twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::sync::Mutex;
use vouchsafe_credentials::crypto::Signer;
use vouchsafe_tests::admin::{Admin, Offer};
use vouchsafe_tests::database;
use vouchsafe_tests::hand::{Hand, compact, key, status_of};
use vouchsafe_tests::ledger::{Entry, Ledger};
use vouchsafe_tests::wait;
use vouchsafe_tests::world::World;

use crate::support::{on_each_database, rounds};

const WORKERS: u32 = 4;
/// Cards that are issued between two kills.
const BETWEEN: u32 = 6;

/// A wallet that takes one card after the other and writes down what it is told.
#[derive(Clone)]
struct Worker {
    admin: Admin,
    hand: Hand,
    ledger: Arc<Mutex<Ledger>>,
    issued: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_410_the_issuer_is_killed_while_it_issues() {
    on_each_database(async |kind| {
        let mut world = World::start(kind).await?;
        let ledger = Ledger::create(&world.folder.join("ledger"))?;
        let worker = Worker {
            admin: world.admin(),
            hand: Hand::of(&world),
            ledger: Arc::new(Mutex::new(ledger)),
            issued: Arc::default(),
            stop: Arc::default(),
        };
        let workers: Vec<_> = (0..WORKERS)
            .map(|number| tokio::spawn(worker.clone().run(number)))
            .collect();
        for _ in 0..rounds(3, 1000) {
            let wanted = worker.issued.load(Ordering::SeqCst) + BETWEEN;
            wait::until("cards are issued", Duration::from_secs(60), async || {
                Ok((worker.issued.load(Ordering::SeqCst) >= wanted).then_some(()))
            })
            .await?;
            world.issuer.kill().await?;
            world.issuer.restart().await?;
        }
        worker.stop.store(true, Ordering::SeqCst);
        let mut codes = HashMap::new();
        for worker in workers {
            codes.extend(worker.await?);
        }
        let entries = worker.ledger.lock().await.entries()?;
        let unknown = entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Unknown { .. }))
            .count();
        eprintln!(
            "{kind:?}: {} entries, {unknown} without an answer",
            entries.len()
        );
        ensure!(unknown > 0, "no kill hit a request");
        check(&world, &worker, &entries, &codes).await
    })
    .await;
}

impl Worker {
    /// Gives the codes of the offers that it redeemed, by offer.
    async fn run(self, number: u32) -> HashMap<String, String> {
        let mut codes = HashMap::new();
        let mut round = 0;
        while !self.stop.load(Ordering::SeqCst) {
            round += 1;
            let member = format!("M-{number}-{round}");
            if self.one(&member, &mut codes).await.is_err() {
                self.told(Entry::Unknown { attempt: member }).await;
                // The issuer is down: not busier than a person.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        codes
    }

    async fn one(&self, member: &str, codes: &mut HashMap<String, String>) -> Result<()> {
        let offer = self.admin.offer_membership(member).await?;
        let code = self.hand.code(&offer).await?;
        let token = self.token(member, &offer, &code, codes).await?;
        let key = key();
        let (status, body) = self.hand.credential(&token, "membership", &key).await?;
        ensure!(status == 200, "{status} {body}");
        let status = status_of(&compact(&body)?)?;
        let key = key.public_key().thumbprint();
        self.told(Entry::Issued {
            offer: member.to_owned(),
            key,
            status,
        })
        .await;
        self.issued.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn token(
        &self,
        member: &str,
        offer: &Offer,
        code: &str,
        codes: &mut HashMap<String, String>,
    ) -> Result<String> {
        let (status, body) = self.hand.token(code, None).await?;
        ensure!(status == 200, "{status} {body}");
        self.told(Entry::Redeemed {
            code: offer.id.clone(),
        })
        .await;
        codes.insert(member.to_owned(), code.to_owned());
        Ok(body["access_token"].as_str().unwrap_or_default().to_owned())
    }

    async fn told(&self, entry: Entry) {
        self.ledger.lock().await.record(&entry).unwrap();
    }
}

async fn check(
    world: &World,
    worker: &Worker,
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
                let rows = world.admin().credentials(&format!("crm-{offer}")).await?;
                let kept = rows.iter().any(|row| {
                    let list = &row["status_list"];
                    format!(
                        "{}#{}",
                        list["uri"].as_str().unwrap_or_default(),
                        list["idx"]
                    ) == *status
                });
                ensure!(kept, "the card of {offer} was lost");
            }
            Entry::Redeemed { code } => {
                ensure!(redeemed.insert(code.clone()), "{code} was redeemed twice");
            }
            Entry::Unknown { .. } => {}
        }
    }
    for (offer, code) in codes {
        let (status, body) = worker.hand.token(code, None).await?;
        ensure!(
            status == 400 && body["error"] == "invalid_grant",
            "the code of {offer} works again: {status}"
        );
    }
    // Of the cards that nobody was told about: at most one for each unknown attempt,
    // and none without a place of its own.
    let all = database::number(
        &world.issuer_database,
        "SELECT COUNT(*) FROM issuer_credentials",
    )
    .await?;
    let distinct = database::number(
        &world.issuer_database,
        "SELECT COUNT(*) FROM (SELECT DISTINCT list_id, idx FROM issuer_credentials) AS places",
    )
    .await?;
    assert_eq!(all, distinct);
    let unknown = entries.len() - places.len() - redeemed.len();
    ensure!(
        usize::try_from(all)? <= places.len() + unknown,
        "{all} cards"
    );
    Ok(())
}

#[tokio::test]
async fn the_verifier_is_killed_at_every_step_of_a_login() {
    on_each_database(async |kind| {
        let mut world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let mut browser = world.browser();

        let login = shop.begin(&mut browser, "membership").await?;
        world.verifier.restart().await?;
        let shown = wallet.show(&login.link).await?;
        world.verifier.restart().await?;
        let back = browser.open(shown.redirect_uri.as_str()).await?;
        let code = shop.code(&login.attempt, &back)?;
        world.verifier.restart().await?;
        let page = browser.open(shown.redirect_uri.as_str()).await?;
        ensure!(
            page.status >= 400,
            "the way back works twice: {}",
            page.status
        );
        let tokens = shop.tokens(&login.attempt, &code).await?;
        world.verifier.restart().await?;
        ensure!(shop.userinfo(&tokens.access_token).await?.0 == 200);
        let again = wallet.send(&shown.request).await?;
        ensure!(
            again.status >= 400,
            "the answer is taken twice: {}",
            again.status
        );
        // A logout that was not delivered yet survives, too.
        let entry = wallet.withdraw(&shown.history).await?;
        world.verifier.restart().await?;
        ensure!(entry.withdrawn_at.is_some());
        let logout = shop.logged_out(Duration::from_secs(30)).await?;
        ensure!(logout["sid"] == tokens.sid());
        let (status, body) = shop.redeem(&login.attempt, &code).await?;
        ensure!(
            (status, &body["error"]) == (400, &"invalid_grant".into()),
            "{status} {body}"
        );
        Ok(())
    })
    .await;
}
