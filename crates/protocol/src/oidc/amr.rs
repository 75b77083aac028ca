//! Authentication methods, computed from what was done.
//!
//! Registered values of RFC 8176 and two of our own: `vp` (a credential was presented)
//! and `xdev` (from another device).

use std::collections::BTreeSet;

use super::acr::Acr;

/// One thing a person did in a login, as far as it was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Done {
    /// Presented a credential with proof of its key.
    Presentation {
        /// From another device than the one that logs in.
        cross_device: bool,
        /// A verified attestation says the key is in hardware.
        hardware_key: bool,
        /// A verified attestation says the person was verified for the signature.
        user_verified: bool,
    },
    /// Used a passkey.
    Passkey {
        /// The key is in hardware as attested.
        hardware_key: bool,
        /// The authenticator verified the person.
        user_verified: bool,
    },
    /// Typed a one-time code of an authenticator.
    OneTimeCode,
    /// Typed a code sent by SMS.
    Sms,
    /// Came back from another OpenID Provider that vouched for them. What they did there is that
    /// provider's to say, so it has no method and no kind of factor of ours.
    Upstream,
    /// The risk engine took part in the decision.
    RiskAssessed,
    /// Geolocation took part in the decision.
    GeoAssessed,
}

/// The `amr` claim, in alphabetical order.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Amr(BTreeSet<&'static str>);

/// Kinds of factor; two different kinds make `mfa`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    CredentialKey,
    PasskeyDevice,
    Code,
    PersonVerified,
}

impl Amr {
    /// Computes the claim.
    #[must_use]
    pub fn compute(done: &[Done]) -> Self {
        let mut values = BTreeSet::new();
        for step in done {
            match *step {
                Done::Presentation {
                    cross_device,
                    hardware_key,
                    user_verified,
                } => {
                    values.extend(["pop", "vp"]);
                    values.extend(cross_device.then_some("xdev"));
                    values.extend(hardware_key.then_some("hwk"));
                    values.extend(user_verified.then_some("user"));
                }
                Done::Passkey {
                    hardware_key,
                    user_verified,
                } => {
                    values.insert(if hardware_key { "hwk" } else { "swk" });
                    values.extend(user_verified.then_some("user"));
                }
                Done::OneTimeCode => _ = values.insert("otp"),
                Done::Sms => _ = values.insert("sms"),
                Done::RiskAssessed => _ = values.insert("rba"),
                Done::GeoAssessed => _ = values.insert("geo"),
                Done::Upstream => {}
            }
        }
        if kinds(done).len() > 1 {
            values.insert("mfa");
        }
        Self(values)
    }

    /// Whether a value is in the claim.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.0.contains(value)
    }

    /// Values in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
}

/// The class reached by what was done; `None` where nothing identifies anybody: a code of an authenticator
/// says that somebody has it, beside what says who they are.
#[must_use]
pub fn reached(done: &[Done]) -> Option<Acr> {
    let best = done.iter().filter_map(|step| match *step {
        // A presentation from another device stays below one on this device, whatever holds the key.
        Done::Presentation {
            cross_device: true, ..
        } => Some(Acr::CredentialCrossDevice),
        Done::Presentation {
            hardware_key: true, ..
        } => Some(Acr::CredentialHardware),
        Done::Presentation { .. } => Some(Acr::Credential),
        Done::Passkey { .. } | Done::Sms | Done::Upstream => Some(Acr::Single),
        Done::OneTimeCode | Done::RiskAssessed | Done::GeoAssessed => None,
    });
    let best = best.max()?;
    let multi = (kinds(done).len() > 1).then_some(Acr::Multi);
    Some(multi.map_or(best, |m| m.max(best)))
}

fn kinds(done: &[Done]) -> BTreeSet<Kind> {
    let mut kinds = BTreeSet::new();
    for step in done {
        match *step {
            Done::Presentation { user_verified, .. } => {
                kinds.insert(Kind::CredentialKey);
                kinds.extend(user_verified.then_some(Kind::PersonVerified));
            }
            Done::Passkey { user_verified, .. } => {
                kinds.insert(Kind::PasskeyDevice);
                kinds.extend(user_verified.then_some(Kind::PersonVerified));
            }
            Done::OneTimeCode | Done::Sms => _ = kinds.insert(Kind::Code),
            Done::Upstream | Done::RiskAssessed | Done::GeoAssessed => {}
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: Done = Done::Presentation {
        cross_device: false,
        hardware_key: false,
        user_verified: false,
    };

    fn amr(done: &[Done]) -> Vec<&'static str> {
        Amr::compute(done).iter().collect()
    }

    #[test]
    fn presentations() {
        assert_eq!(amr(&[CARD]), ["pop", "vp"]);
        assert_eq!(reached(&[CARD]), Some(Acr::Credential));
        let across = Done::Presentation {
            cross_device: true,
            hardware_key: true,
            user_verified: false,
        };
        assert_eq!(amr(&[across]), ["hwk", "pop", "vp", "xdev"]);
        assert_eq!(reached(&[across]), Some(Acr::CredentialCrossDevice));
        let attested = Done::Presentation {
            cross_device: false,
            hardware_key: true,
            user_verified: true,
        };
        assert_eq!(amr(&[attested]), ["hwk", "mfa", "pop", "user", "vp"]);
        assert_eq!(reached(&[attested]), Some(Acr::CredentialHardware));
    }

    #[test]
    fn combinations() {
        let passkey = Done::Passkey {
            hardware_key: false,
            user_verified: false,
        };
        assert_eq!(amr(&[passkey]), ["swk"]);
        assert_eq!(reached(&[passkey]), Some(Acr::Single));
        assert_eq!(amr(&[passkey, Done::OneTimeCode]), ["mfa", "otp", "swk"]);
        assert_eq!(reached(&[passkey, Done::OneTimeCode]), Some(Acr::Multi));
        assert_eq!(
            amr(&[passkey, CARD, Done::RiskAssessed]),
            ["mfa", "pop", "rba", "swk", "vp"]
        );
        assert_eq!(reached(&[Done::OneTimeCode, Done::Sms]), Some(Acr::Single));
        assert_eq!(reached(&[Done::RiskAssessed, Done::GeoAssessed]), None);
        // A second factor alone is none.
        assert_eq!(reached(&[Done::OneTimeCode]), None);
        assert_eq!(amr(&[CARD, Done::OneTimeCode]), ["mfa", "otp", "pop", "vp"]);
    }

    #[test]
    fn another_provider_is_one_factor_of_no_kind() {
        assert!(amr(&[Done::Upstream]).is_empty());
        assert_eq!(reached(&[Done::Upstream]), Some(Acr::Single));
        // Nobody knows that it was another kind than the code.
        let beside = [Done::Upstream, Done::OneTimeCode];
        assert_eq!(amr(&beside), ["otp"]);
        assert_eq!(reached(&beside), Some(Acr::Single));
        assert_eq!(reached(&[Done::Upstream, CARD]), Some(Acr::Credential));
    }
}
