//! Systems of the operator that a run asks: once, in time, and what they say is believed as far as the
//! configuration allows.

use std::path::Path;

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::webhooks::{Secrets, WebhookSecret};
use vouchsafe_verifier::config::Settings;
use vouchsafe_verifier::outbound::HookReply;

use crate::journeys::{HOME, leave, log_out, member, with_more};
use crate::world::browser::{Answer, Browser};
use crate::world::steps::{begin, rows, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{World, on_sqlite};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const OK: &str = r#"{"result":"ok"}"#;

/// A card, then a system that has a say.
const ASKED: &str = r#"
id = "asked"
version = 4
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"
when = '!session.exists || "login" in request.prompt'

[[step]]
id = "hook"
kind = "webhook"
url = "https://hook.example/ask"
on = { declined = "deny:blocked", timeout = "deny:no_word" }

[[step]]
id = "in"
kind = "finish"
"#;

fn config(answers: &str) -> String {
    format!(
        "\n[[journeys.webhook]]\nurl = \"https://hook.example/ask\"\nsecret = \"{SECRET}\"\n{answers}\n"
    )
}

async fn asked(answers: &str, text: &str, test: impl AsyncFn(World, &Path)) {
    with_more(&[("asked.toml", text)], &config(answers), test).await;
}

/// A login on one device, up to what comes after the card.
async fn show(world: &World, browser: &mut Browser, wallet: &Wallet) -> (String, Answer) {
    let (path, page) = begin(browser, &world.suite().authorize("openid", &[])).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    (path, browser.get(&back).await)
}

/// How the rules say that a refused login ended.
async fn refused(world: &World, browser: &mut Browser, path: &str, answer: &Answer) -> String {
    assert_eq!(answer.location(), path);
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    let reference = path.trim_start_matches("/login/").get(..8).unwrap();
    let traces = world.verifier.journey_traces(reference).await.unwrap();
    let left = leave(browser, path).await;
    assert_eq!(world.suite().error(&left), "access_denied");
    traces[0].outcome.clone()
}

#[tokio::test]
async fn a_system_hears_of_the_step_alone_signed_and_its_word_decides() {
    asked("", ASKED, async |world, _| {
        let wallet = world.person("M-1").await;
        world.network.answer_hooks(OK);
        let mut browser = world.browser().from(HOME);
        let (path, answer) = show(&world, &mut browser, &wallet).await;
        world.suite().code(&answer);

        let questions = world.network.questions();
        assert_eq!(questions.len(), 1);
        let question = &questions[0];
        assert_eq!(question.url, "https://hook.example/ask");
        assert_eq!(question.timeout.as_secs(), 3);
        let body: Value = serde_json::from_str(&question.body).unwrap();
        let reference = path.trim_start_matches("/login/").get(..8).unwrap();
        let data = json!({ "journey": "asked", "step": "hook", "reference": reference });
        assert_eq!(body["type"], "journey.step");
        // No claim, and nobody's name: it was not configured.
        assert_eq!(body["data"], data);
        let text = |name: &str| question.headers[name].to_str().unwrap().to_owned();
        let now = world.clock.now();
        assert_eq!(text("webhook-timestamp"), now.0.to_string());
        let secrets = Secrets::of(WebhookSecret::parse(SECRET).unwrap(), None);
        let signed = secrets.header(&text("webhook-id"), now, &question.body);
        assert_eq!(text("webhook-signature"), signed);

        world.network.answer_hooks(r#"{"result":"declined"}"#);
        let mut browser = world.browser().from(HOME);
        let (path, answer) = show(&world, &mut browser, &wallet).await;
        let ended = refused(&world, &mut browser, &path, &answer).await;
        assert_eq!(ended, "blocked");
    })
    .await;
}

#[tokio::test]
async fn whatever_else_a_system_says_is_an_error() {
    let bodies = [
        "",
        "{}",
        "[]",
        r#"{"result":"OK"}"#,
        r#"{"result":"ok","more":1}"#,
        r#"{"result":"declined","result":"ok"}"#,
        r#"{"result":"ok","amr":["sms"]}"#,
        r#"{"result":"ok","amr":["hwk"]}"#,
        r#"{"result":"ok","amr":"sms"}"#,
        r#"{"result":"ok","acr":"urn:vouchsafe:acr:vc-hw"}"#,
        r#"{"result":"ok","risk":"high"}"#,
        r#"{"result":"ok","risk":"none"}"#,
    ];
    let bodies = bodies.map(|body| HookReply::Body(body.as_bytes().to_vec()));
    let others = [HookReply::Status(302), HookReply::Unusable];
    asked("", ASKED, async |world, _| {
        let wallet = world.person("M-1").await;
        for reply in bodies.iter().chain(&others) {
            world.network.reply_to_hooks(reply.clone());
            let mut browser = world.browser().from(HOME);
            let (path, answer) = show(&world, &mut browser, &wallet).await;
            let ended = refused(&world, &mut browser, &path, &answer).await;
            assert_eq!(ended, "policy_error", "{reply:?}");
        }
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn silence_is_a_timeout_and_who_stays_silent_is_left_alone() {
    let text = ASKED.replace("timeout = \"deny:no_word\"", "timeout = \"in\"");
    asked("", &text, async |world, _| {
        let wallet = world.person("M-1").await;
        // The file says that nobody waits for this system.
        for _ in 0..7 {
            let (_, answer) = show(&world, &mut world.browser().from(HOME), &wallet).await;
            world.suite().code(&answer);
        }
        assert_eq!(world.network.questions().len(), 5);
        // After a while one question tries it.
        world.clock.advance(31);
        world.issuer.publish(world.clock.now()).await;
        world.network.answer_hooks(OK);
        for asked in [6, 7] {
            let (_, answer) = show(&world, &mut world.browser().from(HOME), &wallet).await;
            world.suite().code(&answer);
            assert_eq!(world.network.questions().len(), asked);
        }
    })
    .await;
    asked("", ASKED, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, answer) = show(&world, &mut browser, &wallet).await;
        let ended = refused(&world, &mut browser, &path, &answer).await;
        assert_eq!(ended, "no_word");
    })
    .await;
}

/// Nobody is asked for a login that nobody has seen a page of; and then once, however many windows and
/// processes there are.
#[tokio::test]
async fn a_system_is_asked_once_for_two_windows_and_two_processes() {
    asked("", ASKED, async |world, _| {
        let wallet = world.person("M-1").await;
        world.network.answer_hooks(OK);
        let mut browser = world.browser().from(HOME);
        let first = member(&world, &mut browser, &wallet).await;
        let asked = world.network.questions().len();

        let silent = world.suite().authorize("openid", &[("prompt", "none")]);
        let answer = browser.get(&silent).await;
        assert_eq!(world.suite().error(&answer), "login_required");
        let path = browser
            .get(&world.suite().authorize("openid", &[]))
            .await
            .location();
        assert!(path.starts_with("/login/"));
        assert_eq!(world.network.questions().len(), asked);

        let gate = world.network.hold_hooks();
        let other = world.another_process().await;
        let mut windows = [
            browser.window(world.router()),
            browser.window(world.router()),
            browser.window(other.router()),
        ];
        let [a, b, c] = &mut windows;
        let opened = async {
            while world.network.questions().len() == asked {
                tokio::task::yield_now().await;
            }
            gate.add_permits(1);
        };
        let (a, b, c, ()) = tokio::join!(a.get(&path), b.get(&path), c.get(&path), opened);
        assert_eq!(world.network.questions().len(), asked + 1);
        let done = [a, b, c].into_iter().filter(|answer| {
            let to = answer.location();
            to != path && to.starts_with("https://suite.example/cb")
        });
        let done: Vec<Answer> = done.collect();
        assert_eq!(done.len(), 1);
        let again = world.suite().tokens(&world.suite().code(&done[0])).await;
        assert_eq!(again.sub(), first.sub());
    })
    .await;
}

/// The process that asked is gone: nobody asks in its place, and the file says what then.
#[tokio::test]
async fn a_question_whose_answer_was_lost_is_not_put_again() {
    asked("", ASKED, async |world, _| {
        let wallet = world.person("M-1").await;
        world.network.answer_hooks(OK);
        let mut browser = world.browser().from(HOME);
        member(&world, &mut browser, &wallet).await;
        let asked = world.network.questions().len();
        let address = world.suite().authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        let gate = world.network.hold_hooks();
        let mut first = browser.window(world.router());
        let second = async {
            while world.network.questions().len() == asked {
                tokio::task::yield_now().await;
            }
            world.clock.advance(11);
            let answer = browser.get(&path).await;
            gate.add_permits(1);
            answer
        };
        let (late, answer) = tokio::join!(first.get(&path), second);
        assert_eq!(late.location(), path);
        let ended = refused(&world, &mut browser, &path, &answer).await;
        assert_eq!(ended, "no_word");
        assert_eq!(world.network.questions().len(), asked + 1);
    })
    .await;
}

/// What was said of somebody else, or of nobody, says nothing here.
#[tokio::test]
async fn an_answer_to_another_question_is_none() {
    asked("", ASKED, async |world, _| {
        let wallet = world.person("M-1").await;
        world.network.answer_hooks(OK);
        let mut browser = world.browser().from(HOME);
        member(&world, &mut browser, &wallet).await;
        let asked = world.network.questions().len();
        let address = world.suite().authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        let login = path.trim_start_matches("/login/").to_owned();
        let now = world.clock.now();
        let claimed = async move |tx: &mut vouchsafe_service::db::Tx| {
            let visit = vouchsafe_verifier::store::journey_calls::Visit {
                login: vouchsafe_verifier::domain::ids::TransactionId::from_text(login.clone()),
                step: "hook".to_owned(),
                visit: 1,
                asked: "another".to_owned(),
            };
            vouchsafe_verifier::store::journey_calls::claim(tx, &visit, now).await?;
            let said = r#"{"outcome":"ok"}"#;
            vouchsafe_verifier::store::journey_calls::settle(tx, &visit, said).await
        };
        assert!(world.db.write(claimed).await.unwrap().is_some());
        let answer = browser.get(&path).await;
        let ended = refused(&world, &mut browser, &path, &answer).await;
        assert_eq!(ended, "policy_error");
        assert_eq!(world.network.questions().len(), asked);
    })
    .await;
}

/// A code by SMS: of a person who is known, where it may be said, and where the step asks for it.
#[tokio::test]
async fn row_11_a_code_by_sms_is_a_method_where_it_is_configured() {
    let sms = "subject = true\nanswers = [\"sms\"]";
    let text = ASKED.replace(
        "kind = \"webhook\"",
        "kind = \"webhook\"\nchallenge = \"sms\"\nwhen = 'session.exists'",
    );
    asked(sms, &text, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let first = member(&world, &mut browser, &wallet).await;
        assert!(world.network.questions().is_empty());
        let address = world.suite().authorize("openid", &[]);
        for (body, passes) in [
            (r#"{"result":"ok","amr":["sms"]}"#, true),
            (OK, false),
            (r#"{"result":"declined","amr":["sms"]}"#, false),
        ] {
            world.network.answer_hooks(body);
            let path = browser.get(&address).await.location();
            let answer = browser.get(&path).await;
            let body: Value =
                serde_json::from_str(&world.network.questions().last().unwrap().body).unwrap();
            assert_eq!(body["data"]["sub"], first.sub());
            if !passes {
                assert_eq!(answer.location(), path);
                continue;
            }
            let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
            assert_eq!(tokens.claims["amr"], json!(["mfa", "pop", "sms", "vp"]));
            assert_eq!(tokens.sub(), first.sub());
        }
    })
    .await;
}

/// A code that was sent to nobody in particular logs nobody in.
#[tokio::test]
async fn a_code_by_sms_alone_logs_nobody_in() {
    let text = r#"
id = "asked"
version = 1
clients = ["suite"]

[[step]]
id = "hook"
kind = "webhook"
url = "https://hook.example/ask"
challenge = "sms"
on = { error = "in" }

[[step]]
id = "in"
kind = "finish"
"#;
    let sms = "subject = true\nanswers = [\"sms\"]";
    asked(sms, text, async |world, _| {
        world
            .network
            .answer_hooks(r#"{"result":"ok","amr":["sms"]}"#);
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        let answer = browser.get(&path).await;
        let ended = refused(&world, &mut browser, &path, &answer).await;
        assert_eq!(ended, "not_authenticated");
        assert!(world.network.questions().is_empty());
    })
    .await;
}

/// A system may raise the risk, and nothing afterwards lowers it.
#[tokio::test]
async fn row_44_the_risk_is_raised_from_outside_and_never_lowered() {
    let text = ASKED.replace(
        "[[step]]\nid = \"in\"",
        r#"[[step]]
id = "risk"
kind = "risk"
model = "freeman"
on = { timeout = "look" }

[[step]]
id = "look"
kind = "deny"
code = "risk_blocked"
when = 'risk.level in ["high", "critical"]'

[[step]]
id = "in""#,
    );
    let engine = format!(
        "answers = [\"risk\"]\n[risk.webhook]\nurl = \"https://risk.example/\"\nsecret = \"{SECRET}\""
    );
    // The step speaks first, then the engine of `[risk]`.
    let cases = [
        (OK, r#"{"level":"low"}"#, true),
        (OK, r#"{"level":"high"}"#, false),
        (OK, r#"{"level":"harmless"}"#, false),
        (OK, r#"{"level":"low","score":1}"#, false),
        (
            r#"{"result":"ok","risk":"high"}"#,
            r#"{"level":"low"}"#,
            false,
        ),
        (
            r#"{"result":"ok","risk":"medium"}"#,
            r#"{"level":"low"}"#,
            true,
        ),
    ];
    asked(&engine, &text, async |world, _| {
        let wallet = world.person("M-1").await;
        for (step, engine, passes) in cases {
            world
                .network
                .answer_hook_at("https://risk.example/", engine);
            world.network.answer_hooks(step);
            let mut browser = world.browser().from(HOME);
            let (path, answer) = show(&world, &mut browser, &wallet).await;
            if passes {
                world.suite().code(&answer);
            } else {
                let ended = refused(&world, &mut browser, &path, &answer).await;
                let expected = match engine.contains("harmless") || engine.contains("score") {
                    true => "policy_error",
                    false => "risk_blocked",
                };
                assert_eq!(ended, expected, "{step} {engine}");
            }
        }
        let body: Value =
            serde_json::from_str(&world.network.questions().last().unwrap().body).unwrap();
        assert_eq!(body["type"], "journey.risk");
        let mut names: Vec<&String> = body["data"].as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["journey", "level", "reasons", "reference", "step"]);
    })
    .await;
}

/// A session does not stand for a login of which a system says that it is risky, with a `risk` step or without.
#[tokio::test]
async fn a_session_does_not_count_where_a_system_raises_the_risk() {
    asked("answers = [\"risk\"]", ASKED, async |world, _| {
        let wallet = world.person("M-1").await;
        world.network.answer_hooks(OK);
        let mut browser = world.browser().from(HOME);
        member(&world, &mut browser, &wallet).await;
        for (level, asks) in [("medium", false), ("high", true)] {
            let body = format!(r#"{{"result":"ok","risk":"{level}"}}"#);
            world.network.answer_hooks(&body);
            let address = world.suite().authorize("openid", &[]);
            let path = browser.get(&address).await.location();
            let answer = browser.get(&path).await;
            if !asks {
                world.suite().code(&answer);
                continue;
            }
            assert_eq!(answer.location(), path);
        }
    })
    .await;
}

/// Whoever logged out meanwhile is not asked about.
#[tokio::test]
async fn a_session_that_ended_asks_nobody() {
    asked("", ASKED, async |world, _| {
        let wallet = world.person("M-1").await;
        world.network.answer_hooks(OK);
        let mut browser = world.browser().from(HOME);
        member(&world, &mut browser, &wallet).await;
        let asked = world.network.questions().len();
        let address = world.suite().authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        let mut window = browser.window(world.router());
        log_out(&mut browser).await;
        let answer = window.get(&path).await;
        assert_eq!(answer.location(), path);
        let page = window.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert_eq!(world.network.questions().len(), asked);
    })
    .await;
}

/// What a system says of the risk is no assessment: a condition that reads one fails closed.
#[tokio::test]
async fn a_system_that_says_low_has_assessed_nothing() {
    let text = ASKED.replace(
        "[[step]]\nid = \"in\"",
        "[[step]]\nid = \"look\"\nkind = \"deny\"\ncode = \"blocked\"\nwhen = 'risk.level == \"high\"'\n\n[[step]]\nid = \"in\"",
    );
    asked("answers = [\"risk\"]", &text, async |world, _| {
        let wallet = world.person("M-1").await;
        for (level, expected) in [
            ("low", "policy_error"),
            ("medium", "policy_error"),
            ("high", "blocked"),
        ] {
            let body = format!(r#"{{"result":"ok","risk":"{level}"}}"#);
            world.network.answer_hooks(&body);
            let mut browser = world.browser().from(HOME);
            let (path, answer) = show(&world, &mut browser, &wallet).await;
            let ended = refused(&world, &mut browser, &path, &answer).await;
            assert_eq!(ended, expected, "{level}");
        }
    })
    .await;
}

#[tokio::test]
async fn cat_398_systems_that_are_refused_at_the_start() {
    let cases = [
        ("url = \"http://hook.example/\"", "journeys.webhook"),
        ("url = \"https://hook.example/\"\nsecret = \"x\"", "whsec_"),
        (
            "url = \"https://hook.example/\"\nsecret = \"SECRET\"\nanswers = [\"sms\"]",
            "subject = true",
        ),
        (
            "url = \"https://hook.example/\"\nsecret = \"SECRET\"\n[risk.webhook]\nurl = \"https://r.example/\"\nsecret = \"SECRET\"\nanswers = [\"risk\"]",
            "answers a level and nothing else",
        ),
    ];
    on_sqlite(async |world| {
        for (written, expected) in cases {
            let written = written.replace("SECRET", SECRET);
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().display();
            let more = format!("\n[journeys]\ndir = \"{dir}\"\n[[journeys.webhook]]\n{written}\n");
            let config = world.configured(|toml| toml + &more);
            let said = Settings::parse(&config).unwrap_err().to_string();
            assert!(said.contains(expected), "{expected}: {said}");
        }
    })
    .await;
}
