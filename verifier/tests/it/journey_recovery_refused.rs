//! Recoveries that must not come through, and what nobody may learn from their refusal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::telemetry::install_metrics;
use vouchsafe_service::tenant::Tenant;

use crate::accounts::{identify, import, invited};
use crate::journey_recovery::{
    BINDINGS, at_once, cards, claims, enrolled, lost, makes, proves, receive_beside, recovery,
    tapped, with_recovery,
};
use crate::journey_recovery_others::withdraw;
use crate::journeys::{ABROAD, HOME, leave};
use crate::numbers::{series, value};
use crate::world::passkeys::device;
use crate::world::steps::{log_in, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{World, full};

/// What somebody sees who was refused: the answer to the wallet, the page, what the application hears, and
/// how long it took.
#[derive(Debug, PartialEq)]
struct Seen {
    status: StatusCode,
    told: Vec<(String, Value)>,
    page: String,
    error: String,
    took: Duration,
}

impl Seen {
    /// Steps of a quarter of a second.
    fn pace(&self) -> u128 {
        self.took.as_millis() / 250
    }
}

fn without_ids(text: &str, path: &str) -> String {
    let id = path.trim_start_matches("/login/");
    text.replace(id, "ID").replace(&id[..8], "REF")
}

/// Shows cards for an account; `forged`: with the wrong nonce.
async fn refused(world: &World, wallet: &Wallet, who: &str, forged: bool) -> Seen {
    let mut browser = world.browser().from(HOME);
    let (path, page) = claims(world, &mut browser, who).await;
    let asked = wallet.open(&wallet_link(&page)).await;
    let body = match forged {
        false => wallet.response(&asked).await,
        true => {
            let audience = asked.request.client_id();
            let shown = wallet
                .present(&[&["birthdate"]], audience.as_str(), "another-nonce")
                .await;
            let payload = Wallet::payload(&asked, "pid", &shown);
            wallet.encrypt(&asked, &payload)
        }
    };
    let began = Instant::now();
    let answer = wallet.post(&asked.request, &body).await;
    let took = began.elapsed();
    let told = answer.json();
    let mut told: Vec<(String, Value)> = (told.as_object().unwrap())
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, value) in &mut told {
        if name == "redirect_uri" {
            let (address, code) = value.as_str().unwrap().split_once('=').unwrap();
            *value = json!([address, code.len()]);
        }
    }
    let page = browser.get(&path).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    let left = leave(&mut browser, &path).await;
    Seen {
        status: answer.status,
        told,
        page: without_ids(&page.body, &path),
        error: lost(world).error(&left),
        took,
    }
}

/// Login.md, example C: another person's valid credentials get the same response as forged ones, and so does
/// who names an account that is not there or that keeps nothing.
#[tokio::test]
async fn cards_of_another_person_are_refused_as_forged_ones_are() {
    let plenty = at_once().replace("per_account_per_day = 3", "per_account_per_day = 100");
    with_recovery(&plenty, async |world, _, _| {
        let one = cards(&world, "M-1", "1980-01-02").await;
        enrolled(&world, &one, "C-1").await;
        let two = cards(&world, "M-2", "1981-01-02").await;
        enrolled(&world, &two, "C-2").await;
        // An account that was never enrolled.
        let three = cards(&world, "M-3", "1982-01-02").await;
        import(&world, "external_id\nC-3\n").await;
        invited(&world, &three, "C-3").await;
        // Whoever found the card of another, and has one of their own.
        let mixed = cards(&world, "M-1", "1981-01-02").await;
        let forged = refused(&world, &one, "C-1", true).await;
        assert_eq!(forged.status, StatusCode::BAD_REQUEST);
        assert!(forged.page.contains("Card and account do not match"));
        assert_eq!(forged.error, "access_denied");
        assert!(forged.pace() >= 1);
        for (what, wallet, who, forge) in [
            ("all of another person", &two, "C-1", false),
            ("the right member, another person", &mixed, "C-1", false),
            ("an unknown account", &one, "C-404", false),
            ("forged, for an unknown account", &one, "C-404", true),
            ("not enrolled", &three, "C-3", false),
        ] {
            let seen = refused(&world, wallet, who, forge).await;
            assert_eq!(seen.told, forged.told, "{what}");
            assert_eq!(seen.page, forged.page, "{what}");
            assert_eq!(
                (seen.status, &seen.error),
                (forged.status, &forged.error),
                "{what}"
            );
            // Each leaves at a step of the pace, whatever was looked up before.
            assert!(seen.pace() >= 1, "{what}: {:?}", seen.took);
        }
        let traces = "SELECT COUNT(DISTINCT outcome) FROM journey_traces";
        assert_eq!(world.count(traces).await, 1);
        assert_eq!(world.count("SELECT COUNT(*) FROM passkeys").await, 2);
        // The right one comes through, of two people with one name too (login.md, example C).
        let mut browser = world.browser().from(HOME);
        let path = proves(&world, &mut browser, &one, "C-1").await;
        let answer = makes(&mut browser, &path, &mut device(&world)).await;
        lost(&world).code(&answer);
    })
    .await;
}

/// Samples of each kind.
const SAMPLES: usize = 200;
/// Refusals under way at the same time: each waits a quarter of a second.
const AT_ONCE: usize = 8;

/// Nor does the time tell it: another person's cards for an account that is there, and for one that is not. The
/// bound is that of the usual leakage tests.
#[tokio::test]
async fn the_time_of_a_refusal_tells_nothing_about_the_account() {
    if !full() {
        return;
    }
    let plenty = at_once().replace("per_account_per_day = 3", "per_account_per_day = 1000");
    with_recovery(&plenty, async |world, _, _| {
        let one = cards(&world, "M-1", "1980-01-02").await;
        enrolled(&world, &one, "C-1").await;
        let two = cards(&world, "M-2", "1981-01-02").await;
        let (world, two) = (&world, &two);
        let once = |n: usize| async move {
            let who = ["C-1", "C-404"][n % 2];
            (n % 2, refused(world, two, who, false).await.took)
        };
        // Whatever is slow the first time is slow before anything counts.
        for n in 0..4 {
            once(n).await;
        }
        let all = stream::iter((0..2 * SAMPLES).map(once)).buffered(AT_ONCE);
        let all: Vec<(usize, Duration)> = all.collect().await;
        let of = |kind: usize| {
            let mine = all.iter().filter(move |(own, _)| *own == kind);
            mine.map(|(_, took)| took.as_secs_f64()).collect::<Vec<_>>()
        };
        let t = welch(&of(0), &of(1)).abs();
        println!("|t| of the time to a refusal, account there or not, 2 x {SAMPLES}: {t:.2}");
        assert!(t < 4.5, "{t}");
    })
    .await;
}

/// Welch's t of two samples.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let of = |sample: &[f64]| {
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / n;
        let squares = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        (mean, squares / (n - 1.0) / n)
    };
    let ((mean_a, var_a), (mean_b, var_b)) = (of(a), of(b));
    (mean_a - mean_b) / (var_a + var_b).sqrt()
}

/// The same page and no code to scan, whether or not there is such an account.
#[tokio::test]
async fn an_unknown_account_is_asked_as_a_known_one() {
    with_recovery(&recovery(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        enrolled(&world, &wallet, "C-1").await;
        let mut seen = Vec::new();
        for who in ["C-1", "C-404"] {
            let mut browser = world.browser().from(HOME);
            let (path, page) = claims(&world, &mut browser, who).await;
            // RFC 10027: what is scanned can be relayed, so nobody makes a passkey of it.
            let scan = browser.get(&format!("{path}/qr")).await;
            assert_ne!(scan.status, StatusCode::OK);
            let link = wallet_link(&page);
            let asked = wallet.open(&link).await;
            let question = format!("{:?}", asked.request.query());
            seen.push((shape(&page.body, &path), shape(&scan.body, &path), question));
        }
        assert_eq!(seen[0], seen[1]);
    })
    .await;
}

/// A page without what is random in it: ids, tokens, the picture of the code.
fn shape(body: &str, path: &str) -> String {
    let id = path.trim_start_matches("/login/");
    let body = body.replace(id, "ID");
    let mut shape = String::new();
    for line in body.lines().filter(|line| !line.contains("<path")) {
        let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
        let plain: Vec<&str> = words.filter(|word| word.len() < 40).collect();
        shape.push_str(&plain.join(" "));
        shape.push('\n');
    }
    shape
}

#[tokio::test]
async fn of_two_people_with_one_name_each_recovers_their_own_account() {
    with_recovery(&at_once(), async |world, _, _| {
        let one = cards(&world, "M-1", "1980-01-02").await;
        let first = enrolled(&world, &one, "C-1").await;
        let two = cards(&world, "M-2", "1981-01-02").await;
        let second = enrolled(&world, &two, "C-2").await;
        assert_ne!(first.sub, second.sub);
        let mut subs = Vec::new();
        for (wallet, who) in [(&two, "C-2"), (&one, "C-1")] {
            let mut browser = world.browser().from(HOME);
            let path = proves(&world, &mut browser, wallet, who).await;
            let mut new = device(&world);
            let answer = makes(&mut browser, &path, &mut new).await;
            lost(&world).code(&answer);
            subs.push(tapped(&world, &mut new).await.unwrap());
        }
        assert_eq!(subs, [second.sub, first.sub]);
    })
    .await;
}

#[tokio::test]
async fn an_account_is_named_three_times_a_day() {
    with_recovery(&at_once(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        let other = cards(&world, "M-2", "1981-01-02").await;
        enrolled(&world, &wallet, "C-1").await;
        for who in ["C-1", "C-404"] {
            for _ in 0..3 {
                refused(&world, &other, who, false).await;
            }
            let mut browser = world.browser().from(HOME);
            let address = lost(&world).authorize("openid", &[]);
            let path = browser.get(&address).await.location();
            let page = identify(&mut browser, &path, who).await;
            page.assert_page(StatusCode::FORBIDDEN, "This was tried too often today");
        }
    })
    .await;
}

/// OpenID Connect Core 1.0, section 3.1.2.1: after a day the card is older than the application takes.
#[tokio::test]
async fn max_age_passes_during_a_wait() {
    with_recovery(&recovery(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        enrolled(&world, &wallet, "C-1").await;
        let mut browser = world.browser().from(ABROAD);
        let address = lost(&world).authorize("openid", &[("max_age", "3600")]);
        let path = browser.get(&address).await.location();
        let page = identify(&mut browser, &path, "C-1").await;
        let back = wallet.follow(&wallet_link(&page)).await;
        browser.get(&back).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Please come back later");
        world.clock.advance(86_400);
        world.issuer.publish(world.clock.now()).await;
        browser.get(&path).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, "This took too long");
        assert_eq!(world.count("SELECT COUNT(*) FROM passkeys").await, 1);
        assert_eq!(world.count("SELECT COUNT(*) FROM journey_holds").await, 0);
    })
    .await;
}

/// What is kept is told before, kept once, as keyed hashes, and gone with the consent.
#[tokio::test]
async fn what_people_are_known_by_rests_on_their_consent() {
    with_recovery(&at_once(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        import(&world, "external_id\nC-1\n").await;
        invited(&world, &wallet, "C-1").await;
        let mut browser = world.browser().from(HOME);
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        assert_eq!(world.count(BINDINGS).await, 0);
        let again = world.shop().authorize("openid enrol", &[]);
        let path = browser.get(&again).await.location();
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "To know you again if you lose your device");
        page.assert_page(StatusCode::OK, "Date of birth");
        let back = wallet.follow(&wallet_link(&page)).await;
        world.shop().code(&browser.get(&back).await);
        assert_eq!(world.count(BINDINGS).await, 2);
        let plain = "SELECT COUNT(*) FROM account_bindings WHERE value_mac LIKE '%1980%' OR value_mac LIKE '%M-1%'";
        assert_eq!(world.count(plain).await, 0);
        // Another card of another person with the same member number changes nothing.
        let mixed = cards(&world, "M-1", "1999-09-09").await;
        let mut thief = world.browser().from(HOME);
        log_in(&mut thief, &mixed, &world.shop(), "openid enrol").await;
        let seen = refused(&world, &mixed, "C-1", false).await;
        assert!(seen.page.contains("Card and account do not match"));
        // Withdrawn, nothing is kept, and nobody recovers by it.
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "To know you again if you lose your device");
        withdraw(&mut browser).await;
        assert_eq!(world.count(BINDINGS).await, 0);
        let seen = refused(&world, &wallet, "C-1", false).await;
        assert!(seen.page.contains("Card and account do not match"));
    })
    .await;
}

/// The proofing of example C counts for a quarter of an hour.
#[tokio::test]
async fn a_fresh_proofing_stands_for_the_second_card() {
    with_recovery(&at_once(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        enrolled(&world, &wallet, "C-1").await;
        let mut proofed = world.wallet();
        proofed.receive_membership(&world, "M-1").await;
        proof(&world, &mut proofed, "1980-01-02").await;
        // Another person's proofing is as fresh.
        let mut other = world.wallet();
        other.receive_membership(&world, "M-1").await;
        proof(&world, &mut other, "1981-01-02").await;
        world.clock.advance(899);
        let mut browser = world.browser().from(HOME);
        let path = proves(&world, &mut browser, &proofed, "C-1").await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Make a new passkey");
        let seen = refused(&world, &other, "C-1", false).await;
        assert!(seen.page.contains("Card and account do not match"));
        world.clock.advance(1);
        world.issuer.publish(world.clock.now()).await;
        let seen = refused(&world, &proofed, "C-1", false).await;
        assert!(seen.page.contains("Card and account do not match"));
    })
    .await;
}

async fn proof(world: &World, wallet: &mut Wallet, birthdate: &str) {
    let claims = json!({ "method": "in_person", "birthdate": birthdate });
    let vct = "urn:vouchsafe:proofing:1";
    receive_beside(world, wallet, vct, (claims, &[&["method"], &["birthdate"]])).await;
}

/// Row 42: what the help desk did not have to do.
#[tokio::test]
async fn recoveries_are_counted_as_they_begin_and_end() {
    install_metrics();
    let runs = AtomicUsize::new(0);
    with_recovery(&at_once(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        enrolled(&world, &wallet, "C-1").await;
        let other = cards(&world, "M-2", "1981-01-02").await;
        let run = runs.fetch_add(1, Ordering::Relaxed);
        let tenant = Tenant::parse(&format!("recovery-{run}")).unwrap();
        let counted = async {
            refused(&world, &other, "C-1", false).await;
            let mut browser = world.browser().from(HOME);
            let path = proves(&world, &mut browser, &wallet, "C-1").await;
            let answer = makes(&mut browser, &path, &mut device(&world)).await;
            lost(&world).code(&answer);
            // Without the journey nothing is recovered.
            log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        };
        tenant.scope(counted).await;
        let (text, _) = series(&tenant).await;
        let started = value(
            &text,
            "vouchsafe_recovery_started_total",
            &[("method", "vp")],
        );
        assert_eq!(started, 2, "{text}");
        for outcome in ["success", "failed"] {
            let labels = [("outcome", outcome)];
            let ended = value(&text, "vouchsafe_recovery_finished_total", &labels);
            assert_eq!(ended, 1, "{outcome}: {text}");
        }
    })
    .await;
}
