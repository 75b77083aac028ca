//! Files with mistakes, and what the rules of section 3.3 make of runs.

use super::*;

const END: &str = "[[step]]\nid = \"end\"\nkind = \"finish\"\n";
const CARD: &str = "[[step]]\nid = \"card\"\nkind = \"present\"\nquery = \"member\"\n";

fn mistakes(text: &str) -> Vec<Mistake> {
    read(text).err().unwrap_or_default()
}

/// The first mistake: its code and its place.
fn first(text: &str) -> (Code, usize, usize) {
    let found = mistakes(text);
    let first = found
        .first()
        .unwrap_or_else(|| panic!("no mistake in {text}"));
    assert!(!first.hint.is_empty() && !first.message.is_empty());
    (first.code, first.line, first.column)
}

fn steps(text: &str) -> (Code, usize, usize) {
    first(&with_steps(text))
}

#[test]
fn an_unknown_key() {
    assert_eq!(steps("colour = 1\n"), (Code::UnknownKey, 3, 1));
    assert_eq!(
        steps(&format!("{CARD}chanels = [\"qr\"]\n{END}")),
        (Code::UnknownKey, 7, 1)
    );
    // A key of another kind of step.
    let found = mistakes(&with_steps(&format!("{CARD}seconds = 3\n{END}")));
    assert_eq!((found[0].code, found[0].line), (Code::UnknownKey, 7));
    assert_eq!(found[0].hint, "it belongs to wait");
    assert_eq!(
        steps(&format!(
            "{CARD}on = {{ ok = \"end\", maybe = \"end\" }}\n{END}"
        ))
        .0,
        Code::UnknownKey
    );
    let found = mistakes(&with_steps(&format!("{CARD}whne = 'true'\n{END}")));
    assert_eq!(found[0].hint, "`when` is meant perhaps");
}

#[test]
fn what_is_not_toml_and_what_is_missing() {
    assert_eq!(first("id = \n"), (Code::NotToml, 1, 6));
    assert_eq!(first("version = 1\n").0, Code::MissingKey);
    assert_eq!(first("id = \"j\"\nversion = 1\n").0, Code::MissingKey);
    assert_eq!(
        steps(&format!("[[step]]\nid = \"w\"\nkind = \"wait\"\n{END}")),
        (Code::MissingKey, 5, 8)
    );
    assert_eq!(
        steps(&format!("[[step]]\nid = \"w\"\nkind = \"present\"\n{END}")).0,
        Code::MissingKey
    );
    let both = format!("{CARD}dcql = '{{}}'\n{END}");
    assert_eq!(steps(&both).0, Code::MissingKey);
    assert_eq!(
        steps(&format!("[[step]]\nid = \"w\"\nkind = \"teleport\"\n{END}")),
        (Code::BadValue, 5, 8)
    );
    assert_eq!(steps(&format!("{CARD}{CARD}{END}")).0, Code::DuplicateStep);
    assert_eq!(
        steps(&format!("timeout_s = 4\n{END}")),
        (Code::BadValue, 3, 13)
    );
    assert_eq!(
        steps(&format!("require_acr = \"gold\"\n{END}")),
        (Code::BadValue, 3, 15)
    );
    assert_eq!(
        steps(&format!("stage = \"retenton\"\n{END}")),
        (Code::BadValue, 3, 9)
    );
    assert_eq!(
        steps(&format!("{CARD}purpose = {{ de = \"x\" }}\n{END}")).0,
        Code::BadValue
    );
}

#[test]
fn a_webhook_is_asked_by_https_or_on_this_machine() {
    let file = |url| {
        with_steps(&format!(
            "[[step]]\nid = \"w\"\nkind = \"webhook\"\nurl = \"{url}\"\n{END}"
        ))
    };
    for bad in [
        "http://x.example",
        "http://10.0.0.1/",
        "http://127.0.0.1.example/",
        "http://localhost.example/",
        "ftp://127.0.0.1/",
        "127.0.0.1",
    ] {
        assert_eq!(first(&file(bad)).0, Code::BadValue, "{bad}");
    }
    let good = [
        "https://x.example",
        "http://127.0.0.1:9000/ask",
        "http://[::1]:9000/",
    ];
    for good in good {
        let found = mistakes(&file(good));
        assert!(found.iter().all(|one| one.code != Code::BadValue), "{good}");
    }
}

#[test]
fn numbers_are_added_and_texts_are_not() {
    let file = |when| with_steps(&format!("{CARD}when = '{when}'\n{END}"));
    let found = mistakes(&file("session.acr + \"x\" == \"y\""));
    assert_eq!(found[0].code, Code::WrongType);
    assert_eq!(found[0].hint, "write an int or a double");
}

#[test]
fn a_step_that_no_way_leads_to() {
    let text = format!("{END}[[step]]\nid = \"far\"\nkind = \"deny\"\ncode = \"x\"\n");
    assert_eq!(steps(&text), (Code::UnreachableStep, 7, 6));
    let never = format!(
        "{CARD}when = 'false'\non = {{ declined = \"help\" }}\n{END}[[step]]\nid = \"help\"\nkind = \"deny\"\ncode = \"x\"\n"
    );
    assert_eq!(steps(&never).0, Code::UnreachableStep);
}

#[test]
fn a_circle_needs_a_limit() {
    let circle = format!(
        "{CARD}on = {{ declined = \"again\" }}\n{END}[[step]]\nid = \"again\"\nkind = \"consent\"\non = {{ ok = \"card\" }}\n"
    );
    assert_eq!(steps(&circle), (Code::EndlessLoop, 14, 13));
    let limited = with_steps(&format!("[limits]\nmax_visits = 3\n{circle}"));
    let journey = read(&limited).unwrap();
    // And a run of it ends.
    let declined = json!({ "outcome": "declined" });
    let case = serde_json::from_value(case(json!({ "answers": { "card": declined } }))).unwrap();
    let found = simulate(&journey, &case).unwrap();
    assert_eq!(end(&found.ended), "deny:too_many_attempts");
    assert_eq!(
        ran(&found.trace)
            .iter()
            .filter(|step| **step == "card")
            .count(),
        3
    );
}

#[test]
fn the_end_of_the_file_is_no_end() {
    assert_eq!(steps(CARD), (Code::NoEnd, 4, 6));
    assert_eq!(
        steps("[[step]]\nid = \"end\"\nkind = \"finish\"\nwhen = 'session.exists'\n").0,
        Code::NoEnd
    );
}

#[test]
fn a_level_that_no_way_reaches() {
    let need = |level: &str, steps: &str| {
        first(&with_steps(&format!(
            "require_acr = \"urn:vouchsafe:acr:{level}\"\n{steps}{END}"
        )))
    };
    let totp = "[[step]]\nid = \"code\"\nkind = \"totp\"\n";
    assert_eq!(need("vc", totp), (Code::UnmetRequireAcr, 3, 15));
    assert_eq!(need("mfa", totp).0, Code::UnmetRequireAcr);
    assert_eq!(need("1fa", totp).0, Code::UnmetRequireAcr);
    let qr = format!("{CARD}channels = [\"qr\"]\n");
    assert_eq!(need("vc", &qr).0, Code::UnmetRequireAcr);
    let reached = |level: &str, steps: &str| {
        read(&with_steps(&format!(
            "require_acr = \"urn:vouchsafe:acr:{level}\"\n{steps}{END}"
        )))
        .is_ok()
    };
    assert!(reached("vc-xdev", &qr) && reached("vc", CARD));
    assert!(reached(
        "mfa",
        &format!("{totp}[[step]]\nid = \"key\"\nkind = \"passkey\"\n")
    ));
}

#[test]
fn a_query_that_is_none() {
    let dcql = |text: &str| {
        steps(&format!(
            "[[step]]\nid = \"c\"\nkind = \"present\"\ndcql = '''\n{text}\n'''\n{END}"
        ))
    };
    assert_eq!(dcql("{\"credentials\": [}"), (Code::BadDcql, 7, 18));
    assert_eq!(dcql("{}").0, Code::BadDcql);
    // Catalogue 310: a login without holder binding.
    let unbound = r#"{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["x"]},"require_cryptographic_holder_binding":false}]}"#;
    assert_eq!(dcql(unbound).0, Code::BadDcql);
}

#[test]
fn conditions_are_checked_in_their_place() {
    let when = |text: &str| steps(&format!("{CARD}when = '{text}'\n{END}"));
    assert_eq!(when("session.exits"), (Code::UnknownVariable, 7, 17));
    assert_eq!(when("user.logins"), (Code::WrongType, 7, 8));
    assert_eq!(when("user.logins == \"3\"").0, Code::WrongType);
    assert_eq!(when("session.exists &&").0, Code::BadCel);
    assert_eq!(when("user.linked.all(x, true)").0, Code::UnsupportedCel);
    let long = when(&vec!["true"; 200].join(" && "));
    assert_eq!(long.0, Code::CelTooLarge);
    // On the third line of the condition.
    let lines = format!("{CARD}when = '''\n  session.exists\n  || usr.exists\n'''\n{END}");
    assert_eq!(steps(&lines), (Code::UnknownVariable, 9, 6));
    assert_eq!(
        steps(&format!("match = 'cred.member.age_s > 3'\n{END}")).0,
        Code::UnknownVariable
    );
    let claims = format!(
        "{CARD}[[step]]\nid = \"end\"\nkind = \"finish\"\nclaims = {{ tier = 'cred.membr' }}\n"
    );
    // A named query does not say its cards here.
    assert!(read(&with_steps(&claims)).is_ok());
}

#[test]
fn a_route_to_nowhere() {
    assert_eq!(
        steps(&format!("{CARD}on = {{ declined = \"hlp\" }}\n{END}")),
        (Code::MissingTarget, 7, 19)
    );
    assert_eq!(
        steps(&format!("{CARD}on = {{ declined = \"deny:\" }}\n{END}")).0,
        Code::BadValue
    );
    let case = format!(
        "[[step]]\nid = \"d\"\nkind = \"decide\"\n[[step.case]]\nwhen = 'true'\nto = \"nowhere\"\n{END}"
    );
    assert_eq!(steps(&case), (Code::MissingTarget, 8, 6));
}

#[test]
fn too_many_steps() {
    let many: String = (0..64)
        .map(|n| format!("[[step]]\nid = \"s{n}\"\nkind = \"consent\"\n"))
        .collect();
    assert_eq!(steps(&format!("{many}{END}")).0, Code::TooManySteps);
}

#[test]
fn somebody_must_be_told() {
    let text = format!("[[step]]\nid = \"n\"\nkind = \"notify\"\nrevoke = [\"sessions\"]\n{END}");
    assert_eq!(steps(&text), (Code::NotifyWithoutChannel, 5, 8));
    assert_eq!(
        steps(&format!(
            "[[step]]\nid = \"n\"\nkind = \"notify\"\nemit = [\"fax:x\"]\n{END}"
        ))
        .0,
        Code::BadValue
    );
}

#[test]
fn several_mistakes_are_said_in_the_order_of_the_file() {
    let text = with_steps(&format!(
        "{CARD}when = 'usr.exists'\non = {{ declined = \"hlp\" }}\n{END}"
    ));
    let codes: Vec<Code> = mistakes(&text).iter().map(|mistake| mistake.code).collect();
    assert_eq!(codes, [Code::UnknownVariable, Code::MissingTarget]);
}

/// Rule 3: fail closed, and `on.error` where it is written.
#[test]
fn a_condition_without_a_value_goes_to_error() {
    let text = |on: &str| {
        with_steps(&format!(
            "{CARD}when = 'risk.impossible_travel || true'\n{on}{END}[[step]]\nid = \"sorry\"\nkind = \"deny\"\ncode = \"sorry\"\n"
        ))
    };
    // Without a `risk` step there is no risk.
    let reachable = text("on = { error = \"sorry\" }\n");
    assert_eq!(end(&run(&reachable, case(json!({}))).ended), "deny:sorry");
    let closed = with_steps(&format!(
        "{CARD}when = 'risk.impossible_travel || true'\n{END}"
    ));
    let found = run(&closed, case(json!({})));
    assert_eq!(end(&found.ended), "deny:policy_error");
    assert_eq!(found.trace[0].rule, "j@1#card.when");
}

/// Rule 1: what can be said at the start, and conditions that are looked at again before their step.
#[test]
fn the_plan_and_the_run() {
    let text = with_steps(&format!(
        "[[step]]\nid = \"who\"\nkind = \"identify\"\naccept = [\"username\"]\nwhen = '!session.exists'\n{CARD}when = '!user.exists'\n\
         [[step]]\nid = \"risk\"\nkind = \"risk\"\nmodel = \"m\"\nwhen = 'device.known'\n[[step]]\nid = \"key\"\nkind = \"passkey\"\n{END}"
    ));
    let found = run(
        &text,
        case(json!({ "user": { "identified": true }, "answers": { "key": { "outcome": "ok" } } })),
    );
    let plan: Vec<Plan> = found.plan.iter().map(|(_, plan)| *plan).collect();
    assert_eq!(
        plan,
        [
            Plan::Runs,
            Plan::Runs,
            Plan::Depends,
            Plan::Runs,
            Plan::Runs
        ]
    );
    // The account became known meanwhile.
    assert_eq!(ran(&found.trace), ["who", "key"]);
}

/// Rule 5: nothing was proven, so nobody is logged in, whatever the file says.
#[test]
fn a_finish_without_a_factor_is_no_login() {
    let found = run(&with_steps(END), case(json!({})));
    assert_eq!(end(&found.ended), "deny:not_authenticated");
    let proven = json!({ "outcome": "ok", "proof": { "proof": "passkey" } });
    // A result that claims what its step cannot prove.
    let found = run(
        &with_steps(&format!("{CARD}{END}")),
        case(json!({ "answers": { "card": proven } })),
    );
    assert_eq!(end(&found.ended), "deny:policy_error");
    let found = run(
        &with_steps(&format!("[[step]]\nid = \"c\"\nkind = \"consent\"\n{END}")),
        case(json!({ "answers": { "c": proven } })),
    );
    assert_eq!(end(&found.ended), "deny:policy_error");
}

#[test]
fn a_session_counts_as_long_as_its_level_lasts_and_not_where_it_must_be_fresh() {
    let text = with_steps(&format!("{CARD}{END}"));
    let session =
        |age: i64| json!({ "age_s": age, "acr": "urn:vouchsafe:acr:vc", "amr": ["pop", "vp"] });
    let with = |age, request: Value| {
        case(
            json!({ "session": session(age), "request": request, "answers": { "card": { "outcome": "declined" } } }),
        )
    };
    let plain = json!({ "client": "shop" });
    let found = run(&text, with(60, plain.clone()));
    assert_eq!(
        (end(&found.ended).as_str(), found.trace[0].what),
        ("login", What::Reused)
    );
    for (age, request) in [
        (13 * 3600, plain),
        (60, json!({ "client": "shop", "needs_card": true })),
        (60, json!({ "client": "shop", "prompt": ["login"] })),
        (60, json!({ "client": "shop", "max_age": 30 })),
    ] {
        assert_eq!(end(&run(&text, with(age, request)).ended), "deny:declined");
    }
    // Nor does it carry a `finish` where the person must authenticate again.
    let found = run(
        &with_steps(END),
        with(60, json!({ "client": "shop", "prompt": ["login"] })),
    );
    assert_eq!(end(&found.ended), "deny:not_authenticated");
}

#[test]
fn a_step_that_claims_a_code_by_sms() {
    let hook = |more: &str| {
        let hook = "[[step]]\nid = \"sms\"\nkind = \"webhook\"\nurl = \"https://codes.example/\"\n";
        with_steps(&format!("{hook}{more}{END}"))
    };
    let answer = json!({ "answers": { "sms": { "outcome": "ok" } } });
    let found = run(&hook("challenge = \"sms\"\n"), case(answer.clone()));
    let login = login(&found);
    let methods: Vec<&str> = login.amr.iter().map(String::as_str).collect();
    assert_eq!(
        (login.acr.as_str(), &methods[..]),
        ("urn:vouchsafe:acr:1fa", &["sms"][..])
    );
    // Without `challenge` it proves nothing.
    assert_eq!(
        end(&run(&hook(""), case(answer)).ended),
        "deny:not_authenticated"
    );
}

/// Rule 6.
#[test]
fn a_run_belongs_to_one_text() {
    struct None_;
    impl Hasher for None_ {
        fn hash(&self, _: &str, _: &Value) -> String {
            String::new()
        }
    }
    let (one, two) = (
        with_steps(&format!("{CARD}{END}")),
        with_steps(&format!("{CARD}# edited\n{END}")),
    );
    let (one, two) = (read(&one).unwrap(), read(&two).unwrap());
    let facts = Facts::default();
    let mut run = Instance::start(&one);
    assert!(matches!(run.next(&one, &facts, &None_), Ok(Next::Run(step)) if step.id == "card"));
    assert!(matches!(
        run.next(&two, &facts, &None_),
        Err(InstanceError::OtherVersion)
    ));
    // Stored and read again it goes on, and once only.
    let stored = serde_json::to_vec(&run).unwrap();
    let mut run: Instance = serde_json::from_slice(&stored).unwrap();
    let proof = Some(Proof::Presentation {
        cross_device: false,
        hardware_key: false,
        user_verified: false,
    });
    let ok = StepResult {
        outcome: Outcome::Ok,
        proof,
    };
    run.complete(&one, &facts, &None_, ok).unwrap();
    assert_eq!(
        run.complete(&one, &facts, &None_, ok),
        Err(InstanceError::NotRunning)
    );
    assert!(matches!(
        run.next(&one, &facts, &None_),
        Ok(Next::Ended(_, Ended::Login(_)))
    ));
    assert_eq!(
        run.complete(&one, &facts, &None_, ok),
        Err(InstanceError::NotRunning)
    );
    // A journey after it goes on with what was proven.
    let mut after = Instance::follow(&two, &run);
    assert!(matches!(after.next(&two, &facts, &None_), Ok(Next::Run(_))));
}

#[test]
fn a_trace_has_rules_and_no_values() {
    let secret = "SECRET-VALUE";
    let text = with_steps(&format!(
        "{CARD}check = 'cred.member.claims.name == \"x\"'\n{END}"
    ));
    let answers = json!({ "card": { "outcome": "ok", "cred": { "member": { "claims": { "name": secret } } } } });
    let found = run(
        &text,
        case(json!({ "answers": answers, "user": { "attrs": { "a": secret } } })),
    );
    let trace = serde_json::to_string(&found.trace).unwrap();
    assert!(!trace.contains(secret));
    assert_eq!(
        trace,
        r#"[{"step":"card","kind":"present","rule":"j@1#card.when","what":"runs"},{"step":"card","kind":"present","rule":"j@1#card.check","what":"ended","outcome":"invalid","then":"deny:not_proven"}]"#
    );
}

#[test]
fn the_schema_of_the_format_is_the_one_in_specs() {
    let written = include_str!("../../../../specs/journey.schema.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    assert!(
        written == now,
        "run `vouchsafe journey schema > specs/journey.schema.json`"
    );
}

#[test]
fn the_variables_in_the_documentation_are_those_of_the_code() {
    let written = include_str!("../../../../docs/journeys.md");
    assert!(
        written.contains(&documentation()),
        "docs/journeys.md needs this table:\n{}",
        documentation()
    );
}

/// Each key of the table is a key of the format, and the other way round.
#[test]
fn the_table_of_keys_is_the_format() {
    use crate::journey::{file, keys};
    let names =
        serde_json::to_string(&keys::KEYS.iter().map(|key| key.name).collect::<Vec<_>>()).unwrap();
    let error =
        toml::from_str::<file::StepFile>("id = \"a\"\nkind = \"b\"\nnothing = 1").unwrap_err();
    let expected: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
    for key in expected
        .iter()
        .filter(|key| !["id", "kind", "when", "on"].contains(*key))
    {
        assert!(names.contains(&format!("\"{key}\"")), "{key}");
    }
    assert_eq!(keys::KEYS.len() + 4, expected.len());
    for key in keys::KEYS {
        assert!(
            key.kinds
                .iter()
                .all(|kind| keys::KINDS.iter().any(|(known, _)| known == kind))
        );
    }
}
