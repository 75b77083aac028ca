use proptest::prelude::*;

use super::{CborError, Item, Kind, MAX_BYTES, MAX_DEPTH, Value, Writer, to_json, to_vec};

fn refused(hex: &str) -> CborError {
    Item::parse(&bytes(hex)).expect_err(hex)
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn cat_125_indefinite_lengths_are_refused() {
    for hex in [
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "9f01ff",
        "bfff",
        "bf6161019fffff",
        "82019fff",
        "a1019f01ff",
    ] {
        let error = refused(hex);
        assert_eq!(error, CborError::Indefinite, "{hex}");
    }
    // A break on its own is no value.
    assert_eq!(refused("ff"), CborError::Simple);
}

#[test]
fn cat_127_nesting_ends_at_sixteen() {
    for opener in [0x81, 0xc1] {
        let nested = |depth: usize| {
            let mut input = vec![opener; depth];
            input.push(0x01);
            input
        };
        assert!(Item::parse(&nested(MAX_DEPTH)).is_ok());
        for depth in [MAX_DEPTH + 1, 10_000, MAX_BYTES - 1] {
            assert_eq!(Item::parse(&nested(depth)), Err(CborError::TooDeep));
        }
    }
    let maps: Vec<u8> = [0xa1, 0x01].repeat(10_000);
    assert_eq!(Item::parse(&maps), Err(CborError::TooDeep));
}

#[test]
fn cat_128_lengths_beyond_the_input_are_refused() {
    for major in ["5b", "7b", "9b", "bb"] {
        for length in ["7fffffffffffffff", "8000000000000000", "ffffffffffffffff"] {
            let hex = format!("{major}{length}00010203040506070809");
            assert_eq!(refused(&hex), CborError::Truncated, "{hex}");
        }
    }
    for hex in [
        "", "18", "19ff", "1a000000", "1b00", "43aabb", "63e282", "8201", "a101", "a20101", "c0",
        "d818", "f9", "fb00",
    ] {
        assert_eq!(refused(hex), CborError::Truncated, "{hex}");
    }
    assert_eq!(
        Item::parse(&vec![0; MAX_BYTES + 1]),
        Err(CborError::TooLarge)
    );
}

#[test]
fn cat_130_one_form_for_each_value() {
    for hex in [
        "1800",
        "1817",
        "190001",
        "1900ff",
        "1a00000001",
        "1a0000ffff",
        "1b0000000000000001",
        "1b00000000ffffffff",
        "3800",
        "390001",
        "580161",
        "7800",
        "d80001",
        "81190001",
        "b90001180001",
    ] {
        assert_eq!(refused(hex), CborError::NotShortest, "{hex}");
    }
    // How many parts there are may be written long, as JavaScript's cbor-x does.
    for (long, short) in [
        ("980101", "8101"),
        ("b8010101", "a10101"),
        ("b900010101", "a10101"),
    ] {
        let parse = |hex| Item::parse(&bytes(hex)).map(drop);
        assert_eq!(parse(long), parse(short), "{long}");
    }
    // Not to say a key twice.
    assert_eq!(refused("b9000201000101"), CborError::DuplicateKey);
    for hex in ["d9d9f701", "81d9d9f701", "a101d9d9f701"] {
        assert_eq!(refused(hex), CborError::SelfDescribed, "{hex}");
    }
    for hex in [
        "e0", "f0", "f3", "f7", "f818", "f820", "f8ff", "f814", "fc", "fd", "fe", "1c", "1f", "3f",
        "df01", "dc01",
    ] {
        assert_eq!(refused(hex), CborError::Simple, "{hex}");
    }
    for hex in [
        "f97e00",
        "f97c00",
        "f9fc00",
        "f97c01",
        "fa7fc00000",
        "fa7f800000",
        "faff800000",
        "fb7ff8000000000000",
        "fb7ff0000000000000",
        "fbfff0000000000000",
    ] {
        assert_eq!(refused(hex), CborError::NotFinite, "{hex}");
    }
}

#[test]
fn cat_131_nothing_follows_the_item() {
    for hex in ["0000", "80f6", "a000", "f6f6", "616161", "c00101"] {
        assert_eq!(refused(hex), CborError::Trailing, "{hex}");
    }
}

#[test]
fn keys_stand_once_and_are_simple() {
    for hex in [
        "a201010102",
        "a3616101616202616103",
        "a2414101414102",
        "a301000200010a",
        "82a0a201010101",
        "a101a22000200a",
    ] {
        assert_eq!(refused(hex), CborError::DuplicateKey, "{hex}");
    }
    for hex in [
        "a1800101",
        "a1f601",
        "a1f501",
        "a1c10101",
        "a1f93c0001",
        "a1a001",
    ] {
        assert_eq!(refused(hex), CborError::KeyType, "{hex}");
    }
    // The same number as integer, text and bytes are three keys; the order is free.
    assert!(Item::parse(&bytes("a4613102413103010120 01".replace(' ', "").as_str())).is_ok());
    assert!(Item::parse(&bytes("a202010101")).is_ok());
}

#[test]
fn text_is_utf8() {
    for hex in ["61ff", "62c328", "63eda080", "62c080"] {
        assert_eq!(refused(hex), CborError::Utf8, "{hex}");
    }
}

#[test]
fn rfc_8949_appendix_a() {
    let kind = |hex: &str| {
        let input: &'static [u8] = bytes(hex).leak();
        Item::parse(input).unwrap().kind()
    };
    assert_eq!(kind("1bffffffffffffffff"), Kind::Unsigned(u64::MAX));
    assert_eq!(kind("3bffffffffffffffff"), Kind::Negative(u64::MAX));
    assert_eq!(kind("f90001"), Kind::Float(5.960_464_477_539_063e-8));
    assert_eq!(kind("f90400"), Kind::Float(0.000_061_035_156_25));
    assert_eq!(kind("f97bff"), Kind::Float(65504.0));
    assert_eq!(kind("f9c400"), Kind::Float(-4.0));
    assert_eq!(kind("fa47c35000"), Kind::Float(100_000.0));
    assert_eq!(kind("fbc010666666666666"), Kind::Float(-4.1));
    assert_eq!(kind("f4"), Kind::Bool(false));
    assert_eq!(kind("f5"), Kind::Bool(true));
    assert_eq!(kind("f6"), Kind::Null);
    assert_eq!(kind("62c3bc"), Kind::Text("ü"));
    assert_eq!(kind("4401020304"), Kind::Bytes(&[1, 2, 3, 4]));
    let Kind::Tag(24, inner) = kind("d818456449455446") else {
        panic!()
    };
    assert_eq!(inner.bytes().unwrap(), bytes("6449455446"));
    let Kind::Array(mut items) = kind("8301820203820405") else {
        panic!()
    };
    assert_eq!(items.len(), 3);
    assert_eq!(items.next().unwrap().unsigned(), Ok(1));
    assert_eq!(items.next().unwrap().raw(), bytes("820203"));
    assert_eq!(items.next().unwrap().raw(), bytes("820405"));
    assert!(items.next().is_none());
}

#[test]
fn items_read_what_they_are_and_nothing_else() {
    let input = bytes("a26161a10102616203");
    let fields = Item::parse(&input).unwrap().fields().unwrap();
    assert_eq!(fields.required("a").unwrap().map().unwrap().len(), 1);
    assert_eq!(fields.required("bb").unwrap_err(), CborError::Missing("bb"));
    assert_eq!(fields.required("b").unwrap().unsigned(), Ok(3));
    assert!(fields.optional("A").is_none());
    let item = Item::parse(&input).unwrap();
    assert_eq!(item.text(), Err(CborError::Type));
    assert_eq!(item.bytes(), Err(CborError::Type));
    assert_eq!(item.array(), Err(CborError::Type));
    assert_eq!(item.unsigned(), Err(CborError::Type));
    assert_eq!(item.embedded(), Err(CborError::Type));
    let number = |hex: &str| Item::parse(&bytes(hex)).unwrap().integer();
    assert_eq!(number("3b7fffffffffffffff"), Ok(i64::MIN));
    assert_eq!(number("3b8000000000000000"), Err(CborError::Type));
    assert_eq!(number("1b8000000000000000"), Err(CborError::Type));
    // What is embedded is scanned too.
    assert_eq!(
        Item::parse(&bytes("d81842 9fff".replace(' ', "").as_str()))
            .unwrap()
            .embedded(),
        Err(CborError::Indefinite)
    );
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|n| Value::Integer(n.into())),
        any::<u64>().prop_map(|n| Value::Integer(n.into())),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        ".{0,20}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(Value::Float),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(".{0,8}", inner.clone(), 0..6).prop_map(|map| Value::Map(
                map.into_iter().map(|(k, v)| (Value::Text(k), v)).collect()
            )),
            (0_u64..50_000, inner).prop_map(|(tag, inner)| Value::Tag(tag, Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in values()) {
        let written = to_vec(&value);
        let item = Item::parse(&written).unwrap();
        prop_assert_eq!(item.to_value(), value);
        prop_assert_eq!(item.raw(), &written[..]);
        let mut twice = Writer::new();
        twice.array(2).raw(&written).embedded(&written);
        let twice = twice.finish();
        let [first, second] = Item::parse(&twice).unwrap().array_of().unwrap();
        prop_assert_eq!(first.raw(), &written[..]);
        prop_assert_eq!(second.embedded().unwrap().raw(), &written[..]);
    }

    #[test]
    fn any_bytes_are_refused_or_read(input in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(item) = Item::parse(&input) {
            // ciborium reads it too, and to the same value.
            let theirs: Value = ciborium::from_reader(&input[..]).unwrap();
            prop_assert_eq!(item.to_value(), theirs);
        }
    }

    #[test]
    fn a_cut_or_longer_input_is_refused(value in values(), more in any::<u8>()) {
        let written = to_vec(&value);
        for end in 0..written.len() {
            prop_assert!(Item::parse(&written[..end]).is_err());
        }
        let mut longer = written;
        longer.push(more);
        prop_assert!(Item::parse(&longer).is_err());
    }
}

#[test]
fn json_has_each_member_once() {
    let entry = |key: Value| (key, Value::Bool(true));
    let map = |keys: Vec<Value>| Value::Map(keys.into_iter().map(entry).collect());
    assert!(to_json(&map(vec!["1".into(), 2.into()])).is_ok());
    for keys in [
        vec!["1".into(), 1.into()],
        vec![Value::from(-1), "a".into(), "-1".into()],
        vec!["a".into(), "a".into()],
    ] {
        let inner = map(keys.clone());
        assert_eq!(to_json(&inner), Err(CborError::DuplicateKey), "{keys:?}");
        assert!(to_json(&Value::Array(vec![inner])).is_err());
    }
}
