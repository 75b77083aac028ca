use serde_json::{Value, json};

use super::*;
use crate::journey::mistake::Code;

struct Plain;
impl Hasher for Plain {
    fn hash(&self, name: &str, value: &Value) -> String {
        format!("{name}:{value}")
    }
}

fn known() -> Known<'static> {
    Known {
        steps: ["key", "card"].into(),
        cards: Some(["member".to_owned(), "pid".to_owned()].into()),
    }
}

fn variables() -> Value {
    json!({
        "request": { "client": "shop", "scopes": ["openid", "age"], "acr_values": ["urn:vouchsafe:acr:vc"], "prompt": [], "ui_locales": [], "campaign": "" },
        "session": { "exists": false },
        "user": { "exists": true, "logins": 3, "attrs": { "tier": "gold", "nothing": null }, "missing": ["a"], "linked": ["passkey"], "refused": [], "binding": { "member_id": "member_id:\"m-7\"" } },
        "device": { "known": true, "dc_api": false, "mobile": false },
        "cred": { "member": { "issuer": "i", "type": "t", "claims": { "member_id": "m-7", "n": 5, "x": 1.5, "nothing": null }, "age_s": 10 } },
        "done": ["key"], "now": 100, "attempt": 1
    })
}

fn read(source: &str) -> Result<Expression, Vec<Problem>> {
    Expression::read(source, &known())
}

fn value(source: &str) -> Result<Value, EvaluationError> {
    read(source).unwrap().value(&variables(), &Plain)
}

fn problem(source: &str) -> (Code, usize) {
    let problems = read(source).unwrap_err();
    (problems[0].code, problems[0].offset)
}

#[test]
fn what_holds() {
    for source in [
        "true",
        "!session.exists && user.exists",
        r#"user.exists && "passkey" in user.linked"#,
        r#"request.client == "shop" || session.age_s > 3"#,
        r#"user.missing.size() > 0 && size(user.missing) == 1"#,
        r#"!(user.missing[0] in user.refused)"#,
        r#"has(cred.member) && !has(cred.pid)"#,
        r#"cred.member.claims.n < 6 && cred.member.claims.x >= 1"#,
        r#"has(cred.pid) ? cred.pid.age_s < 9 : cred.member.age_s - 1 == 9"#,
        r#""key" in done && !("card" in done)"#,
        r#"acr.at_least(request.acr_values, "vc")"#,
        r#"!acr.at_least(request.acr_values, "vc-hw")"#,
        r#"acr.at_least(request.acr_values, "urn:vouchsafe:acr:mfa")"#,
        r#"request.client.startsWith("sh") && request.client.endsWith("op") && request.client.contains("ho")"#,
        r#"request.client in ["shop", "app"]"#,
        r#"-1 < now && now + 1 == 101"#,
        r#"user.attrs["tier"] == "gold""#,
    ] {
        assert_eq!(value(source), Ok(Value::Bool(true)), "{source}");
    }
}

#[test]
fn the_crate_that_defines_the_language_agrees() {
    let mut context = cel::Context::default();
    for (name, value) in variables().as_object().unwrap() {
        context.add_variable(name.as_str(), value.clone()).unwrap();
    }
    for source in [
        "!session.exists && user.exists",
        r#"user.exists && "passkey" in user.linked"#,
        r#"request.client == "shop" || user.logins > 3"#,
        r#"user.missing.size() > 0"#,
        r#"has(cred.member) && !has(cred.pid)"#,
        r#"cred.member.claims.n < 6 ? user.logins == 4 : true"#,
        r#"request.client.startsWith("sh") && !request.client.contains("x")"#,
        r#"request.client in ["app"] || now > 99"#,
        r#"!(user.missing[0] in user.refused)"#,
    ] {
        let theirs = cel::Program::compile(source).unwrap().execute(&context);
        let Ok(cel::Value::Bool(theirs)) = theirs else {
            panic!("{source}: {theirs:?}");
        };
        assert_eq!(value(source), Ok(Value::Bool(theirs)), "{source}");
    }
}

#[test]
fn what_is_missing_is_an_error_and_never_false() {
    for source in [
        "session.age_s > 3",
        "risk.impossible_travel",
        r#"risk.level != "low""#,
        "cred.pid.age_s < 9",
        "user.attrs.nothing == user.attrs.nowhere",
        r#"user.attrs.nothing == "x""#,
        "user.refused[0] == \"x\"",
        // In CEL the other side would win here.
        "risk.impossible_travel || user.exists",
        "risk.impossible_travel && session.exists",
        "user.exists && risk.impossible_travel",
    ] {
        assert_eq!(value(source), Err(EvaluationError::Missing), "{source}");
    }
    // Found when it runs, because the types of claims are not known before.
    for source in [
        r#"cred.member.claims.n == "5""#,
        "cred.member.claims.member_id > 3",
        "cred.member.claims.n && true",
        "cred.member.claims.n.x == 1",
    ] {
        assert_eq!(value(source), Err(EvaluationError::Type), "{source}");
    }
    assert_eq!(
        value("9223372036854775807 + now > 0"),
        Err(EvaluationError::Limit)
    );
}

#[test]
fn a_stored_hash_is_compared_with_the_hash_of_what_is_shown() {
    let same = "cred.member.claims.member_id == user.binding.member_id";
    assert_eq!(value(same), Ok(Value::Bool(true)));
    let turned = "user.binding[\"member_id\"] != cred.member.claims.member_id";
    assert_eq!(value(turned), Ok(Value::Bool(false)));
    // The hash itself proves nothing, and neither does what is not there.
    assert_eq!(
        value(r#"user.binding.member_id == "member_id:\"m-7\"""#),
        Ok(Value::Bool(false))
    );
    assert_eq!(
        value("user.binding.birthdate == \"x\""),
        Err(EvaluationError::Missing)
    );
    assert_eq!(
        value("cred.member.claims.nothing == user.binding.member_id"),
        Err(EvaluationError::Missing)
    );
    assert_eq!(
        problem("user.binding.a == user.binding.b").0,
        Code::WrongType
    );
    assert_eq!(problem("user.binding.a == user.binding").0, Code::WrongType);
}

#[test]
fn mistakes_have_their_place() {
    assert_eq!(
        problem("user.exists && usr.exists"),
        (Code::UnknownVariable, 15)
    );
    assert_eq!(problem("user.exsts"), (Code::UnknownVariable, 5));
    assert_eq!(problem("cred.membr.age_s < 3"), (Code::UnknownVariable, 5));
    assert_eq!(problem("cred.member.agee < 3"), (Code::UnknownVariable, 12));
    assert_eq!(problem(r#"user.logins == "3""#).0, Code::WrongType);
    assert_eq!(problem(r#"true && user.logins"#), (Code::WrongType, 12));
    assert_eq!(problem(r#"risk.level == "hihg""#), (Code::WrongType, 14));
    assert_eq!(
        problem(r#"risk.level in ["high", "extreme"]"#),
        (Code::WrongType, 23)
    );
    assert_eq!(problem(r#""crd" in done"#), (Code::UnknownVariable, 0));
    assert_eq!(
        problem(r#"user.logins in request.scopes"#).0,
        Code::WrongType
    );
    assert_eq!(problem(r#"request.scopes == "age""#).0, Code::WrongType);
    assert_eq!(problem("user.logins.x == 1").0, Code::WrongType);
    assert_eq!(problem("user.exists[0]").0, Code::WrongType);
    assert_eq!(
        problem(r#"acr.at_least(request.acr_values, "gold")"#).0,
        Code::WrongType
    );
    assert_eq!(
        problem(r#"acr.at_least(request.acr_values, request.client)"#).0,
        Code::WrongType
    );
    assert_eq!(problem("user.exists &&").0, Code::BadCel);
    assert_eq!(problem("").0, Code::BadCel);
    assert_eq!(
        problem("user.linked.exists(x, x == \"a\")").0,
        Code::UnsupportedCel
    );
    assert_eq!(
        problem("user.linked.map(x, x).size() > 1").0,
        Code::UnsupportedCel
    );
    assert_eq!(
        problem("matches(request.client, \"(a*)*\")").0,
        Code::UnsupportedCel
    );
    assert_eq!(problem("user.logins * 3 > 1").0, Code::UnsupportedCel);
}

/// Rule 8: the cost of an expression is bounded before it is parsed.
#[test]
fn large_expressions_are_refused_before_they_cost_anything() {
    let long = format!("request.client == \"{}\"", "x".repeat(LONGEST));
    let deep = format!("{}true{}", "(".repeat(400), ")".repeat(400));
    let lists = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let chain = format!("user{}", ".a".repeat(900));
    let nots = format!("{}true", "!".repeat(1500));
    let ands = vec!["true"; 200].join(" && ");
    for source in [long, deep, lists, chain, nots, ands] {
        assert_eq!(problem(&source).0, Code::CelTooLarge, "{}", &source[..20]);
    }
    let allowed = vec!["user.exists"; 15].join(" && ");
    assert_eq!(value(&allowed), Ok(Value::Bool(true)));
}

proptest::proptest! {
    /// Whatever stands in a file: no panic, and what is accepted has a value or an error.
    #[test]
    fn nothing_panics(source in "[a-z0-9_.!&|=<>()\\[\\]\"?:, +-]{0,80}") {
        if let Ok(expression) = read(&source) {
            let first = expression.value(&variables(), &Plain);
            proptest::prop_assert_eq!(first, expression.value(&variables(), &Plain));
        }
    }
}
