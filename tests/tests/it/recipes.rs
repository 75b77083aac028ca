//! The recipes of the documents, run as they stand.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::world::World;

use crate::support::rounds;

/// From a table of a thousand members to a thousand cards in a wallet.
#[tokio::test]
async fn a_table_of_members_becomes_cards() {
    let world = World::start(Kind::Sqlite).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rows = (1..=1000).map(|n| format!("crm-{n},M-{n},gold,2030-12-31\n"));
    let table = "record_id,member_id,tier,valid_until\n".to_owned() + &rows.collect::<String>();
    std::fs::write(folder.path().join("members.csv"), table).unwrap();
    let offers = recipe(&world, folder.path()).await.unwrap();
    assert_eq!(offers.len(), 1000);
    let wallet = world.wallet().unwrap();
    let wanted = rounds(20, 1000);
    for offer in &offers[..wanted] {
        let link = offer["link"].as_str().unwrap();
        wallet.take(link, None).await.unwrap();
    }
    // The same again makes nothing new, and shows the cards.
    assert_eq!(recipe(&world, folder.path()).await.unwrap(), offers);
    let cards = items(&folder.path().join("cards.json")).unwrap();
    let of_wallet = |card: &&Value| card["credential_type"] == "membership";
    let issued = cards.iter().filter(of_wallet).count();
    assert!(issued >= wanted.min(200), "{issued}");
}

/// Runs `csv-1000.sh` and gives the offers that it wrote.
async fn recipe(world: &World, folder: &Path) -> Result<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/csv-1000.sh");
    let output = Command::new("sh")
        .arg(script)
        .current_dir(folder)
        .env("ISSUER", &world.issuer_url)
        .env("KEY", &world.api_key)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{said}");
    items(&folder.join("offers.json"))
}

fn items(file: &Path) -> Result<Vec<Value>> {
    let value: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    Ok(value["items"].as_array().context("no items")?.clone())
}
