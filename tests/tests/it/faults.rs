//! Broken connections and a wrong clock.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_tests::admin::{Admin, membership};
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::hand::{Hand, compact, key, status_of};
use vouchsafe_tests::liar::Liar;
use vouchsafe_tests::process::Conditions;
use vouchsafe_tests::proxy::Proxy;
use vouchsafe_tests::wait;
use vouchsafe_tests::world::World;

use crate::support::on_each_database;

#[tokio::test]
async fn cat_412_an_answer_that_did_not_arrive_is_asked_for_again() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let target = world
            .issuer_url
            .strip_prefix("http://")
            .context("no http")?;
        let proxy = Proxy::start(target.parse()?).await?;
        let address = format!("http://{}", proxy.address);
        let admin = Admin::new(world.client.clone(), &address, &world.api_key);
        let hand = Hand {
            address: address.clone(),
            ..Hand::of(&world)
        };
        let body = membership("M-1");

        // The offer was made, and nobody heard of it.
        proxy.cut_answers_after(0);
        ensure!(admin.offer_once("key-1", &body).await.is_err());
        proxy.mend();
        let (status, first) = admin.offer_once("key-1", &body).await?;
        ensure!(status == 201, "{status} {first}");
        let (_, second) = admin.offer_once("key-1", &body).await?;
        ensure!(first["id"] == second["id"] && first["link"] == second["link"]);
        let offers = "SELECT COUNT(*) FROM issuer_offers";
        ensure!(vouchsafe_tests::database::number(&world.issuer_database, offers).await? == 1);

        // The card was made, and nobody heard of it: the same token and key get another, and
        // the one that never arrived is no longer good.
        let offer = world.admin().offer_membership("M-2").await?;
        let token = hand.access_token(&offer).await?;
        let key = key();
        let nonce = hand.nonce().await?;
        proxy.cut_answers_after(0);
        let cut = hand
            .credential_with(&nonce, &token, "membership", &key)
            .await;
        ensure!(cut.is_err());
        proxy.mend();
        let rows = wait::until("the card was made", Duration::from_secs(5), async || {
            let rows = world.admin().credentials("crm-M-2").await?;
            Ok((!rows.is_empty()).then_some(rows))
        })
        .await?;
        ensure!(rows.len() == 1);
        let (status, body) = hand.credential(&token, "membership", &key).await?;
        ensure!(status == 200, "{status} {body}");
        let kept = status_of(&compact(&body)?)?;
        let rows = world.admin().credentials("crm-M-2").await?;
        ensure!(rows.len() == 2, "{rows:?}");
        for row in &rows {
            let list = &row["status_list"];
            let place = format!(
                "{}#{}",
                list["uri"].as_str().unwrap_or_default(),
                list["idx"]
            );
            let wanted = if place == kept { "valid" } else { "revoked" };
            ensure!(row["status"] == wanted, "{rows:?}, kept {kept}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_412_a_login_whose_answer_was_lost_can_be_repeated() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let target = world
            .verifier_url
            .strip_prefix("http://")
            .context("no http")?;
        let proxy = Proxy::start(target.parse()?).await?;
        let mut browser = world.browser();
        let login = shop.begin(&mut browser, "membership").await?;
        let answer = wallet.prepared(&login.link).await?;
        let mut through = answer.clone();
        through
            .url
            .set_port(Some(proxy.address.port()))
            .ok()
            .context("no port")?;
        proxy.cut_answers_after(0);
        ensure!(wallet.send(&through).await.is_err());
        // It arrived: sent again it is not taken a second time, by whatever wallet.
        let again = wallet.send(&answer).await?;
        ensure!(again.status == 400, "{}", again.status);
        // The way back went with the lost reply. Nobody is logged in by it; the person begins anew.
        ensure!(crate::support::accounts(&world).await? == 0);
        let (tokens, _) = shop.log_in(&mut browser, &wallet, "membership").await?;
        ensure!(tokens.userinfo["membership_tier"] == "gold");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_421_an_expired_card_is_refused() {
    let mut world = World::start(Kind::Sqlite).await.unwrap();
    expired_card(&mut world).await.unwrap();
}

async fn expired_card(world: &mut World) -> Result<()> {
    let offer = world.admin().offer_age("crm-1").await?;
    let card = Liar::take(world, &offer, "age").await?;
    let shop = world.relying_party("shop").await?;
    let mut browser = world.browser();
    let login = shop.begin(&mut browser, "age").await?;
    let (status, reply) = card.show(world, &login.link, SystemClock.now()).await?;
    ensure!(status == 200, "{status} {reply}");

    let end = card.expires_at().context("it never ends")?;
    let shift = end.since(SystemClock.now()) + 120;
    let later = Conditions {
        clock_shift: Some(shift),
        environment: Vec::new(),
    };
    world.issuer.restart_under(later.clone()).await?;
    world.verifier.restart_under(later).await?;
    let login = shop.begin(&mut browser, "age").await?;
    let now = UnixTime(SystemClock.now().0 + shift);
    let (status, reply) = card.show(world, &login.link, now).await?;
    ensure!(status == 400, "{status} {reply}");
    ensure!(reply["reason"] == "credential_expired", "{reply}");
    ensure!(shop.told_error(&mut browser, &login).await? == "access_denied");
    Ok(())
}

#[tokio::test]
async fn cat_421_what_was_used_or_has_expired_does_not_revive_with_the_clock() {
    on_each_database(async |kind| {
        let mut world = World::start(kind).await?;
        let hand = Hand::of(&world);
        let used = world.admin().offer_membership("M-1").await?;
        let used = hand.code(&used).await?;
        ensure!(hand.token(&used, None).await?.0 == 200);
        let unused = world.admin().offer_membership("M-2").await?;
        let unused = hand.code(&unused).await?;
        let refused = async |code: &str| -> Result<()> {
            let (status, body) = hand.token(code, None).await?;
            ensure!(
                (status, &body["error"]) == (400, &"invalid_grant".into()),
                "{status} {body}"
            );
            Ok(())
        };
        // Within the time of the certificates: without a key in use the issuer does not start.
        for shift in [3600, -3600, 300 * 86_400, 0] {
            world
                .issuer
                .restart_under(Conditions {
                    clock_shift: (shift != 0).then_some(shift),
                    environment: Vec::new(),
                })
                .await?;
            refused(&used)
                .await
                .with_context(|| format!("used, {shift:+} s"))?;
            // Refused once as expired, refused for good.
            refused(&unused)
                .await
                .with_context(|| format!("expired, {shift:+} s"))?;
        }
        Ok(())
    })
    .await;
}
