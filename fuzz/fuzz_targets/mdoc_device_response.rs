#![no_main]
//! Any bytes as `DeviceResponse`: nothing unsigned is accepted.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::mdoc::{DeviceResponse, MDL, Policy, SessionTranscript, verify_presented};
use vouchsafe_credentials::sd_jwt_vc::{IssuerTrust, StatusPolicy};
use vouchsafe_credentials::time::UnixTime;

fuzz_target!(|input: &[u8]| {
    let _ = DeviceResponse::parse(input);
    let _ = SessionTranscript::from_bytes(input.to_vec());
    let trust = IssuerTrust::new(Vec::new()).expect("no issuer twice");
    let transcript = SessionTranscript::openid4vp("client", "nonce", None, "https://verifier.example");
    let policy = Policy {
        trust: &trust,
        doctypes: &[MDL.to_owned()],
        transcript: &transcript,
        reader_key: None,
        status: StatusPolicy::WhenPresent,
        now: UnixTime(1_800_000_000),
    };
    assert!(verify_presented(input, &policy, &Portable).is_err());
});
