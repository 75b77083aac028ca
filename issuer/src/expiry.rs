//! Certificates that come to their end: a metric, a log line, a finding of `vouchsafe doctor`.

use std::collections::BTreeMap;

use vouchsafe_credentials::time::UnixTime;

use crate::signing::{Rotation, Signing};

/// How long before its end a certificate is spoken of, in seconds.
pub const WARN_S: i64 = 30 * 86_400;

/// A certificate and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What the key signs.
    pub purpose: &'static str,
    /// What the key is called.
    pub key: String,
    /// When the certificate ends.
    pub at: UnixTime,
    /// Whether another key or certificate signs then.
    pub followed: bool,
}

/// Every certificate of a signing key, by purpose.
pub fn certificates(signing: &Signing) -> Vec<Ending> {
    let purposes = signing.by_purpose().into_iter();
    purposes
        .flat_map(|(purpose, keys)| of(purpose, keys))
        .collect()
}

fn of(purpose: &'static str, keys: &Rotation) -> Vec<Ending> {
    let mut endings = Vec::new();
    for term in keys.terms() {
        let chain = term.key.name.chain();
        let Some((_, at)) = chain.and_then(|chain| chain.leaf_validity().ok()) else {
            continue;
        };
        endings.push(Ending {
            purpose,
            key: term.key.called.clone(),
            at,
            followed: keys.at(at).is_ok(),
        });
    }
    endings
}

/// Those that end soon, or have, while nothing follows: each key once.
pub fn soon(signing: &Signing, now: UnixTime) -> Vec<Ending> {
    let all = certificates(signing).into_iter();
    let soon = all.filter(|one| !one.followed && one.at.since(now) < WARN_S);
    let by_key: BTreeMap<String, Ending> = soon.map(|one| (one.key.clone(), one)).collect();
    by_key.into_values().collect()
}

/// Tells the metric about every certificate, and the log about those that end soon.
pub fn watch(signing: &Signing, now: UnixTime) {
    for Ending {
        purpose, key, at, ..
    } in certificates(signing)
    {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds of this age fit exactly"
        )]
        let at = at.0 as f64;
        let name = "vouchsafe_certificate_expires_timestamp_seconds";
        metrics::gauge!(name, "purpose" => purpose, "key" => key).set(at);
    }
    for Ending {
        purpose, key, at, ..
    } in soon(signing, now)
    {
        let days = at.since(now).div_euclid(86_400);
        tracing::warn!(
            purpose,
            key,
            days,
            "a certificate ends soon and nothing follows it: `vouchsafe issuer certificate request`"
        );
    }
}
