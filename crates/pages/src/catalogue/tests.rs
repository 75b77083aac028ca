//! The catalogue keeps its promises in every language.

use std::collections::BTreeMap;

use super::*;

/// The texts of a locale as they are written, by key.
fn written(locale: Locale) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut key = None;
    for file in LOCALES.get_dir(locale.tag()).unwrap().files() {
        for line in file.contents_utf8().unwrap().lines() {
            match line.split_once('=') {
                Some((name, text)) if line.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                    key = Some(name.trim().to_owned());
                    texts.insert(name.trim().to_owned(), text.to_owned());
                }
                _ if line.starts_with('#') => key = None,
                _ => {
                    if let Some(text) = key.as_ref().and_then(|key| texts.get_mut(key)) {
                        text.push('\n');
                        text.push_str(line);
                    }
                }
            }
        }
    }
    texts
}

/// The variables of a text, and whether the text is chosen by each of them.
fn variables(text: &str) -> BTreeMap<&str, bool> {
    let mut found = BTreeMap::new();
    for part in text.split('$').skip(1) {
        let end = part
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
            .unwrap_or(part.len());
        let chooses = part[end..]
            .trim_start_matches(')')
            .trim_start()
            .starts_with("->");
        *found.entry(&part[..end]).or_default() |= chooses;
    }
    found
}

fn formatted(locale: Locale, key: &str, arguments: &[(&str, i64)]) -> String {
    let mut args = FluentArgs::new();
    for (name, value) in arguments {
        args.set(*name, *value);
    }
    Catalogue::shared()
        .unwrap()
        .text_in(locale, key, Some(&args))
        .unwrap()
}

/// Without the marks that isolate a value.
fn bare(text: &str) -> String {
    text.replace(['\u{2068}', '\u{2069}'], "")
}

#[test]
fn every_locale_has_every_key() {
    let english = Catalogue::keys(Locale::En);
    assert!(english.len() > 10);
    for locale in Locale::ALL {
        let theirs = Catalogue::keys(locale);
        let missing: Vec<_> = english.symmetric_difference(&theirs).collect();
        assert!(
            missing.is_empty(),
            "{locale}: keys that differ from en: {missing:?}"
        );
    }
}

#[test]
fn every_text_has_the_variables_of_the_english_one() {
    let english = written(Locale::En);
    for locale in Locale::ALL {
        for (key, text) in written(locale) {
            let names = |text| variables(text).into_keys().collect::<Vec<_>>();
            assert_eq!(names(&text), names(&english[&key]), "{locale}: {key}");
        }
    }
}

/// Whatever the numbers are: a variant that forgets a name, or that formats to nothing, would be
/// seen by the person whose language has that variant.
#[test]
fn every_variant_says_every_value() {
    let catalogue = Catalogue::shared().unwrap();
    for locale in Locale::ALL {
        for (key, text) in written(locale) {
            let variables = variables(&text);
            for number in [0_i64, 1, 2, 3, 11, 100, 1000] {
                let mut args = FluentArgs::new();
                for (name, chooses) in &variables {
                    if *chooses {
                        args.set((*name).to_owned(), number);
                    } else {
                        args.set((*name).to_owned(), format!("<{name}>"));
                    }
                }
                let said = catalogue.text_in(locale, &key, Some(&args));
                let said = said.unwrap_or_else(|| panic!("{locale}: {key} with {number}"));
                assert!(!said.trim().is_empty(), "{locale}: {key}");
                for (name, chooses) in &variables {
                    assert!(
                        *chooses || said.contains(&format!("<{name}>")),
                        "{locale}: {key} with {number} says no {name}: {said}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_missing_value_is_no_text() {
    let catalogue = Catalogue::shared().unwrap();
    for locale in Locale::ALL {
        assert_eq!(
            catalogue.text(locale, "verifier-choose-title", None),
            None,
            "{locale}"
        );
    }
}

#[test]
fn loads_and_formats() {
    let catalogue = Catalogue::shared().unwrap();
    let mut args = FluentArgs::new();
    args.set("reference", "AB12");
    let text = catalogue
        .text(Locale::De, "error-reference", Some(&args))
        .unwrap();
    assert!(text.contains("AB12"), "{text}");
    assert_eq!(catalogue.text(Locale::De, "no-such-key", None), None);
}

/// The forms of CLDR: Arabic has six, French counts nothing as one.
#[test]
fn numbers_choose_the_form_of_the_language() {
    for (locale, key, forms) in [
        (
            Locale::Ar,
            "console-days",
            &[
                (0, "لا أيام"),
                (1, "يوم واحد"),
                (2, "يومان"),
                (3, "3 أيام"),
                (10, "10 أيام"),
                (11, "11 يومًا"),
                (99, "99 يومًا"),
                (100, "100 يوم"),
                (102, "102 يوم"),
                (103, "103 أيام"),
                (365, "365 يومًا"),
                (1000, "1000 يوم"),
            ][..],
        ),
        (
            Locale::Fr,
            "console-days",
            &[(0, "0 jour"), (1, "1 jour"), (2, "2 jours")],
        ),
        (
            Locale::Es,
            "console-days",
            &[(0, "0 días"), (1, "1 día"), (2, "2 días")],
        ),
        (
            Locale::It,
            "console-days",
            &[(0, "0 giorni"), (1, "1 giorno"), (2, "2 giorni")],
        ),
    ] {
        for (number, expected) in forms {
            let said = bare(&formatted(locale, key, &[("number", *number)]));
            assert_eq!(said, *expected, "{locale}");
        }
    }
}

/// UAX #9: a value of the other direction must not reach the words around it.
#[test]
fn values_are_isolated_where_the_script_runs_from_right_to_left() {
    let catalogue = Catalogue::shared().unwrap();
    let mut args = FluentArgs::new();
    args.set("app", "login.example (1)");
    for locale in Locale::ALL {
        let text = catalogue
            .text(locale, "verifier-back-to-app", Some(&args))
            .unwrap();
        let isolated = text.contains("\u{2068}login.example (1)\u{2069}");
        assert_eq!(isolated, locale.is_right_to_left(), "{locale}: {text}");
    }
}

/// French sets a narrow space that does not break before `:`, `;`, `?` and `!`.
#[test]
fn french_and_spanish_signs_are_set_as_there() {
    for (key, text) in written(Locale::Fr) {
        let marks = text.char_indices().filter(|(_, c)| ":;?!".contains(*c));
        for (at, mark) in marks {
            assert!(text[..at].ends_with('\u{202f}'), "{key}: {mark}");
        }
        assert!(!text.contains('\''), "{key}: the apostrophe of typewriters");
    }
    for (key, text) in written(Locale::Es) {
        let count = |sign| text.matches(sign).count();
        assert_eq!(count('?'), count('¿'), "{key}: {text}");
    }
}

/// `specs` and consoles speak of them; in front of a person these words never stand.
#[test]
fn a_person_reads_no_word_of_the_trade() {
    for locale in Locale::ALL {
        for (key, text) in written(locale) {
            if key.starts_with("console-") || key.starts_with("docs-") {
                continue;
            }
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
            let bad = words
                .find(|word| ["DID", "DIDs", "VP", "VC", "SD-JWT", "OpenID", "JWT"].contains(word));
            assert_eq!(bad, None, "{locale}: {key}");
        }
    }
}
