//! `/console/keys`: which key signs what, and until when.

use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::time::UnixTime;

use super::{Failure, Visitor};
use crate::signing::{KeyName, Rotation, Signing, Term};

/// What a calendar can show, in seconds: the years 1 to 9999, about.
const SHOWN: std::ops::Range<i64> = -62_000_000_000..253_000_000_000;

/// The page.
pub async fn page(visitor: Visitor) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    let now = core.clock.now();
    let purposes: Vec<Value> = purposes(&core.signing)
        .filter(|(_, keys)| !keys.is_empty())
        .map(|(name, keys)| json!({ "name": name, "keys": rows(keys, now) }))
        .collect();
    visitor.page("console/keys", json!({ "purposes": purposes }))
}

fn purposes(signing: &Signing) -> impl Iterator<Item = (&'static str, &Rotation)> {
    let formats = Format::ALL.into_iter().map(|format| {
        let name = match format {
            Format::SdJwtVc => "sd-jwt",
            Format::Mdoc => "mdoc",
            Format::LdpVc => "ldp",
            Format::JwtVc => "jwt",
        };
        (name, signing.of(format))
    });
    formats.chain([("status", &signing.status)])
}

/// One for each term. A key that gets a new certificate has two, and signs in one of them: which one
/// that is does not follow from the key.
fn rows(keys: &Rotation, now: UnixTime) -> Vec<Value> {
    let signing = keys.place(now);
    let terms = keys.terms().iter().enumerate();
    let rows = terms.map(|(place, term)| row(term, signing == Some(place), now));
    rows.collect()
}

fn row(term: &Term, signs: bool, now: UnixTime) -> Value {
    let thumbprint = term.key.signer.public_key().thumbprint();
    let state = match (signs, term.from > now) {
        (true, _) => "now",
        (false, true) => "later",
        (false, false) => "not",
    };
    let (name, until) = match &term.key.name {
        KeyName::X5c(chain) => {
            let validity = chain.leaf_validity().ok();
            let subject = chain.leaf_subject().unwrap_or_default();
            (subject, validity.map(|(_, until)| until))
        }
        KeyName::Did(url) => (url.clone(), None),
    };
    json!({
        "name": name,
        "thumbprint": thumbprint,
        "algorithm": term.key.signer.algorithm().name(),
        "state": state,
        "from": shown(term.from),
        "until": shown(term.until),
        "certified_until": until.and_then(shown),
        "expired": until.is_some_and(|until| until <= now),
    })
}

fn shown(time: UnixTime) -> Option<i64> {
    SHOWN.contains(&time.0).then_some(time.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vouchsafe_credentials::crypto::{Algorithm, AwsLcSigningKey, SigningKey};
    use vouchsafe_credentials::testing::SeededRng;

    use super::*;
    use crate::signing::NamedSigner;

    fn term(name: &str, from: i64, until: i64) -> Term {
        let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1));
        Term {
            from: UnixTime(from),
            until: UnixTime(until),
            key: NamedSigner {
                signer: Arc::new(AwsLcSigningKey::new(&key).unwrap()),
                called: name.to_owned(),
                name: KeyName::Did(name.to_owned()),
                iss: None,
                cryptosuite: String::new(),
                certified_from: UnixTime(i64::MIN),
            },
        }
    }

    /// A key whose certificate is renewed stands there twice, under the certificate that it has and
    /// the one that it will have.
    #[test]
    fn a_key_signs_under_one_of_its_names() {
        let keys = Rotation::new(vec![term("old", 0, 100), term("new", 100, 300)]);
        for (now, old, new) in [
            (50, "now", "later"),
            (150, "not", "now"),
            (350, "not", "not"),
        ] {
            let states: Vec<Value> = rows(&keys, UnixTime(now))
                .iter()
                .map(|row| row["state"].clone())
                .collect();
            assert_eq!(states, [json!(old), json!(new)], "{now}");
        }
    }
}
