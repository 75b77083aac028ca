//! The database is lost and an older copy is put to use, with the tools that an operator has: what
//! was good when the copy was taken is dead, lists are published newer, no place is used twice.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::status_list::{Bits, Status, StatusList};
use vouchsafe_tests::database::{self, Kind};
use vouchsafe_tests::hand::{Hand, compact, form_body, key, status_of};
use vouchsafe_tests::process::run;
use vouchsafe_tests::world::{Options, World};

use crate::support::on_each_database;

const CONFIG: &str = "configuration/issuer.toml";

/// What is good when the copy is taken.
struct Good {
    code: String,
    access: String,
    refresh: String,
    nonce: String,
    /// `uri#index` of a card.
    kept: String,
}

#[tokio::test]
async fn cat_427_an_older_copy_revives_nothing() {
    on_each_database(async |kind| {
        let mut world = World::with(Options {
            edit_issuer: with_refresh_tokens,
            ..Options::new(kind)
        })
        .await?;
        let before = good(&world).await?;
        let copy = copied(&world, kind).await?;
        let (lost, last_iat) = goes_on(&world, &before).await?;
        world.issuer.kill().await?;
        put_to_use(&world, kind, &copy).await?;
        world.issuer.restart().await?;
        everything_is_dead(&world, &before).await?;
        lists_are_newer(&world, &before, &lost, last_iat).await?;
        no_place_is_used_twice(&world, &before, &lost).await
    })
    .await;
}

fn with_refresh_tokens(text: String) -> String {
    text.replace("\n[issuer]\n", "\n[issuer]\nrefresh_tokens = true\n")
}

async fn code(world: &World, member: &str) -> Result<String> {
    let offer = world.admin().offer_membership(member).await?;
    Hand::of(world).code(&offer).await
}

/// An access token and a refresh token.
async fn tokens(world: &World, member: &str) -> Result<(String, String)> {
    let code = code(world, member).await?;
    let (status, body) = Hand::of(world).token(&code, None).await?;
    ensure!(status == 200, "{status} {body}");
    let text = |name: &str| body[name].as_str().map(str::to_owned).context("no token");
    Ok((text("access_token")?, text("refresh_token")?))
}

/// The place of a new card.
async fn card(world: &World, member: &str) -> Result<String> {
    let (access, _) = tokens(world, member).await?;
    let (status, body) = Hand::of(world)
        .credential(&access, "membership", &key())
        .await?;
    ensure!(status == 200, "{status} {body}");
    status_of(&compact(&body)?)
}

async fn refreshed(world: &World, refresh: &str) -> Result<(u16, Value)> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let request = world.client.post(format!("{}/token", world.issuer_url));
    let response = form_body(request, &form).send().await?;
    Ok((response.status().as_u16(), response.json().await?))
}

async fn good(world: &World) -> Result<Good> {
    let kept = card(world, "M-kept").await?;
    let (access, refresh) = tokens(world, "M-tokens").await?;
    Ok(Good {
        code: code(world, "M-code").await?,
        access,
        refresh,
        nonce: Hand::of(world).nonce().await?,
        kept,
    })
}

/// While the service runs.
async fn copied(world: &World, kind: Kind) -> Result<PathBuf> {
    let copy = world.folder.join("copy");
    match kind {
        Kind::Postgres => database::dump(&world.issuer_database, &copy)?,
        Kind::Sqlite => {
            let output = copy.to_str().context("no name")?;
            let arguments = ["issuer", "backup", "--config", CONFIG, "--output", output];
            run(&arguments, parent(world)?).await?;
        }
    }
    Ok(copy)
}

fn parent(world: &World) -> Result<&std::path::Path> {
    world.folder.parent().context("no folder")
}

/// What the copy does not know: a code that is used, tokens that are renewed, cards. Gives the
/// place of one, and when its list was published last.
async fn goes_on(world: &World, before: &Good) -> Result<(String, i64)> {
    let hand = Hand::of(world);
    let (status, body) = hand.token(&before.code, None).await?;
    ensure!(status == 200, "{status} {body}");
    let (status, body) = refreshed(world, &before.refresh).await?;
    ensure!(status == 200, "{status} {body}");
    let (status, body) = hand
        .credential(&before.access, "membership", &key())
        .await?;
    ensure!(status == 200, "{status} {body}");
    let mut lost = String::new();
    for number in 0..5 {
        lost = card(world, &format!("M-lost-{number}")).await?;
    }
    world.admin().change("crm-M-lost-0", "revoke").await?;
    let (_, iat) = list(world, &lost).await?;
    Ok((lost, iat))
}

/// The database is gone, with the service; the copy takes its place.
async fn put_to_use(world: &World, kind: Kind, copy: &std::path::Path) -> Result<()> {
    let folder = parent(world)?;
    match kind {
        Kind::Postgres => {
            database::lose(&world.issuer_database)?;
            database::restore(&world.issuer_database, copy)?;
            run(&["issuer", "restored", "--config", CONFIG], folder).await?;
        }
        Kind::Sqlite => {
            let input = copy.to_str().context("no name")?;
            let arguments = ["issuer", "restore", "--config", CONFIG, "--input", input];
            let file = world.issuer_database.strip_prefix("sqlite://");
            let file = file.context("no file")?;
            std::fs::remove_file(file)?;
            // The log of what was lost is not taken for the log of the copy.
            ensure!(std::fs::metadata(format!("{file}-wal"))?.len() > 0);
            let refused = run(&arguments, folder).await;
            let why = refused.err().context("it takes the log")?.to_string();
            ensure!(why.contains("-wal: exists already"), "{why}");
            for rest in ["-wal", "-shm"] {
                std::fs::remove_file(format!("{file}{rest}"))?;
            }
            run(&arguments, folder).await?;
        }
    }
    Ok(())
}

async fn everything_is_dead(world: &World, before: &Good) -> Result<()> {
    let hand = Hand::of(world);
    let is = |what: &str, (status, body): (u16, Value), wanted: (u16, &str)| {
        let seen = (status, body["error"].as_str().unwrap_or_default());
        ensure!(seen == wanted, "{what}: {status} {body}");
        Ok(())
    };
    let answer = hand.token(&before.code, None).await?;
    is("code", answer, (400, "invalid_grant"))?;
    let answer = refreshed(world, &before.refresh).await?;
    is("refresh token", answer, (400, "invalid_grant"))?;
    let key = key();
    let answer = hand.credential(&before.access, "membership", &key).await?;
    is("access token", answer, (401, "invalid_token"))?;
    let (access, _) = tokens(world, "M-after").await?;
    let answer = hand
        .credential_with(&before.nonce, &access, "membership", &key)
        .await?;
    is("nonce", answer, (400, "invalid_nonce"))
}

/// The list that a place is in as it is published, and its `iat`.
async fn list(world: &World, place: &str) -> Result<(StatusList, i64)> {
    let (uri, _) = place.split_once('#').context("no place")?;
    let token = world.client.get(uri).send().await?.text().await?;
    let payload = token.split('.').nth(1).context("no token")?;
    let payload: Value = serde_json::from_slice(&b64url_decode(payload)?)?;
    let list = &payload["status_list"];
    let bits = Bits::from_count(list["bits"].as_u64().context("no bits")?)?;
    let entries = list["lst"].as_str().context("no entries")?;
    let list = StatusList::decode(bits, entries)?;
    Ok((list, payload["iat"].as_i64().context("no time")?))
}

async fn status(world: &World, place: &str) -> Result<Status> {
    let (_, index) = place.split_once('#').context("no place")?;
    Ok(list(world, place).await?.0.get(index.parse()?)?)
}

async fn lists_are_newer(world: &World, before: &Good, lost: &str, last: i64) -> Result<()> {
    let (_, iat) = list(world, &before.kept).await?;
    ensure!(iat > last, "published at {iat}, before at {last}");
    ensure!(status(world, &before.kept).await? == Status::Valid);
    // Nobody knows whose it is: it cannot be revoked any more.
    ensure!(status(world, lost).await? == Status::Invalid);
    Ok(())
}

async fn no_place_is_used_twice(world: &World, before: &Good, lost: &str) -> Result<()> {
    let new = card(world, "M-new").await?;
    let uri = |place: &str| place.split('#').next().map(str::to_owned);
    for old in [&*before.kept, lost] {
        ensure!(uri(&new) != uri(old), "{new} is in a list of before");
    }
    ensure!(status(world, &new).await? == Status::Valid);
    world.admin().change("crm-M-new", "revoke").await?;
    ensure!(status(world, &new).await? == Status::Invalid);
    Ok(())
}
