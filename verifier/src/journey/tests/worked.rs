//! The four worked examples of section 3.4, as far as the engine alone decides them. What needs the
//! service: rows in the database, the answer of a resource server, events, the 30 days of silence.

use super::*;

const AGE: &str = include_str!("../../../../specs/journeys/age-gate.toml");
const MEMBER: &str = include_str!("../../../../specs/journeys/member-login.toml");
const RECOVER: &str = include_str!("../../../../specs/journeys/recover.toml");
const PROFILE: &str = include_str!("../../../../specs/journeys/profile.toml");
const VC: &str = "urn:vouchsafe:acr:vc";

fn buyer(answer: Value) -> Value {
    json!({
        "now": 1, "request": { "client": "wine-shop", "scopes": ["openid", "age"] },
        "answers": { "prove": answer }
    })
}

#[test]
fn a_the_token_says_18_and_the_level() {
    let card = json!({ "proof": { "claims": { "age_equal_or_over": { "18": true } } } });
    let found = run(AGE, buyer(json!({ "outcome": "ok", "cred": card })));
    assert_eq!(
        Value::from(found.claims.clone()),
        json!({ "age_over_18": true })
    );
    assert_eq!(
        (login(&found).acr.as_str(), &login(&found).amr[..]),
        (VC, &["pop".to_owned(), "vp".to_owned()][..])
    );
    assert_eq!(read(AGE).unwrap().subject, Some(Subject::Guest));
}

#[test]
fn a_without_proof_no_token() {
    for (outcome, expected) in [
        ("invalid", "deny:not_proven"),
        ("declined", "deny:declined"),
        ("timeout", "deny:timeout"),
        ("error", "deny:error"),
        ("no_credential", "deny:no_credential"),
    ] {
        let found = run(AGE, buyer(json!({ "outcome": outcome })));
        assert_eq!(end(&found.ended), expected);
        assert!(found.claims.is_empty());
    }
}

#[test]
fn a_serves_its_shop_and_its_scope_alone() {
    let journey = read(AGE).unwrap();
    let mut case: SimulatedCase =
        serde_json::from_value(buyer(json!({ "outcome": "ok" }))).unwrap();
    case.request.scopes.pop();
    assert!(matches!(simulate(&journey, &case), Err(CaseError::NoMatch)));
    case.request.client = "shop".to_owned();
    assert!(matches!(
        simulate(&journey, &case),
        Err(CaseError::OtherClient(_))
    ));
}

fn member(more: Value) -> Value {
    let mut all = json!({ "user": { "identified": true, "linked": ["passkey"], "attrs": { "tier": "silver" } } });
    for (name, value) in more.as_object().unwrap() {
        all[name.as_str()] = value.clone();
    }
    case(all)
}

#[test]
fn b_a_known_device_is_one_passkey_tap() {
    let risk = json!({ "score": 0.2, "level": "low" });
    let found = run(
        MEMBER,
        member(json!({ "risk": risk, "answers": { "key": { "outcome": "ok" } } })),
    );
    assert_eq!(ran(&found.trace), ["who", "key", "risk"]);
    assert!(!login(&found).amr.iter().any(|method| method == "vp"));
    assert_eq!(found.claims["membership_tier"], "silver");
}

#[test]
fn b_a_new_country_asks_for_the_card() {
    let risk = json!({ "score": 7.0, "level": "high", "first_seen_country": true, "reasons": ["new_country"] });
    let card = json!({ "outcome": "ok", "cred": { "member": { "claims": { "tier": "gold" } } } });
    let found = run(
        MEMBER,
        member(json!({ "risk": risk, "answers": { "key": { "outcome": "ok" }, "card": card } })),
    );
    assert_eq!(ran(&found.trace), ["who", "key", "risk", "card"]);
    let methods = &login(&found).amr;
    assert!(
        ["vp", "rba"]
            .iter()
            .all(|wanted| methods.iter().any(|method| method == wanted))
    );
    assert_eq!(login(&found).acr, VC);
    assert_eq!(found.claims["membership_tier"], "gold");
}

#[test]
fn b_a_stolen_passkey_without_the_card_is_denied() {
    let critical = json!({ "score": 50.0, "level": "critical", "impossible_travel": true });
    let found = run(
        MEMBER,
        member(json!({ "risk": critical, "answers": { "key": { "outcome": "ok" } } })),
    );
    let Ended::Refused(refusal) = &found.ended else {
        panic!("a login");
    };
    assert_eq!(
        (refusal.code.as_str(), &refusal.notify[..]),
        ("risk_blocked", &["user".to_owned()][..])
    );
    let high = json!({ "score": 7.0, "level": "high" });
    let answers = json!({ "key": { "outcome": "ok" }, "card": { "outcome": "no_credential" } });
    let found = run(MEMBER, member(json!({ "risk": high, "answers": answers })));
    assert_eq!(end(&found.ended), "deny:use_recovery");
}

#[test]
fn b_a_step_up_shows_the_card_alone() {
    let found = run(
        MEMBER,
        member(json!({
            "request": { "client": "shop", "scopes": ["openid"], "acr_values": [VC], "essential_acr": true },
            "session": { "age_s": 50, "acr": "urn:vouchsafe:acr:1fa", "amr": ["swk"] },
            "risk": { "score": 0.2, "level": "low" },
            "answers": { "card": { "outcome": "ok" } }
        })),
    );
    assert_eq!(ran(&found.trace), ["risk", "card"]);
    assert_eq!(login(&found).acr, VC);
    assert!(
        matches!(&read(MEMBER).unwrap().steps[4].kind, StepKind::Present(present) if present.bind)
    );
}

#[test]
fn b_the_card_of_another_member_is_an_error() {
    let high = json!({ "score": 7.0, "level": "high" });
    let answers = json!({ "key": { "outcome": "ok" }, "card": { "outcome": "error" } });
    let found = run(MEMBER, member(json!({ "risk": high, "answers": answers })));
    assert_eq!(end(&found.ended), "deny:error");
}

/// Whoever stole the session of somebody who showed the card today does not pass the step that
/// the theft calls for.
#[test]
fn b_a_session_does_not_answer_for_a_risk() {
    let session = json!({ "age_s": 50, "acr": VC, "amr": ["pop", "vp"] });
    let high = json!({ "score": 7.0, "level": "high" });
    let answers = json!({ "card": { "outcome": "no_credential" } });
    let found = run(
        MEMBER,
        member(json!({ "session": session, "risk": high, "answers": answers })),
    );
    assert_eq!(ran(&found.trace), ["risk", "card"]);
    assert_eq!(end(&found.ended), "deny:use_recovery");
}

fn recovering(cred: Value, binding: Value, level: &str, more: Value) -> Simulation {
    let mut answers = json!({ "proof": { "outcome": "ok", "cred": cred } });
    for (name, value) in more.as_object().unwrap() {
        answers[name.as_str()] = value.clone();
    }
    run(
        RECOVER,
        case(json!({
            "user": { "identified": true, "binding": binding }, "risk": { "score": 1.0, "level": level }, "answers": answers
        })),
    )
}

fn cards(member: &str, born: &str) -> Value {
    json!({ "member": { "claims": { "member_id": member, "name": "Alex" } }, "pid": { "claims": { "birthdate": born, "name": "Alex" } } })
}

#[test]
fn c_two_people_of_one_name_the_right_one_recovers() {
    let bound = json!({ "member_id": "m-1", "birthdate": "1980-01-02" });
    let right = recovering(cards("m-1", "1980-01-02"), bound.clone(), "low", json!({}));
    assert_eq!(
        ran(&right.trace),
        ["claim", "proof", "risk", "newkey", "clean"]
    );
    assert_eq!(login(&right).acr, VC);
    // Valid cards of another person and a forged one end alike, and so does an unknown account;
    // the trace, which no browser sees, tells them apart.
    let other = recovering(cards("m-2", "1991-03-04"), bound, "low", json!({}));
    assert_eq!(end(&other.ended), "deny:not_proven");
    let forged = run(
        RECOVER,
        case(json!({ "answers": { "proof": { "outcome": "invalid" } } })),
    );
    assert_eq!(other.ended, forged.ended);
}

#[test]
fn c_an_unknown_username_sees_the_same_steps_before_the_end() {
    let unknown = recovering(cards("m-1", "1980-01-02"), json!({}), "low", json!({}));
    assert_eq!(ran(&unknown.trace), ["claim", "proof"]);
    assert_eq!(end(&unknown.ended), "deny:error");
}

#[test]
fn c_the_hold_can_be_stopped() {
    let bound = json!({ "member_id": "m-1", "birthdate": "1980-01-02" });
    let stop = json!({ "hold": { "outcome": "declined" } });
    let stopped = recovering(cards("m-1", "1980-01-02"), bound.clone(), "medium", stop);
    assert_eq!(end(&stopped.ended), "deny:declined");
    let waited = recovering(cards("m-1", "1980-01-02"), bound, "medium", json!({}));
    assert_eq!(
        ran(&waited.trace),
        ["claim", "proof", "risk", "hold", "newkey", "clean"]
    );
    assert_eq!(read(RECOVER).unwrap().limits.per_account_per_day, Some(3));
}

fn profile(logins: i64, refused: Value, answers: Value) -> Simulation {
    run(
        PROFILE,
        case(json!({
            "session": { "age_s": 1, "acr": VC, "amr": ["pop", "vp"] },
            "user": { "exists": true, "logins": logins, "missing": ["postal_code", "riding_style"], "refused": refused },
            "risk": { "score": 0.1, "level": "low" }, "answers": answers
        })),
    )
}

#[test]
fn d_asks_from_the_third_login_on_and_never_blocks() {
    for logins in [1, 2] {
        assert!(ran(&profile(logins, json!([]), json!({})).trace).is_empty());
    }
    let third = profile(3, json!([]), json!({}));
    assert_eq!(ran(&third.trace), ["ask", "consent"]);
    let journey = read(PROFILE).unwrap();
    assert!(
        matches!(&journey.steps[0].kind, StepKind::Ask(ask) if ask.max_fields == 1 && ask.cooldown_days == 30)
    );
    for outcome in ["declined", "timeout", "error"] {
        let found = profile(3, json!([]), json!({ "ask": { "outcome": outcome } }));
        assert_eq!(
            (end(&found.ended).as_str(), &login(&found).acr),
            ("login", &login(&third).acr)
        );
    }
    assert!(ran(&profile(4, json!(["postal_code"]), json!({})).trace).is_empty());
}
