//! The keys to which wallets encrypt their requests (OpenID4VCI 1.0, section 10). They follow from
//! the master secret, so every process has them, and change by themselves.

use vouchsafe_credentials::crypto::AgreementKey;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::encryption::RequestKey;
use vouchsafe_service::keys::SymmetricKey;

/// How long a key stands in the metadata, in seconds. It opens requests for as long again, for
/// wallets that keep metadata.
pub const PERIOD_S: i64 = 30 * 86_400;

/// All keys, past and future.
#[derive(Debug, Clone)]
pub struct RequestKeys(SymmetricKey);

impl RequestKeys {
    /// The keys that follow from a secret.
    pub fn new(secret: SymmetricKey) -> Self {
        Self(secret)
    }

    /// The key that stands in the metadata.
    pub fn current(&self, now: UnixTime) -> RequestKey {
        let period = period(now);
        RequestKey {
            kid: period.to_string(),
            key: self.key(period),
        }
    }

    /// The key with this `kid`, while it opens requests.
    pub fn find(&self, kid: &str, now: UnixTime) -> Option<AgreementKey> {
        let current = period(now);
        // The next one too: another process may be a little ahead.
        let open = [current, current - 1, current + 1];
        let named = open.into_iter().find(|period| period.to_string() == kid);
        named.map(|period| self.key(period))
    }

    fn key(&self, period: i64) -> AgreementKey {
        // One in 2^32 derived values is no scalar of the curve: then the next one is taken.
        let mut attempt = 0u64;
        loop {
            let derived = self.0.child(&format!("{period} {attempt}"));
            if let Ok(key) = AgreementKey::from_bytes(derived.expose()) {
                return key;
            }
            attempt += 1;
        }
    }
}

fn period(now: UnixTime) -> i64 {
    now.0.div_euclid(PERIOD_S)
}

#[cfg(test)]
mod tests {
    use vouchsafe_service::keys::{MasterSecret, Purpose};

    use super::*;

    fn keys() -> RequestKeys {
        let master = MasterSecret::parse("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA").unwrap();
        RequestKeys::new(master.derive(Purpose::RequestEncryption).child("issuer"))
    }

    #[test]
    fn a_key_opens_requests_for_a_period_after_its_own() {
        let start = UnixTime(600 * PERIOD_S);
        let RequestKey { kid, key } = keys().current(start);
        assert_eq!(kid, keys().current(start.plus(PERIOD_S - 1)).kid);
        assert_ne!(kid, keys().current(start.plus(PERIOD_S)).kid);
        let found = |at: i64| {
            let found = keys().find(&kid, start.plus(at));
            found.map(|found| found.public_key() == key.public_key())
        };
        for at in [-60, 0, PERIOD_S - 1, PERIOD_S, 2 * PERIOD_S - 1] {
            assert_eq!(found(at), Some(true), "{at}");
        }
        for at in [2 * PERIOD_S, -PERIOD_S - 1] {
            assert_eq!(found(at), None, "{at}");
        }
        for kid in ["", "0", "0600", " 600", "-600"] {
            assert!(keys().find(kid, start).is_none(), "{kid}");
        }
        let next = keys().current(start.plus(PERIOD_S));
        assert_ne!(next.key.public_key(), key.public_key());
    }
}
