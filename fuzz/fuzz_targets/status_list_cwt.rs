#![no_main]
//! Any bytes as list tokens in CWT form, of both kinds, and as the lists in them.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::cbor::Item;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::sd_jwt_vc::{IssuerAuthority, IssuerIdentity, IssuerTrust};
use vouchsafe_credentials::status_list::{
    IdentifierRef, StatusCheck, StatusRef, read_cbor_list, verify_identifier_list, verify_status_list_cwt,
};
use vouchsafe_credentials::time::UnixTime;

fuzz_target!(|input: &[u8]| {
    if let Ok(item) = Item::parse(input) {
        let _ = read_cbor_list(item);
        let _ = StatusRef::from_cbor(item);
        let _ = IdentifierRef::from_cbor(item);
    }
    let issuer = IssuerIdentity {
        trusted: "https://issuer.example".into(),
        authority: IssuerAuthority::Did("did:key:z6Mk".into()),
    };
    let trust = IssuerTrust::new(Vec::new()).expect("no issuer twice");
    let check = StatusCheck {
        uri: "https://issuer.example/status/1",
        issuer: &issuer,
        trust: &trust,
        newest_seen: None,
        min_refresh_s: 60,
        now: UnixTime(1_800_000_000),
    };
    assert!(verify_status_list_cwt(input, &check, &Portable).is_err());
    assert!(verify_identifier_list(input, &check, &Portable).is_err());
});
