#![no_main]
//! Any bytes as `IssuerSigned` and as the object in it: nothing unsigned is accepted.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::{AgreementKey, Portable};
use vouchsafe_credentials::mdoc::{IssuancePolicy, IssuerSigned, MDL, MobileSecurityObject, verify_issued};
use vouchsafe_credentials::sd_jwt_vc::IssuerTrust;
use vouchsafe_credentials::time::UnixTime;

fuzz_target!(|input: &[u8]| {
    let _ = MobileSecurityObject::parse(input);
    if let Ok(signed) = IssuerSigned::parse(input) {
        let payload = signed.issuer_auth().ok().and_then(|auth| auth.payload_unverified());
        let _ = payload.map(MobileSecurityObject::parse);
    }
    let key = AgreementKey::from_bytes(&[1; 32]).expect("a valid scalar");
    let trust = IssuerTrust::new(Vec::new()).expect("no issuer twice");
    let policy = IssuancePolicy {
        trust: &trust,
        doctype: MDL,
        device_key: key.public_key(),
        now: UnixTime(1_800_000_000),
    };
    assert!(verify_issued(input, &policy, &Portable).is_err());
});
