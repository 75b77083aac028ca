//! QR codes: the honest way, and what somebody who relays one does not get.

use anyhow::Result;
use url::Url;
use vouchsafe_tests::browser::Browser;
use vouchsafe_tests::database;
use vouchsafe_tests::page::Page;
use vouchsafe_tests::relying_party::Login;
use vouchsafe_tests::world::World;

use crate::support::{accounts, on_each_database};

#[tokio::test]
async fn a_number_ties_both_screens_together() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let mut browser = world.browser();
        let login = shop.begin(&mut browser, "membership").await?;
        let shown = wallet.show(&qr(&mut browser, &login).await?).await?;
        let number = number(&mut world.browser(), &shown.redirect_uri).await?;
        let back = type_number(&mut browser, &login, &number).await?;
        let code = shop.code(&login.attempt, &back)?;
        let tokens = shop.tokens(&login.attempt, &code).await?;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc-xdev");
        assert!(
            tokens.claims["amr"]
                .as_array()
                .unwrap()
                .contains(&"xdev".into())
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_316_a_relayed_qr_code_alone_does_not_log_the_attacker_in() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (victim, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        victim.take(&offer.link, None).await?;
        let mut attacker = world.browser();
        let login = shop.begin(&mut attacker, "membership").await?;
        let link = qr(&mut attacker, &login).await?;

        // The victim scans the relayed code and agrees; the number opens on
        // the victim's phone, and nowhere else.
        let shown = victim.show(&link).await?;
        let right = number(&mut world.browser(), &shown.redirect_uri).await?;
        let waiting = attacker.get(login.url.as_str()).await?;
        assert_eq!(waiting.status, 200);
        assert!(waiting.has("name=\"number\"") && waiting.headers.get("location").is_none());
        assert!(!waiting.has(&format!(">{right}<")));
        let stolen = attacker.open(shown.redirect_uri.as_str()).await?;
        assert_eq!(stolen.status, 404, "{}", stolen.body);

        let wrong = if right == "10" { "11" } else { "10" };
        for _ in 0..2 {
            let page = type_number(&mut attacker, &login, wrong).await?;
            assert_eq!(page.status, 200, "{}", page.body);
        }
        type_number(&mut attacker, &login, wrong).await?;
        let ended = attacker.get(login.url.as_str()).await?;
        assert_eq!(ended.status, 403, "{}", ended.body);
        // Too late, even with the right one.
        let late = attacker
            .post(&format!("{}/number", login.url), &[("number", &right)])
            .await?;
        assert!(late.status >= 300, "{}", late.status);
        assert_eq!(
            shop.told_error(&mut attacker, &login).await?,
            "access_denied"
        );
        assert_eq!(accounts(&world).await?, 0);
        let sessions = "SELECT COUNT(*) FROM login_sessions";
        assert_eq!(
            database::number(&world.verifier_database, sessions).await?,
            0
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_316_a_same_device_link_does_not_work_in_another_browser() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (victim, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        victim.take(&offer.link, None).await?;
        let mut attacker = world.browser();
        let login = shop.begin(&mut attacker, "membership").await?;
        let shown = victim.show(&login.link).await?;
        // The way back opens in the victim's browser, which did not start.
        let page = world.browser().open(shown.redirect_uri.as_str()).await?;
        assert!(page.status >= 400, "{} {}", page.status, page.body);
        let waiting = attacker.get(login.url.as_str()).await?;
        assert!(waiting.headers.get("location").is_none());
        let late = attacker.open(shown.redirect_uri.as_str()).await?;
        assert!(late.status >= 400, "{} {}", late.status, late.body);
        assert_eq!(accounts(&world).await?, 0);
        Ok(())
    })
    .await;
}

/// The link in the QR code.
async fn qr(browser: &mut Browser, login: &Login) -> Result<String> {
    let page = browser.get(&format!("{}/qr", login.url)).await?;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.has("<svg"));
    page.text_after("<code>")
}

/// The number that the browser beside the wallet shows.
async fn number(phone: &mut Browser, back: &Url) -> Result<String> {
    phone
        .open(back.as_str())
        .await?
        .text_after("id=\"number\">")
}

async fn type_number(browser: &mut Browser, login: &Login, number: &str) -> Result<Page> {
    let page = browser.get(login.url.as_str()).await?;
    let csrf = page.attribute("name=\"csrf\"", "value")?;
    let address = format!("{}/number", login.url);
    browser
        .post(&address, &[("csrf", &csrf), ("number", number)])
        .await
}
