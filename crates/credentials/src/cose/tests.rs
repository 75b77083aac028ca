use coset::{
    CborSerializable as _, CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _,
    iana,
};
use proptest::prelude::*;

use super::{
    CoseError, Header, Label, Mac0, Sign1, key_from_item, key_to_vec, mac0, mac0_detached, sign1,
    sign1_detached,
};
use crate::cbor::{CborError, Item, Value, Writer, to_vec};
use crate::crypto::{
    Algorithm, CryptoError, KeyError, Portable, PublicKey, Signer as _, SigningKey,
};
use crate::testing::SeededRng;

const PAYLOAD: &[u8] = b"payload";

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SeededRng::new(7))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn signed(protected: &Header, unprotected: &Header) -> Vec<u8> {
    run(sign1(
        protected,
        unprotected,
        b"aad",
        PAYLOAD,
        &key(Algorithm::Es256),
    ))
    .unwrap()
}

/// A `COSE_Sign1` of these parts.
fn message(protected: &[u8], unprotected: &Value, payload: &Value, signature: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.array(4)
        .bytes(protected)
        .value(unprotected)
        .value(payload)
        .bytes(signature);
    out.finish()
}

fn map(entries: &[(i64, Value)]) -> Value {
    Value::Map(
        entries
            .iter()
            .map(|(label, value)| (Value::from(*label), value.clone()))
            .collect(),
    )
}

#[test]
fn what_is_signed_is_verified() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let header = Header::new().typ("application/x").kid(b"k");
        let bytes = run(sign1(&header, &Header::new(), b"aad", PAYLOAD, &key)).unwrap();
        let parsed = Sign1::parse(&bytes).unwrap();
        assert_eq!(parsed.algorithm(), algorithm);
        assert_eq!(
            parsed.protected(&Label::TYP).unwrap().text(),
            Ok("application/x")
        );
        let payload = parsed.verify(key.public_key(), b"aad", &Portable).unwrap();
        assert_eq!(*payload.get(), PAYLOAD);
        // Other additional data, another key, no payload where one is.
        let wrong = parsed.verify(key.public_key(), b"", &Portable).unwrap_err();
        assert_eq!(wrong, CoseError::Signature(CryptoError::BadSignature));
        let other = SigningKey::generate(algorithm, &SeededRng::new(8));
        assert!(
            parsed
                .verify(other.public_key(), b"aad", &Portable)
                .is_err()
        );
        let detached = parsed.verify_detached(key.public_key(), b"aad", PAYLOAD, &Portable);
        assert_eq!(detached.unwrap_err(), CoseError::Payload);
    }
}

#[test]
fn cat_143_detached_is_not_attached_and_cose_sign_is_no_sign1() {
    let key = key(Algorithm::Es256);
    let bytes = run(sign1_detached(
        &Header::new(),
        &Header::new(),
        b"",
        PAYLOAD,
        &key,
    ))
    .unwrap();
    let parsed = Sign1::parse(&bytes).unwrap();
    assert_eq!(
        parsed.verify(key.public_key(), b"", &Portable).unwrap_err(),
        CoseError::Payload
    );
    parsed
        .verify_detached(key.public_key(), b"", PAYLOAD, &Portable)
        .unwrap();
    assert!(
        parsed
            .verify_detached(key.public_key(), b"", b"other", &Portable)
            .is_err()
    );
    // COSE_Sign: an array of signatures in the fourth place, or its tag.
    let alg = to_vec(&map(&[(1, (-7).into())]));
    let mut sign = Writer::new();
    sign.array(4)
        .bytes(&alg)
        .map(0)
        .bytes(PAYLOAD)
        .array(1)
        .array(3)
        .bytes(&alg)
        .map(0)
        .bytes(&[0; 64]);
    let sign = sign.finish();
    assert_eq!(Sign1::parse(&sign).unwrap_err(), CoseError::Structure);
    for tag in [98, 17, 16, 96, 97] {
        let tagged = Writer::new().tag(tag).raw(&bytes).finish();
        assert_eq!(Sign1::parse(&tagged).unwrap_err(), CoseError::Structure);
    }
    assert!(Sign1::parse(&Writer::new().tag(18).raw(&bytes).finish()).is_ok());
    assert!(Sign1::parse(&Writer::new().tag(18).tag(18).raw(&bytes).finish()).is_err());
    let three = Writer::new()
        .array(3)
        .bytes(&alg)
        .map(0)
        .bytes(PAYLOAD)
        .finish();
    assert_eq!(Sign1::parse(&three).unwrap_err(), CoseError::Structure);
    let text = message(&alg, &map(&[]), &Value::Text("payload".into()), &[0; 64]);
    assert_eq!(Sign1::parse(&text).unwrap_err(), CoseError::Structure);
}

#[test]
fn cat_142_the_algorithm_is_protected_known_and_of_the_key() {
    let payload = Value::Bytes(PAYLOAD.to_vec());
    let parse = |protected: &Value, unprotected: &Value| {
        let bytes = message(&to_vec(protected), unprotected, &payload, &[0; 64]);
        Sign1::parse(&bytes).map(drop)
    };
    let none = map(&[]);
    let alg = |alg: i64| map(&[(1, alg.into())]);
    assert_eq!(parse(&none, &none), Err(CoseError::AlgorithmMissing));
    assert_eq!(parse(&none, &alg(-7)), Err(CoseError::AlgorithmMissing));
    assert_eq!(parse(&alg(-7), &alg(-7)), Err(CoseError::BothHeaders));
    assert_eq!(
        Sign1::parse(&message(&[], &alg(-7), &payload, &[0; 64])).map(drop),
        Err(CoseError::AlgorithmMissing)
    );
    for wrong in [0, 5, -1, -37, -47, -257, -65535, 1 << 40] {
        assert_eq!(
            parse(&alg(wrong), &none),
            Err(CoseError::Algorithm),
            "{wrong}"
        );
    }
    assert_eq!(
        parse(&map(&[(1, Value::Text("ES256".into()))]), &none),
        Err(CoseError::Algorithm)
    );
    // Both numbers of an algorithm are read; the key decides.
    for (number, algorithm) in [
        (-7, Algorithm::Es256),
        (-9, Algorithm::Es256),
        (-35, Algorithm::Es384),
        (-51, Algorithm::Es384),
        (-36, Algorithm::Es512),
        (-52, Algorithm::Es512),
        (-8, Algorithm::EdDsa),
        (-19, Algorithm::EdDsa),
    ] {
        let bytes = message(&to_vec(&alg(number)), &none, &payload, &[0; 64]);
        assert_eq!(Sign1::parse(&bytes).unwrap().algorithm(), algorithm);
        let other = if algorithm == Algorithm::Es256 {
            Algorithm::EdDsa
        } else {
            Algorithm::Es256
        };
        let refused = Sign1::parse(&bytes)
            .unwrap()
            .verify(key(other).public_key(), b"", &Portable);
        assert_eq!(refused.unwrap_err(), CoseError::AlgorithmMismatch);
    }
}

#[test]
fn cat_076_cat_142_critical_parameters_are_understood_or_refused() {
    let payload = Value::Bytes(PAYLOAD.to_vec());
    let parse = |protected: &[(i64, Value)], unprotected: &[(i64, Value)]| {
        let mut all = vec![(1, Value::from(-7))];
        all.extend_from_slice(protected);
        Sign1::parse(&message(
            &to_vec(&map(&all)),
            &map(unprotected),
            &payload,
            &[0; 64],
        ))
        .map(drop)
    };
    let crit = |labels: &[i64]| {
        (
            2,
            Value::Array(labels.iter().map(|label| Value::from(*label)).collect()),
        )
    };
    let typ = (16, Value::Text("application/x".into()));
    assert_eq!(parse(&[crit(&[16]), typ.clone()], &[]), Ok(()));
    for (protected, unprotected) in [
        (vec![crit(&[])], vec![]),
        (vec![crit(&[16, 16]), typ.clone()], vec![]),
        (vec![crit(&[16])], vec![]),
        (vec![crit(&[16])], vec![typ.clone()]),
        (
            vec![crit(&[16, -70000]), typ.clone(), (-70000, true.into())],
            vec![],
        ),
        (vec![(2, Value::Bool(true))], vec![]),
        (
            vec![(2, Value::Array(vec![Value::Text("x".into())]))],
            vec![],
        ),
        (vec![], vec![crit(&[16])]),
    ] {
        assert_eq!(parse(&protected, &unprotected), Err(CoseError::Critical));
    }
    assert_eq!(
        parse(&[(4, Value::Bytes(vec![1]))], &[(4, Value::Bytes(vec![1]))]),
        Err(CoseError::BothHeaders)
    );
    let twice = Writer::new()
        .map(2)
        .integer(1)
        .integer(-7)
        .integer(1)
        .integer(-7)
        .finish();
    let bytes = message(&twice, &map(&[]), &payload, &[0; 64]);
    assert_eq!(
        Sign1::parse(&bytes).map(drop),
        Err(CoseError::Cbor(CborError::DuplicateKey))
    );
}

#[test]
fn headers_of_the_caller_never_hold_what_is_set_here() {
    let key = key(Algorithm::Es256);
    for (protected, unprotected) in [
        (
            Header::new().with(Label::ALG, Value::from(-7)),
            Header::new(),
        ),
        (
            Header::new(),
            Header::new().with(Label::ALG, Value::from(-7)),
        ),
        (
            Header::new().with(Label::CRIT, Value::from(-7)),
            Header::new(),
        ),
        (Header::new().kid(b"1"), Header::new().kid(b"2")),
        (Header::new().kid(b"1").kid(b"2"), Header::new()),
    ] {
        assert!(run(sign1(&protected, &unprotected, b"", PAYLOAD, &key)).is_err());
        assert!(mac0(&protected, &unprotected, b"", PAYLOAD, b"k").is_err());
    }
}

#[test]
fn chains_are_bounded() {
    let chain = |value: Value| {
        let bytes = signed(&Header::new(), &Header::new().with(Label::X5CHAIN, value));
        Sign1::parse(&bytes).unwrap().x5chain_unprotected()
    };
    let der = || Value::Bytes(vec![0x30, 0]);
    assert_eq!(chain(der()).unwrap().unwrap().to_der().count(), 1);
    assert_eq!(
        chain(Value::Array(vec![der(), der()]))
            .unwrap()
            .unwrap()
            .to_der()
            .count(),
        2
    );
    let most = chain(Value::Array(vec![der(); 6])).unwrap().unwrap();
    assert_eq!(most.to_der().count(), 6);
    assert!(chain(Value::Array(vec![])).is_err());
    assert!(chain(Value::Array(vec![der(); 7])).is_err());
    assert!(chain(Value::Array(vec![Value::Null])).is_err());
    assert!(chain(Value::Text("x".into())).is_err());
    // The bucket matters.
    let bytes = signed(&Header::new().with(Label::X5CHAIN, der()), &Header::new());
    let parsed = Sign1::parse(&bytes).unwrap();
    assert_eq!(parsed.x5chain_unprotected(), Ok(None));
    assert!(parsed.x5chain().unwrap().is_some());
}

#[test]
fn labels_are_numbers_or_texts() {
    let own = |text: &str| Label::Text(text.to_owned());
    let header = Header::new()
        .with(own("a"), 1.into())
        .with(own("b"), 2.into());
    let bytes = signed(&header, &Header::new());
    let parsed = Sign1::parse(&bytes).unwrap();
    let number = |label: &Label| parsed.protected(label).map(|item| item.integer().unwrap());
    assert_eq!(number(&own("a")), Some(1));
    assert_eq!(number(&own("b")), Some(2));
    assert_eq!(number(&own("c")), None);
    assert_eq!(number(&Label::Int(97)), None);
}

#[test]
fn codes_are_checked() {
    let bytes = mac0(&Header::new(), &Header::new(), b"aad", PAYLOAD, b"key").unwrap();
    let parsed = Mac0::parse(&bytes).unwrap();
    assert_eq!(*parsed.verify(b"key", b"aad").unwrap().get(), PAYLOAD);
    assert!(parsed.verify(b"kez", b"aad").is_err());
    assert!(parsed.verify(b"key", b"").is_err());
    assert_eq!(
        parsed.verify_detached(b"key", b"aad", PAYLOAD).unwrap_err(),
        CoseError::Payload
    );
    let detached = mac0_detached(&Header::new(), &Header::new(), b"", PAYLOAD, b"key").unwrap();
    let detached = Mac0::parse(&detached).unwrap();
    detached.verify_detached(b"key", b"", PAYLOAD).unwrap();
    assert_eq!(
        detached.verify(b"key", b"").unwrap_err(),
        CoseError::Payload
    );
    // A signature is no code, and the other way round.
    assert_eq!(
        Mac0::parse(&signed(&Header::new(), &Header::new())).unwrap_err(),
        CoseError::Algorithm
    );
    assert_eq!(Sign1::parse(&bytes).unwrap_err(), CoseError::Algorithm);
    for alg in [4, 6, 7] {
        let short = message(
            &to_vec(&map(&[(1, alg.into())])),
            &map(&[]),
            &Value::Null,
            &[0; 8],
        );
        assert_eq!(Mac0::parse(&short).unwrap_err(), CoseError::Algorithm);
    }
}

#[test]
fn coset_reads_ours_and_we_read_coset() {
    let key = key(Algorithm::Es256);
    let ours = signed(
        &Header::new().content_type("application/x"),
        &Header::new().kid(b"k"),
    );
    let theirs = CoseSign1::from_slice(&ours).unwrap();
    theirs
        .verify_signature(b"aad", |signature, data| {
            use crate::crypto::CryptoProvider as _;
            Portable.verify(key.public_key(), data, signature)
        })
        .unwrap();
    let header = HeaderBuilder::new()
        .algorithm(iana::Algorithm::ES256)
        .build();
    let built = CoseSign1Builder::new()
        .protected(header)
        .payload(PAYLOAD.to_vec())
        .create_signature(b"", |data| run(key.sign(data)).unwrap())
        .build();
    let bytes = built.to_tagged_vec().unwrap();
    Sign1::parse(&bytes)
        .unwrap()
        .verify(key.public_key(), b"", &Portable)
        .unwrap();
}

#[test]
fn keys_both_ways() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm).public_key().clone();
        let bytes = key_to_vec(&key);
        assert_eq!(key_from_item(Item::parse(&bytes).unwrap()), Ok(key));
    }
}

#[test]
fn unacceptable_keys_are_refused() {
    let good = key_to_vec(key(Algorithm::Es256).public_key());
    let value = Item::parse(&good).unwrap().to_value();
    let Value::Map(entries) = value else { panic!() };
    let with = |label: i64, new: Option<Value>| -> Result<PublicKey, CoseError> {
        let mut entries = entries.clone();
        entries.retain(|(key, _)| *key != Value::from(label));
        entries.extend(new.map(|new| (label.into(), new)));
        let bytes = to_vec(&Value::Map(entries));
        key_from_item(Item::parse(&bytes).unwrap())
    };
    assert!(with(3, Some((-7).into())).is_ok());
    assert!(with(3, Some((-9).into())).is_ok());
    assert_eq!(
        with(3, Some((-8).into())),
        Err(CoseError::AlgorithmMismatch)
    );
    assert_eq!(
        with(-4, Some(Value::Bytes(vec![1; 32]))),
        Err(CoseError::Key(KeyError::PrivateMaterial))
    );
    for (label, new) in [
        (1, None),
        (1, Some(4.into())),
        (1, Some(1.into())),
        (-1, None),
        (-1, Some(8.into())),
        (-1, Some(4.into())),
        (-1, Some(6.into())),
    ] {
        assert_eq!(with(label, new), Err(CoseError::Key(KeyError::Unsupported)));
    }
    for (label, new) in [
        (-2, None),
        (-3, None),
        (-2, Some(Value::Bytes(vec![1; 31]))),
        (-3, Some(Value::Bytes(vec![1; 32]))),
        (-3, Some(Value::Bytes(vec![]))),
        (-3, Some(Value::Bytes(vec![1; 31]))),
        (-3, Some(Value::Bytes(vec![1; 33]))),
        (-3, Some(Value::Null)),
    ] {
        assert_eq!(with(label, new), Err(CoseError::Key(KeyError::Invalid)));
    }
    // The sign alone is enough for y.
    let point = key(Algorithm::Es256).public_key().compressed();
    assert_eq!(
        with(-3, Some(Value::Bool(point[0] == 3))).unwrap(),
        *key(Algorithm::Es256).public_key()
    );
    assert_ne!(
        with(-3, Some(Value::Bool(point[0] != 3))).unwrap(),
        *key(Algorithm::Es256).public_key()
    );
    assert!(key_from_item(Item::parse(&[0x80]).unwrap()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(input in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Sign1::parse(&input).map(|message| message.x5chain());
        let _ = Mac0::parse(&input);
        let _ = Item::parse(&input).map(|item| key_from_item(item).map(drop));
    }

    #[test]
    fn one_altered_byte_is_refused(at in 0_usize..1000, flip in 1_u8..=255) {
        let mut bytes = signed(&Header::new().kid(b"k"), &Header::new());
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let accepted = Sign1::parse(&bytes)
            .and_then(|message| message.verify(key(Algorithm::Es256).public_key(), b"aad", &Portable).map(drop));
        prop_assert!(accepted.is_err());
    }
}
