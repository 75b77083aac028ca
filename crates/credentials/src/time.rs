//! Time as a parameter.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds (RFC 7519, section 2: `NumericDate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// A `NumericDate` of a JSON document: a number of seconds, of which fractions are cut off (RFC 7519,
    /// section 2). `None` for what is no number, and for numbers that no clock shows.
    #[must_use]
    pub fn from_numeric_date(value: &serde_json::Value) -> Option<Self> {
        let seconds = value.as_i64().or_else(|| {
            let seconds = value.as_f64().filter(|seconds| seconds.abs() < 1e15)?;
            #[expect(clippy::cast_possible_truncation, reason = "below 1e15")]
            Some(seconds.floor() as i64)
        });
        seconds.map(Self)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This time moved by `seconds` (negative: into the past); stays at the limit instead of wrapping.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this time; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where the time comes from. Services pass the system clock, tests a fixed one.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> UnixTime;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rfc_7519_section_2_a_numeric_date_may_have_a_fraction() {
        let read = |value| UnixTime::from_numeric_date(&value).map(UnixTime::seconds);
        assert_eq!(read(json!(1_800_000_000)), Some(1_800_000_000));
        assert_eq!(read(json!(1_800_000_000.75)), Some(1_800_000_000));
        assert_eq!(read(json!(1.8e9)), Some(1_800_000_000));
        assert_eq!(read(json!(-0.5)), Some(-1));
        for other in [
            json!("1800000000"),
            json!(1e300),
            json!(true),
            json!(null),
            json!([1]),
        ] {
            assert_eq!(read(other), None);
        }
    }
}
