//! The languages that pages speak, and how one is chosen.

use std::fmt;

/// A language that the catalogue has texts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub enum Locale {
    /// English, the language of last resort.
    #[default]
    En,
    /// German.
    De,
}

impl Locale {
    /// Every locale, in the order of preference when nothing is known.
    pub const ALL: [Locale; 2] = [Locale::En, Locale::De];

    /// The BCP 47 tag: `en`, `de`.
    pub fn tag(self) -> &'static str {
        match self {
            Locale::En => "en",
            Locale::De => "de",
        }
    }

    /// The locale of a BCP 47 tag, by its primary language: `de-AT` is `de`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL
            .into_iter()
            .find(|locale| locale.tag().eq_ignore_ascii_case(primary))
    }

    /// The first language that we speak: of `ui_locales` (space separated,
    /// OpenID Connect Core 1.0, section 3.1.2.1), then of the header
    /// `Accept-Language` (RFC 9110, section 12.5.4), then English.
    pub fn negotiate(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let asked = ui_locales
            .into_iter()
            .flat_map(str::split_whitespace)
            .find_map(Self::from_tag);
        asked
            .or_else(|| accept_language.and_then(Self::from_accept_language))
            .unwrap_or_default()
    }

    fn from_accept_language(header: &str) -> Option<Self> {
        let mut ranges: Vec<(f32, Self)> = header
            .split(',')
            .take(16)
            .filter_map(|range| {
                let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
                let quality = match parameters.trim().strip_prefix("q=") {
                    Some(value) => value.trim().parse::<f32>().ok()?,
                    None => 1.0,
                };
                let wanted = quality > 0.0;
                wanted
                    .then_some(())
                    .and(Self::from_tag(tag))
                    .map(|l| (quality, l))
            })
            .collect();
        ranges.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranges.first().map(|(_, locale)| *locale)
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_locales_come_before_the_browser() {
        assert_eq!(
            Locale::negotiate(Some("fr de-AT en"), Some("en")),
            Locale::De
        );
        assert_eq!(
            Locale::negotiate(None, Some("fr;q=0.9, de;q=0.4, en;q=0.3")),
            Locale::De
        );
        assert_eq!(Locale::negotiate(Some("fr"), Some("xx")), Locale::En);
        assert_eq!(
            Locale::negotiate(None, Some("de;q=0, en;q=0.1")),
            Locale::En
        );
        assert_eq!(Locale::negotiate(None, Some(";;;q=nan,,")), Locale::En);
    }
}
