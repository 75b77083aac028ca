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
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Italian.
    It,
    /// Arabic, written from right to left.
    Ar,
}

impl Locale {
    /// Every locale, in the order of preference when nothing is known.
    pub const ALL: [Locale; 6] = [
        Locale::En,
        Locale::De,
        Locale::Fr,
        Locale::Es,
        Locale::It,
        Locale::Ar,
    ];

    /// The BCP 47 tag: `en`, `de`.
    pub fn tag(self) -> &'static str {
        match self {
            Locale::En => "en",
            Locale::De => "de",
            Locale::Fr => "fr",
            Locale::Es => "es",
            Locale::It => "it",
            Locale::Ar => "ar",
        }
    }

    /// What the language calls itself, for whoever chooses one.
    pub fn own_name(self) -> &'static str {
        match self {
            Locale::En => "English",
            Locale::De => "Deutsch",
            Locale::Fr => "Français",
            Locale::Es => "Español",
            Locale::It => "Italiano",
            Locale::Ar => "العربية",
        }
    }

    /// The direction of its script, as the attribute `dir` of HTML names it.
    pub fn direction(self) -> &'static str {
        if self.is_right_to_left() {
            "rtl"
        } else {
            "ltr"
        }
    }

    /// Whether its script runs from right to left.
    pub fn is_right_to_left(self) -> bool {
        matches!(self, Locale::Ar)
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
                // RFC 9110, section 12.4.2: the name of the weight is in either case.
                let weight = parameters.trim().strip_prefix(['q', 'Q']);
                let quality = match weight.and_then(|rest| rest.strip_prefix('=')) {
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
            Locale::negotiate(Some("pt de-AT en"), Some("en")),
            Locale::De
        );
        assert_eq!(Locale::negotiate(Some("fr ar"), Some("ar")), Locale::Fr);
        assert_eq!(Locale::negotiate(Some("pt"), Some("it")), Locale::It);
        assert_eq!(Locale::negotiate(Some("pt"), Some("xx")), Locale::En);
        assert_eq!(Locale::negotiate(Some(""), None), Locale::En);
    }

    #[test]
    fn the_browser_weighs_its_languages() {
        for (header, expected) in [
            ("pt;q=0.9, de;q=0.4, en;q=0.3", Locale::De),
            ("en;q=0.3, es;q=0.8, fr;q=0.7", Locale::Es),
            ("fr, ar", Locale::Fr),
            ("en;Q=0.2, it;Q=0.9", Locale::It),
            ("de;q=0, en;q=0.1", Locale::En),
            ("ar;q=0, *;q=0.5", Locale::En),
            ("pt-BR, pt;q=0.9", Locale::En),
            (";;;q=nan,,", Locale::En),
        ] {
            assert_eq!(Locale::negotiate(None, Some(header)), expected, "{header}");
        }
    }

    /// A person of a country gets its language: nothing narrower is written yet.
    #[test]
    fn a_region_or_a_script_leads_to_its_language() {
        for (tag, expected) in [
            ("ar-EG", Some(Locale::Ar)),
            ("ar-Latn", Some(Locale::Ar)),
            ("fr-CA", Some(Locale::Fr)),
            ("FR_ca", Some(Locale::Fr)),
            ("es-419", Some(Locale::Es)),
            ("it-CH", Some(Locale::It)),
            ("pt", None),
            ("arc", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(Locale::from_tag(tag), expected, "{tag}");
        }
    }

    #[test]
    fn tags_lead_back_and_one_script_runs_the_other_way() {
        for locale in Locale::ALL {
            assert_eq!(Locale::from_tag(locale.tag()), Some(locale));
            let rtl = locale == Locale::Ar;
            assert_eq!(locale.direction(), if rtl { "rtl" } else { "ltr" });
        }
    }
}
