//! Signatures of webhooks (Standard Webhooks 1.0.0, "Verifying webhook authenticity").

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use vouchsafe_credentials::{crypto::hmac_sha256, random::Rng, time::UnixTime};
use zeroize::Zeroizing;

/// What a symmetric signing secret begins with.
const PREFIX: &str = "whsec_";
/// How long the secret before the last still signs beside it, in seconds.
pub const OVERLAP_S: i64 = 86_400;

/// A signing secret, 256 random bits. `Debug` hides it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct WebhookSecret(Zeroizing<String>);

impl WebhookSecret {
    /// A fresh secret.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0u8; 32]);
        rng.fill(&mut *bytes);
        Self(Zeroizing::new(STANDARD.encode(*bytes)))
    }

    /// Reads a secret that an organisation made: `whsec_` and base64 of 24 to 64 bytes (Standard
    /// Webhooks 1.0.0, "Signature scheme").
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).ok()?);
        (24..=64)
            .contains(&bytes.len())
            .then(|| Self(Zeroizing::new(encoded.to_owned())))
    }

    /// The text to hand over, `whsec_` and base64.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", *self.0))
    }

    /// The signature of a message: `v1,` and base64.
    fn sign(&self, id: &str, timestamp: UnixTime, body: &str) -> String {
        // The key is the decoded text; what was generated above always decodes.
        let key = Zeroizing::new(STANDARD.decode(&*self.0).unwrap_or_default());
        let content = format!("{id}.{}.{body}", timestamp.0);
        format!(
            "v1,{}",
            STANDARD.encode(hmac_sha256(&key, content.as_bytes()))
        )
    }
}

impl From<String> for WebhookSecret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<WebhookSecret> for String {
    fn from(secret: WebhookSecret) -> Self {
        secret.0.to_string()
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The secret that signs, and the one before it for a day after a change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secrets {
    current: WebhookSecret,
    previous: Option<(WebhookSecret, i64)>,
}

impl Secrets {
    /// One fresh secret.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self {
            current: WebhookSecret::generate(rng),
            previous: None,
        }
    }

    /// Secrets that were configured; the one before may sign beside it for as long as it is there.
    pub fn of(current: WebhookSecret, previous: Option<WebhookSecret>) -> Self {
        Self {
            current,
            previous: previous.map(|secret| (secret, i64::MAX)),
        }
    }

    /// The newest secret.
    pub fn current(&self) -> &WebhookSecret {
        &self.current
    }

    /// A new secret signs from now on; the old one beside it for a day.
    #[must_use]
    pub fn rotated(self, now: UnixTime, rng: &dyn Rng) -> Self {
        Self {
            current: WebhookSecret::generate(rng),
            previous: Some((self.current, now.plus(OVERLAP_S).0)),
        }
    }

    /// The header `webhook-signature`: one signature for each secret that is in use, separated by
    /// spaces.
    pub fn header(&self, id: &str, now: UnixTime, body: &str) -> String {
        let mut header = self.current.sign(id, now, body);
        if let Some((secret, until)) = &self.previous
            && now.0 < *until
        {
            header.push(' ');
            header.push_str(&secret.sign(id, now, body));
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    /// The published example of the specification ("Signature scheme", symmetric).
    #[test]
    fn the_example_of_standard_webhooks() {
        let secret = WebhookSecret(Zeroizing::new(
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
        ));
        let body = "{\"test\": 2432232314}";
        assert_eq!(
            secret.sign(
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                UnixTime(1_614_265_330),
                body
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn two_secrets_sign_for_a_day() {
        let now = UnixTime(1_800_000_000);
        let first = Secrets::generate(&OsRandom);
        let old = first.header("m", now, "{}");
        assert!(!old.contains(' '));
        let second = first.rotated(now, &OsRandom);
        let both = second.header("m", now, "{}");
        let parts: Vec<&str> = both.split(' ').collect();
        assert_eq!((parts.len(), parts[1]), (2, old.as_str()));
        assert_ne!(parts[0], old);
        let last = UnixTime(now.0 + OVERLAP_S - 1);
        assert!(second.header("m", last, "{}").contains(' '));
        assert!(!second.header("m", last.plus(1), "{}").contains(' '));
        let third = second.rotated(now, &OsRandom);
        assert!(!third.header("m", now, "{}").contains(&old));
    }

    #[test]
    fn a_configured_secret_is_long_enough() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let both = Secrets::of(secret.clone(), Some(secret));
        assert!(both.header("m", UnixTime(1), "{}").contains(' '));
        for bad in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsec_!fKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert!(WebhookSecret::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        let secrets = Secrets::generate(&OsRandom);
        let text = secrets.current().expose();
        assert!(text.starts_with(PREFIX) && text.len() == PREFIX.len() + 44);
        assert!(!format!("{secrets:?}").contains(&text[PREFIX.len()..]));
    }
}
