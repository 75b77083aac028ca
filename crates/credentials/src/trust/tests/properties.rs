//! Whatever bytes come: an answer, no panic.

use proptest::prelude::*;
use serde_json::json;

use super::lote::{list, sign_with};
use super::{NOW, Scheme};
use crate::crypto::Portable;
use crate::trust::{ListKind, import_lote};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_answered(text in ".{0,200}") {
        let scheme = Scheme::new();
        prop_assert!(import_lote(&text, &scheme.policy(ListKind::PidProviders), &Portable).is_err());
    }

    /// A signed list with one member replaced by any JSON is answered.
    #[test]
    fn any_member_is_answered(index in 0_usize..16, value in "[a-zA-Z0-9:{}\\[\\]\",. -]{0,30}") {
        let scheme = Scheme::new();
        let mut list = list(&scheme);
        let scheme_information = list["LoTE"]["ListAndSchemeInformation"].as_object_mut().unwrap();
        let names: Vec<_> = scheme_information.keys().cloned().collect();
        let value = serde_json::from_str(&value).unwrap_or_else(|_| json!(value));
        scheme_information.insert(names[index % names.len()].clone(), value);
        let header = json!({"alg": "ES256", "iat": NOW.seconds(),
            "x5c": [base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &scheme.signer.der)]});
        let compact = block_on(sign_with(&header, &list, &scheme.signer));
        // Either it was an acceptable value, or a refusal with a code.
        if let Err(error) = import_lote(&compact, &scheme.policy(ListKind::PidProviders), &Portable) {
            prop_assert!(error.code().starts_with("trust_list_"));
        }
    }
}
