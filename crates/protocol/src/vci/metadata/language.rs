//! Metadata in the languages that somebody reads (section 12.2.2).

use std::collections::BTreeSet;

use super::{CredentialConfiguration, CredentialDisplay, CredentialIssuerMetadata, Display};

impl CredentialIssuerMetadata {
    /// Keeps the texts in the languages of these ranges (RFC 4647), `de` also for `de-AT` and the
    /// reverse. Where a list has none of them it stays whole. Gives the languages that are left
    /// for `Content-Language`; none where everything stayed as it was.
    pub fn keep_languages(&mut self, ranges: &[&str]) -> Vec<String> {
        let mut left = BTreeSet::new();
        let mut dropped = false;
        for display in self.displays() {
            let wanted = |d: &Display| d.locale.as_deref().is_some_and(|l| fits(l, ranges));
            if display.iter().any(wanted) && !display.iter().all(wanted) {
                display.retain(wanted);
                dropped = true;
            }
            left.extend(display.iter().filter_map(|d| d.locale.clone()));
        }
        if dropped {
            left.into_iter().collect()
        } else {
            Vec::new()
        }
    }

    fn displays(&mut self) -> impl Iterator<Item = &mut Vec<Display>> {
        let configurations = self.credential_configurations_supported.values_mut();
        let of_configurations = configurations.flat_map(|configuration| {
            let CredentialConfiguration {
                credential_metadata,
                ..
            } = configuration;
            credential_metadata.iter_mut().flat_map(|metadata| {
                let CredentialDisplay {
                    display, claims, ..
                } = metadata;
                let of_claims = claims.iter_mut().flatten();
                display
                    .iter_mut()
                    .chain(of_claims.filter_map(|claim| claim.display.as_mut()))
            })
        });
        self.display.iter_mut().chain(of_configurations)
    }
}

/// RFC 4647, sections 3.3.1 and 3.4: one is the other, or the other with further subtags.
fn fits(tag: &str, ranges: &[&str]) -> bool {
    let begins = |long: &str, short: &str| {
        long.get(..short.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(short))
            && long
                .as_bytes()
                .get(short.len())
                .is_none_or(|next| *next == b'-')
    };
    ranges
        .iter()
        .any(|range| begins(tag, range) || begins(range, tag))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> CredentialIssuerMetadata {
        serde_json::from_value(json!({
            "credential_issuer": "https://issuer.example.com",
            "credential_endpoint": "https://issuer.example.com/credential",
            "display": [{"name": "Club", "locale": "en"}, {"name": "Verein", "locale": "de"}],
            "credential_configurations_supported": {"m": {
                "format": "dc+sd-jwt", "vct": "m",
                "credential_metadata": {
                    "display": [{"name": "Card", "locale": "en"}, {"name": "Carte", "locale": "fr"}],
                    "claims": [{"path": ["a"], "display": [
                        {"name": "Name", "locale": "en-GB"}, {"name": "Name", "locale": "de-AT"},
                    ]}],
                },
            }},
        }))
        .unwrap()
    }

    fn kept(ranges: &[&str]) -> (Vec<String>, String) {
        let mut document = document();
        let languages = document.keep_languages(ranges);
        (languages, serde_json::to_string(&document).unwrap())
    }

    #[test]
    fn texts_in_the_languages_that_are_read() {
        let (languages, text) = kept(&["DE-at"]);
        assert_eq!(languages, ["de", "de-AT", "en", "fr"]);
        assert!(text.contains("Verein") && !text.contains("Club"));
        // No German name of the card: all of them stay.
        assert!(text.contains("Card") && text.contains("Carte"));
        assert!(text.contains("de-AT") && !text.contains("en-GB"));
        let (languages, text) = kept(&["fr", "en"]);
        assert_eq!(languages, ["en", "en-GB", "fr"]);
        assert!(!text.contains("Verein"));
    }

    #[test]
    fn without_a_language_of_ours_everything_stays() {
        let whole = serde_json::to_string(&document()).unwrap();
        for ranges in [&["it"][..], &[], &["d"], &["deu"], &["e\u{0301}"]] {
            assert_eq!(kept(ranges), (Vec::new(), whole.clone()), "{ranges:?}");
        }
    }
}
