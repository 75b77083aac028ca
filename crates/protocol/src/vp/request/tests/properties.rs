//! Whatever comes in, nothing panics.

use super::setup::*;
use proptest::prelude::*;

static SETUP: std::sync::LazyLock<Setup> = std::sync::LazyLock::new(Setup::new);

proptest! {
    #[test]
    fn the_parser_never_panics(text in "[A-Za-z0-9_.-]{0,200}") {
        let anchors = TrustAnchors::new(Role::VerifierAccess);
        let policy = WalletPolicy {
            anchors: &anchors, crypto: &Portable, now: NOW, urls: UrlRule::PublicHttps,
        };
        let hash = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
        prop_assert!(verify_request(&text, hash, None, &policy).is_err());
    }

    /// Whatever a trusted verifier signs, reading it gives a request or a refusal.
    #[test]
    fn signed_requests_with_any_member_never_panic(
        member in prop::sample::select(vec![
            "aud", "client_id", "response_uri", "nonce", "state", "dcql_query", "client_metadata",
            "exp", "iat", "verifier_info",
        ]),
        text in "\\PC{0,20}",
        number in any::<i64>(),
        kind in 0..4u8,
    ) {
        let mut claims = SETUP.claims.clone();
        claims[member] = match kind {
            0 => json!(text),
            1 => json!(number),
            2 => json!([text, number]),
            _ => json!({"keys": text, "jwks": {"keys": [text]}, "credentials": [{"id": text}]}),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(SETUP.verify(&claims));
        if let Err(refusal) = read {
            prop_assert!(!refusal.error.code().is_empty());
        }
    }
}
