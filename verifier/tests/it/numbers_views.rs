//! Pages beside the overview: risk, applications, consents, the audit log, and what it is worth.

use axum::http::StatusCode;
use vouchsafe_service::db::{Tx, execute};

use crate::journeys::{AGE, HOME, MEMBER, with_more};
use crate::numbers::{CANARIES, play};
use crate::numbers_pages::{enter, key, shown};
use crate::world::browser::{Answer, Browser};
use crate::world::steps::{log_in, same_device};
use crate::world::{World, with_config};

const PAGES: [&str; 5] = [
    "/admin/risk",
    "/admin/clients",
    "/admin/consents",
    "/admin/audit",
    "/admin/returns",
];

async fn business(world: &World) -> Browser {
    let (_, key) = key(world).await;
    let mut browser = world.browser();
    enter(&mut browser, &key).await;
    browser
}

/// The cells of a row of a table, without marks.
fn cells(page: &Answer, row: &str) -> Vec<String> {
    let rest = page.body.split(&format!("id=\"{row}\">")).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("no row {row}"));
    let row = rest.split("</tr>").next().unwrap();
    let cells = row.split("<td").skip(1);
    let plain = |cell: &str| {
        let inner = cell.split_once('>').unwrap().1;
        inner
            .replace("<bdi>", "")
            .replace("</bdi>", "")
            .replace("</td>", "")
    };
    cells.map(|cell| plain(cell).trim().to_owned()).collect()
}

#[tokio::test]
async fn nobody_without_a_key_sees_any_of_them() {
    with_config("\n[numbers]\n", async |world| {
        for path in PAGES {
            let page = world.browser().get(path).await;
            page.assert_page(StatusCode::OK, "id=\"key\"");
            assert!(!page.body.contains("<table"), "{path}");
        }
        let mut browser = business(&world).await;
        for path in PAGES {
            for wrong in [
                "who=me",
                "journey=age-gate",
                "client=shop",
                "by=day",
                "since=never",
                "threshold=1&threshold=2",
                "check=a&check=b",
                "margin=1&margin=2",
            ] {
                let answer = browser.get(&format!("{path}?{wrong}")).await;
                assert_eq!(answer.location(), path, "{wrong}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn without_numbers_in_the_configuration_none_of_them_is_there() {
    with_config("", async |world| {
        for path in PAGES {
            let answer = world.browser().get(path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_pages_show_what_was_played_and_nobody() {
    let files = [("age.toml", AGE), ("member.toml", MEMBER)];
    with_more(&files, "\n[numbers]\n", async |world, _| {
        let subs = play(&world).await;
        let mut browser = business(&world).await;
        for path in PAGES {
            let page = browser.get(path).await;
            page.assert_page(StatusCode::OK, "aria-current=\"page\"");
            assert!(!page.body.contains("<script"), "{path}");
            for canary in CANARIES.into_iter().chain(subs.iter().map(String::as_str)) {
                assert!(!page.body.contains(canary), "{canary} on {path}");
            }
        }
        let clients = browser.get("/admin/clients").await;
        // Logins, share, abandoned, seconds, registrations, consents.
        assert_eq!(
            cells(&clients, "client-shop"),
            ["3", "75.0 %", "20.0 %", "0 s", "1", "100.0 %"]
        );
        assert_eq!(
            cells(&clients, "client-suite"),
            ["3", "100.0 %", "0.0 %", "0 s", "0", "100.0 %"]
        );
        assert_eq!(cells(&clients, "client-other"), ["0", "", "", "", "0", ""]);
        let consents = browser.get("/admin/consents").await;
        // Given, refused, share, withdrawn, share, ran out, hold now.
        assert_eq!(
            cells(&consents, "consents-shop"),
            ["3", "0", "100.0 %", "2", "66.7 %", "0", "1"]
        );
        let all = cells(&consents, "consents");
        assert_eq!((all[0].as_str(), all[3].as_str()), ("5", "2"));
        let mut german = world.browser().speaking("de");
        let (_, key) = key(&world).await;
        enter(&mut german, &key).await;
        let page = german.get("/admin/risk").await;
        page.assert_page(StatusCode::OK, "Wie ungewöhnlich Anmeldungen aussahen");
    })
    .await;
}

#[tokio::test]
async fn the_risk_page_says_what_was_judged_and_what_a_threshold_would_have_meant() {
    let files = [("age.toml", AGE), ("member.toml", MEMBER)];
    with_more(&files, "\n[numbers]\n", async |world, _| {
        play(&world).await;
        let mut browser = business(&world).await;
        let page = browser.get("/admin/risk").await;
        // Three logins of the journey: at home twice, and once abroad.
        assert_eq!(shown(&page, "judged"), "3");
        assert_eq!(shown(&page, "asked-again"), "0");
        for (row, expected) in [
            ("level-low", ["2", "66.7 %"]),
            ("level-medium", ["0", "0.0 %"]),
            ("level-high", ["1", "33.3 %"]),
            ("level-critical", ["0", "0.0 %"]),
            ("sign-first_seen_country", ["1", "33.3 %"]),
        ] {
            assert_eq!(cells(&page, row), expected, "{row}");
        }
        page.assert_page(StatusCode::OK, "id=\"warm-up\"");
        // So few logins make no scores to choose a threshold by.
        let tried = browser.get("/admin/risk?threshold=0.0001").await;
        tried.assert_page(StatusCode::OK, "0 of 0 scores");
        for wrong in ["0", "-1", "abc", "NaN", "inf", "1,000", "1e3"] {
            let page = browser.get(&format!("/admin/risk?threshold={wrong}")).await;
            page.assert_page(StatusCode::OK, "id=\"threshold-problem\"");
        }
        let page = browser.get("/admin/risk?threshold=1000000").await;
        page.assert_page(StatusCode::OK, "id=\"what-if\"");
    })
    .await;
}

/// A score of few logins says little: it is counted once 500 logins are.
#[tokio::test]
async fn scores_are_counted_once_enough_logins_are() {
    let files = [("member.toml", MEMBER)];
    with_more(&files, "\n[numbers]\n", async |world, _| {
        let wallet = world.person("M-1").await;
        let mut member = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[]);
        let answer = same_device(&mut member, &wallet, &address).await;
        world.suite().code(&answer);
        world.tick().await;
        let mut browser = business(&world).await;
        for (counted, said) in [(499, "0 of 0 scores"), (500, "1 of 1 scores")] {
            db_counts(&world, counted).await;
            world.suite().code(&member.get(&address).await);
            world.tick().await;
            let tried = browser.get("/admin/risk?threshold=0.00001").await;
            let plain = tried.body.replace(['\u{2068}', '\u{2069}'], "");
            assert!(plain.contains(said), "{counted}: {plain}");
        }
        let page = browser.get("/admin/risk").await;
        assert_eq!(shown(&page, "judged"), "3");
    })
    .await;
}

/// So many logins of everybody are counted.
async fn db_counts(world: &World, logins: i64) {
    world
        .db
        .write(async move |tx: &mut Tx| {
            execute!(
                tx,
                sqlx::query("UPDATE risk_values SET logins = $1 WHERE level = -1 AND value = 7")
                    .bind(logins)
            )
            .map(drop)
        })
        .await
        .unwrap();
}

/// Has the chain read.
async fn check(browser: &mut Browser) -> Answer {
    let page = browser.get("/admin/audit").await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    browser.post("/admin/audit", &[("csrf", &csrf)]).await
}

#[tokio::test]
async fn scores_beyond_the_last_class_have_a_bar_and_no_end() {
    with_config("\n[numbers]\n", async |world| {
        world
            .execute(
                "INSERT INTO login_numbers VALUES \
                 (1795435200, 'risk_score', '', '', '', '', '', '', '', 40, 3), \
                 (1795435200, 'risk_score', '', '', '', '', '', '', '', -40, 2)",
            )
            .await;
        let mut browser = business(&world).await;
        let page = browser.get("/admin/risk").await;
        let chart = page.body.split("id=\"scores\"").nth(1).unwrap();
        let chart = chart.split("</svg>").next().unwrap();
        assert_eq!(chart.matches("<rect").count(), 9);
        assert_eq!(chart.matches("height=\"110\"").count(), 1, "{chart}");
        page.assert_page(StatusCode::OK, "<bdi>10000</bdi></th><td></td><td>3</td>");
        page.assert_page(StatusCode::OK, "<th scope=\"row\">0</th>");
    })
    .await;
}

#[tokio::test]
async fn the_audit_page_checks_the_chain_and_sees_a_row_that_was_changed() {
    with_config("\n[numbers]\n", async |world| {
        let wallet = world.person("M-1").await;
        let mut member = world.browser();
        log_in(&mut member, &wallet, &world.shop(), "openid membership").await;
        // An end that was cut off cannot be seen from the log alone, so there are two keys.
        key(&world).await;
        let mut browser = business(&world).await;
        let page = browser.get("/admin/audit").await;
        page.assert_page(StatusCode::OK, "<code>api_key.create</code>");
        assert!(!page.body.contains("id=\"chain\""));
        let whole = check(&mut browser).await;
        whole.assert_page(StatusCode::OK, "class=\"note ok\"");
        world
            .execute("UPDATE audit_event SET action = 'api_key.revoke' WHERE seq = 1")
            .await;
        let broken = check(&mut browser).await;
        broken.assert_page(StatusCode::OK, "class=\"note stop\"");
        world.execute("DELETE FROM audit_event WHERE seq = 1").await;
        let missing = check(&mut browser).await;
        missing.assert_page(StatusCode::OK, "is missing");
        world.execute("DELETE FROM audit_event").await;
        let emptied = check(&mut browser).await;
        emptied.assert_page(StatusCode::OK, "class=\"note stop\"");
        let forged = browser.post("/admin/audit", &[("csrf", "forged")]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        let mut stranger = world.browser();
        let closed = stranger.post("/admin/audit", &[("csrf", "forged")]).await;
        closed.assert_page(StatusCode::OK, "id=\"key\"");
    })
    .await;
}

#[tokio::test]
async fn what_is_typed_in_is_computed_and_kept_nowhere() {
    with_config("\n[numbers]\n", async |world| {
        let wallet = world.person("M-1").await;
        let mut member = world.browser();
        log_in(&mut member, &wallet, &world.shop(), "openid membership").await;
        world.tick().await;
        let mut browser = business(&world).await;
        let page = browser.get("/admin/returns").await;
        page.assert_page(StatusCode::OK, "id=\"margin\"");
        assert!(!page.body.contains("id=\"sum-"));
        let asked = "visits=1000&before=60&margin=12,5&calls=40&call_cost=8&cost=500";
        let page = browser.get(&format!("/admin/returns?{asked}")).await;
        for line in [
            "1 × 12.5 = 12.50",
            "1000 × (100.0 % − 60 %) × 12.5 = 5000.00",
            "40 × 8 = 320.00",
            "5000.00 + 320.00 − 500.00 = 4820.00",
            "4820.00 ÷ 500.00 = 9.64",
        ] {
            page.assert_page(StatusCode::OK, line);
        }
        let thousand = browser.get("/admin/returns?cost=1.000").await;
        thousand.assert_page(StatusCode::OK, "id=\"cost-problem\"");
        let wrong = browser.get("/admin/returns?margin=-1&before=101").await;
        wrong.assert_page(StatusCode::OK, "id=\"margin-problem\"");
        wrong.assert_page(StatusCode::OK, "id=\"before-problem\"");
        let hostile = browser
            .get("/admin/returns?margin=%22%3E%3Cscript%3E")
            .await;
        assert!(!hostile.body.contains("<script"));
    })
    .await;
}
