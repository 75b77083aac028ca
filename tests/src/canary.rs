//! Looks for values that must not be found: in databases, logs and metrics.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

/// A value that nobody else would write, in the forms in which it could leak.
#[derive(Clone, Debug)]
pub struct Canary {
    name: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    /// A canary of at least eight bytes: shorter ones are found by chance.
    pub fn new(name: &'static str, value: &str) -> Self {
        assert!(value.len() >= 8, "a canary needs eight bytes or more");
        let mut forms = vec![
            value.as_bytes().to_vec(),
            hex(value.as_bytes()),
            value.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ];
        // Base64 of a longer text holds one of three forms of the inner part.
        for skip in 0..3 {
            let inner = &value.as_bytes()[skip..];
            let whole = &inner[..inner.len() / 3 * 3];
            if whole.len() >= 6 {
                forms.push(BASE64_STANDARD.encode(whole).into_bytes());
                forms.push(BASE64_URL_SAFE_NO_PAD.encode(whole).into_bytes());
            }
        }
        Self { name, forms }
    }

    /// Whether any form of the value stands in `bytes`.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms
            .iter()
            .any(|form| bytes.windows(form.len()).any(|window| window == form))
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect()
}

/// Every place where a canary sings: `(canary, place)`.
pub fn scan<'a>(
    canaries: &[Canary],
    places: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (place, bytes) in places {
        for canary in canaries {
            if canary.is_in(bytes) {
                found.push((canary.name, place.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_form_and_nothing_else() {
        let canary = Canary::new("tier", "canary-tier-7731");
        for text in [
            "…canary-tier-7731…".to_owned(),
            BASE64_STANDARD.encode("{\"tier\":\"canary-tier-7731\"}"),
            BASE64_URL_SAFE_NO_PAD.encode("[\"salt\",\"tier\",\"canary-tier-7731\"]"),
            String::from_utf8(hex(b"xcanary-tier-7731")).unwrap(),
        ] {
            assert_eq!(
                scan(std::slice::from_ref(&canary), [("log", text.as_bytes())]).len(),
                1,
                "{text}"
            );
        }
        assert!(scan(&[canary], [("log", &b"canary-tier-7732"[..])]).is_empty());
    }
}
