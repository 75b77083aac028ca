//! What is behind the reference of a page, and where events go.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use vouchsafe_credentials::status_list::Status;
use vouchsafe_service::telemetry::install_metrics;
use vouchsafe_service::tenant::Tenant;

use crate::journeys::{AGE, HOME, with_more};
use crate::numbers::{CANARIES, cancel, series, value};
use crate::verification_webhooks::{SECRET, System};
use crate::world::browser::{Answer, send};
use crate::world::rest::Caller;
use crate::world::steps::{begin, log_in, same_device, wallet_link};
use crate::world::{NOW, World};

/// The reference on an error page.
fn reference(page: &Answer) -> String {
    let text = page.body.split("Reference ").nth(1).unwrap();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let begin = text.find(fits).unwrap();
    text[begin..].chars().take_while(|c| fits(*c)).collect()
}

#[tokio::test]
async fn the_reference_of_every_failed_login_leads_to_cause_and_remedy() {
    with_more(&[("age.toml", AGE)], "\n[numbers]\n", async |world, _| {
        let mut browser = world.browser().from(HOME);
        // Without a journey: a card that was revoked.
        let mut wallet = world.wallet();
        wallet.receive_membership(&world, "M-CANARY").await;
        world.issuer.set(&wallet.cards[0].status, Status::Invalid);
        world.issuer.publish(NOW).await;
        let (path, page) = begin(
            &mut browser,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        let asked = wallet.open(&wallet_link(&page)).await;
        wallet.answer(&asked).await;
        let page = browser.get(&path).await;
        let own = reference(&page);
        assert_eq!(own, path["/login/".len()..][..8]);
        let error = support(&world, &own, "").await;
        assert_eq!(error.status, StatusCode::OK, "{}", error.body);
        // The page says less than the code.
        assert_eq!(error.json().get("code"), None);
        let caller = Caller::with_scopes(&world, "help", &["numbers:read"]).await;
        let wrong = Caller::with_key(&world, "vsk_wrong");
        let path_of = |reference: &str| format!("/support/errors/{reference}");
        let wrong = wrong.get(&path_of(&own)).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        let error = caller.get(&path_of(&own)).await.json();
        assert_eq!(
            (&error["code"], &error["page"]),
            (&"credential_revoked".into(), &"revoked".into())
        );
        assert_eq!(error["title"], "This card is no longer valid");
        assert_eq!(
            error["next_action"],
            "Ask that organisation for a new card, then try again."
        );
        let german = support(&world, &own, "?lang=de").await.json();
        assert_eq!(german["language"], "de");
        assert_ne!(german["cause"], error["cause"]);
        // A journey that was refused, and a page of no login.
        let path = cancel(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let own_no = &path["/login/".len()..][..8];
        let error = caller.get(&path_of(own_no)).await.json();
        assert_eq!(error["code"], "declined");
        let page = browser.get("/login/AAAAAAAAAAAAAAAAAAAAAA").await;
        let error = support(&world, &reference(&page), "").await.json();
        assert_eq!(error["page"], "unknown");
        let all = error.to_string() + &german.to_string();
        assert!(CANARIES.iter().all(|canary| !all.contains(canary)));
        // One that is not known and one that cannot be one look the same.
        let mut answers = BTreeSet::new();
        for bad in [
            "AAAAAAAA",
            "%00",
            "x",
            "..%2F..",
            "AAAAAAAAAAAAAAAA",
            "%C3%BC%C3%BC%C3%BC%C3%BC",
        ] {
            let answer = support(&world, bad, "").await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{bad}");
            answers.insert(answer.body);
        }
        assert_eq!(answers.len(), 1);
        // As long as traces.
        world.clock.advance(8 * 86_400);
        world.tick().await;
        assert_eq!(
            support(&world, &own, "").await.status,
            StatusCode::NOT_FOUND
        );
        let mut last = support(&world, "AAAAAAAA", "").await;
        for _ in 0..40 {
            last = support(&world, "AAAAAAAA", "").await;
        }
        assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
        let wait = last.headers["retry-after"].to_str().unwrap();
        assert!((1..=60).contains(&wait.parse::<u32>().unwrap()));
    })
    .await;
}

async fn support(world: &World, reference: &str, query: &str) -> Answer {
    let path = format!("/support/errors/{reference}{query}");
    send(
        &world.router(),
        Request::get(path).body(Body::empty()).unwrap(),
    )
    .await
}

#[tokio::test]
async fn events_go_to_a_file_and_to_a_system_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let more = format!(
        "\n[events]\nfile = \"{}\"\npairwise_sub = true\n",
        file.display()
    );
    crate::world::with_config(&more, async |world| {
        let wallet = world.person("M-CANARY").await;
        let mut browser = world.browser();
        let tokens = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        assert!(!file.exists(), "a login waits for no file");
        world.tick().await;
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["type"], "login.succeeded");
        assert_eq!(lines[0]["data"]["pairwise_sub"], tokens.sub());
        assert_eq!(lines[0]["data"]["client"], "shop");
        assert!(!text.contains("M-CANARY"));
        // The file cannot be written: logins go on, and what is lost is counted.
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        install_metrics();
        let tenant = Tenant::parse("lost-events").unwrap();
        tenant
            .scope(async {
                log_in(
                    &mut world.browser(),
                    &wallet,
                    &world.shop(),
                    "openid membership",
                )
                .await;
                world.tick().await;
            })
            .await;
        let (text, _) = series(&tenant).await;
        assert_eq!(
            value(
                &text,
                "vouchsafe_events_dropped_total",
                &[("reason", "file")]
            ),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn each_end_of_a_login_is_one_event_in_the_file_the_database_and_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let system = System::default();
    let url = system.listen().await;
    let more = format!(
        "\n[events]\nfile = \"{}\"\ndatabase = true\nwebhook = {{ url = \"{url}\", secret = \"{SECRET}\" }}\n",
        file.display()
    );
    crate::world::with_config(&more, async |world| {
        let wallet = world.person("M-CANARY").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        // A card, then the session by itself, then somebody who goes away.
        world
            .suite()
            .code(&same_device(&mut browser, &wallet, &address).await);
        world.suite().code(&browser.get(&address).await);
        let away = world.shop().authorize("openid membership", &[]);
        begin(&mut world.browser(), &away).await;
        let mut told = system.told(&world).await;
        world.clock.advance(2000);
        told.extend(system.told(&world).await);
        told.extend(system.told(&world).await);
        let of = |event: &Value| {
            assert_eq!(event["specversion"], "1.0");
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let data = &event["data"];
            [&event["type"], &data["outcome"], &data["channel"]].map(text)
        };
        let all = |events: &[Value]| events.iter().map(of).collect::<BTreeSet<_>>();
        let expected = [
            ["login.failed", "abandoned", ""],
            ["login.succeeded", "success", "same_device"],
            ["login.succeeded", "success", "session"],
        ];
        let expected: BTreeSet<_> = expected.map(|one| one.map(str::to_owned)).into();
        assert_eq!((all(&told), told.len()), (expected.clone(), 3));
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!((all(&lines), lines.len()), (expected, 3));
        assert_eq!(world.count("SELECT COUNT(*) FROM login_events").await, 3);
    })
    .await;
}
