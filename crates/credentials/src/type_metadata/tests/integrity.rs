use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::crypto::{sha256, sha384, sha512};
use crate::type_metadata::{Integrity, IntegrityError};

const DOCUMENT: &[u8] = b"{\"vct\":\"urn:example:1\"}";

fn judge(text: &str) -> Result<(), IntegrityError> {
    Integrity::parse(text)?.check(DOCUMENT)
}

fn expressions() -> [String; 3] {
    [
        format!("sha256-{}", STANDARD.encode(sha256(DOCUMENT))),
        format!("sha384-{}", STANDARD.encode(sha384(DOCUMENT))),
        format!("sha512-{}", STANDARD.encode(sha512(DOCUMENT))),
    ]
}

fn wrong() -> [String; 3] {
    [
        format!("sha256-{}", STANDARD.encode([1; 32])),
        format!("sha384-{}", STANDARD.encode([1; 48])),
        format!("sha512-{}", STANDARD.encode([1; 64])),
    ]
}

#[test]
fn cat_031_every_algorithm() {
    for (right, wrong) in expressions().iter().zip(&wrong()) {
        assert_eq!(judge(right), Ok(()));
        assert_eq!(judge(&format!("{right}?ct=application/json")), Ok(()));
        assert_eq!(judge(wrong), Err(IntegrityError::Mismatch));
        let integrity = Integrity::parse(right).unwrap();
        for position in 0..DOCUMENT.len() {
            let mut altered = DOCUMENT.to_vec();
            altered[position] ^= 1;
            assert_eq!(integrity.check(&altered), Err(IntegrityError::Mismatch));
        }
        assert_eq!(integrity.to_string(), *right);
    }
}

#[test]
fn cat_031_the_strongest_decides() {
    let ([r256, r384, r512], [w256, w384, w512]) = (expressions(), wrong());
    for text in [
        format!("{w256} {w384} {r512}"),
        format!("{r512} {w256}"),
        format!("{w256}\t{r384}\n"),
        format!("{w512} {r512}"),
        format!("{r512} {w512}"),
        format!("{r256} {w256}"),
        format!("md5-AAAA {r256}"),
        format!("sha3-AAAA {w256} {r256}"),
    ] {
        assert_eq!(judge(&text), Ok(()), "{text}");
    }
    for text in [
        format!("{r256} {r384} {w512}"),
        format!("{w384} {r256}"),
        format!("{w512} {w512} {r256}"),
    ] {
        assert_eq!(judge(&text), Err(IntegrityError::Mismatch), "{text}");
    }
}

#[test]
fn cat_031_unsupported_or_malformed() {
    for text in ["md5-AAAA", "sha1-AAAA sha3-BBBB", "SHA256-AAAA"] {
        assert_eq!(judge(text), Err(IntegrityError::Unsupported), "{text}");
    }
    let url_safe = format!("sha256-{}", URL_SAFE_NO_PAD.encode(sha256(DOCUMENT)));
    let hex: String = sha256(DOCUMENT)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let short = format!("sha256-{}", STANDARD.encode(&sha256(DOCUMENT)[..31]));
    let other_length = format!("sha512-{}", STANDARD.encode(sha256(DOCUMENT)));
    let long = "sha256-AAAA ".repeat(1000);
    for text in [
        "",
        " ",
        "sha256",
        "sha256-",
        "sha256-=",
        "sha256-AAAA",
        &url_safe,
        &short,
        &other_length,
        &format!("sha256-{hex}"),
        &long,
    ] {
        assert_eq!(judge(text), Err(IntegrityError::Malformed), "{text}");
    }
}

#[test]
fn the_text_of_an_integrity_is_canonical() {
    let ([r256, _, r512], [_, w384, w512]) = (expressions(), wrong());
    for (text, canonical) in [
        (format!(" {r256}?a\n"), r256.clone()),
        (format!("{r256}\t{w384}"), w384),
        (format!("{r512}  {r256} {w512}"), format!("{r512} {w512}")),
    ] {
        let integrity = Integrity::parse(&text).unwrap();
        assert_eq!(integrity.to_string(), canonical);
    }
}

/// The example of the draft, "Type Metadata Example", has this form.
#[test]
fn our_own_string_is_read() {
    assert_eq!(judge(&Integrity::of(DOCUMENT)), Ok(()));
}
