use serde_json::json;

use super::*;

const ID: &str = "0123456789abcdefghij";

fn query() -> DcqlQuery {
    DcqlQuery::parse(&json!({"credentials": [
        {"id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:x"]}},
        {"id": "unbound", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:x"]},
         "require_cryptographic_holder_binding": false},
        {"id": "licence", "format": "mso_mdoc", "meta": {"doctype_value": "org.iso.18013.5.1.mDL"}},
    ]}))
    .unwrap()
}

fn good() -> Value {
    json!({"type": Payment::TYPE, "credential_ids": ["card"], "transaction_id": ID,
           "payee": "Bike Shop", "amount": "12.50", "currency": "EUR", "reference": "Order 7"})
}

fn encoded(object: &Value) -> Value {
    Value::from(b64url(object.to_string().as_bytes()))
}

fn code_of(parameter: &Value) -> &'static str {
    read(parameter, &query()).unwrap_err().code()
}

#[test]
fn section_5_1_what_is_written_is_read() {
    let all = read(&json!([encoded(&good())]), &query()).unwrap();
    let Details::Payment(payment) = all[0].details();
    assert_eq!(
        (payment.payee(), payment.amount(), payment.currency()),
        ("Bike Shop", "12.50", "EUR")
    );
    assert_eq!(payment.reference(), Some("Order 7"));
    let card = json!({"credentials": [query().as_json()["credentials"][0]]});
    let card = DcqlQuery::parse(&card).unwrap();
    let made = TransactionData::new(all[0].details().clone(), ID, &card).unwrap();
    let again = TransactionData::new(all[0].details().clone(), ID, &card).unwrap();
    assert_eq!(made, again);
    let back = read(&write(std::slice::from_ref(&made)).unwrap(), &card).unwrap();
    assert_eq!(back, std::slice::from_ref(&made));
    let other = TransactionData::new(all[0].details().clone(), "another-transaction", &card);
    assert_ne!(
        other.unwrap().hash(HashAlg::Sha256),
        made.hash(HashAlg::Sha256)
    );
    assert_eq!(write(&[]), None);
}

#[test]
fn annex_b_3_3_1_the_hash_is_over_the_string_as_received() {
    // {"type":"x"} as base64url; the digest was computed with `printf … | openssl dgst -sha256`.
    let data = TransactionData {
        encoded: "eyJ0eXBlIjoieCJ9".to_owned(),
        credential_ids: Vec::new(),
        algs: None,
        details: read(&json!([encoded(&good())]), &query()).unwrap()[0]
            .details()
            .clone(),
    };
    assert_eq!(
        data.hash(HashAlg::Sha256),
        "UY_OhwLo1YVyVnoFB6Oy-qMf7TmJ1uyX3E2LhG2tWW4"
    );
}

#[test]
fn cat_334_shapes_that_are_refused() {
    let one = encoded(&good());
    for (parameter, code) in [
        (json!(null), "transaction_data_malformed"),
        (json!("e30"), "transaction_data_malformed"),
        (json!([]), "transaction_data_malformed"),
        (json!([{}]), "transaction_data_malformed"),
        (json!([good()]), "transaction_data_malformed"),
        (json!(["e30="]), "transaction_data_malformed"),
        (json!(["W10"]), "transaction_data_malformed"),
        (json!(["%"]), "transaction_data_malformed"),
        (json!([one, one]), "transaction_data_malformed"),
        (json!([one, "e30"]), "transaction_data_type"),
        (
            json!([b64url(br#"{"type":"a","type":"b"}"#)]),
            "transaction_data_malformed",
        ),
        (
            json!(["A".repeat(MAX_BYTES + 1)]),
            "transaction_data_malformed",
        ),
        (
            json!(vec![one.clone(); MOST + 1]),
            "transaction_data_malformed",
        ),
    ] {
        assert_eq!(code_of(&parameter), code, "{parameter}");
    }
}

#[test]
fn cat_334_members_that_are_refused() {
    let long = "x".repeat(71);
    let cases = [
        (
            "type",
            json!("urn:example:unknown"),
            "transaction_data_type",
        ),
        ("type", Value::Null, "transaction_data_type"),
        ("type", json!([Payment::TYPE]), "transaction_data_type"),
        ("credential_ids", Value::Null, "transaction_data_member"),
        ("credential_ids", json!([]), "transaction_data_member"),
        ("credential_ids", json!("card"), "transaction_data_member"),
        (
            "credential_ids",
            json!(["other"]),
            "transaction_data_credential_ids",
        ),
        (
            "credential_ids",
            json!(["card", "other"]),
            "transaction_data_credential_ids",
        ),
        (
            "credential_ids",
            json!(["card", "card"]),
            "transaction_data_credential_ids",
        ),
        (
            "credential_ids",
            json!(["unbound"]),
            "transaction_data_credential",
        ),
        (
            "credential_ids",
            json!(["card", "licence"]),
            "transaction_data_credential",
        ),
        (
            "transaction_data_hashes_alg",
            json!([]),
            "transaction_data_member",
        ),
        (
            "transaction_data_hashes_alg",
            json!("sha-256"),
            "transaction_data_member",
        ),
        (
            "transaction_data_hashes_alg",
            json!([256]),
            "transaction_data_member",
        ),
        (
            "transaction_data_hashes_alg",
            json!(["md5"]),
            "transaction_data_alg",
        ),
        ("transaction_id", Value::Null, "transaction_data_member"),
        ("transaction_id", json!("short"), "transaction_data_member"),
        ("transaction_id", json!(7), "transaction_data_member"),
        ("payee", Value::Null, "transaction_data_member"),
        ("payee", json!(""), "transaction_data_member"),
        ("payee", json!(" Shop"), "transaction_data_member"),
        ("payee", json!("Sh\u{202e}op"), "transaction_data_member"),
        ("payee", json!("Sh\nop"), "transaction_data_member"),
        ("payee", json!(long), "transaction_data_member"),
        ("amount", json!(12.5), "transaction_data_member"),
        ("amount", json!("012"), "transaction_data_member"),
        ("amount", json!("-1"), "transaction_data_member"),
        ("amount", json!("1."), "transaction_data_member"),
        ("amount", json!(".5"), "transaction_data_member"),
        ("amount", json!("1,5"), "transaction_data_member"),
        ("amount", json!("1.5.0"), "transaction_data_member"),
        ("amount", json!("1e3"), "transaction_data_member"),
        ("amount", json!("١"), "transaction_data_member"),
        ("amount", json!("1234567890123"), "transaction_data_member"),
        ("amount", json!("12.5"), "transaction_data_member"),
        ("amount", json!("12.500"), "transaction_data_member"),
        ("amount", json!("0"), "transaction_data_member"),
        ("amount", json!("0.00"), "transaction_data_member"),
        ("currency", json!("eur"), "transaction_data_member"),
        ("currency", json!("ABC"), "transaction_data_member"),
        ("currency", json!("XAU"), "transaction_data_member"),
        // It has no minor units.
        ("currency", json!("JPY"), "transaction_data_member"),
        // It has three.
        ("currency", json!("KWD"), "transaction_data_member"),
        ("currency", json!("EURO"), "transaction_data_member"),
        ("currency", json!("€"), "transaction_data_member"),
        ("reference", json!(""), "transaction_data_member"),
        (
            "reference",
            json!("x".repeat(101)),
            "transaction_data_member",
        ),
        ("reference", json!(["x"]), "transaction_data_member"),
        ("iban", json!("x"), "transaction_data_member"),
    ];
    for (name, value, code) in cases {
        let mut object = good();
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
        assert_eq!(code_of(&json!([encoded(&object)])), code, "{name} {value}");
    }
}

#[test]
fn iso_4217_an_amount_has_the_minor_units_of_its_currency() {
    let taken = |amount: &str, currency: &str| {
        let mut object = good();
        (object["amount"], object["currency"]) = (json!(amount), json!(currency));
        read(&json!([encoded(&object)]), &query()).is_ok()
    };
    for (amount, currency) in [
        ("12.50", "EUR"),
        ("12", "EUR"),
        ("0.01", "EUR"),
        ("10.00", "USD"),
        ("999999999999.99", "CHF"),
        ("1250", "JPY"),
        ("10", "KRW"),
        ("12.500", "KWD"),
        ("0.001", "BHD"),
        ("1.000", "JOD"),
        ("1.000", "OMR"),
        ("1.000", "TND"),
    ] {
        assert!(taken(amount, currency), "{amount} {currency}");
    }
    for (amount, currency) in [
        ("12.5", "EUR"),
        ("12.500", "EUR"),
        ("12.0000", "EUR"),
        ("12.", "EUR"),
        ("0", "EUR"),
        ("0.00", "EUR"),
        ("00.01", "EUR"),
        ("1250.00", "JPY"),
        ("1250.", "JPY"),
        ("0", "JPY"),
        ("12.50", "KWD"),
        ("12", "KWD"),
        ("0.000", "KWD"),
        ("1234567890123", "EUR"),
        ("12.50", "DEM"),
        ("12.50", "XXX"),
        ("12.50", ""),
    ] {
        assert!(!taken(amount, currency), "{amount} {currency}");
    }
}

#[test]
fn a_query_with_a_card_that_cannot_authorise_makes_no_transaction() {
    let details = read(&json!([encoded(&good())]), &query()).unwrap()[0]
        .details()
        .clone();
    let made = TransactionData::new(details, ID, &query());
    assert_eq!(made.unwrap_err(), TransactionDataError::Credential);
}
