//! No journey ends in a login without the factors that its level claims.

use proptest::prelude::*;

use super::*;

struct Nothing;
impl Hasher for Nothing {
    fn hash(&self, _: &str, _: &Value) -> String {
        String::new()
    }
}

const CONDITIONS: [&str; 10] = [
    "true",
    "session.exists",
    "!session.exists",
    "user.exists",
    "risk.level == \"low\"",
    "risk.impossible_travel || user.exists",
    "\"s0\" in done",
    "attempt > 1",
    "acr.at_least(request.acr_values, \"vc\")",
    "user.attrs.tier == \"gold\"",
];
const KINDS: [&str; 9] = [
    "kind = \"present\"\nquery = \"q\"",
    "kind = \"present\"\nquery = \"q\"\nchannels = [\"qr\"]\ncheck = 'user.exists'",
    "kind = \"passkey\"",
    "kind = \"passkey\"\nmode = \"register\"",
    "kind = \"totp\"",
    "kind = \"risk\"\nmodel = \"m\"",
    "kind = \"consent\"",
    "kind = \"webhook\"\nurl = \"https://x.example\"\nchallenge = \"sms\"",
    "kind = \"identify\"\naccept = [\"username\"]",
];

#[derive(Debug, Clone)]
struct StepPlan {
    kind: usize,
    when: Option<usize>,
    routes: Vec<(usize, usize)>,
    finish: bool,
}

fn step_plan() -> impl Strategy<Value = StepPlan> {
    let routes = proptest::collection::vec((1..6_usize, 0..9_usize), 0..3);
    let when = proptest::option::of(0..CONDITIONS.len());
    (0..KINDS.len(), when, routes, proptest::bool::weighted(0.15)).prop_map(
        |(kind, when, routes, finish)| StepPlan {
            kind,
            when,
            routes,
            finish,
        },
    )
}

/// Steps that may lead anywhere, back too.
fn text(plans: &[StepPlan], require: Option<usize>) -> String {
    use std::fmt::Write;
    let mut text = "id = \"j\"\nversion = 1\n".to_owned();
    if let Some(level) = require {
        let level = vouchsafe_protocol::oidc::acr::Acr::ALL[level].as_str();
        writeln!(text, "require_acr = \"{level}\"").unwrap();
    }
    text.push_str("[limits]\nmax_visits = 2\n");
    for (at, plan) in plans.iter().enumerate() {
        let kind = if plan.finish {
            "kind = \"finish\""
        } else {
            KINDS[plan.kind]
        };
        writeln!(text, "[[step]]\nid = \"s{at}\"\n{kind}").unwrap();
        match (plan.when, plan.finish) {
            (Some(when), _) => writeln!(text, "when = '{}'", CONDITIONS[when]).unwrap(),
            (None, true) => writeln!(text, "when = 'user.exists'").unwrap(),
            (None, false) => {}
        }
        let mut routes: std::collections::BTreeMap<&str, String> =
            std::collections::BTreeMap::new();
        for (outcome, to) in &plan.routes {
            let to = to % (plans.len() + 1);
            let to = if to == plans.len() {
                "end".to_owned()
            } else {
                format!("s{to}")
            };
            routes.insert(Outcome::ALL[*outcome].as_str(), to);
        }
        let routes: Vec<String> = routes
            .iter()
            .map(|(o, to)| format!("{o} = \"{to}\""))
            .collect();
        writeln!(text, "on = {{ {} }}", routes.join(", ")).unwrap();
    }
    text.push_str("[[step]]\nid = \"end\"\nkind = \"finish\"\n");
    text
}

/// What a result claims, from a small number.
fn proof(number: u8) -> Option<Proof> {
    let bit = |at: u8| number & (1 << at) != 0;
    match number % 7 {
        0 => None,
        1 => Some(Proof::Presentation {
            cross_device: bit(5),
            hardware_key: bit(6),
            user_verified: bit(7),
        }),
        2 => Some(Proof::Passkey {
            hardware_key: bit(5),
            user_verified: bit(6),
        }),
        3 => Some(Proof::OneTimeCode),
        4 => Some(Proof::Sms),
        5 => Some(Proof::Upstream),
        _ => Some(Proof::Risk),
    }
}

/// The proof that a step of the kind is expected to bring.
fn fitting(step: &Step, number: u8) -> Option<Proof> {
    let bit = |at: u8| number & (1 << at) != 0;
    match &step.kind {
        StepKind::Present(_) => Some(Proof::Presentation {
            cross_device: bit(5),
            hardware_key: bit(6),
            user_verified: bit(7),
        }),
        StepKind::Passkey { register: false } => Some(Proof::Passkey {
            hardware_key: bit(5),
            user_verified: bit(6),
        }),
        StepKind::Totp => Some(Proof::OneTimeCode),
        StepKind::Upstream { .. } => Some(Proof::Upstream),
        StepKind::Webhook { sms: true, .. } => Some(Proof::Sms),
        StepKind::Risk { .. } => Some(Proof::Risk),
        _ => None,
    }
}

/// A run with what the driver saw: the proofs that came with an accepted `ok`.
fn drive(journey: &Journey, facts: &Facts, results: &[(u8, u8)]) -> (Instance, Ended, Vec<Proof>) {
    let mut run = Instance::start(journey);
    let mut seen = Vec::new();
    let mut results = results.iter().cycle();
    loop {
        let (kind, step) = match run.next(journey, facts, &Nothing).unwrap() {
            Next::Ended(_, ended) => return (run, ended, seen),
            Next::Run(step) => (step.kind.name(), step),
        };
        let &(outcome, number) = results.next().unwrap();
        // Mostly well, sometimes with a proof that does not fit.
        let outcome = if outcome < 160 {
            Outcome::Ok
        } else {
            Outcome::ALL[outcome as usize % 6]
        };
        let proof = if number % 8 == 7 {
            proof(number / 8)
        } else {
            fitting(step, number)
        };
        run.complete(journey, facts, &Nothing, StepResult { outcome, proof })
            .unwrap();
        let last = run.trace().last().unwrap();
        if last.what
            == (What::Ended {
                outcome: Outcome::Ok,
            })
        {
            let right = match proof {
                None => !["present", "totp", "upstream", "risk"].contains(&kind),
                Some(Proof::Presentation { .. }) => kind == "present",
                Some(Proof::Passkey { .. }) => kind == "passkey",
                Some(Proof::OneTimeCode) => kind == "totp",
                Some(Proof::Sms) => kind == "webhook",
                Some(Proof::Upstream) => kind == "upstream",
                Some(Proof::Risk) => kind == "risk",
            };
            assert!(right, "{kind} ended well with {proof:?}");
            seen.extend(proof);
        }
    }
}

/// The highest level that the proofs and the session allow, counted apart from the engine.
fn most(seen: &[Proof], session: Option<&SessionFacts>) -> u8 {
    let mut most = 0;
    let (mut card, mut key, mut code, mut person) = (false, false, false, false);
    for proof in seen {
        match *proof {
            Proof::Presentation {
                cross_device,
                hardware_key,
                user_verified,
            } => {
                card = true;
                person |= user_verified;
                most = most.max(match (cross_device, hardware_key) {
                    (true, _) => 3,
                    (false, false) => 4,
                    (false, true) => 5,
                });
            }
            Proof::Passkey { user_verified, .. } => {
                key = true;
                person |= user_verified;
                most = most.max(1);
            }
            // A second factor, and none by itself.
            Proof::OneTimeCode => code = true,
            Proof::Sms => {
                code = true;
                most = most.max(1);
            }
            // One factor, of no kind that is known here.
            Proof::Upstream => most = most.max(1),
            Proof::Risk => {}
        }
    }
    if let Some(session) = session {
        let rank = rank(&session.acr);
        let lasts = match rank {
            5 => session.age_s <= 3600,
            3 | 4 => session.age_s <= 12 * 3600,
            _ => true,
        };
        // What runs out leaves the next lower level that lasts, or one factor.
        most = most.max(if lasts {
            rank
        } else if rank == 5 && session.age_s <= 12 * 3600 {
            4
        } else {
            1
        });
        card |= session.amr.iter().any(|method| method == "vp");
        key |= session.amr.iter().any(|method| method == "swk");
    }
    if [card, key, code, person]
        .iter()
        .filter(|kind| **kind)
        .count()
        > 1
    {
        most = most.max(2);
    }
    most
}

fn rank(acr: &str) -> u8 {
    match acr {
        "urn:vouchsafe:acr:1fa" => 1,
        "urn:vouchsafe:acr:mfa" => 2,
        "urn:vouchsafe:acr:vc-xdev" => 3,
        "urn:vouchsafe:acr:vc" => 4,
        "urn:vouchsafe:acr:vc-hw" => 5,
        other => panic!("no level: {other}"),
    }
}

fn facts() -> impl Strategy<Value = Facts> {
    let session = prop_oneof![
        2 => Just(None),
        1 => (0..50_000_i64).prop_map(|age_s| Some(SessionFacts { age_s, acr: "urn:vouchsafe:acr:vc".to_owned(), amr: vec!["pop".to_owned(), "vp".to_owned()], question: None })),
        1 => (0..50_000_i64).prop_map(|age_s| Some(SessionFacts { age_s, acr: "urn:vouchsafe:acr:1fa".to_owned(), amr: vec!["swk".to_owned()], question: None })),
        1 => (0..50_000_i64).prop_map(|age_s| Some(SessionFacts { age_s, acr: "urn:vouchsafe:acr:vc-hw".to_owned(), amr: vec!["hwk".to_owned(), "pop".to_owned(), "vp".to_owned()], question: None })),
    ];
    let risk = proptest::option::of(any::<bool>().prop_map(|travel| RiskFacts {
        score: Some(1.0),
        level: if travel {
            RiskLevel::High
        } else {
            RiskLevel::Low
        },
        reasons: Vec::new(),
        first_seen_country: Some(false),
        impossible_travel: Some(travel),
    }));
    (
        session,
        risk,
        any::<bool>(),
        any::<bool>(),
        proptest::option::of(0..100_000_i64),
        any::<bool>(),
    )
        .prop_map(
            |(session, risk, exists, login, max_age, needs_card)| Facts {
                request: RequestFacts {
                    client: "shop".to_owned(),
                    prompt: if login {
                        vec!["login".to_owned()]
                    } else {
                        Vec::new()
                    },
                    max_age,
                    needs_card,
                    ..RequestFacts::default()
                },
                session,
                risk,
                user: UserFacts {
                    exists,
                    ..UserFacts::default()
                },
                ..Facts::default()
            },
        )
}

proptest! {

    #[test]
    fn a_login_has_the_factors_of_its_level(
        plans in proptest::collection::vec(step_plan(), 1..9),
        require in proptest::option::of(0..5_usize),
        facts in facts(),
        results in proptest::collection::vec(any::<(u8, u8)>(), 1..20),
    ) {
        // Most texts are journeys; the others have a step that nothing leads to.
        let Ok(journey) = read(&text(&plans, require)) else { return Ok(()); };
        let (run, ended, seen) = drive(&journey, &facts, &results);
        let (again, ended_again, _) = drive(&journey, &facts, &results);
        prop_assert_eq!(&ended, &ended_again);
        prop_assert_eq!(serde_json::to_vec(run.trace()).unwrap(), serde_json::to_vec(again.trace()).unwrap());
        prop_assert!(run.trace().len() <= 2 * MOST_STEPS + 2);
        if let Ended::Login(login) = ended {
            let request = &facts.request;
            let session = facts.session.as_ref().filter(|session| {
                request.prompt.is_empty() && request.max_age.is_none_or(|most| session.age_s <= most)
            });
            let claimed = rank(&login.acr);
            prop_assert!(claimed >= 1 && claimed <= most(&seen, session), "{} of {seen:?}, {session:?}", login.acr);
            if let Some(least) = require {
                prop_assert!(usize::from(claimed) > least);
            }
            if login.amr.iter().any(|method| method == "vp") {
                let shown = seen.iter().any(|proof| matches!(proof, Proof::Presentation { .. }));
                prop_assert!(shown || session.is_some_and(|session| session.amr.contains(&"vp".to_owned())));
            }
        }
    }

    /// Whatever a file holds: mistakes with places, never a panic.
    #[test]
    fn reading_never_panics(text in "(id|version|step|\\[\\[step\\]\\]|kind|when|=|\"|'|\n|[a-z]| |\\{|\\}|1){0,60}") {
        if let Err(mistakes) = read(&text) {
            prop_assert!(mistakes.iter().all(|mistake| mistake.line >= 1 && mistake.column >= 1));
            prop_assert!(!mistakes.is_empty());
        }
    }
}

/// The property above says something: most of its texts are journeys, and many end in logins.
#[test]
fn the_generated_journeys_are_journeys() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut read_well, mut logins) = (0, 0);
    for _ in 0..200 {
        let plans = proptest::collection::vec(step_plan(), 1..9)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let facts = facts().new_tree(&mut runner).unwrap().current();
        if let Ok(journey) = read(&text(&plans, None)) {
            read_well += 1;
            let (_, ended, _) = drive(&journey, &facts, &[(0, 1), (0, 40)]);
            logins += usize::from(matches!(ended, Ended::Login(_)));
        }
    }
    assert!(
        read_well > 80 && logins > 20,
        "{read_well} journeys, {logins} logins"
    );
}
