//! A hundred wallets or systems at once at the real issuer: one success each time.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use futures::future::join_all;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use vouchsafe_tests::admin::membership;
use vouchsafe_tests::hand::{Hand, compact, key, status_of};
use vouchsafe_tests::world::World;

use crate::support::{on_each_database, patiently, rounds};

const AT_ONCE: usize = 100;

/// Status and error code of what was refused.
type Refused = Vec<(u16, String)>;

/// The good answers, and the others.
fn sorted(answers: Vec<Result<(u16, Value)>>) -> Result<(Vec<Value>, Refused)> {
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer? {
            (200 | 201, body) => good.push(body),
            (status, body) => {
                let code = body["error"].as_str().or_else(|| body["code"].as_str());
                refused.push((status, code.unwrap_or_default().to_owned()));
            }
        }
    }
    ensure!(good.len() + refused.len() == AT_ONCE, "answers are missing");
    Ok((good, refused))
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_259_274_a_hundred_requests_with_one_nonce() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let hand = Hand::of(&world);
        for round in 0..rounds(2, 1000) {
            let offer = world
                .admin()
                .offer_membership(&format!("M-{round}"))
                .await?;
            let token = hand.access_token(&offer).await?;
            let (nonce, keys) = (hand.nonce().await?, (0..AT_ONCE).map(|_| key()));
            let keys: Vec<_> = keys.collect();
            let ask = |key| hand.credential_with(&nonce, &token, "membership", key);
            let asked = keys.iter().map(|key| patiently(move || ask(key)));
            let (good, refused) = sorted(join_all(asked).await)?;
            ensure!(good.len() == 1, "{} credentials for one nonce", good.len());
            for (status, code) in refused {
                ensure!(
                    (status, &*code) == (400, "invalid_nonce"),
                    "{status} {code}"
                );
            }
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_230_235_a_hundred_times_the_right_transaction_code() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let hand = Hand::of(&world);
        for round in 0..rounds(2, 1000) {
            let (code, right) = with_tx_code(&world, &hand, round).await?;
            let tried = (0..AT_ONCE).map(|_| patiently(|| hand.token(&code, Some(&right))));
            let (good, refused) = sorted(join_all(tried).await)?;
            ensure!(good.len() == 1, "{} tokens for one code", good.len());
            for (status, code) in refused {
                ensure!(
                    (status, &*code) == (400, "invalid_grant"),
                    "{status} {code}"
                );
            }
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_235_a_hundred_guesses_at_once_are_five() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let hand = Hand::of(&world);
        for round in 0..rounds(2, 1000) {
            let (code, right) = with_tx_code(&world, &hand, round).await?;
            let right: usize = right.parse()?;
            let guesses = (1..=AT_ONCE).map(|n| format!("{:06}", (right + n) % 1_000_000));
            let guesses: Vec<_> = guesses.collect();
            let ask = |guess| hand.token(&code, Some(guess));
            let tried = guesses.iter().map(|guess| patiently(move || ask(guess)));
            let (good, _) = sorted(join_all(tried).await)?;
            ensure!(good.is_empty(), "a wrong code was accepted");
            let right = format!("{right:06}");
            let late = patiently(|| hand.token(&code, Some(&right))).await?;
            ensure!(late.0 == 400, "the sixth try counted: {late:?}");
        }
        Ok(())
    })
    .await;
}

/// An offer with a code to type: its pre-authorized code, and that code.
async fn with_tx_code(world: &World, hand: &Hand, round: usize) -> Result<(String, String)> {
    let mut body = membership(&format!("M-{round}"));
    body["tx_code"] = json!(true);
    let offer = world.admin().offer(&body).await?;
    let right = offer.tx_code.clone().unwrap_or_default();
    Ok((hand.code(&offer).await?, right))
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_394_a_hundred_requests_with_one_idempotency_key() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let admin = world.admin();
        let mut before = None;
        for round in 0..rounds(2, 1000) {
            let (name, body) = (format!("round-{round}"), membership(&format!("M-{round}")));
            let asked = (0..AT_ONCE).map(|_| patiently(|| admin.offer_once(&name, &body)));
            let (good, refused) = sorted(join_all(asked).await)?;
            let ids: BTreeSet<_> = good.iter().map(|offer| offer["id"].to_string()).collect();
            ensure!(ids.len() == 1, "{} offers for one key", ids.len());
            for (status, code) in refused {
                ensure!(status == 409, "{status} {code}");
            }
            // The offer of the round before comes next: nothing else was made.
            let path = "/v1/offers?limit=2";
            let (_, page) = admin.call(reqwest::Method::GET, path, None).await?;
            let id = |number: usize| page["items"][number]["id"].as_str().map(str::to_owned);
            ensure!(
                ids.contains(&page["items"][0]["id"].to_string()),
                "another offer"
            );
            ensure!(id(1) == before, "more than one offer was made");
            before = id(0);
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_223_a_hundred_cards_at_once_have_a_hundred_places() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (hand, admin) = (Hand::of(&world), world.admin());
        let mut places = BTreeSet::new();
        for round in 0..rounds(1, 100) {
            let issued = (0..AT_ONCE).map(|number| {
                let (hand, admin) = (hand.clone(), admin.clone());
                async move {
                    let offer = admin
                        .offer_membership(&format!("M-{round}-{number}"))
                        .await?;
                    hand.access_token(&offer).await
                }
            });
            // A few at a time: the race comes after.
            let tokens: Vec<_> = stream::iter(issued).buffered(8).try_collect().await?;
            let keys: Vec<_> = tokens.iter().map(|_| key()).collect();
            let asked = tokens.iter().zip(&keys);
            let ask = |token, key| hand.credential(token, "membership", key);
            let asked = asked.map(|(token, key)| patiently(move || ask(token, key)));
            let (good, refused) = sorted(join_all(asked).await)?;
            ensure!(refused.is_empty(), "{refused:?}");
            for body in good {
                let place = status_of(&compact(&body)?)?;
                ensure!(places.insert(place.clone()), "{place} was given out twice");
            }
        }
        Ok(())
    })
    .await;
}
