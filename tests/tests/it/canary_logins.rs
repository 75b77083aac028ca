//! After many logins nothing of what was shown lies in the database, its log files or a log.

use anyhow::Result;
use serde_json::json;
use vouchsafe_tests::canary::{Canary, scan};
use vouchsafe_tests::database;
use vouchsafe_tests::relying_party::RelyingParty;
use vouchsafe_tests::wallet::Wallet;
use vouchsafe_tests::world::{Options, World};

use crate::support::{on_each_database, rounds};

/// What stands on everybody's card.
const MEMBER: &str = "canary-member-";
const TIER: &str = "canary-tier-6604";
const UNTIL: &str = "2031-08-23";
const PEOPLE: usize = 10;

#[tokio::test]
async fn cat_467_cat_470_many_logins_leave_nothing_of_a_card_behind() {
    on_each_database(async |kind| {
        let filter = ("VOUCHSAFE_VERIFIER_LOG__FILTER", "debug");
        let world = World::with(Options {
            clients: vec![("shop", "127.0.0.1"), ("cafe", "127.0.0.2")],
            environment: vec![(filter.0.to_owned(), filter.1.to_owned())],
            ..Options::new(kind)
        })
        .await?;
        let (shop, cafe) = (
            world.relying_party("shop").await?,
            world.relying_party("cafe").await?,
        );
        let mut wallets = Vec::new();
        for number in 0..PEOPLE {
            let wallet = world.wallet()?;
            let claims = json!({ "record_id": format!("r-{number}"), "credential_type": "membership",
                "claims": { "member_id": format!("{MEMBER}{number}"), "tier": TIER, "valid_until": UNTIL },
                "grant": "pre_authorized_code" });
            let offer = world.admin().offer(&claims).await?;
            wallet.take(&offer.link, None).await?;
            wallets.push(wallet);
        }
        let mut names = Vec::new();
        for number in 0..rounds(20, 1000) {
            let wallet = &wallets[number % PEOPLE];
            let rp = if number % 2 == 0 { &shop } else { &cafe };
            match number % 5 {
                // Who answers and does not come back, whose answer is refused, who says no.
                0 => drop(unfinished(&world, rp, wallet).await?),
                1 => refused(&world, rp, wallet).await?,
                _ => {
                    let mut browser = world.browser();
                    let (tokens, _) = rp.log_in(&mut browser, wallet, "membership").await?;
                    assert_eq!(tokens.userinfo["membership_tier"], TIER);
                    names.push(tokens.sub().to_owned());
                    names.push(tokens.sid().to_owned());
                }
            }
        }
        let canaries = [
            Canary::new("member_id", MEMBER),
            Canary::new("tier", TIER),
            Canary::new("valid_until", UNTIL),
        ];
        let places = places_of(&world)?;
        let found = scan(&canaries, places.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        assert!(found.is_empty(), "found {found:?}");

        // What applications call people stands in no log: logs join nobody (catalogue 467).
        names.truncate(12);
        let canaries: Vec<Canary> = names.iter().map(|name| Canary::new("name", name)).collect();
        let log = world.verifier.log();
        assert!(log.contains("DEBUG") && log.contains("login finished"));
        let found = scan(&canaries, [("log", log.as_bytes())]);
        assert!(found.is_empty(), "found {found:?}");

        // The same look finds what is there.
        database::execute(&world.verifier_database, "CREATE TABLE planted (value TEXT)").await?;
        let plant = "INSERT INTO planted VALUES ('canary-member-7')";
        database::execute(&world.verifier_database, plant).await?;
        let planted = places_of(&world)?;
        let member = [Canary::new("member_id", MEMBER)];
        let found = scan(&member, planted.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        assert!(!found.is_empty());
        Ok(())
    })
    .await;
}

/// The database as bytes, free pages and the log of writes included, and what was logged.
fn places_of(world: &World) -> Result<Vec<(String, Vec<u8>)>> {
    let mut places: Vec<(String, Vec<u8>)> = database::bytes(&world.verifier_database)?
        .into_iter()
        .map(|(file, bytes)| (file.display().to_string(), bytes))
        .collect();
    assert!(places.iter().any(|(_, bytes)| bytes.len() > 10_000));
    places.push(("log".to_owned(), world.verifier.log().into_bytes()));
    Ok(places)
}

/// The answer waits for a browser that does not come.
async fn unfinished(world: &World, rp: &RelyingParty, wallet: &Wallet) -> Result<String> {
    let login = rp.begin(&mut world.browser(), "membership").await?;
    let shown = wallet.show(&login.link).await?;
    Ok(shown.redirect_uri.to_string())
}

/// A good answer to another question, and the same one twice.
async fn refused(world: &World, rp: &RelyingParty, wallet: &Wallet) -> Result<()> {
    let first = rp.begin(&mut world.browser(), "membership").await?;
    let second = rp.begin(&mut world.browser(), "membership").await?;
    let mut answer = wallet.prepared(&first.link).await?;
    let own = answer.url.clone();
    answer.url = wallet.prepared(&second.link).await?.url;
    assert_eq!(wallet.send(&answer).await?.status, 400);
    answer.url = own;
    assert_eq!(wallet.send(&answer).await?.status, 200);
    assert_eq!(wallet.send(&answer).await?.status, 400);
    Ok(())
}
