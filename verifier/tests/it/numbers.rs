//! What a business reads: series, counts, events, and what is behind the reference of a page. Each of them
//! is compared with logins that were played, and none carries anything of a person.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use vouchsafe_service::telemetry::{install_metrics, metrics_router};
use vouchsafe_service::tenant::Tenant;

use crate::journeys::{ABROAD, AGE, HOME, MEMBER, with_more};
use crate::world::browser::{Browser, send};
use crate::world::steps::{
    begin, log_in, qr_link, same_device, shown_number, type_number, wallet_link,
};
use crate::world::{NOW, World};

/// What stands on cards, in requests and in headers, and must be nowhere else.
pub const CANARIES: [&str; 5] = [
    "M-CANARY",
    "canary-name",
    "canary@mail.example",
    "192.0.2.7",
    "198.51.100.7",
];

/// A label and the values that it may have; `*` stands for the ids of the configuration.
type Label = (&'static str, &'static [&'static str]);

/// Series with their labels.
const SERIES: [(&str, &[Label]); 23] = [
    (
        "vouchsafe_journey_started_total",
        &[
            ("journey", &["*"]),
            ("stage", STAGES),
            ("entry", &["web", "device"]),
        ],
    ),
    (
        "vouchsafe_journey_finished_total",
        &[
            ("journey", &["*"]),
            ("stage", STAGES),
            ("channel", CHANNELS),
            ("outcome", OUTCOMES),
        ],
    ),
    (
        "vouchsafe_journey_duration_seconds",
        &[
            ("journey", &["*"]),
            ("channel", CHANNELS),
            ("outcome", OUTCOMES),
        ],
    ),
    (
        "vouchsafe_step_entered_total",
        &[("journey", &["*"]), ("step", &["*"])],
    ),
    (
        "vouchsafe_step_finished_total",
        &[
            ("journey", &["*"]),
            ("step", &["*"]),
            ("outcome", STEP_OUTCOMES),
        ],
    ),
    (
        "vouchsafe_step_duration_seconds",
        &[("journey", &["*"]), ("step", &["*"])],
    ),
    (
        "vouchsafe_registrations_started_total",
        &[("method", &["vp"]), ("channel", &["web", "device"])],
    ),
    (
        "vouchsafe_registrations_completed_total",
        &[("method", &["vp"]), ("channel", CHANNELS)],
    ),
    (
        "vouchsafe_registrations_returned_total",
        &[("method", &["vp"]), ("channel", CHANNELS)],
    ),
    (
        "vouchsafe_authentications_total",
        &[
            ("method", &["vp", "session"]),
            ("outcome", &["success", "failure"]),
            ("error", ERRORS),
        ],
    ),
    (
        "vouchsafe_presentation_requests_total",
        &[
            ("query", &["*"]),
            ("format", FORMATS),
            ("channel", CHANNELS),
        ],
    ),
    (
        "vouchsafe_presentation_responses_total",
        &[
            ("query", &["*"]),
            ("format", FORMATS),
            ("channel", CHANNELS),
            ("outcome", &["accepted", "rejected", "declined", "no_match"]),
            ("reason", ERRORS),
        ],
    ),
    (
        "vouchsafe_presentation_verify_duration_seconds",
        &[("format", FORMATS)],
    ),
    (
        "vouchsafe_risk_evaluations_total",
        &[
            ("level", &["low", "medium", "high", "critical"]),
            ("decision", &["answer", "ask_again", "journey"]),
        ],
    ),
    ("vouchsafe_risk_score", &[]),
    ("vouchsafe_stepup_required_total", &[("reason", REASONS)]),
    (
        "vouchsafe_stepup_finished_total",
        &[("reason", REASONS), ("outcome", &["success", "failure"])],
    ),
    (
        "vouchsafe_consents_total",
        &[("action", &["granted", "denied", "withdrawn"])],
    ),
    (
        "vouchsafe_tokens_issued_total",
        &[("grant", &["authorization_code", "refresh_token"])],
    ),
    ("vouchsafe_sessions_active", &[]),
    (
        "vouchsafe_sets_delivered_total",
        &[(
            "outcome",
            &[
                "delivered",
                "retry",
                "given_up",
                "refused",
                "failed",
                "dropped",
            ],
        )],
    ),
    (
        "vouchsafe_events_dropped_total",
        &[("reason", &["queue_full", "file", "database"])],
    ),
    (
        "vouchsafe_build_info",
        &[("version", &["*"]), ("git", &["*"])],
    ),
];
const STAGES: &[&str] = &[
    "awareness",
    "consideration",
    "decision",
    "retention",
    "none",
];
const CHANNELS: &[&str] = &["same_device", "qr", "dc_api", "session", "none"];
const OUTCOMES: &[&str] = &[
    "success",
    "declined",
    "denied",
    "failed",
    "timeout",
    "abandoned",
    "error",
];
const STEP_OUTCOMES: &[&str] = &[
    "ok",
    "no_credential",
    "declined",
    "timeout",
    "invalid",
    "error",
    "reused",
];
const FORMATS: &[&str] = &["dc+sd-jwt", "mso_mdoc"];
const REASONS: &[&str] = &["risk", "acr", "max_age", "policy"];
const ERRORS: &[&str] = &[
    "none",
    "declined",
    "credential_revoked",
    "invalid",
    "kb_nonce",
    // What a session did not do for.
    "risk",
    "acr",
    "max_age",
    "policy",
];
/// Series that no login of this test raises.
const QUIET: [&str; 2] = ["vouchsafe_events_dropped_total", "vouchsafe_risk_score"];

/// The series of a tenant: name, labels without that of the tenant and of buckets.
pub async fn series(tenant: &Tenant) -> (String, Vec<(String, BTreeMap<String, String>)>) {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let text = send(&metrics_router(), request).await.body;
    let own = format!("tenant=\"{}\"", tenant.name());
    let lines = text
        .lines()
        .filter(|line| line.contains(&own) || line.starts_with("vouchsafe_build_info"));
    let mut found = Vec::new();
    let mut mine = String::new();
    for line in lines {
        mine.push_str(line);
        mine.push('\n');
        let (name, rest) = line.split_once('{').unwrap();
        let (labels, _) = rest.rsplit_once('}').unwrap();
        let labels = labels
            .split("\",")
            .filter_map(|label| label.split_once("=\""));
        let labels =
            labels.map(|(name, value)| (name.to_owned(), value.trim_end_matches('"').to_owned()));
        let labels = labels
            .filter(|(name, _)| name != "tenant" && name != "le")
            .collect();
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        found.push((name.to_owned(), labels));
    }
    (mine, found)
}

/// Value of a series of counters, over all of its labels but these.
pub fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> i64 {
    let wanted: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    let lines = text
        .lines()
        .filter(|line| line.starts_with(&format!("{name}{{")));
    let lines = lines.filter(|line| wanted.iter().all(|label| line.contains(label)));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap())
        .sum()
}

/// A member whose card carries canaries.
async fn canary(world: &World) -> crate::world::wallet::Wallet {
    let mut wallet = world.person("M-CANARY").await;
    let claims = serde_json::json!({
        "member_id": "M-CANARY", "tier": "gold", "valid_until": "2027-12-31",
        "name": "canary-name", "email": "canary@mail.example",
    });
    let hidden: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
    wallet
        .receive(
            world,
            &world.issuer,
            "urn:vouchsafe:membership:1",
            claims,
            hidden,
        )
        .await;
    wallet
}

/// "Not now" on the page of a login.
pub async fn cancel(browser: &mut Browser, address: &str) -> String {
    let (path, page) = begin(browser, address).await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    browser
        .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
        .await;
    path
}

/// Logins of every kind, whose numbers are known; how many `sub`s they told.
pub async fn play(world: &World) -> Vec<String> {
    install_metrics();
    let wallet = canary(world).await;
    let mut subs = Vec::new();
    // A first login makes an account: without a journey, on one device.
    let mut browser = world.browser().from(HOME);
    let (path, page) = begin(
        &mut browser,
        &world
            .shop()
            .authorize("openid membership offline_access", &[]),
    )
    .await;
    assert!(path.starts_with("/login/"));
    let asked = wallet.open(&wallet_link(&page)).await;
    let answered = wallet.answer(&asked).await.json();
    world.clock.advance(7);
    let answer = browser
        .get(answered["redirect_uri"].as_str().unwrap())
        .await;
    let tokens = world.shop().tokens(&world.shop().code(&answer)).await;
    subs.push(tokens.sub().to_owned());
    // By code on another device; the account is there.
    let mut other = world.browser().from(HOME);
    let (path, _) = begin(
        &mut other,
        &world.shop().authorize("openid membership", &[]),
    )
    .await;
    let mut phone = world.browser();
    let back = wallet.follow(&qr_link(&mut other, &path).await).await;
    let number = shown_number(&mut phone, &back).await;
    let answer = type_number(&mut other, &path, &number).await;
    subs.push(
        world
            .shop()
            .tokens(&world.shop().code(&answer))
            .await
            .sub()
            .to_owned(),
    );
    // A journey of guests.
    let mut guest = world.browser().from(HOME);
    subs.push(
        log_in(&mut guest, &wallet, &world.shop(), "openid age")
            .await
            .sub()
            .to_owned(),
    );
    // A journey of members, then the session alone, then abroad, then because its age is too great.
    let mut member = world.browser().from(HOME);
    let address = world.suite().authorize("openid", &[]);
    world
        .suite()
        .code(&same_device(&mut member, &wallet, &address).await);
    world.tick().await;
    world.suite().code(&member.get(&address).await);
    world.clock.advance(7 * 3600);
    world.issuer.publish(NOW.plus(7 * 3600)).await;
    let mut member = member.from(ABROAD);
    world
        .suite()
        .code(&same_device(&mut member, &wallet, &address).await);
    // Somebody says no, and somebody goes away.
    let mut no = world.browser().from(HOME);
    cancel(&mut no, &world.shop().authorize("openid membership", &[])).await;
    begin(
        &mut world.browser().from(HOME),
        &world.shop().authorize("openid membership", &[]),
    )
    .await;
    // Consent is withdrawn.
    wallet
        .withdraw(answered["consent_uri"].as_str().unwrap())
        .await;
    world.tick().await;
    world.clock.advance(1000);
    world.tick().await;
    subs
}

fn is_allowed(value: &str, list: &[&str], known: &BTreeSet<String>) -> bool {
    list.contains(&value) || (list == ["*"] && known.contains(value))
}

#[tokio::test]
async fn every_series_has_labels_of_closed_lists_and_none_of_a_person() {
    let mut run = 0;
    let more = "\n[numbers]\nclient_label = true\n\n[events]\ndatabase = true\n";
    let runs = std::cell::RefCell::new(&mut run);
    with_more(
        &[("age.toml", AGE), ("member.toml", MEMBER)],
        more,
        async |world, _| {
            **runs.borrow_mut() += 1;
            let tenant = Tenant::parse(&format!("numbers-{}", **runs.borrow())).unwrap();
            let played = tenant.scope(Box::pin(play(&world))).await;
            let (text, found) = series(&tenant).await;
            let mut known: BTreeSet<String> = [
                "none",
                "age-gate",
                "member-login",
                "age",
                "membership",
                "risk",
                "block",
                "card",
                "ok",
                "prove",
                "done",
                "help",
            ]
            .map(str::to_owned)
            .into();
            known.extend(
                found
                    .iter()
                    .filter(|(name, _)| name == "vouchsafe_build_info")
                    .flat_map(|(_, labels)| labels.values().cloned()),
            );
            let questions = found.iter().filter_map(|(_, labels)| labels.get("query"));
            known.extend(
                questions
                    .filter(|id| id.contains("member-login") || id.contains("age-gate"))
                    .cloned(),
            );
            for (name, labels) in SERIES {
                let of_it: Vec<_> = found.iter().filter(|(own, _)| own == name).collect();
                assert!(
                    !of_it.is_empty() || QUIET.contains(&name),
                    "{name} is missing in {text}"
                );
                for (_, own) in of_it {
                    for (label, value) in own.iter().filter(|(label, _)| *label != "client") {
                        let list = labels.iter().find(|(one, _)| one == label);
                        let list = list.unwrap_or_else(|| panic!("{name} has a label {label}"));
                        assert!(is_allowed(value, list.1, &known), "{name}: {label}={value}");
                    }
                    if let Some(client) = own.get("client") {
                        assert!(
                            ["shop", "suite", "other"].contains(&client.as_str()),
                            "{client}"
                        );
                    }
                }
            }
            for canary in CANARIES
                .into_iter()
                .chain(played.iter().map(String::as_str))
            {
                assert!(!text.contains(canary), "{canary}");
            }
            let n = |name: &str, labels: &[(&str, &str)]| value(&text, name, labels);
            assert_eq!(n("vouchsafe_journey_started_total", &[]), 8);
            assert_eq!(
                n("vouchsafe_journey_finished_total", &[]),
                8,
                "exactly one for each"
            );
            assert_eq!(
                n(
                    "vouchsafe_journey_finished_total",
                    &[("outcome", "success")]
                ),
                6
            );
            assert_eq!(
                n(
                    "vouchsafe_journey_finished_total",
                    &[("outcome", "abandoned")]
                ),
                1
            );
            assert_eq!(
                n("vouchsafe_journey_started_total", &[("client", "suite")]),
                3
            );
            assert_eq!(n("vouchsafe_registrations_completed_total", &[]), 1);
            for outcome in ["success", "failure"] {
                let labels = [("method", "session"), ("outcome", outcome)];
                assert_eq!(
                    n("vouchsafe_authentications_total", &labels),
                    1,
                    "{outcome}"
                );
            }
            assert_eq!(
                n("vouchsafe_stepup_required_total", &[("reason", "risk")]),
                1
            );
            assert_eq!(
                n("vouchsafe_stepup_finished_total", &[("outcome", "success")]),
                1
            );
            // One for each consent: the later one did not cover that the application may act alone.
            assert_eq!(n("vouchsafe_consents_total", &[("action", "withdrawn")]), 2);
            // Seven seconds are more than five and less than eight.
            let bucket = |le: &str| {
                value(
                    &text,
                    "vouchsafe_journey_duration_seconds_bucket",
                    &[
                        ("le", le),
                        ("journey", "none"),
                        ("channel", "same_device"),
                        ("outcome", "success"),
                    ],
                )
            };
            assert_eq!((bucket("5"), bucket("8")), (0, 1));
            everything_else_is_of_nobody(&world, &played).await;
        },
    )
    .await;
}

/// Counts, events and reasons of failures in the database.
async fn everything_else_is_of_nobody(world: &World, subs: &[String]) {
    let sql = [
        "SELECT body FROM login_events",
        "SELECT what || journey || step || outcome || channel || method || client FROM login_numbers",
        "SELECT reference || code || explanation FROM login_failures",
    ];
    for sql in sql {
        let rows: Vec<String> = vouchsafe_service::each!(world.db, p => sqlx::query_scalar::<_, String>(sql).fetch_all(p).await).unwrap();
        assert!(!rows.is_empty(), "{sql}");
        for row in rows {
            for canary in CANARIES.into_iter().chain(subs.iter().map(String::as_str)) {
                assert!(!row.contains(canary), "{canary} in {row}");
            }
            if sql.contains("login_events") {
                is_a_cloud_event(&row);
            }
        }
    }
}

/// CloudEvents 1.0, sections "REQUIRED Attributes" and JSON Format.
fn is_a_cloud_event(row: &str) {
    let event: Value = serde_json::from_str(row).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["source"], crate::world::OP);
    assert!(!event["id"].as_str().unwrap().is_empty());
    let kinds = [
        "journey.step.finished",
        "journey.finished",
        "login.succeeded",
        "login.failed",
    ];
    let kind = event["type"].as_str().unwrap();
    assert!(kinds.contains(&kind), "{kind}");
    assert!(event["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        event["data"]["step"].is_string(),
        kind == "journey.step.finished"
    );
    assert_eq!(event["data"].get("pairwise_sub"), None);
}
