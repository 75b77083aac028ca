//! Both services on https, and addresses that they refuse.

use std::path::Path;

use vouchsafe_tests::database::Kind;
use vouchsafe_tests::process::{Conditions, Process, run};
use vouchsafe_tests::world::{Options, World};

#[tokio::test]
async fn a_login_over_https_with_a_certificate_of_ones_own_authority() {
    let world = World::with(Options {
        https: true,
        ..Options::new(Kind::Sqlite)
    })
    .await
    .unwrap();
    let wallet = world.wallet().unwrap();
    let shop = world.relying_party("shop").await.unwrap();
    let offer = world.admin().offer_membership("M-1").await.unwrap();
    wallet.take(&offer.link, None).await.unwrap();
    let mut browser = world.browser();
    let (tokens, _) = shop
        .log_in(&mut browser, &wallet, "membership")
        .await
        .unwrap();
    assert_eq!(tokens.userinfo["membership_tier"], "gold");
    assert!(world.verifier_url.starts_with("https://"));
    assert!(
        browser
            .cookie("127.0.0.1", "__Host-vs_op_session")
            .is_some()
    );
}

#[tokio::test]
async fn a_public_address_without_https_is_refused() {
    for (service, flag) in [("issuer", "--issuer-url"), ("verifier", "--verifier-url")] {
        let folder = tempfile::tempdir().unwrap();
        run(
            &[
                "config",
                "generate",
                "c",
                "--client",
                "shop=https://shop.example",
                flag,
                "https://id.example",
            ],
            folder.path(),
        )
        .await
        .unwrap();
        let file = folder.path().join(format!("c/{service}.toml"));
        let good = std::fs::read_to_string(&file).unwrap();
        for loopback_http in [false, true] {
            let text = good.replace(
                "public_url = \"https://id.example\"",
                "public_url = \"http://id.example\"",
            );
            let text = text.replace(
                "loopback_http = true",
                &format!("loopback_http = {loopback_http}"),
            );
            assert_ne!(text, good);
            std::fs::write(&file, text).unwrap();
            let said = refusal(service, &file).await;
            assert!(said.contains("http.public_url"), "{said}");
            assert!(said.contains("must be https"), "{said}");
        }
        // https, with the exception for loopback still on.
        let text = good.replace("loopback_http = false", "loopback_http = true");
        if text.contains("loopback_http = true") {
            std::fs::write(&file, text).unwrap();
            let said = refusal(service, &file).await;
            assert!(said.contains("not on loopback"), "{said}");
        }
    }
}

async fn refusal(service: &str, file: &Path) -> String {
    let arguments = [service, "serve", "--config", file.to_str().unwrap()];
    let folder = file.parent().unwrap();
    let started = Process::start(&arguments, folder, Conditions::default()).await;
    format!("{:#}", started.expect_err("it starts"))
}
