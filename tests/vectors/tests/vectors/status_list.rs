//! The vectors of the Token Status List draft, every file of the set.

use serde_json::Value;
use vouchsafe_credentials::cbor::{Item, Writer};
use vouchsafe_credentials::cose::{Label, Sign1};
use vouchsafe_credentials::crypto::{AgreementKey, Portable, PublicKey};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::status_list::{
    Bits, STATUS_LIST_CWT, Status, StatusList, StatusRef, read_cbor_list, write_cbor_list,
};
use vouchsafe_vectors::Run;

/// The text of an example; its lines are wrapped.
fn joined(run: &Run, file: &str) -> String {
    run.text(file).lines().map(str::trim).collect()
}

/// The JSON object in an example file.
fn example(run: &Run, file: &str) -> Value {
    let text = joined(run, file);
    serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap()
}

/// The hex text that ends an example file.
fn cbor(run: &Run, file: &str) -> Vec<u8> {
    let text = joined(run, file);
    let hex = text.rsplit(':').next().unwrap();
    hex::decode(hex.trim()).unwrap()
}

/// The bytes that a diagnostic listing shows.
fn diagnostic(run: &Run, file: &str) -> Vec<u8> {
    let text = run.text(file);
    let hex: String = text
        .lines()
        .map(|line| line.split('#').next().unwrap().replace(' ', ""))
        .collect();
    hex::decode(hex).unwrap()
}

fn list(example: &Value) -> StatusList {
    let bits = Bits::from_count(example["bits"].as_u64().unwrap()).unwrap();
    StatusList::decode(bits, example["lst"].as_str().unwrap()).unwrap()
}

/// The key that signs the examples (`src/util.py` of the draft's repository).
fn key() -> PublicKey {
    let scalar = b64url_decode("xzUEdsyLosZF0acZGRAjTKImb0lQvAvssDK5XIZELd0").unwrap();
    AgreementKey::from_bytes(&scalar)
        .unwrap()
        .public_key()
        .clone()
}

#[test]
fn cat_202_lists_of_the_specification() {
    let Some(run) = Run::open("token-status-list", 20) else {
        return;
    };
    json(&run);
    binary(&run);
    jwt(&run);
    cwt(&run);
    run.close();
}

fn json(run: &Run) {
    for (file, bytes) in [
        ("status_list_encoding_json.md", &[0xb9, 0xa3][..]),
        ("status_list_encoding2_json.md", &[0xc9, 0x44, 0xf9]),
    ] {
        run.step(file, list(&example(run, file)).bytes(), bytes);
    }
    for (file, bits) in [
        ("status_list_encoding1_long_json.md", Bits::One),
        ("status_list_encoding2_long_json.md", Bits::Two),
        ("status_list_encoding4_json.md", Bits::Four),
        ("status_list_encoding8_json.md", Bits::Eight),
    ] {
        let theirs = list(&example(run, file));
        run.step(file, theirs.capacity(), 1 << 20);
        let ours = written(bits);
        assert!(theirs == ours, "{file}");
        assert!(
            StatusList::decode(bits, &ours.encode()).unwrap() == theirs,
            "{file}"
        );
    }
}

fn binary(run: &Run) {
    let read = |bytes: &[u8]| read_cbor_list(Item::parse(bytes).unwrap());
    for (file, listing, bytes) in [
        (
            "status_list_encoding_cbor.md",
            "status_list_encoding_cbor_diag.md",
            &[0xb9, 0xa3][..],
        ),
        (
            "status_list_encoding2_cbor.md",
            "status_list_encoding2_cbor_diag.md",
            &[0xc9, 0x44, 0xf9],
        ),
    ] {
        let mut input = cbor(run, file);
        run.step(listing, diagnostic(run, listing), input.clone());
        run.step(file, read(&input).unwrap().bytes(), bytes);
        // The checksum of the list notices an altered byte.
        *input.last_mut().unwrap() ^= 1;
        assert!(read(&input).is_err());
    }
    for (file, bits) in [
        ("status_list_encoding1_long_cbor.md", Bits::One),
        ("status_list_encoding2_long_cbor.md", Bits::Two),
        ("status_list_encoding4_cbor.md", Bits::Four),
        ("status_list_encoding8_cbor.md", Bits::Eight),
    ] {
        let mut input = cbor(run, file);
        let theirs = read(&input).unwrap();
        run.step(file, theirs.bits(), bits);
        assert!(theirs == written(bits), "{file}");
        let mut ours = Writer::new();
        write_cbor_list(&theirs, &mut ours);
        assert!(read(&ours.finish()).unwrap() == theirs, "{file}");
        *input.last_mut().unwrap() ^= 1;
        assert!(read(&input).is_err(), "{file}");
    }
}

fn jwt(run: &Run) {
    let compact = joined(run, "status_list_jwt_raw.md");
    let token = Unverified::parse(&compact, TokenType::StatusList).unwrap();
    let claims = token.verify(&Portable, &key()).unwrap().into_inner().claims;
    let shown = joined(run, "status_list_jwt.md");
    let shown: Vec<&str> = shown.split("}.{").collect();
    let mut shown: Value = serde_json::from_str(&format!("{{{}", shown[1])).unwrap();
    // The signed one has an issuer that the shown one has not.
    shown["iss"] = claims["iss"].clone();
    run.step("claims of the JWT", Value::Object(claims.clone()), shown);
    run.step(
        "list of the JWT",
        list(&claims["status_list"]).bytes(),
        &[0xb9, 0xa3],
    );
    let altered = compact.replacen("SGFe", "SGFf", 1);
    let altered = if altered == compact {
        compact.replacen('A', "B", 1)
    } else {
        altered
    };
    let refused = Unverified::parse(&altered, TokenType::StatusList)
        .map(|token| token.verify(&Portable, &key()).is_err());
    assert!(refused.unwrap_or(true));
}

/// A claim of a CWT.
fn claim(payload: &[u8], label: i64) -> Item<'_> {
    let mut claims = Item::parse(payload).unwrap().map().unwrap();
    claims
        .find(|(key, _)| key.integer() == Ok(label))
        .unwrap()
        .1
}

fn cwt(run: &Run) {
    let mut token = cbor(run, "status_list_cwt.md");
    run.step(
        "listing of the CWT",
        diagnostic(run, "status_list_cwt_diag.md"),
        token.clone(),
    );
    let message = Sign1::parse(&token).unwrap();
    run.step(
        "typ",
        message.protected(&Label::TYP).unwrap().text(),
        Ok(STATUS_LIST_CWT),
    );
    let payload = message.verify(&key(), &[], &Portable).unwrap().into_inner();
    run.step(
        "sub",
        claim(payload, 2).text(),
        Ok("https://example.com/statuslists/1"),
    );
    run.step("iat", claim(payload, 6).integer(), Ok(1_686_920_170));
    run.step("exp", claim(payload, 4).integer(), Ok(2_291_720_170));
    run.step("ttl", claim(payload, 65534).integer(), Ok(43_200));
    run.step(
        "list",
        read_cbor_list(claim(payload, 65533)).unwrap().bytes(),
        &[0xb9, 0xa3],
    );
    *token.last_mut().unwrap() ^= 1;
    assert!(
        Sign1::parse(&token)
            .unwrap()
            .verify(&key(), &[], &Portable)
            .is_err()
    );

    let token = cbor(run, "referenced_token_cwt.md");
    run.step(
        "listing of the token",
        diagnostic(run, "referenced_token_cwt_diag.md"),
        token.clone(),
    );
    let message = Sign1::parse(&token).unwrap();
    let payload = message.verify(&key(), &[], &Portable).unwrap().into_inner();
    let status = claim(payload, 65535).fields().unwrap();
    let reference = StatusRef::from_cbor(status.required("status_list").unwrap()).unwrap();
    run.step("idx", reference.idx, 0);
    run.step(
        "uri",
        reference.uri.as_str(),
        "https://example.com/statuslists/1",
    );
    assert!(StatusRef::from_cbor(claim(payload, 65535)).is_err());
}

/// The list with the values that the text gives.
fn written(bits: Bits) -> StatusList {
    let mut list = StatusList::new(bits, 1 << 20).unwrap();
    for line in include_str!("data/status-list-values.txt").lines() {
        let numbers: Result<Vec<u64>, _> = line.split(' ').map(str::parse).collect();
        let Ok([width, index, value]) = numbers.map(|n| <[u64; 3]>::try_from(n).unwrap()) else {
            assert!(line.starts_with('#'), "{line}");
            continue;
        };
        if width == u64::from(bits.count()) {
            let status = Status::from_value(u8::try_from(value).unwrap());
            list.set(index, status).unwrap();
        }
    }
    list
}
