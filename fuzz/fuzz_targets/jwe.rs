#![no_main]
//! A compact JWE, and a header over the rest of a good one. Both back ends give the same answer, and nothing but the
//! header it was made with opens the good one.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::{AgreementKey, AwsLc, CryptoProvider, Portable};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::jwe::{ContentEncryption, JweError, Recipient, decrypt, encrypt};
use vouchsafe_credentials::testing::SeededRng;

const BOTH: [ContentEncryption; 2] = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm];

struct Sealed {
    key: AgreementKey,
    good: String,
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let key = AgreementKey::generate(&SeededRng::new(1));
    let recipient = Recipient {
        key: key.public_key(),
        kid: Some("k"),
        enc: BOTH[0],
        apu: b"",
        apv: b"v",
    };
    let good = encrypt(b"a text", &recipient, &Portable, &SeededRng::new(2));
    let good = good.expect("a P-256 key is a recipient");
    Sealed { key, good }
});

fn open(compact: &str) -> Result<(), JweError> {
    let answer = |provider: &dyn CryptoProvider| decrypt(compact, &SEALED.key, &BOTH, provider).map(drop);
    let portable = answer(&Portable);
    assert_eq!(portable, answer(&AwsLc), "back ends disagree");
    portable
}

fuzz_target!(|bytes: &[u8]| {
    let good = &SEALED.good;
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(open(text).is_err() || text == good);
    }
    let (header, rest) = good.split_once('.').expect("five parts");
    let other = b64url(bytes);
    assert!(open(&format!("{other}.{rest}")).is_err() || other == header);
});
