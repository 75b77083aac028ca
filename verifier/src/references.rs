//! References of error pages that belong to no login. Such a page costs no row, or whoever asks for pages
//! that are not there would fill the database: the reference itself says which page it was and in which
//! hour, under a key, so that nobody makes one up.

use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::{Rng, bytes};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::keys::SymmetricKey;

use crate::domain::reason::Explanation;
use crate::fingerprint::Fingerprints;

/// So many hours a reference leads somewhere: a week, as long as those of logins.
const HOURS: i64 = 7 * 24;
/// What a page and an hour take.
const SAID: usize = 3;
/// Random bytes, so that a reference is found in the log.
const RANDOM: usize = 5;
/// Bytes of the code under the key.
const MAC: usize = 4;

/// Makes and reads references.
pub struct References(Fingerprints);

impl References {
    /// Under a key.
    #[must_use]
    pub fn new(key: SymmetricKey) -> Self {
        Self(Fingerprints::new(key))
    }

    /// A reference of a page.
    #[must_use]
    pub fn make(&self, explanation: Explanation, now: UnixTime, rng: &dyn Rng) -> String {
        let place = Explanation::ALL.iter().position(|one| *one == explanation);
        let place = u8::try_from(place.unwrap_or_default()).unwrap_or_default();
        let [.., high, low] = now.0.div_euclid(3600).to_be_bytes();
        let mut all = vec![place, high, low];
        all.extend(bytes::<RANDOM>(rng));
        let mac = self.0.of(&[&all]);
        all.extend_from_slice(&mac[..MAC]);
        b64url(&all)
    }

    /// The page behind a reference, for a week.
    #[must_use]
    pub fn read(&self, reference: &str, now: UnixTime) -> Option<Explanation> {
        let all = b64url_decode(reference).ok()?;
        let (said, mac) = all.split_at_checked(SAID + RANDOM)?;
        if mac.len() != MAC || self.0.of(&[said])[..MAC] != *mac {
            return None;
        }
        let [place, high, low, ..] = *said else {
            return None;
        };
        let then = i64::from(u16::from_be_bytes([high, low]));
        let age = (now.0.div_euclid(3600) - then).rem_euclid(1 << 16);
        let page = Explanation::ALL.get(usize::from(place)).copied();
        page.filter(|_| age <= HOURS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_credentials::testing::SeededRng;

    fn references(key: u8) -> References {
        References::new(SymmetricKey::kept([key; 32]))
    }

    #[test]
    fn a_reference_leads_to_its_page_for_a_week_and_nobody_makes_one_up() {
        let (own, rng) = (references(1), SeededRng::new(1));
        let now = UnixTime(1_795_435_200);
        for explanation in Explanation::ALL {
            let made = own.make(explanation, now, &rng);
            assert_eq!(own.read(&made, now), Some(explanation));
            let later = |hours: i64| own.read(&made, now.plus(hours * 3600));
            assert_eq!((later(168), later(169)), (Some(explanation), None));
            assert_eq!(references(2).read(&made, now), None);
            for at in 0..made.len() {
                let mut other = made.clone().into_bytes();
                other[at] = if other[at] == b'A' { b'B' } else { b'A' };
                let other = String::from_utf8(other).unwrap();
                assert_eq!(own.read(&other, now), None, "{other}");
            }
        }
        for bad in ["", "AAAAAAAA", "%", "é", &"A".repeat(1000)] {
            assert_eq!(own.read(bad, now), None);
        }
    }
}
