use proptest::prelude::*;
use serde_json::json;

use crate::crypto::{Algorithm, KeyError, Multikey, PublicKey, Signer as _, SigningKey};
use crate::testing::SeededRng;

fn of(algorithm: Algorithm, seed: u64) -> Multikey {
    let key = SigningKey::generate(algorithm, &SeededRng::new(seed));
    Multikey::Signature(key.public_key().clone())
}

/// Text of any bytes.
fn text(bytes: &[u8]) -> String {
    multibase::encode(multibase::Base::Base58Btc, bytes)
}

/// Keys of the did:key specification (v0.9, section 4) with their JWKs.
#[test]
fn keys_of_the_did_key_specification() {
    for (text, jwk) in [
        (
            "z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9",
            json!({
                "kty": "EC", "crv": "P-384",
                "x": "lInTxl8fjLKp_UCrxI0WDklahi-7-_6JbtiHjiRvMvhedhKVdHBfi2HCY8t_QJyc",
                "y": "y6N1IC-2mXxHreETBW7K3mBcw0qGr3CWHCs-yl09yCQRLcyfGv7XhqAngHOu51Zv",
            }),
        ),
        (
            "z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3sY5j7",
            json!({
                "kty": "EC", "crv": "P-521",
                "x": "ASUHPMyichQ0QbHZ9ofNx_l4y7luncn5feKLo3OpJ2nSbZoC7mffolj5uy7s6KSKXFmnNWxGJ42IOrjZ47qqwqyS",
                "y": "AW9ziIC4ZQQVSNmLlp59yYKrjRY0_VqO-GOIYQ9tYpPraBKUloEId6cI_vynCzlZWZtWpgOM3HPhYEgawQ703RjC",
            }),
        ),
    ] {
        let key = Multikey::decode(text).unwrap();
        assert_eq!(key.signature_key().unwrap().to_jwk(), jwk);
        assert_eq!(key.encode(), text);
    }
    for text in [
        "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
        "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    ] {
        assert_eq!(Multikey::decode(text).unwrap().encode(), text);
    }
    for (text, other) in [
        ("z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc", "X25519"),
        (
            "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
            "Secp256k1",
        ),
        (
            "zUC7EK3ZakmukHhuncwkbySmomv3FmrkmS36E4Ks5rsb6VQSRpoCrx6Hb8e2Nk6UvJFSdyw9NK1scFXJp21gNNYFjVWNgaqyGnkyhtagagCpQb5B7tagJu3HDbjQ8h5ypoHjwBb",
            "Bls12381G2",
        ),
    ] {
        let key = Multikey::decode(text).unwrap();
        assert!(format!("{key:?}").starts_with(other));
        assert_eq!(key.signature_key(), None);
        assert_eq!(key.encode(), text);
    }
}

#[test]
fn only_base58btc_with_its_prefix() {
    let key = of(Algorithm::EdDsa, 1);
    let good = key.encode();
    let bytes = key.to_multicodec();
    let other = |base| multibase::encode(base, &bytes);
    for refused in [
        String::new(),
        "z".to_owned(),
        good[1..].to_owned(),
        good.replacen('z', "Z", 1),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}="),
        good.replacen("6M", "0M", 1),
        other(multibase::Base::Base64Url),
        other(multibase::Base::Base16Lower),
        other(multibase::Base::Base58Flickr),
        format!("\0{good}"),
        // A leading `1` stands for a zero byte.
        good.replacen('z', "z1", 1),
        format!("z{}", "1".repeat(5000)),
    ] {
        let answer = Multikey::decode(&refused);
        assert!(answer.is_err(), "{refused}: {answer:?}");
    }
}

#[test]
fn the_prefix_is_the_shortest_and_the_length_exact() {
    for algorithm in Algorithm::ALL {
        let bytes = of(algorithm, 1).to_multicodec();
        let (codec, raw) = bytes.split_at(2);
        assert!(Multikey::from_multicodec(&bytes).is_ok());
        // The same number with a byte more.
        let longer = [&[codec[0], codec[1] | 0x80, 0][..], raw].concat();
        let cut = &bytes[..bytes.len() - 1];
        let extended = [&bytes[..], &[0]].concat();
        for refused in [&longer[..], cut, &extended, codec, &codec[..1], &[]] {
            assert!(
                Multikey::from_multicodec(refused).is_err(),
                "{refused:02x?}"
            );
            assert!(Multikey::decode(&text(refused)).is_err());
        }
    }
    for (codec, length) in [([0xec, 1], 32), ([0xe7, 1], 33), ([0xeb, 1], 96)] {
        for (wrong, good) in [(length - 1, false), (length, true), (length + 1, false)] {
            let bytes = [&codec[..], &vec![2; wrong]].concat();
            assert_eq!(Multikey::from_multicodec(&bytes).is_ok(), good);
        }
    }
    // secp256k1: compressed points alone.
    let uncompressed = [&[0xe7, 1, 4][..], &[1; 32]].concat();
    assert_eq!(
        Multikey::from_multicodec(&uncompressed),
        Err(KeyError::Invalid)
    );
}

#[test]
fn points_are_checked_and_compressed() {
    for (codec, algorithm) in [
        ([0x80, 0x24], Algorithm::Es256),
        ([0x81, 0x24], Algorithm::Es384),
        ([0x82, 0x24], Algorithm::Es512),
    ] {
        let key = of(algorithm, 1);
        let point = key.signature_key().unwrap().material().as_bytes().to_vec();
        let uncompressed = [&codec[..], &point].concat();
        assert_eq!(
            Multikey::from_multicodec(&uncompressed),
            Err(KeyError::Invalid)
        );
        let mut refused = 0;
        for last in 0..=u8::MAX {
            let mut bytes = key.to_multicodec();
            *bytes.last_mut().unwrap() = last;
            match Multikey::from_multicodec(&bytes) {
                Ok(other) => assert_eq!(other.to_multicodec(), bytes),
                Err(error) => {
                    assert_eq!(error, KeyError::Invalid);
                    refused += 1;
                }
            }
        }
        // About half of all x belong to no point.
        assert!((80..176).contains(&refused), "{refused}");
        // x = 2^n - 1 is not below the prime.
        let above = [&codec[..], &[2], &vec![0xff; (point.len() - 1) / 2]].concat();
        assert_eq!(Multikey::from_multicodec(&above), Err(KeyError::Invalid));
    }
    let small_order = [&[0xed, 0x01][..], &[0; 32]].concat();
    assert_eq!(
        Multikey::from_multicodec(&small_order),
        Err(KeyError::Invalid)
    );
}

#[test]
fn cat_083_rsa_and_other_kinds_are_unsupported() {
    // rsa-pub 0x1205, ed448-pub 0x1203, bls12_381-g1-pub 0xea, sm2-pub 0x1206.
    for (codec, length) in [
        ([0x85, 0x24], 526),
        ([0x85, 0x24], 270),
        ([0x83, 0x24], 57),
        ([0xea, 0x01], 48),
        ([0x86, 0x24], 33),
        ([0xed, 0x02], 32),
    ] {
        let bytes = [&codec[..], &vec![2; length]].concat();
        assert_eq!(
            Multikey::decode(&text(&bytes)),
            Err(KeyError::Unsupported),
            "{codec:02x?}"
        );
    }
}

#[test]
fn cat_095_private_keys_in_multikey() {
    for codec in [0x80, 0x81, 0x82, 0x86, 0x87, 0x88, 0x8a] {
        let bytes = [&[codec, 0x26][..], &[7; 32]].concat();
        assert_eq!(
            Multikey::decode(&text(&bytes)),
            Err(KeyError::PrivateMaterial),
            "{codec:02x}"
        );
    }
}

proptest! {
    #[test]
    fn every_key_has_one_text(algorithm in prop::sample::select(&Algorithm::ALL[..]), seed in any::<u64>()) {
        let key = of(algorithm, seed);
        let text = key.encode();
        prop_assert!(text.starts_with('z'));
        prop_assert_eq!(Multikey::decode(&text).unwrap(), key);
    }

    #[test]
    fn what_is_accepted_is_canonical(text in "z[1-9A-HJ-NP-Za-km-z]{40,100}") {
        if let Ok(key) = Multikey::decode(&text) {
            prop_assert_eq!(key.encode(), text);
        }
    }

    #[test]
    fn bytes_that_are_accepted_are_canonical(
        codec in prop::sample::select(&[[0xed_u8, 1], [0x80, 0x24], [0x81, 0x24], [0x82, 0x24], [0xec, 1], [0xe7, 1], [0xeb, 1]][..]),
        raw in prop_oneof![Just(32_usize), Just(33), Just(49), Just(67), Just(96)].prop_flat_map(|length| prop::collection::vec(any::<u8>(), length)),
        sign in 0_u8..5,
    ) {
        let mut bytes = [&codec[..], &raw].concat();
        bytes[2] = if bytes.len() == 34 { bytes[2] } else { sign };
        if let Ok(key) = Multikey::from_multicodec(&bytes) {
            prop_assert_eq!(key.to_multicodec(), bytes.clone());
            prop_assert_eq!(Multikey::decode(&key.encode()).unwrap(), key);
        }
    }

    #[test]
    fn one_changed_character_is_another_key_or_none(
        algorithm in prop::sample::select(&Algorithm::ALL[..]), position in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let good = of(algorithm, 5);
        let mut bytes = good.encode().into_bytes();
        let position = position.index(bytes.len());
        prop_assume!(bytes[position] != byte);
        bytes[position] = byte;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        prop_assert_ne!(Multikey::decode(&text), Ok(good));
    }

    #[test]
    fn any_text_never_panics(text in "z?.{0,200}") {
        let _ = Multikey::decode(&text);
    }
}

#[test]
fn a_jwk_and_a_multikey_name_the_same_key() {
    for algorithm in Algorithm::ALL {
        let key = of(algorithm, 9);
        let jwk = key.signature_key().unwrap().to_jwk();
        assert_eq!(Multikey::from(PublicKey::from_jwk(&jwk).unwrap()), key);
    }
}
