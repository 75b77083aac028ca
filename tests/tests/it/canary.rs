//! Nothing that people or programs must keep to themselves stands in a
//! database, a log or the metrics.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use vouchsafe_tests::canary::{Canary, scan};
use vouchsafe_tests::database;
use vouchsafe_tests::hand::{Hand, key};
use vouchsafe_tests::world::{Options, World};

use crate::support::on_each_database;

const MEMBER: &str = "canary-member-7731";
const TIER: &str = "canary-tier-8842";
const UNTIL: &str = "2031-07-19";
const RECORD: &str = "canary-record-5599";

#[tokio::test]
async fn cat_460_461_nothing_of_it_is_kept_in_plain() {
    on_each_database(async |kind| {
        let log = |service: &str| {
            (
                format!("VOUCHSAFE_{service}_LOG__FILTER"),
                "debug".to_owned(),
            )
        };
        let world = World::with(Options {
            arguments: vec!["--metrics".to_owned()],
            environment: vec![log("ISSUER"), log("VERIFIER")],
            ..Options::new(kind)
        })
        .await?;
        let mut canaries = vec![
            Canary::new("member_id", MEMBER),
            Canary::new("tier", TIER),
            Canary::new("valid_until", UNTIL),
            Canary::new("record_id", RECORD),
            Canary::new("api key", &world.api_key),
            Canary::new("client secret", &world.registration("shop").unwrap().secret),
        ];
        issue(&world, &mut canaries).await?;
        log_in(&world, &mut canaries).await?;

        let found = look(&world, &canaries, "").await?;
        assert!(found.is_empty(), "found {found:?}");

        // The same look finds what was planted.
        let planted = Canary::new("planted", "canary-planted-4417");
        for url in [&world.issuer_database, &world.verifier_database] {
            database::execute(url, "CREATE TABLE planted (value TEXT)").await?;
            database::execute(url, "INSERT INTO planted VALUES ('canary-planted-4417')").await?;
        }
        let found = look(&world, &[planted], "canary-planted-4417").await?;
        for place in [
            "issuer database",
            "verifier database",
            "issuer log",
            "verifier log",
            "issuer metrics",
            "verifier metrics",
        ] {
            assert!(
                found.iter().any(|(_, at)| at.starts_with(place)),
                "{place} was not looked at: {found:?}"
            );
        }
        Ok(())
    })
    .await;
}

/// Two ways to a card; the secrets that go over the wire become canaries.
async fn issue(world: &World, canaries: &mut Vec<Canary>) -> Result<()> {
    let hand = Hand::of(world);
    let offer = world.admin().offer(&card("pre_authorized_code")).await?;
    let code = hand.code(&offer).await?;
    let (_, body) = hand.token(&code, None).await?;
    let token = body["access_token"].as_str().unwrap().to_owned();
    let (status, body) = hand.credential(&token, "membership", &key()).await?;
    assert_eq!(status, 200);
    let compact = vouchsafe_tests::hand::compact(&body)?;
    let reference = offer.uri.rsplit('/').next().unwrap();
    canaries.extend([
        Canary::new("pre-authorized code", &code),
        Canary::new("issuer's access token", &token),
        Canary::new("offer reference", reference),
        Canary::new("credential", &compact[compact.len() - 40..]),
    ]);
    // What was refused is logged, too.
    hand.token(&code, None).await?;
    let unfit = json!({ "record_id": RECORD, "credential_type": "membership",
        "claims": { "member_id": MEMBER, "tier": TIER, "valid_until": TIER }, "grant": "pre_authorized_code" });
    let (status, _) = world
        .admin()
        .call(Method::POST, "/v1/offers", Some(&unfit))
        .await?;
    assert_eq!(status, 422);

    // One that nobody takes: its claims wait in the database.
    let waiting = world.admin().offer(&card("authorization_code")).await?;
    let one_time_code = waiting.one_time_code.unwrap();
    canaries.push(Canary::new("one-time code", &one_time_code));
    canaries.push(Canary::new(
        "one-time code",
        &one_time_code.replace('-', ""),
    ));
    Ok(())
}

async fn log_in(world: &World, canaries: &mut Vec<Canary>) -> Result<()> {
    let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
    let offer = world.admin().offer(&card("pre_authorized_code")).await?;
    wallet.take(&offer.link, None).await?;
    let mut browser = world.browser();
    let login = shop.begin(&mut browser, "membership").await?;
    let shown = wallet.show(&login.link).await?;
    let back = browser.open(shown.redirect_uri.as_str()).await?;
    let code = shop.code(&login.attempt, &back)?;
    let tokens = shop.tokens(&login.attempt, &code).await?;
    assert_eq!(tokens.userinfo["membership_tier"], TIER);
    let entry = wallet.core().history_entry(&shown.history)?;
    let consent = entry.consent_uri.unwrap();
    let (_, response_code) = shown.redirect_uri.query_pairs().next().unwrap();
    canaries.extend([
        Canary::new("code", &code),
        Canary::new("access token", &tokens.access_token),
        Canary::new("ID token", &tokens.id_token[tokens.id_token.len() - 40..]),
        Canary::new("response code", &response_code),
        Canary::new("consent token", consent.path().rsplit('/').next().unwrap()),
    ]);
    for name in ["vs_op_session", "vs_op_login"] {
        if let Some(value) = browser.cookie("127.0.0.1", name) {
            canaries.push(Canary::new("cookie", value));
        }
    }
    assert!(browser.cookie("127.0.0.1", "vs_op_session").is_some());
    // A refused code is logged, too.
    shop.redeem(&login.attempt, &code).await?;
    Ok(())
}

/// Everything that a thief of disks and logs would have; `planted` is added to the texts.
async fn look(
    world: &World,
    canaries: &[Canary],
    planted: &str,
) -> Result<Vec<(&'static str, String)>> {
    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, url) in [
        ("issuer", &world.issuer_database),
        ("verifier", &world.verifier_database),
    ] {
        for (file, bytes) in database::bytes(url)? {
            assert!(!bytes.is_empty() || file.to_string_lossy().ends_with("-wal"));
            places.push((format!("{name} database {}", file.display()), bytes));
        }
    }
    for (name, process) in [("issuer", &world.issuer), ("verifier", &world.verifier)] {
        let log = process.log();
        assert!(log.contains("DEBUG"), "{name} does not log at debug level");
        places.push((format!("{name} log"), (log + planted).into_bytes()));
    }
    for (name, url) in ["issuer", "verifier"].iter().zip(&world.metrics) {
        let text = world.client.get(url).send().await?.text().await?;
        for series in series(name) {
            assert!(
                text.contains(series),
                "{name} does not count {series}: {text}"
            );
        }
        places.push((format!("{name} metrics"), (text + planted).into_bytes()));
    }
    let places = places
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    Ok(scan(canaries, places))
}

fn card(grant: &str) -> serde_json::Value {
    json!({
        "record_id": RECORD,
        "credential_type": "membership",
        "claims": { "member_id": MEMBER, "tier": TIER, "valid_until": UNTIL },
        "grant": grant,
    })
}

/// Series that a service counts after a card was issued and shown once.
fn series(service: &str) -> &'static [&'static str] {
    match service {
        "issuer" => &[
            "vouchsafe_build_info{version=",
            "vouchsafe_tokens_issued_total{grant=\"pre_authorized_code\"}",
            "vouchsafe_credentials_issued_total{type=\"membership\",format=\"dc+sd-jwt\",flow=\"immediate\"}",
        ],
        _ => &[
            "vouchsafe_build_info{version=",
            "vouchsafe_tokens_issued_total{grant=\"authorization_code\"}",
        ],
    }
}
