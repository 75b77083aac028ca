#![no_main]
//! A trusted list in XML that nobody signed: refused, bounded, without a panic.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::trust::{ListKind, ListPolicy, import_trusted_list};
use vouchsafe_credentials::x509::{Role, TrustAnchors};

fuzz_target!(|bytes: &[u8]| {
    let operators = TrustAnchors::new(Role::ListOperator);
    let policy = ListPolicy {
        kind: ListKind::QualifiedServices,
        territory: None,
        operators: &operators,
        known: None,
        now: UnixTime(1_800_000_000),
    };
    assert!(import_trusted_list(bytes, &policy, &Portable).is_err());
});
