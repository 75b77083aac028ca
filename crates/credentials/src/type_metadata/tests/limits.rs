//! Exactly the limit is accepted, one more is refused.

use serde_json::{Value, json};

use super::{Table, parent};
use crate::crypto::{Algorithm, Signer as _, SigningKey};
use crate::testing::SeededRng;
use crate::type_metadata::image::{ImageError, ImageKind, from_data_uri};
use crate::type_metadata::{
    Integrity, IntegrityError, IssuerMetadataError, JwtVcIssuerMetadata, TypeMetadata, resolve,
};

const MALFORMED: Result<(), &str> = Err("type_metadata_malformed");
const HALF_MIB: usize = 524_288;
const QUARTER_MIB: usize = 262_144;

fn parse(document: &Value) -> Result<(), &'static str> {
    let parsed = TypeMetadata::parse(document.to_string().as_bytes());
    parsed.map(drop).map_err(|error| error.code())
}

fn fill(text: &str, with: &str, length: usize) -> String {
    text.to_owned() + &with.repeat(length - text.len())
}

/// JSON with white space behind it.
fn padded(json: &Value, length: usize) -> Vec<u8> {
    fill(&json.to_string(), " ", length).into_bytes()
}

#[tokio::test]
async fn documents_of_types() {
    let document = |length| padded(&parent(), length);
    assert!(TypeMetadata::parse(&document(HALF_MIB)).is_ok());
    let answer = TypeMetadata::parse(&document(HALF_MIB + 1)).unwrap_err();
    assert_eq!(answer.code(), "type_metadata_too_large");
    // As fetched: before its hash is looked at.
    let other = Integrity::parse(&Integrity::of(b"another")).unwrap();
    let large = Some("type_metadata_too_large");
    for (length, integrity, wanted) in [
        (HALF_MIB, None, None),
        (HALF_MIB, Some(&other), Some("type_metadata_integrity")),
        (HALF_MIB + 1, None, large),
        (HALF_MIB + 1, Some(&other), large),
    ] {
        let mut table = Table::default();
        table.put(super::PARENT, &document(length));
        let answer = resolve(super::PARENT, integrity, &table).await;
        assert_eq!(answer.err().map(|error| error.code()), wanted, "{length}");
    }
}

#[test]
fn documents_of_issuers() {
    const ISS: &str = "https://issuer.example";
    let key = |n: u64| {
        let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
        let mut jwk = key.public_key().to_jwk();
        jwk["kid"] = json!(n.to_string());
        jwk
    };
    let keys = |number: u64| json!({"keys": (0..number).map(key).collect::<Vec<_>>()});
    let large = Err(IssuerMetadataError::TooLarge);
    for (length, wanted) in [(HALF_MIB, Ok(())), (HALF_MIB + 1, large)] {
        let metadata = padded(&json!({"issuer": ISS, "jwks": keys(1)}), length);
        let read = JwtVcIssuerMetadata::parse(&metadata, ISS).map(drop);
        assert_eq!(read, wanted, "{length}");
        let read = JwtVcIssuerMetadata::parse_keys(&padded(&keys(1), length)).map(drop);
        assert_eq!(read, wanted, "{length}");
    }
    let count = |number| {
        let read = JwtVcIssuerMetadata::parse_keys(keys(number).to_string().as_bytes());
        read.map(|keys| keys.len())
    };
    assert_eq!(count(64), Ok(64));
    assert_eq!(count(65), Err(IssuerMetadataError::Keys));
}

#[test]
fn members_of_documents() {
    let claim = |n: usize| json!({"path": [format!("c{n}")]});
    let claims = |number: usize| {
        let claims: Vec<_> = (0..number).map(claim).collect();
        json!({"vct": "a", "claims": claims})
    };
    let text = || json!({"locale": "en", "name": "Card", "label": "Claim"});
    let displays = |number: usize| json!({"vct": "a", "display": vec![text(); number]});
    let labels = |number: usize| {
        let claim = json!({"path": ["c"], "display": vec![text(); number]});
        json!({"vct": "a", "claims": [claim]})
    };
    let locale = |length: usize| {
        let mut text = text();
        text["locale"] = json!("a".repeat(length));
        json!({"vct": "a", "display": [text]})
    };
    let svg_id = |length: usize| json!({"vct": "a", "claims": [{"path": ["c"], "svg_id": "a".repeat(length)}]});
    let uri = |length: usize| {
        let mut text = text();
        let uri = fill("data:", "a", length);
        text["rendering"] = json!({"simple": {"logo": {"uri": uri}}});
        json!({"vct": "a", "display": [text]})
    };
    type Case<'a> = (&'a str, &'a dyn Fn(usize) -> Value, usize);
    let cases: [Case<'_>; 6] = [
        ("claims", &claims, 512),
        ("displays", &displays, 64),
        ("labels", &labels, 64),
        ("locale", &locale, 64),
        ("svg_id", &svg_id, 128),
        ("uri", &uri, QUARTER_MIB),
    ];
    for (name, document, limit) in cases {
        assert_eq!(parse(&document(limit)), Ok(()), "{name}");
        assert_eq!(parse(&document(limit + 1)), MALFORMED, "{name}");
    }
    assert_eq!(parse(&locale(0)), MALFORMED);
    assert_eq!(parse(&svg_id(0)), MALFORMED);
    assert_eq!(parse(&locale(1)), Ok(()));
}

/// SD-JWT VC, "SVG Templates" and "SVG Template Properties".
#[test]
fn properties_of_templates() {
    let template = |properties: Option<Value>| {
        let mut template = json!({"uri": "https://types.example/a.svg"});
        if let Some(properties) = properties {
            template["properties"] = properties;
        }
        template
    };
    let judge = |templates: &[Value]| {
        parse(
            &json!({"vct": "a", "display": [{"locale": "en", "name": "Card",
            "rendering": {"svg_templates": templates}}]}),
        )
    };
    // One alone needs none; where there is a choice, each says one.
    let bare = template(None);
    assert_eq!(judge(&[]), Ok(()));
    assert_eq!(judge(std::slice::from_ref(&bare)), Ok(()));
    assert_eq!(judge(&[bare.clone(), bare.clone()]), MALFORMED);
    assert_eq!(judge(&[template(Some(json!({})))]), MALFORMED);
    for (name, values) in [
        ("orientation", ["portrait", "landscape"]),
        ("color_scheme", ["light", "dark"]),
        ("contrast", ["normal", "high"]),
    ] {
        let with = |value: &str| template(Some(json!({name: value})));
        assert_eq!(judge(&values.map(with)), Ok(()), "{name}");
        assert_eq!(judge(&[with(values[0]), bare.clone()]), MALFORMED, "{name}");
        assert_eq!(judge(&[with("other")]), MALFORMED, "{name}");
    }
}

#[test]
fn pictures() {
    let png = |length: usize| {
        let mut bytes = vec![0; length];
        bytes[..8].copy_from_slice(b"\x89PNG\r\n\x1a\n");
        ImageKind::of(&bytes)
    };
    assert_eq!(png(QUARTER_MIB), Ok(ImageKind::Png));
    assert_eq!(png(QUARTER_MIB + 1), Err(ImageError::TooLarge));
    // The address may be twice as long: it is refused for what stands in it.
    let uri = |length: usize| from_data_uri(&fill("data:image/png;base64,", "*", length));
    assert_eq!(uri(HALF_MIB), Err(ImageError::DataUri));
    assert_eq!(uri(HALF_MIB + 1), Err(ImageError::TooLarge));
    for bytes in [
        &b"RIFF\0\0\0\0WAVEfmt "[..],
        b"RIFX\0\0\0\0WEBPVP8 ",
        b"RIFF\0\0\0\0WEB",
        b"RIFF",
        b"\0\0\0\0\0\0\0\0WEBP",
    ] {
        assert_eq!(ImageKind::of(bytes), Err(ImageError::Kind), "{bytes:?}");
    }
}

#[test]
fn integrity_strings() {
    let text = Integrity::of(b"document");
    let padded = |length: usize| Integrity::parse(&fill(&text, " ", length));
    assert_eq!(padded(4096), Integrity::parse(&text));
    assert_eq!(padded(4097), Err(IntegrityError::Malformed));
}
