use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JsonError, MAX_DEPTH, parse_object, parse_strict};

fn refused(text: &str) -> JsonError {
    parse_strict(text.as_bytes()).expect_err(text)
}

#[test]
fn cat_104_duplicate_members_at_any_depth() {
    for text in [
        r#"{"aud":"a","aud":"b"}"#,
        r#"{"a":[{"b":{"nonce":1,"nonce":1}}]}"#,
        r#"{"client_id":"a","client\u005fid":"b"}"#,
    ] {
        assert_eq!(refused(text), JsonError::DuplicateKey, "{text}");
    }
}

#[test]
fn cat_106_lossy_numbers() {
    for text in [
        "1e9999",
        "-1e9999",
        "1e-9999",
        "-0",
        "-0.0",
        "0e0e",
        "9007199254740993",
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551616",
        "1.00000000000000001",
        "9007199254740993.0",
        "1e99999999999999999999",
        "123456789012345678901234567890",
        "0.1234567890123456789012345678901234567890123456789012345678901234567890",
    ] {
        let error = refused(text);
        let expected = if text == "0e0e" {
            JsonError::Syntax
        } else {
            JsonError::LossyNumber
        };
        assert_eq!(error, expected, "{text}");
    }
}

#[test]
fn cat_106_exact_numbers() {
    for (text, value) in [
        ("0", json!(0)),
        ("-1", json!(-1)),
        ("9007199254740991", json!(9_007_199_254_740_991_i64)),
        ("-9007199254740991", json!(-9_007_199_254_740_991_i64)),
        ("0.1", json!(0.1)),
        ("0.10000000000000001", json!(0.1)),
        ("752774166602737.2", json!(752_774_166_602_737.2)),
        ("1e300", json!(1e300)),
        ("0.0", json!(0.0)),
        ("-2.50", json!(-2.5)),
        ("1.5E+3", json!(1500.0)),
        ("1e-3", json!(0.001)),
    ] {
        assert_eq!(parse_strict(text.as_bytes()), Ok(value), "{text}");
    }
}

#[test]
fn cat_107_surrogates_and_bad_utf8() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\ud800""#,
        r#""\ud800x""#,
        r#""\ud83d\u0041""#,
    ] {
        assert_eq!(refused(text), JsonError::Unicode, "{text}");
    }
    for bytes in [
        &b"\"\xc0\xaf\""[..],
        b"\"\xff\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
    ] {
        assert_eq!(parse_strict(bytes), Err(JsonError::Unicode));
    }
    assert_eq!(
        parse_strict(br#""\ud83d\ude00\u00e4\n\/""#),
        Ok(json!("😀ä\n/"))
    );
}

#[test]
fn cat_079_byte_order_mark_comments_trailing_bytes() {
    for text in [
        "",
        " ",
        "\u{feff}{}",
        "{} {}",
        "{}x",
        "{}\0",
        "/* c */{}",
        "{}//c",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\" 1}",
        "{\"a\":}",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "0x10",
        "NaN",
        "Infinity",
        "tru",
        "nul",
        "truex",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "\"a\nb\"",
        "[",
        "{",
        "{\"a\"",
        "]",
        "\u{a0}1",
    ] {
        assert_eq!(refused(text), JsonError::Syntax, "{text:?}");
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse_strict(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(refused(&nested(MAX_DEPTH + 1)), JsonError::TooDeep);
    assert_eq!(refused(&"[".repeat(1_000_000)), JsonError::TooDeep);
    let objects = format!("{}1{}", r#"{"a":"#.repeat(33), "}".repeat(33));
    assert_eq!(refused(&objects), JsonError::TooDeep);
}

#[test]
fn objects_only() {
    for text in ["1", "[]", "\"a\"", "null", "true"] {
        assert_eq!(parse_object(text.as_bytes()), Err(JsonError::NotAnObject));
    }
    assert_eq!(parse_object(b"\r\n\t {}").map(|map| map.len()), Ok(0));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..9_007_199_254_740_991).prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_serde_json_writes(value in any_json()) {
        prop_assert_eq!(parse_strict(value.to_string().as_bytes()).unwrap(), value);
    }

    #[test]
    fn never_panics_and_never_accepts_more_than_serde_json(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = parse_strict(&bytes) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
        }
    }

    #[test]
    fn agrees_with_serde_json_on_jsonish_text(text in r#"[\[\]{}:, "\\u0a1e.+-]{0,24}"#) {
        match (parse_strict(text.as_bytes()), serde_json::from_str::<Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Ok(_), Err(_)) => prop_assert!(false, "accepted what serde_json refuses: {text}"),
            (Err(JsonError::Syntax), Ok(_)) => prop_assert!(false, "refused valid JSON: {text}"),
            (Err(_), _) => {}
        }
    }
}
