//! Authentication context classes: one ladder, each step with the time it lasts.

use vouchsafe_credentials::time::UnixTime;

/// How sure a login is, lowest first. A class is computed from what was done, never declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acr {
    /// One factor other than a credential.
    Single,
    /// Two factors of different kinds.
    Multi,
    /// A credential presented from another device.
    CredentialCrossDevice,
    /// A credential presented on the device that logs in.
    Credential,
    /// A credential whose key is in attested hardware.
    CredentialHardware,
}

impl Acr {
    /// All classes, lowest first.
    pub const ALL: [Self; 5] = [
        Self::Single,
        Self::Multi,
        Self::CredentialCrossDevice,
        Self::Credential,
        Self::CredentialHardware,
    ];

    /// Value of the `acr` claim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "urn:vouchsafe:acr:1fa",
            Self::Multi => "urn:vouchsafe:acr:mfa",
            Self::CredentialCrossDevice => "urn:vouchsafe:acr:vc-xdev",
            Self::Credential => "urn:vouchsafe:acr:vc",
            Self::CredentialHardware => "urn:vouchsafe:acr:vc-hw",
        }
    }

    /// Reads a value, exactly; `None` for one that is not on the ladder.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

impl std::fmt::Display for Acr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Acr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How long each class lasts after the login that reached it. A class that ran out falls
/// to the highest lower one that still lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcrLadder {
    /// Seconds by position in [`Acr::ALL`]; `None` lasts as long as the session.
    max_age: [Option<u64>; 5],
}

impl Default for AcrLadder {
    /// Credential classes last 12 hours, attested hardware one hour.
    fn default() -> Self {
        const HALF_DAY: Option<u64> = Some(12 * 3600);
        Self {
            max_age: [None, None, HALF_DAY, HALF_DAY, Some(3600)],
        }
    }
}

impl AcrLadder {
    /// Sets how long a class lasts, in seconds.
    #[must_use]
    pub fn with_max_age(mut self, acr: Acr, seconds: u64) -> Self {
        self.max_age[acr as usize] = Some(seconds);
        self
    }

    /// The class a login of `auth_time` still counts for, and never one that was not
    /// done; `None` for a login from the future.
    #[must_use]
    pub fn current(&self, reached: Acr, auth_time: UnixTime, now: UnixTime) -> Option<Acr> {
        let age = u64::try_from(now.since(auth_time)).ok()?;
        Acr::ALL
            .into_iter()
            .rev()
            .filter(|acr| *acr <= reached)
            // A card that was shown is one factor: what is left of it is never two.
            .filter(|acr| *acr != Acr::Multi || reached == Acr::Multi)
            .find(|acr| self.max_age[*acr as usize].is_none_or(|max| age <= max))
    }
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcrWish {
    /// Values it would accept, in its order. Values not on the ladder are kept out.
    pub accepted: Vec<Acr>,
    /// Nothing else will do (claims parameter, `essential: true`).
    pub essential: bool,
    /// Values were named but none is on the ladder.
    pub only_unknown: bool,
}

impl AcrWish {
    /// Reads a list of values.
    #[must_use]
    pub fn new<S: AsRef<str>>(values: &[S], essential: bool) -> Self {
        let accepted: Vec<Acr> = values
            .iter()
            .filter_map(|v| Acr::from_wire(v.as_ref()))
            .collect();
        Self {
            only_unknown: accepted.is_empty() && !values.is_empty(),
            accepted,
            essential,
        }
    }

    /// The lowest class that satisfies the wish: a higher one satisfies it too.
    #[must_use]
    pub fn lowest(&self) -> Option<Acr> {
        self.accepted.iter().min().copied()
    }

    /// The class that is reported of a login that reached `reached`. An essential wish is answered with
    /// one of the values that it names, the highest that was reached (OpenID Connect Core 1.0, section 5.5.1.1).
    #[must_use]
    pub fn reported(&self, reached: Acr) -> Acr {
        let named = self.accepted.iter().copied().filter(|acr| *acr <= reached);
        match self.essential {
            true => named.max().unwrap_or(reached),
            false => reached,
        }
    }

    /// Whether a login of this class may be answered. A voluntary wish never fails: the real
    /// class is reported. An essential one does: `unmet_authentication_requirements`.
    #[must_use]
    pub fn permits(&self, reached: Acr) -> bool {
        if !self.essential {
            return true;
        }
        match self.lowest() {
            Some(lowest) => reached >= lowest,
            None => !self.only_unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_ordered() {
        assert!(Acr::ALL.is_sorted());
        for acr in Acr::ALL {
            assert_eq!(Acr::from_wire(acr.as_str()), Some(acr));
        }
        assert_eq!(Acr::from_wire("urn:vouchsafe:acr:VC"), None);
    }

    #[test]
    fn classes_run_out() {
        let ladder = AcrLadder::default()
            .with_max_age(Acr::Credential, 100)
            .with_max_age(Acr::CredentialCrossDevice, 50);
        let at = |age: i64| ladder.current(Acr::Credential, UnixTime(0), UnixTime(age));
        assert_eq!(at(0), Some(Acr::Credential));
        assert_eq!(at(100), Some(Acr::Credential));
        assert_eq!(at(101), Some(Acr::Single));
        assert_eq!(at(-1), None);
        assert_eq!(
            ladder.current(Acr::Single, UnixTime(0), UnixTime(9)),
            Some(Acr::Single)
        );
    }

    #[test]
    fn essential_and_voluntary_wishes() {
        let wish = |values: &[&str], essential| AcrWish::new(values, essential);
        let vc = "urn:vouchsafe:acr:vc";
        assert!(wish(&[vc], false).permits(Acr::Single));
        assert!(!wish(&[vc], true).permits(Acr::CredentialCrossDevice));
        assert!(wish(&[vc], true).permits(Acr::CredentialHardware));
        assert!(wish(&["urn:vouchsafe:acr:vc-hw", vc], true).permits(Acr::Credential));
        assert!(!wish(&["urn:other"], true).permits(Acr::CredentialHardware));
        assert!(wish(&[], true).permits(Acr::Single));
        let (single, card) = (Acr::Single, Acr::Credential);
        assert_eq!(wish(&[single.as_str()], true).reported(card), single);
        let both = [single.as_str(), card.as_str()];
        assert_eq!(wish(&both, true).reported(Acr::CredentialHardware), card);
        assert_eq!(wish(&[single.as_str()], false).reported(card), card);
        assert_eq!(wish(&[], true).reported(card), card);
    }
}
