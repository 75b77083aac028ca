#![no_main]
//! A list of trusted entities that nobody signed: refused, bounded, without a panic.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::trust::{ListKind, ListPolicy, import_lote};
use vouchsafe_credentials::x509::{Role, TrustAnchors};

fuzz_target!(|text: &str| {
    let operators = TrustAnchors::new(Role::ListOperator);
    let policy = ListPolicy {
        kind: ListKind::PidProviders,
        territory: None,
        operators: &operators,
        known: None,
        now: UnixTime(1_800_000_000),
    };
    assert!(import_lote(text, &policy, &Portable).is_err());
});
