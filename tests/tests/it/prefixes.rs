//! Wallets know the login service by something else than its certificate: the real program, our wallet.

use vouchsafe_tests::database::Kind;
use vouchsafe_tests::world::{Options, World};
use vouchsafe_wallet_core::trust::{OtherVerifiers, UnvouchedVerifiers};

fn by_did(text: String) -> String {
    text + "\n[presentation]\nprofile = \"open\"\n\
            client_id_prefix = \"decentralized_identifier\"\ndid_method = \"jwk\"\n"
}

/// Nothing is signed, and nothing depends on a signature.
fn by_address(text: String) -> String {
    let text = text
        .replace("cross_device = true", "cross_device = false")
        .replace("[wallet]\n", "[wallet]\ndigital_credentials = []\n");
    text + "\n[presentation]\nprofile = \"open\"\nclient_id_prefix = \"redirect_uri\"\n"
}

async fn play(edit_verifier: fn(String) -> String, prefix: &str) -> anyhow::Result<()> {
    let world = World::with(Options {
        edit_verifier,
        ..Options::new(Kind::Sqlite)
    })
    .await?;
    let wallet = world.wallet_that_hears(OtherVerifiers {
        unvouched: UnvouchedVerifiers::Ask,
        ..OtherVerifiers::default()
    })?;
    let shop = world.relying_party("shop").await?;
    let offer = world.admin().offer_membership("M-1").await?;
    wallet.take(&offer.link, None).await?;
    let (first, _) = shop
        .log_in(&mut world.browser(), &wallet, "membership")
        .await?;
    let (again, _) = shop
        .log_in(&mut world.browser(), &wallet, "membership")
        .await?;
    assert_eq!(first.sub(), again.sub());
    assert_eq!(first.userinfo["membership_tier"], "gold");
    // Who hears owners of certificates alone, as HAIP wants it, shows nothing.
    let login = shop.begin(&mut world.browser(), "membership").await?;
    let client_id = format!("client_id={prefix}%3A");
    assert!(login.link.contains(&client_id), "{}", login.link);
    assert!(world.wallet()?.show(&login.link).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_login_that_is_asked_by_a_did() {
    play(by_did, "decentralized_identifier").await.unwrap();
}

#[tokio::test]
async fn a_login_that_is_asked_in_a_link_that_nobody_signs() {
    play(by_address, "redirect_uri").await.unwrap();
}
