//! Whatever comes in, nothing panics.

use super::setup::*;
use crate::vp::api::{MULTI_SIGNED, Origin};
use crate::vp::invocation::parameters_by_value;
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

    /// Whoever may ask, what comes unsigned, in a link, with several signatures or of a register reads
    /// or is refused.
    #[test]
    fn what_nobody_signed_never_panics(
        text in "\\PC{0,40}",
        link in "[a-z_]{0,12}(=[A-Za-z0-9%{}\":._~-]{0,30})?(&(client_id|nonce|dcql_query)=[a-z%:{}]{0,20}){0,3}",
        kind in 0..4u8,
    ) {
        let parties = Parties {
            unvouched: true,
            unencrypted: true,
            registrars: Some(&SETUP.anchors),
            ..Parties::NONE
        };
        let policy = SETUP.policy();
        for id in ["redirect_uri:https://a.example/r", "decentralized_identifier:did:web:a.example"] {
            let compact = format!("{}.{}.", b64url(text.as_bytes()), b64url(link.as_bytes()));
            for compact in [text.as_str(), compact.as_str()] {
                prop_assert!(verify_request_of(&parties, compact, id, None, &policy).is_err());
            }
        }
        if let Ok(Some(parameters)) = parameters_by_value(&format!("openid4vp://?{link}")) {
            prop_assert!(verify_unsigned(&parties, &parameters, &policy).is_err());
        }
        let part = match kind {
            0 => json!(text),
            1 => json!([text]),
            2 => json!([{"protected": b64url(text.as_bytes()), "signature": text}]),
            _ => json!([{"protected": b64url(b"{\"client_id\":\"a:b\"}"), "signature": text}]),
        };
        let data = json!({"request": {"payload": b64url(text.as_bytes()), "signatures": part}});
        let origin = Origin::parse("https://a.example", UrlRule::PublicHttps).unwrap();
        let read = verify_api_request_of(&parties, MULTI_SIGNED, &data, &origin, &policy);
        prop_assert!(read.is_err());
    }
}
