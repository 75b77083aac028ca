//! `credential_reuse_policy`: how often a wallet shows one credential (EUDI ARF, annex 2, ISSU_37
//! to ISSU_40; ETSI TS 119 472-3, section 4.2.4.2, in the form that the EU's reference wallet
//! library reads).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The one policy that the ARF describes.
pub const ARF_ANNEX_II: &str = "arf_annex_ii";

/// How a wallet limits the presentations of one credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReuseMethod {
    /// Method A: each credential is shown once.
    #[serde(rename = "once_only")]
    OnceOnly,
    /// Method B: one credential is shown until shortly before its end.
    #[serde(rename = "limited_time")]
    LimitedTime,
    /// Method C: the credentials of a batch are shown in turn.
    #[serde(rename = "rotating-batch")]
    RotatingBatch,
    /// Method D: each relying party sees a credential of its own.
    #[serde(rename = "per-relying-party")]
    PerRelyingParty,
}

/// One way to keep the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReuseOption {
    /// The methods, the dearest first.
    pub details: Vec<ReuseMethod>,
    /// Credentials to ask for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u64>,
    /// When so few are left that were never shown, new ones are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reissue_trigger_unused: Option<u64>,
    /// So many seconds before the end, new ones are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reissue_trigger_lifetime_left: Option<u64>,
}

/// The policy of a credential configuration. Without one a wallet may show a credential as often
/// as it likes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReusePolicy {
    /// Its name.
    pub id: String,
    /// Ways to keep it, the dearest first.
    pub options: Vec<ReuseOption>,
}

/// Why a policy is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReuseError {
    /// No option, or two with the same methods.
    #[error("options must be there, each with methods of its own")]
    Options,
    /// ISSU_40: exactly one of A and B.
    #[error("an option has exactly one of once_only and limited_time, and no method twice")]
    Methods,
    /// A method that needs batches without `batch_size`, or one that is not issued.
    #[error("batch_size must be 2 at least and no more than is issued at once")]
    BatchSize,
    /// ISSU_45: a lower limit that is below the size of the batch.
    #[error("once_only needs reissue_trigger_unused, below batch_size")]
    Unused,
    /// ISSU_50, ISSU_54: when to ask again.
    #[error("this method needs reissue_trigger_lifetime_left, 1 at least")]
    LifetimeLeft,
}

impl ReusePolicy {
    /// The policy of the ARF with these options. `largest_batch` is what the issuer issues at
    /// once.
    ///
    /// # Errors
    /// [`ReuseError`].
    pub fn arf(options: Vec<ReuseOption>, largest_batch: u64) -> Result<Self, ReuseError> {
        let mut seen = BTreeSet::new();
        for option in &options {
            option.check(largest_batch)?;
            let methods: BTreeSet<_> = option.details.iter().copied().collect();
            if !seen.insert(methods) {
                return Err(ReuseError::Options);
            }
        }
        if options.is_empty() {
            return Err(ReuseError::Options);
        }
        Ok(Self {
            id: ARF_ANNEX_II.to_owned(),
            options,
        })
    }
}

impl ReuseOption {
    fn check(&self, largest_batch: u64) -> Result<(), ReuseError> {
        let methods: BTreeSet<_> = self.details.iter().collect();
        let has = |method: ReuseMethod| methods.contains(&method);
        let (once, limited) = (has(ReuseMethod::OnceOnly), has(ReuseMethod::LimitedTime));
        let further = has(ReuseMethod::RotatingBatch) || has(ReuseMethod::PerRelyingParty);
        if once == limited || methods.len() != self.details.len() {
            return Err(ReuseError::Methods);
        }
        match self.batch_size {
            None if once || further => return Err(ReuseError::BatchSize),
            Some(size) if !(2..=largest_batch).contains(&size) => {
                return Err(ReuseError::BatchSize);
            }
            None | Some(_) => {}
        }
        let unused = self.reissue_trigger_unused;
        if once && unused.is_none_or(|unused| Some(unused) >= self.batch_size) {
            return Err(ReuseError::Unused);
        }
        let left = self.reissue_trigger_lifetime_left;
        if left == Some(0) || (left.is_none() && (limited || further)) {
            return Err(ReuseError::LifetimeLeft);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::ReuseMethod::{LimitedTime, OnceOnly, PerRelyingParty, RotatingBatch};
    use super::*;

    fn option(details: &[ReuseMethod]) -> ReuseOption {
        ReuseOption {
            details: details.to_vec(),
            batch_size: Some(10),
            reissue_trigger_unused: Some(2),
            reissue_trigger_lifetime_left: Some(604_800),
        }
    }

    #[test]
    fn a_policy_on_the_wire() {
        let policy = ReusePolicy::arf(vec![option(&[RotatingBatch, OnceOnly])], 10).unwrap();
        assert_eq!(
            serde_json::to_string(&policy).unwrap(),
            r#"{"id":"arf_annex_ii","options":[{"details":["rotating-batch","once_only"],"batch_size":10,"reissue_trigger_unused":2,"reissue_trigger_lifetime_left":604800}]}"#
        );
        let limited = ReuseOption {
            batch_size: None,
            reissue_trigger_unused: None,
            ..option(&[LimitedTime])
        };
        let several = vec![option(&[PerRelyingParty, LimitedTime]), limited];
        assert!(ReusePolicy::arf(several, 10).is_ok());
    }

    #[test]
    fn policies_that_are_none() {
        let refused = |options: Vec<ReuseOption>| ReusePolicy::arf(options, 10).unwrap_err();
        assert_eq!(refused(vec![]), ReuseError::Options);
        let twice = vec![
            option(&[RotatingBatch, OnceOnly]),
            option(&[OnceOnly, RotatingBatch]),
        ];
        assert_eq!(refused(twice), ReuseError::Options);
        for details in [
            &[][..],
            &[RotatingBatch],
            &[OnceOnly, LimitedTime],
            &[OnceOnly, OnceOnly],
        ] {
            assert_eq!(refused(vec![option(details)]), ReuseError::Methods);
        }
        for batch_size in [None, Some(0), Some(1), Some(11)] {
            let option = ReuseOption {
                batch_size,
                ..option(&[OnceOnly])
            };
            assert_eq!(refused(vec![option]), ReuseError::BatchSize);
        }
        for reissue_trigger_unused in [None, Some(10)] {
            let option = ReuseOption {
                reissue_trigger_unused,
                ..option(&[OnceOnly])
            };
            assert_eq!(refused(vec![option]), ReuseError::Unused);
        }
        for reissue_trigger_lifetime_left in [None, Some(0)] {
            let option = ReuseOption {
                reissue_trigger_lifetime_left,
                ..option(&[LimitedTime])
            };
            assert_eq!(refused(vec![option]), ReuseError::LifetimeLeft);
        }
    }
}
