//! Moments as a browser sends them (HTML, "local date and time"): the page says that they are UTC.

use vouchsafe_credentials::time::UnixTime;

use crate::handlers::admin::views::{from_rfc3339, rfc3339};

/// What was typed, with or without seconds.
pub fn read(text: &str) -> Option<UnixTime> {
    let seconds = match text.len() {
        16 => ":00Z",
        19 => "Z",
        _ => return None,
    };
    from_rfc3339(&format!("{text}{seconds}"))
}

/// The same as the value of a field.
pub fn written(at: UnixTime) -> String {
    rfc3339(at).trim_end_matches('Z').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_what_a_browser_sends() {
        assert_eq!(read("1970-01-02T00:01"), Some(UnixTime(86_460)));
        assert_eq!(read("1970-01-02T00:01:02"), Some(UnixTime(86_462)));
        assert_eq!(read(&written(UnixTime(86_462))), Some(UnixTime(86_462)));
        for bad in [
            "",
            "soon",
            "1970-01-02",
            "1970-01-02T25:01",
            "1970-01-02T00:01Z",
            "1970-01-02T00:01+01:00",
            "ééééééé1",
            "1970-02-30T00:01",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
